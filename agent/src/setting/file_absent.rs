//! Files that must not be there.
//!
//! Anything but a directory counts, symbolic links too. Mending removes them; a rule about files that people wrote for
//! themselves says `check_only` instead.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::place::{self, Sort};
use crate::change::Change;
use crate::content::Names;
use crate::finding::Finding;
use crate::system::System;

/// Files that must not be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileAbsent {
    /// The files: paths with `*`, `?`, `[…]`, `**` for any number of directories, `~` for the home of each interactive
    /// user.
    pub path: Names,
}

impl Setting for FileAbsent {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        for pattern in self.path.as_slice() {
            let places = place::find(system, pattern, Sort::Entry)?;
            for place in &places {
                let shown = place.path.display().to_string();
                finding.persistent(false, "it is there", "no such file", shown);
                finding.change(Change::RemoveFile { path: place.path.clone() });
            }
            if places.is_empty() {
                finding.persistent(true, "there is none", "no such file", pattern);
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("there is no {}", self.path.as_slice().join(" and no "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn absent(paths: &[&str]) -> FileAbsent {
        FileAbsent { path: Names::Several(paths.iter().map(|path| (*path).to_owned()).collect()) }
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = Tree::new().file("/etc/cron.deny", "ann\n").link("/etc/at.deny", "nowhere");
        tree.round_trip(&absent(&["/etc/cron.deny", "/etc/at.deny", "/etc/none"]));
    }

    #[test]
    fn every_pattern_is_looked_for() {
        let tree = Tree::new()
            .file("/etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n")
            .file("/home/ann/.forward", "")
            .file("/home/x/.netrc", "")
            .dir("/home/y/.netrc", 0o755);
        let finding =
            absent(&["~/*.forward", "/home/*/.netrc", "/root/.rhosts"]).examine(&tree.system()).unwrap();
        let found: Vec<_> = finding.evidence.iter().map(|one| (one.place.as_str(), one.holds)).collect();
        assert_eq!(
            found,
            [("/home/ann/.forward", false), ("/home/x/.netrc", false), ("/root/.rhosts", true)]
        );
    }
}
