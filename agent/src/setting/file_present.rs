//! A file that must be there, whatever it says.
//!
//! Its being there is the point: an empty `cron.allow` lets nobody but root in. What one finds there is never touched; owner
//! and mode of an existing file are the matter of [`super::file`].

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::access::Mode;
use crate::change::Change;
use crate::finding::Finding;
use crate::system::{FileKind, System};

/// A file that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilePresent {
    /// The file.
    pub path: String,
    /// The mode it gets when it is made, in octal.
    pub mode: Mode,
}

impl Setting for FilePresent {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let (found, holds) = match system.meta(&self.path)?.map(|meta| meta.kind) {
            None => ("there is none", false),
            Some(FileKind::Directory) => ("a directory", false),
            Some(_) => ("it is there", true),
        };
        finding.persistent(holds, found, "a file", &self.path);
        if found == "a directory" {
            finding.manual(format!("{} is a directory: move it away", self.path));
        } else if !holds {
            let (path, mode) = (self.path.clone().into(), self.mode.0);
            finding.change(Change::WriteFile { path, content: String::new(), mode });
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} is there", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn allow() -> FilePresent {
        FilePresent { path: "/etc/cron.allow".into(), mode: Mode(0o640) }
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = Tree::new().dir("/etc", 0o755);
        tree.round_trip(&allow());
        assert_eq!(tree.applied(&allow()).mode("/etc/cron.allow"), 0o640);
    }

    #[test]
    fn what_is_there_is_not_touched() {
        let tree = Tree::new().file("/etc/cron.allow", "ann\n");
        let finding = allow().examine(&tree.system()).unwrap();
        assert!(finding.is_compliant() && finding.changes.is_empty());
    }

    #[test]
    fn a_directory_in_its_place_is_for_a_person() {
        let tree = Tree::new().dir("/etc/cron.allow", 0o755);
        let finding = allow().examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant() && finding.manual.is_some());
    }
}
