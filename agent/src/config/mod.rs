//! The machine's own configuration, gathered from everything that may carry it.
//!
//! From the weakest to the strongest; a later source outdoes an earlier one, and lists add up:
//!
//! | source | where | who can give it |
//! |---|---|---|
//! | image | `/etc/trempe/agent.yml` | who builds the image |
//! | files | `/etc/trempe/agent.d/*.yml`, in the order of their names | packages, Ansible, cloud-init's `write_files` |
//! | vendor-data | its key `trempe` | the cloud platform |
//! | user-data | its key `trempe` | who creates the machine |
//! | VMware | `guestinfo.trempe` | who creates the machine |
//! | SMBIOS | OEM strings `trempe.config=` and `trempe.tier=` | who runs the hypervisor |
//! | systemd | the credential `trempe.config` | who runs the hypervisor, or the unit's author |
//! | kernel | `trempe.tier=`, `trempe=off` | who stands at the console |
//!
//! [`Config::read`] is strict, for people who can mend what is wrong; [`gather`] never fails, for a machine that boots: when a source
//! is bad, what the image says by itself counts, or its tier alone. To add a source, see [`source`]; to add a key, see [`written`].

mod gather;
pub mod key;
pub mod source;
pub mod written;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::drift::Action;
use crate::policy::make::Excepted;
use crate::policy::{self, Request};
use crate::system::System;
pub use gather::{Gathered, gather, look, look_without};
use source::{CloudConfig, trusted};
use written::Written;

/// The configuration file: that of the image.
pub const FILE: &str = "/etc/trempe/agent.yml";
/// The directory of further configuration files, `*.yml`.
pub const DIRECTORY: &str = "/etc/trempe/agent.d";
/// The directory of tailoring files, `*.xml`, that always apply.
pub const TAILORING: &str = "/etc/trempe/tailoring.d";

/// How long a phase of the first boot may take where nobody says so: far longer than any takes, and a time that somebody waits who
/// wonders why the machine cannot be reached.
const TIME_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The tier to hold the machine to.
    pub tier: Option<String>,
    /// Tailoring files, as paths on the machine, in the order they apply.
    pub tailoring: Vec<PathBuf>,
    /// Rules excepted and values set otherwise, without a tailoring file.
    pub exceptions: Vec<Excepted>,
    /// Who must keep access.
    pub access: Access,
    /// What becomes of cloud-init after the first boot.
    pub cloud_init: CloudInit,
    /// What happens at the first boot.
    pub firstboot: Firstboot,
    /// What is done when the machine is no longer what it was hardened to.
    pub drift: Drift,
}

/// Who must keep access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The accounts; `None` for those that can log in and become root now.
    pub keep: Option<Vec<String>>,
}

/// What becomes of cloud-init after the first boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudInit {
    /// How much of it stays.
    pub afterwards: Afterwards,
    /// Whether the account it makes by itself is removed.
    pub remove_default_user: bool,
    /// The data sources it may look for; empty for those it is set to.
    pub datasource: Vec<String>,
    /// How many seconds it waits for VMware's customization; `None` for as long as it is set to.
    pub vmware_wait: Option<u16>,
}

/// How much of cloud-init stays after the first boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Afterwards {
    /// All of it.
    #[default]
    Keep,
    /// What must run at every boot.
    Trim,
    /// Nothing.
    Disable,
}

impl Afterwards {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Afterwards::Keep => "keep",
            Afterwards::Trim => "trim",
            Afterwards::Disable => "disable",
        }
    }
}

/// What is done when the machine is no longer what it was hardened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// What is done.
    pub action: Action,
    /// The file that metrics are written to.
    pub metrics: Option<PathBuf>,
}

/// What happens at the first boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firstboot {
    /// Whether the machine hardens itself.
    pub enabled: bool,
    /// How long each phase of it may take.
    pub time_limit: Duration,
}

