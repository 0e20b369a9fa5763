//! SELinux: what the kernel enforces now, and what `/etc/selinux/config` says for the next boot.
//!
//! `selinux_config(5)`: of several assignments of the mode the first counts. A machine that ran without SELinux has files without
//! labels: `/.autorelabel` has them labelled at the next boot, before anything is enforced.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

const CONFIG: &str = "/etc/selinux/config";
/// Where the kernel tells whether it enforces; not there when SELinux is off.
const ENFORCE: &str = "/sys/fs/selinux/enforce";
const RELABEL: &str = "/.autorelabel";

/// What is ensured of SELinux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Selinux {
    /// It enforces, or tells what it would refuse.
    On {},
    /// It is in this mode.
    Mode(Text),
    /// It has this policy.
    Policy(Text),
}

impl Setting for Selinux {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let text = system.read_text(CONFIG)?.unwrap_or_default();
        let key = self.key();
        let set = assigned(&text, key);
        let wanted = format!("{key}={}", self.wanted());
        match set {
            Some((line, value)) => {
                let place = format!("{CONFIG}:{line}");
                finding.persistent(self.accepts(value), format!("{key}={value}"), &wanted, place);
            }
            None => drop(finding.persistent(false, "not set", &wanted, CONFIG)),
        }
        let mut mended = !finding.is_compliant();
        let now = running(system)?;
        if let (Some(now), false) = (now, matches!(self, Selinux::Policy(_))) {
            finding.running(self.accepts(now), now, self.wanted(), ENFORCE);
            mended |= !finding.is_compliant();
        }
        if mended {
            let aim = self.aim();
            if set.is_none_or(|(_, value)| !self.accepts(value)) {
                finding.change(Change::write(CONFIG, with(&text, key, aim)));
            }
            let off = set.is_some_and(|(_, value)| value == "disabled") || now == Some("disabled");
            if off && !matches!(self, Selinux::Policy(_)) && !system.exists(RELABEL)? {
                finding.change(Change::write(RELABEL, ""));
            }
            finding.effect(Effect::Reboot);
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{CONFIG} has {}={}, and the kernel does so", self.key(), self.wanted())
    }
}

impl Selinux {
    fn key(&self) -> &'static str {
        match self {
            Selinux::On {} | Selinux::Mode(_) => "SELINUX",
            Selinux::Policy(_) => "SELINUXTYPE",
        }
    }

    fn wanted(&self) -> String {
        match self {
            Selinux::On {} => "enforcing or permissive".to_owned(),
            Selinux::Mode(text) | Selinux::Policy(text) => text.as_str().to_owned(),
        }
    }

    fn accepts(&self, found: &str) -> bool {
        match self {
            Selinux::On {} => ["enforcing", "permissive"].contains(&found),
            Selinux::Mode(text) | Selinux::Policy(text) => found == text.as_str(),
        }
    }

    fn aim(&self) -> &str {
        match self {
            // Nothing breaks by it, and what would break is told in the audit log.
            Selinux::On {} => "permissive",
            Selinux::Mode(text) | Selinux::Policy(text) => text.as_str(),
        }
    }
}

/// The mode of the kernel that runs; `None` where none is to be asked.
fn running(system: &System) -> Result<Option<&'static str>> {
    if !system.is_booted() {
        return Ok(None);
    }
    Ok(Some(match system.read_text(ENFORCE)?.as_deref().map(str::trim) {
        Some("1") => "enforcing",
        Some(_) => "permissive",
        None => "disabled",
    }))
}

/// The line and the value that count.
fn assigned<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let value = line.trim_start().strip_prefix(key)?.strip_prefix('=')?;
        Some((index + 1, value.trim()))
    })
}

/// The text with this value wherever the key is set; at its end, when it is nowhere.
fn with(text: &str, key: &str, value: &str) -> String {
    let new = format!("{key}={value}");
    let is = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with('='));
    let mut lines: Vec<&str> = text.lines().map(|line| if is(line) { new.as_str() } else { line }).collect();
    if !text.lines().any(is) {
        lines.push(&new);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn mode(value: &str) -> Selinux {
        Selinux::Mode(Text(value.to_owned()))
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let text = "# SELINUX= is the mode\nSELINUX=permissive\nSELINUXTYPE=minimum\n";
        let tree = Tree::new().file(CONFIG, text);
        tree.round_trip(&mode("enforcing"));
        tree.round_trip(&Selinux::Policy(Text("targeted".to_owned())));
        assert!(Selinux::On {}.examine(&tree.system()).unwrap().is_compliant());
        assert_eq!(tree.applied(&mode("enforcing")).text(CONFIG), text.replace("permissive", "enforcing"));
        assert!(!tree.has(RELABEL));
    }

    #[test]
    fn a_machine_without_labels_gets_them_first() {
        let tree = Tree::new().file(CONFIG, "SELINUX=disabled\n");
        tree.round_trip(&Selinux::On {});
        tree.applied(&Selinux::On {});
        assert_eq!(tree.text(CONFIG), "SELINUX=permissive\n");
        assert!(tree.has(RELABEL));
    }

    #[test]
    fn what_runs_counts_too() {
        for (enforce, fine) in [(Some("1"), true), (Some("0"), false), (None, false)] {
            let mut tree = Tree::new().file(CONFIG, "SELINUX=enforcing\nSELINUX=disabled\n").booted(&[]);
            if let Some(enforce) = enforce {
                tree = tree.file(ENFORCE, enforce);
            }
            let finding = mode("enforcing").examine(&tree.system()).unwrap();
            assert_eq!(finding.is_compliant(), fine, "{enforce:?}");
        }
    }
}
