//! A kernel parameter: its running value and the one `systemd-sysctl` sets at boot.
//!
//! The value at boot is decided as `sysctl.d(5)` says: of files with the same name, the one in the first directory
//! counts; all are then read in the order of their names and the last assignment wins. `/etc/sysctl.conf` is linked
//! into `/etc/sysctl.d` on Debian and read last by `sysctl --system`. Our own drop-in sorts behind all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// Our own drop-in: sorts behind everything a distribution or an administrator is likely to write.
const DROP_IN: &str = "/etc/sysctl.d/99-zz-trempe.conf";

/// Where drop-ins are, in the order in which one file hides another of the same name.
const DIRS: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// The parameter, with dots.
    pub key: String,
    /// The value it must have.
    pub value: Text,
    /// Values that are as good or better.
    #[serde(default)]
    pub also: Vec<Text>,
}

/// An assignment in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    key: String,
    value: String,
    file: PathBuf,
    line: usize,
}

impl Setting for Sysctl {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let wanted = format!("{} = {}", self.key, self.value);
        if system.is_running() {
            match system.sysctl(&self.key)? {
                Some(value) => {
                    let holds = self.accepts(&value);
                    let place = System::sysctl_path(&self.key).display().to_string();
                    finding.running(holds, format!("{} = {value}", self.key), &wanted, place);
                    if !holds {
                        finding.change(Change::Sysctl { key: self.key.clone(), value: self.value.0.clone() });
                    }
                }
                None => {
                    return Ok(Finding::not_applicable(format!("this kernel has no parameter {}", self.key)));
                }
            }
        }
        self.examine_files(system, &wanted, &mut finding)?;
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!(
            "the kernel parameter {} is {} now and in the files read at boot (sysctl.d)",
            self.key, self.value
        )
    }
}

impl Sysctl {
    fn accepts(&self, value: &str) -> bool {
        let same = |text: &Text| text.as_str().split_whitespace().eq(value.split_whitespace());
        same(&self.value) || self.also.iter().any(same)
    }

    fn examine_files(&self, system: &System, wanted: &str, finding: &mut Finding) -> Result<()> {
        let assignments = assignments(system)?;
        let decides = assignments.iter().rev().find(|assignment| assignment.key == self.key);
        match decides {
            Some(found) => {
                let place = format!("{}:{}", found.file.display(), found.line);
                finding.persistent(
                    self.accepts(&found.value),
                    format!("{} = {}", self.key, found.value),
                    wanted,
                    place,
                );
            }
            None => drop(finding.persistent(false, "not set", wanted, "/etc/sysctl.d")),
        }
        if decides.is_none_or(|found| !self.accepts(&found.value)) {
            let own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            finding.change(Change::write(DROP_IN, set(&own, &self.key, self.value.as_str())));
        }
        Ok(())
    }
}

/// Every assignment, in the order in which they are made at boot.
fn assignments(system: &System) -> Result<Vec<Assignment>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in system.drop_ins(dir, ".conf")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.entry(name).or_insert(path);
        }
    }
    let mut found = Vec::new();
    for path in files.values() {
        found.extend(parse(path, &system.read_text(path)?.unwrap_or_default()));
    }
    let main = Path::new("/etc/sysctl.conf");
    let linked = files
        .values()
        .any(|path| system.read_link(path).ok().flatten().is_some_and(|to| to.ends_with("sysctl.conf")));
    if !linked && let Some(text) = system.read_text(main)? {
        // Only `sysctl --system` reads it then, and before our own drop-in nothing later does.
        let at = found.iter().position(|assignment: &Assignment| assignment.file == Path::new(DROP_IN));
        let rest = found.split_off(at.unwrap_or(found.len()));
        found.extend(parse(main, &text));
        found.extend(rest);
    }
    Ok(found)
}

fn parse(file: &Path, text: &str) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        // A leading dash only says that failures are ignored.
        let key = key.trim().trim_start_matches('-').replace('/', ".");
        found.push(Assignment {
            key,
            value: value.trim().to_owned(),
            file: file.to_owned(),
            line: index + 1,
        });
    }
    found
}

/// The text of our drop-in with one parameter set; others keep their lines.
fn set(text: &str, key: &str, value: &str) -> String {
    let ours = |line: &&str| line.split_once('=').is_none_or(|(found, _)| found.trim() != key);
    let mut lines: Vec<String> = text.lines().filter(ours).map(str::to_owned).collect();
    lines.push(format!("{key} = {value}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn forward() -> Sysctl {
        Sysctl { key: "net.ipv4.ip_forward".into(), value: "0".into(), also: vec![] }
    }

    #[test]
    fn the_last_name_wins_and_the_first_directory_hides() {
        let tree = Tree::new()
            .file("/usr/lib/sysctl.d/50-a.conf", "net.ipv4.ip_forward=0\n")
            .file("/etc/sysctl.d/50-a.conf", "# hides the vendor's\nnet/ipv4/ip_forward = 1\n");
        let finding = forward().examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant());
        assert_eq!(finding.evidence[0].place, "/etc/sysctl.d/50-a.conf:2");
    }

    #[test]
    fn the_main_file_counts_before_our_drop_in() {
        let tree = Tree::new().file("/etc/sysctl.conf", "net.ipv4.ip_forward=0\n");
        assert!(forward().examine(&tree.system()).unwrap().is_compliant());
        let tree = tree.file(DROP_IN, "net.ipv4.ip_forward = 1\n");
        assert!(!forward().examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn other_parameters_of_the_drop_in_are_kept() {
        let tree = Tree::new().file(DROP_IN, "kernel.dmesg_restrict = 1\nnet.ipv4.ip_forward = 1\n");
        let changed = tree.applied(&forward());
        assert_eq!(changed.text(DROP_IN), "kernel.dmesg_restrict = 1\nnet.ipv4.ip_forward = 0\n");
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        Tree::new().file("/etc/sysctl.d/10-x.conf", "net.ipv4.ip_forward=1\n").round_trip(&forward());
    }
}
