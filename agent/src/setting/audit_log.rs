//! Owner, group and mode of the audit log, wherever `auditd.conf(5)` puts it.
//!
//! `log_file` says where the log is (`/var/log/audit/audit.log` without it), `log_group` who may read it beside root (only
//! root without it). The daemon makes new logs as these two say, so what is judged here is what was left behind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::access::{Access, Mode};
use super::place::{self, Sort};
use crate::content::Names;
use crate::finding::Finding;
use crate::system::System;

const CONFIG: &str = "/etc/audit/auditd.conf";
const DEFAULT_LOG: &str = "/var/log/audit/audit.log";
const ROOT: &str = "root";

/// What of the audit log is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditLog {
    /// Its directory: root may enter and write, the group of the log may enter and list, others nothing.
    Directory,
    /// Its files: root may read and write, the group of the log may read, others nothing.
    Mode,
    /// Its files belong to root.
    Owner,
    /// Its files belong to the group that the daemon is told to give them.
    Group,
}

/// What auditd is told about its log.
#[derive(Debug, PartialEq, Eq)]
struct Config {
    log: PathBuf,
    group: String,
}

impl Config {
    fn read(system: &System) -> Result<Config> {
        Ok(Config::parse(&system.read_text(CONFIG)?.unwrap_or_default()))
    }

    fn parse(text: &str) -> Config {
        let mut config = Config { log: PathBuf::from(DEFAULT_LOG), group: ROOT.to_owned() };
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((key, value)) = line.split_once('=') else { continue };
            match key.trim().to_ascii_lowercase().as_str() {
                "log_file" => config.log = PathBuf::from(value.trim()),
                "log_group" => value.trim().clone_into(&mut config.group),
                _ => {}
            }
        }
        config
    }

    /// `for_root` when only root reads the log, `for_group` when its group does too.
    fn mode(&self, for_root: u32, for_group: u32) -> Mode {
        Mode(if self.group == ROOT { for_root } else { for_group })
    }

    fn directory(&self) -> Result<&Path> {
        let absolute = self.log.parent().filter(|_| self.log.is_absolute());
        absolute.with_context(|| format!("{CONFIG}: log_file = {} is no absolute path", self.log.display()))
    }
}

impl Setting for AuditLog {
    fn examine(&self, system: &System) -> Result<Finding> {
        let config = Config::read(system)?;
        let directory = config.directory()?;
        let one = |name: &str| Some(Names::One(name.to_owned()));
        let (pattern, sort, access) = match self {
            AuditLog::Directory => {
                let mode = Some(config.mode(0o700, 0o750));
                (directory.display().to_string(), Sort::Directory, Access { mode, ..Access::default() })
            }
            AuditLog::Mode => {
                let mode = Some(config.mode(0o600, 0o640));
                (config.log.display().to_string() + "*", Sort::File, Access { mode, ..Access::default() })
            }
            AuditLog::Owner => {
                let access = Access { owner: one(ROOT), ..Access::default() };
                (format!("{}/**/*", directory.display()), Sort::File, access)
            }
            AuditLog::Group => {
                let access = Access { group: one(&config.group), ..Access::default() };
                (config.log.display().to_string() + "*", Sort::File, access)
            }
        };
        let mut finding = Finding::new();
        let places = place::find(system, &pattern, sort)?;
        access.judge_all(&places, &pattern, system.accounts()?, &mut finding);
        Ok(finding)
    }

    fn describe(&self) -> String {
        match self {
            AuditLog::Directory => "the directory of the audit log is closed to all but root and its group",
            AuditLog::Mode => "the audit log is closed to all but root and its group",
            AuditLog::Owner => "the audit log belongs to root",
            AuditLog::Group => "the audit log belongs to the group that auditd.conf names",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;
    use proptest::prelude::*;

    fn tree(config: &str) -> Tree {
        Tree::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
            .file("/etc/group", "root:x:0:\nadm:x:4:\n")
            .file(CONFIG, config)
    }

    #[test]
    fn reads_where_the_log_is_and_who_reads_it() {
        for (text, log, group) in [
            ("", DEFAULT_LOG, "root"),
            ("# log_group = adm\nlog_file=/srv/a.log\n", "/srv/a.log", "root"),
            (" Log_Group = adm \n", DEFAULT_LOG, "adm"),
        ] {
            assert_eq!(Config::parse(text), Config { log: log.into(), group: group.into() }, "{text}");
        }
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = tree("log_group = adm\n")
            .dir("/var/log/audit", 0o755)
            .file_with_mode("/var/log/audit/audit.log", "", 0o644)
            .file_with_mode("/var/log/audit/audit.log.1", "", 0o440);
        tree.round_trip(&AuditLog::Mode);
        tree.round_trip(&AuditLog::Directory);
        assert_eq!(tree.applied(&AuditLog::Mode).mode("/var/log/audit/audit.log"), 0o640);
        assert_eq!(tree.applied(&AuditLog::Directory).mode("/var/log/audit"), 0o750);
    }

    #[test]
    fn without_a_group_only_root_reads() {
        let tree = tree("log_file = /srv/log/a.log\n").file_with_mode("/srv/log/a.log", "", 0o640);
        assert_eq!(tree.applied(&AuditLog::Mode).mode("/srv/log/a.log"), 0o600);
    }

    #[test]
    fn the_group_is_the_one_the_daemon_gives() {
        let finding = |config: &str| {
            let tree = tree(config).file("/var/log/audit/audit.log", "");
            let finding = AuditLog::Group.examine(&tree.system()).unwrap();
            finding.evidence[0].wanted.clone()
        };
        assert_eq!(finding("log_group = adm\n"), "group adm");
        assert_eq!(finding(""), "group root");
    }

    #[test]
    fn a_relative_path_is_an_error_that_names_the_file() {
        let error = AuditLog::Mode.examine(&tree("log_file = a.log\n").system()).unwrap_err().to_string();
        assert!(error.contains(CONFIG) && error.contains("a.log"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            Config::parse(&text);
        }
    }
}
