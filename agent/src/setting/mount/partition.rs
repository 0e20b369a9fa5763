//! A directory that is a file system of its own.
//!
//! Moving a directory onto another file system needs the installer, or a person with a plan for the data in it.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// A directory on a file system of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// The directory.
    pub target: String,
    /// Whether systemd mounts it by itself, so that no file tells.
    #[serde(default)]
    pub implicit: bool,
}

impl Setting for Partition {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mounts = system.mounts()?;
        let mut finding = Finding::new();
        let wanted = "a file system of its own";
        if system.is_running() {
            let now = mounts.now_at(&self.target);
            let found = now.map(|now| format!("{} ({})", now.source, now.fs_type));
            let holds = found.is_some();
            finding.running(holds, found.unwrap_or_else(|| "none".to_owned()), wanted, "/proc/self/mounts");
            return Ok(finding);
        }
        match mounts.boot_at(&self.target) {
            Some(entry) => drop(finding.persistent(true, &entry.source, wanted, &entry.file)),
            None if self.implicit => {
                let reason = format!("only the running system tells what is mounted at {}", self.target);
                return Ok(Finding::not_checked(reason));
            }
            None => drop(finding.persistent(false, "none", wanted, "/etc/fstab")),
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} is a file system of its own", self.target)
    }
}
