//! Owner, group and mode of the files that rsyslog writes, wherever its configuration names them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAIN, statement};
use crate::content::Names;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::setting::access::Mode;
use crate::setting::file::File;
use crate::setting::place::Sort;
use crate::system::System;

/// What the files must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogFiles {
    /// Who may own them; the first that exists is who shall.
    #[serde(default)]
    pub owner: Option<Names>,
    /// Which groups they may have; the first that exists is which they shall.
    #[serde(default)]
    pub group: Option<Names>,
    /// The most their mode may allow, in octal.
    #[serde(default)]
    pub mode: Option<Mode>,
}

impl LogFiles {
    /// Judges each file that is there.
    ///
    /// # Errors
    /// When the configuration cannot be read or understood.
    pub fn examine(&self, system: &System) -> Result<Finding> {
        let mut paths = BTreeSet::new();
        for file in statement::files(system, Path::new(MAIN))? {
            let text = system.read_text(&file)?.unwrap_or_default();
            paths.extend(text.lines().flat_map(named));
        }
        let mut there = Vec::new();
        for path in paths {
            if system.exists(&path)? {
                there.push(path);
            }
        }
        if there.is_empty() {
            let mut finding = Finding::new();
            finding.persistent(true, "no file is written yet", self.wanted(), MAIN);
            return Ok(finding);
        }
        self.of(there).examine(system)
    }

    fn of(&self, paths: Vec<String>) -> File {
        File {
            path: Names::Several(paths),
            sort: Sort::File,
            name: None,
            except: Vec::new(),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode,
        }
    }

    /// How it is checked.
    pub fn wanted(&self) -> String {
        self.of(vec!["files that rsyslog writes".to_owned()]).describe()
    }
}

/// The files that a line names: behind a selector, or as `File="…"`.
fn named(line: &str) -> Vec<String> {
    let line = line.trim();
    if line.starts_with(['#', '$']) || line.starts_with("include(") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let lower = line.to_ascii_lowercase();
    for (at, _) in lower.match_indices("file=\"") {
        let rest = line.get(at + "file=\"".len()..).unwrap_or_default();
        found.extend(rest.split('"').next().map(str::to_owned));
    }
    let last = line.split_whitespace().skip(1).last().unwrap_or_default();
    let path = last.strip_prefix('-').unwrap_or(last).split([';', ':']).next().unwrap_or_default();
    found.push(path.to_owned());
    let plain = |path: &str| {
        let pattern = path.contains(['*', '?', '[', '"', '(', ')']);
        Path::new(path).is_absolute()
            && !path.starts_with("/dev/")
            && !pattern
            && PathBuf::from(path).file_name().is_some()
    };
    found.retain(|path| plain(path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::rsyslog::Rsyslog;
    use crate::setting::testing::Tree;

    #[test]
    fn files_are_found_in_both_syntaxes() {
        for (line, expected) in [
            ("*.info;mail.none  /var/log/messages", vec!["/var/log/messages"]),
            ("mail.*  -/var/log/maillog;format", vec!["/var/log/maillog"]),
            ("*.* action(type=\"omfile\" File=\"/var/log/all\")", vec!["/var/log/all"]),
            ("# *.* /var/log/x", vec![]),
            ("*.emerg :omusrmsg:*", vec![]),
            ("*.* /dev/console", vec![]),
            ("include(file=\"/etc/rsyslog.d/*.conf\" mode=\"optional\")", vec![]),
            ("$WorkDirectory /var/lib/rsyslog", vec![]),
        ] {
            assert_eq!(named(line), expected, "{line}");
        }
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let setting: Rsyslog = serde_json::from_str(r#"{"files": {"mode": "0640"}}"#).unwrap();
        let tree = Tree::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
            .file("/etc/group", "root:x:0:\n")
            .file(MAIN, "$IncludeConfig /etc/rsyslog.d/*.conf\n*.* /var/log/messages\n")
            .file("/etc/rsyslog.d/a.conf", "cron.* /var/log/cron\n")
            .file_with_mode("/var/log/messages", "", 0o644)
            .file_with_mode("/var/log/cron", "", 0o600);
        tree.round_trip(&setting);
        assert_eq!(tree.planned(&setting).len(), 1);
        assert_eq!(tree.applied(&setting).mode("/var/log/messages"), 0o640);
    }
}
