//! An option of a mounted file system: in force now, and in everything that mounts it at boot.
//!
//! `fstab` lines are changed in place; mount units get a drop-in of ours. What systemd mounts by itself (`/dev/shm`) takes
//! its options from `fstab` when it is listed there, so it is listed. The option is put in force by a remount.

pub mod fstab;
pub mod partition;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::system::{FstabEntry, System, mount_unit_name};
use fstab::{has_option, with_option};

const FSTAB: &str = "/etc/fstab";
/// Our own drop-in of a mount unit: the last of its directory.
const DROP_IN: &str = "zz-trempe.conf";
/// Where apt is told to unpack the scripts it asks questions with, once it cannot run them from `/tmp`.
const APT_DROP_IN: &str = "/etc/apt/apt.conf.d/99-zz-trempe-tmp";
const APT_TEMPORARY: &str = "APT::ExtractTemplates::TempDir \"/var/cache/apt\";\n";

/// A file system that is mounted with an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountOption {
    /// Where it is mounted.
    pub target: String,
    /// The option.
    pub option: String,
    /// Whether it is a tmpfs that systemd mounts by itself, which must be listed in `fstab` to have the option at boot.
    #[serde(default)]
    pub listed: bool,
}

impl Setting for MountOption {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mounts = system.mounts()?;
        let mut finding = Finding::new();
        let wanted = format!("{} with {}", self.target, self.option);
        let boot: Vec<&FstabEntry> = mounts.boot.iter().filter(|entry| entry.target == self.target).collect();
        for entry in &boot {
            let place =
                if entry.line == 0 { entry.file.clone() } else { format!("{}:{}", entry.file, entry.line) };
            let holds = has_option(&entry.options, &self.option);
            finding.persistent(holds, entry.options.join(","), &wanted, place);
        }
        if self.listed && boot.iter().all(|entry| entry.file != FSTAB) {
            finding.persistent(false, "not listed", &wanted, FSTAB);
        }
        let now = mounts.now_at(&self.target);
        if let Some(now) = now {
            let holds = has_option(&now.options, &self.option);
            finding.running(holds, now.options.join(","), &wanted, "/proc/self/mounts");
        }
        if finding.evidence.is_empty() {
            return Ok(Finding::not_applicable(format!("nothing is mounted at {}", self.target)));
        }
        if !finding.is_compliant() {
            self.mend(system, &boot, &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} has the mount option {} now and at boot (fstab, mount units)", self.target, self.option)
    }
}

impl MountOption {
    fn mend(&self, system: &System, boot: &[&FstabEntry], finding: &mut Finding) -> Result<()> {
        let mut text = system.read_text(FSTAB)?.unwrap_or_default();
        let before = text.clone();
        for entry in boot.iter().filter(|entry| !has_option(&entry.options, &self.option)) {
            if entry.file == FSTAB {
                text = with_option(&text, entry.line, &self.option);
            } else {
                finding.change(self.drop_in(entry));
            }
        }
        if self.listed && boot.iter().all(|entry| entry.file != FSTAB) {
            text = fstab::with_line(
                &text,
                &format!("tmpfs {} tmpfs {} 0 0", self.target, self.listed_options()),
            );
        }
        if text != before {
            finding.change(Change::write(FSTAB, text));
        }
        if self.target == "/tmp" && self.option == "noexec" && system.exists("/etc/apt/apt.conf.d")? {
            let content = format!("{OWNED_HEADER}{APT_TEMPORARY}");
            if system.read_text(APT_DROP_IN)?.as_ref() != Some(&content) {
                finding.change(Change::write(APT_DROP_IN, content));
            }
        }
        finding.effect(Effect::DaemonReload);
        let now = system.mounts()?.now_at(&self.target);
        if now.is_some_and(|now| !has_option(&now.options, &self.option)) {
            let options = vec![self.option.clone()];
            finding.change(Change::Mount { target: self.target.clone(), options });
        }
        Ok(())
    }

    /// systemd mounts with `nosuid` and `nodev`, which a line in `fstab` must say again.
    fn listed_options(&self) -> String {
        let given = ["defaults", "nosuid", "nodev"];
        let own = Some(self.option.as_str()).filter(|own| !given.contains(own));
        given.into_iter().chain(own).collect::<Vec<_>>().join(",")
    }

    /// The drop-in that gives a unit the options it has and this one.
    fn drop_in(&self, entry: &FstabEntry) -> Change {
        let path = format!("/etc/systemd/system/{}.d/{DROP_IN}", mount_unit_name(&entry.target));
        let options = fstab::joined(&entry.options, &self.option);
        Change::write(path, format!("{OWNED_HEADER}[Mount]\nOptions={options}\n"))
    }
}

#[cfg(test)]
mod tests;
