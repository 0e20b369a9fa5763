//! A systemd unit of our own: its file, and that it is enabled.

use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting, unit};
use crate::change::{Change, Effect, UnitGoal};
use crate::finding::Finding;
use crate::system::System;

/// A unit that the agent brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitFile {
    /// The unit's full name.
    pub name: String,
    /// What is in its file.
    pub content: String,
}

impl Setting for UnitFile {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let path = PathBuf::from("/etc/systemd/system").join(&self.name);
        let content = format!("{OWNED_HEADER}{}\n", self.content.trim_end());
        let is = system.read_text(&path)?;
        let found = match &is {
            None => "not there",
            Some(text) if *text == content => "as wanted",
            Some(_) => "has other content",
        };
        let written = is.as_ref() == Some(&content);
        finding.persistent(written, found, "the unit file", path.display().to_string());
        let enabled = unit::starts_at_boot(system, &self.name)?;
        let word = if enabled { "enabled" } else { "not enabled" };
        finding.persistent(enabled, word, "enabled", format!("systemctl is-enabled {}", self.name));
        if !written {
            finding.change(Change::write(&path, content)).effect(Effect::DaemonReload);
        }
        if !enabled {
            finding.change(Change::Unit { unit: self.name.clone(), goal: UnitGoal::Enabled });
        }
        // Masked, or kept elsewhere: what is behind the link is not ours to write.
        if let Some(target) = system.read_link(&path)?
            && !finding.is_compliant()
        {
            let (path, target) = (path.display(), target.display());
            finding.manual(format!("somebody made {path} a link to {target}: remove it first"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("the unit {} is there and enabled", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn setting() -> UnitFile {
        let content = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
        UnitFile { name: "x.service".into(), content: content.into() }
    }

    #[test]
    fn the_file_is_written_before_the_unit_is_enabled() {
        let changes = Tree::new().planned(&setting());
        let enable = Change::Unit { unit: "x.service".into(), goal: UnitGoal::Enabled };
        assert!(matches!(&changes[..], [Change::WriteFile { .. }, last] if *last == enable), "{changes:?}");
    }

    #[test]
    fn a_changed_file_is_found_even_when_enabled() {
        let tree = Tree::new()
            .file("/etc/systemd/system/x.service", "[Service]\n")
            .link("/etc/systemd/system/multi-user.target.wants/x.service", "../x.service");
        let finding = setting().examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant());
        assert_eq!(finding.changes.len(), 1);
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let wants = "/etc/systemd/system/multi-user.target.wants/x.service";
        let machine = || Tree::new().dir("/etc/systemd/system", 0o755);
        let other = || machine().file("/etc/systemd/system/x.service", "[Service]\n");
        machine().round_trip(&setting());
        other().round_trip(&setting());
        other().link(wants, "../x.service").round_trip(&setting());
        machine().booted(&["ssh.service"]).round_trip(&setting());
        other().link(wants, "../x.service").booted(&["x.service"]).round_trip(&setting());
    }

    #[test]
    fn what_somebody_put_in_its_place_is_not_written_through() {
        let tree = Tree::new().link("/etc/systemd/system/x.service", "/dev/null");
        let finding = setting().examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant() && finding.changes.is_empty());
        assert!(finding.manual.unwrap().contains("a link to /dev/null"));
    }
}
