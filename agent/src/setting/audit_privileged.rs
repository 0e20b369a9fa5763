//! Audit rules for privileged programs: one for each program that runs with the rights of its owner or group.
//!
//! The programs are those of the shared walk with a set-user-id or set-group-id bit, on file systems where that bit counts
//! and programs can be started at all. What a rule looks like and where it goes is [`super::audit_rule`]'s.

use std::path::Path;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Setting, audit_rule};
use crate::finding::Finding;
use crate::system::{Mount, System};

/// An audit rule for every privileged program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditPrivileged {
    /// The key of the rules, by which their records are found.
    pub key: String,
    /// Whether each program gets a rule for each width of words. To the kernel that is what one rule without says; the
    /// benchmark of RHEL 10 has them written so.
    #[serde(default)]
    pub each_arch: bool,
}

impl Setting for AuditPrivileged {
    fn examine(&self, system: &System) -> Result<Finding> {
        let walk = system.walk()?;
        if let Some(reason) = walk.unreadable.first() {
            bail!("not every program can be known: {reason}");
        }
        let mounts = system.mounts()?;
        let mut rules = Vec::new();
        for entry in &walk.set_id {
            if !is_bit_idle(&entry.path, &mounts.now) {
                rules.extend(self.rules(&entry.path)?);
            }
        }
        if rules.is_empty() {
            return Ok(Finding::not_applicable("there is no program with a set-user-id or set-group-id bit"));
        }
        audit_rule::ensure(&rules, system)
    }

    fn describe(&self) -> String {
        "an audit rule records each use of each program with a set-user-id or set-group-id bit".to_owned()
    }
}

impl AuditPrivileged {
    fn rules(&self, program: &Path) -> Result<Vec<String>> {
        let path = program.to_string_lossy();
        if path.contains(char::is_whitespace) {
            bail!(
                "{path}: an audit rule cannot name a program with a blank in its path; rename or remove it"
            );
        }
        let widths: &[&str] = if self.each_arch { &["-F arch=b32 ", "-F arch=b64 "] } else { &[""] };
        let rule = |width: &&str| {
            format!(
                "-a always,exit {width}-F path={path} -F perm=x -F auid>=1000 -F auid!=unset -F key={}",
                self.key
            )
        };
        Ok(widths.iter().map(rule).collect())
    }
}

/// Whether the file system below a path ignores the bit, or starts no programs.
fn is_bit_idle(path: &Path, mounts: &[Mount]) -> bool {
    let holds = |mount: &&Mount| path.starts_with(&mount.target);
    let nearest = mounts.iter().rev().filter(holds).max_by_key(|mount| mount.target.len());
    nearest.is_some_and(|mount| mount.options.iter().any(|option| option == "nosuid" || option == "noexec"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn setting() -> AuditPrivileged {
        AuditPrivileged { key: "privileged".into(), each_arch: false }
    }

    fn tree() -> Tree {
        Tree::new()
            .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
            .file("/etc/group", "root:x:0:\n")
            .file(
                "/usr/lib/systemd/system/auditd.service",
                "[Service]\nExecStartPost=-/sbin/augenrules --load\n",
            )
            .file_with_mode("/usr/bin/su", "", 0o4755)
            .file_with_mode("/usr/bin/wall", "", 0o2755)
            .file_with_mode("/usr/bin/ls", "", 0o755)
    }

    #[test]
    fn every_program_with_the_bit_gets_a_rule() {
        tree().round_trip(&setting());
        let tree = tree();
        let text = tree.applied(&setting()).text("/etc/audit/rules.d/60-trempe.rules");
        let rules: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            rules,
            [
                "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged",
                "-a always,exit -F path=/usr/bin/wall -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged",
            ]
        );
    }

    #[test]
    fn where_the_benchmark_wants_it_each_width_has_its_own() {
        let tree = tree();
        let setting = AuditPrivileged { each_arch: true, ..setting() };
        let text = tree.applied(&setting).text("/etc/audit/rules.d/60-trempe.rules");
        let of_su: Vec<&str> = text.lines().filter(|line| line.contains("/usr/bin/su ")).collect();
        assert_eq!(
            of_su,
            [
                "-a always,exit -F arch=b32 -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged",
                "-a always,exit -F arch=b64 -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged",
            ]
        );
    }

    #[test]
    fn a_rule_of_somebody_else_counts_for_its_program() {
        let tree = tree().file("/etc/audit/rules.d/site.rules", "-w /usr/bin/su -p x -k su\n");
        let finding = setting().examine(&tree.system()).unwrap();
        let holds: Vec<bool> = finding.evidence.iter().map(|evidence| evidence.holds).collect();
        assert_eq!(holds, [true, false]);
    }

    #[test]
    fn a_bit_counts_only_where_the_file_system_lets_it() {
        let mount = |target: &str, options: &[&str]| Mount {
            source: "/dev/vda1".into(),
            target: target.into(),
            fs_type: "ext4".into(),
            options: options.iter().map(|option| option.to_string()).collect(),
        };
        let mounts = [mount("/", &["rw"]), mount("/home", &["rw", "nosuid"]), mount("/home/build", &["rw"])];
        assert!(!is_bit_idle(Path::new("/usr/bin/su"), &mounts));
        assert!(is_bit_idle(Path::new("/home/x/su"), &mounts));
        assert!(!is_bit_idle(Path::new("/home/build/su"), &mounts));
        assert!(!is_bit_idle(Path::new("/homes/su"), &mounts[..2]));
        assert!(!is_bit_idle(Path::new("/usr/bin/su"), &[]));
    }
}
