//! Who may log in over ssh is limited at all: one of the four access lists is set.
//!
//! Whom to name is the owner's decision, so there is nothing to mend here: a list made up by a program shuts people out.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{Files, MAIN};
use super::without_daemon;
use crate::content::Text;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// The access lists of `sshd_config(5)`.
const LISTS: [&str; 4] = ["AllowUsers", "AllowGroups", "DenyUsers", "DenyGroups"];

/// A list of users or groups that may, or may not, log in over ssh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SshdAccess {
    /// Whether there must be a daemon at all: 0 undecided, 1 no, 2 yes.
    #[serde(default)]
    pub required: Text,
}

impl Setting for SshdAccess {
    fn examine(&self, system: &System) -> Result<Finding> {
        if let Some(finding) = without_daemon(system, &self.required)? {
            return Ok(finding);
        }
        let mut finding = Finding::new();
        let wanted = format!("one of {}", LISTS.join(", "));
        let directives = Files::new(system).directives()?;
        // A list inside a Match block limits some connections only.
        let everywhere = directives.iter().filter(|found| found.condition.is_none());
        for found in everywhere.filter(|found| LISTS.iter().any(|list| found.is(list))) {
            finding.persistent(true, found.sentence(), &wanted, found.place());
        }
        if finding.evidence.is_empty() {
            finding.persistent(false, "none is set", wanted, MAIN);
            finding.manual(
                "who may log in is for the owner to say: name users or groups with AllowUsers or AllowGroups",
            );
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("the ssh daemon's configuration sets {}", LISTS.join(" or "))
    }
}