impl Default for Firstboot {
    fn default() -> Firstboot {
        Firstboot { enabled: true, time_limit: TIME_LIMIT }
    }
}

impl Config {
    /// Reads the configuration of a machine from all its sources, and finds its tailoring files.
    ///
    /// # Errors
    /// When a source cannot be read or understood, or somebody else than root and the user could have written it.
    pub fn read(system: &System) -> Result<Config> {
        look(system).strict()
    }

    /// Reads one configuration file by itself.
    ///
    /// # Errors
    /// When it is not understood, with file, line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let name = path.display().to_string();
        let written = match text.starts_with(CloudConfig::MARK) {
            true => CloudConfig::parse(text, &name)?.unwrap_or_default(),
            false => Written::parse(text, &name)?,
        };
        let mut config = Config::default();
        config.lay(&written, &name);
        Ok(config)
    }

    /// Lays one more configuration over it: what is said for one run. `source` is what messages and reports call it.
    ///
    /// # Errors
    /// When it is not understood, with source, line and column.
    pub fn overlay(&mut self, from: impl Read, source: &str) -> Result<()> {
        let mut text = String::new();
        from.take(written::LARGEST as u64 + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("reading {source}"))?;
        self.lay(&Written::parse(&text, source)?, source);
        Ok(())
    }

    /// Lays a source over what the ones before say: a value outdoes the one before, lists add up.
    fn lay(&mut self, written: &Written, source: &str) {
        let Written { tier, tailoring, access, cloud_init, firstboot, drift, .. } = written;
        if let Some(tier) = tier {
            self.tier = Some(tier.value.clone());
        }
        add(&mut self.tailoring, tailoring);
        for excepted in written.excepted(source) {
            self.exceptions.retain(|before| !before.is_about_the_same(&excepted));
            self.exceptions.push(excepted);
        }
        if let Some(keep) = &access.keep {
            add(self.access.keep.get_or_insert_default(), keep);
        }
        let own = &mut self.cloud_init;
        own.afterwards = cloud_init.afterwards.unwrap_or(own.afterwards);
        own.remove_default_user = cloud_init.remove_default_user.unwrap_or(own.remove_default_user);
        own.vmware_wait = cloud_init.vmware_wait.or(own.vmware_wait);
        // An order to try them in, not a collection: a later one outdoes it whole.
        if let Some(names) = &cloud_init.datasource {
            own.datasource = names.iter().map(|name| name.value.clone()).collect();
        }
        self.drift.action = drift.action.unwrap_or(self.drift.action);
        if let Some(path) = &drift.metrics {
            self.drift.metrics = Some(path.value.clone());
        }
        self.firstboot.enabled = firstboot.enabled.unwrap_or(self.firstboot.enabled);
        if let Some(limit) = &firstboot.time_limit {
            self.firstboot.time_limit = limit.value.0.unsigned_abs();
        }
    }

    /// What it asks of a machine: its tailoring files read, its own exceptions laid over them. `decided` when something else than
    /// its tier says what to except from.
    ///
    /// # Errors
    /// When a tailoring file is not there or not understood, or others could have written it.
    pub fn request(&self, system: &System, decided: bool) -> Result<Request> {
        let mut tailoring = Vec::new();
        for path in &self.tailoring {
            let text = trusted(system, path)?.with_context(|| format!("{}: no such file", path.display()))?;
            tailoring.push(policy::parse_tailoring(&text, &path.display().to_string())?);
        }
        // Exceptions from nothing ask for nothing.
        if decided || self.tier.is_some() || !tailoring.is_empty() {
            tailoring.extend(policy::make::layers(&self.exceptions));
        }
        Ok(Request { tier: self.tier.clone(), tailoring, today: today(), ..Request::default() })
    }
}

/// The day it is, in UTC: that on which exceptions hold or are over.
pub fn today() -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// Adds what is not in the list yet.
fn add<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[Spanned<T>]) {
    for item in more {
        if !list.contains(&item.value) {
            list.push(item.value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
