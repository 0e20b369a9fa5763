//! A group that nobody is in.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GROUP;
use super::file::{line_of, place_of, with_field, with_line};
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

const GSHADOW: &str = "/etc/gshadow";

/// A group without members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyGroup {
    /// Its name.
    pub group: String,
    /// Whether it must be there.
    #[serde(default)]
    pub create: bool,
}

impl EmptyGroup {
    /// Judges the group.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn examine(&self, system: &System) -> Result<Finding> {
        let accounts = system.accounts()?;
        let mut finding = Finding::new();
        let wanted = format!("the group {} has no members", self.group);
        let text = system.read_text(GROUP)?.unwrap_or_default();
        let gshadow = system.read_text(GSHADOW)?;
        let Some(group) = accounts.group(&self.group) else {
            finding.persistent(!self.create, "no such group", wanted, GROUP);
            if self.create {
                let used = |gid: &u32| !accounts.groups.iter().any(|group| group.gid == *gid);
                match (100..=999).rev().find(used) {
                    Some(gid) => {
                        let line = format!("{}:x:{gid}:", self.group);
                        finding.change(Change::write(GROUP, with_line(&text, &line)));
                        let line = format!("{}:!::", self.group);
                        finding.changes.extend(gshadow.map(|text| secret(with_line(&text, &line))));
                    }
                    None => drop(finding.manual("no group id below 1000 is free")),
                }
            }
            return Ok(finding);
        };
        let place = place_of(GROUP, &text, &self.group);
        let none = group.members.is_empty();
        let members = if none { "no members".to_owned() } else { group.members.join(", ") };
        finding.persistent(none, members, &wanted, place);
        if !none {
            finding.change(Change::write(GROUP, with_field(&text, &self.group, 3, "")));
            let listed = gshadow.filter(|text| line_of(text, &self.group) > 0);
            finding.changes.extend(listed.map(|text| secret(with_field(&text, &self.group, 3, ""))));
        }
        for user in accounts.users.iter().filter(|user| user.gid == group.gid) {
            finding.persistent(
                false,
                format!("it is the primary group of {}", user.name),
                &wanted,
                super::PASSWD,
            );
            finding.manual(format!("{} needs another primary group: usermod -g", user.name));
        }
        Ok(finding)
    }

    /// How it is checked.
    pub fn describe(&self) -> String {
        let there = if self.create { "is there and " } else { "" };
        format!("the group {} {there}has no members", self.group)
    }
}

fn secret(content: String) -> Change {
    Change::WriteFile { path: GSHADOW.into(), content, mode: 0o640 }
}
