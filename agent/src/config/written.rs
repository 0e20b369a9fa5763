//! The configuration as written: the one shape that every source has, be it a file or a key of user-data.
//!
//! Unknown keys are errors: a misspelt `tier` must not harden to another. To add a key, add a field here and to [`Config`],
//! and say in [`Config::lay`] how it adds up.
//!
//! [`Config`]: super::Config
//! [`Config::lay`]: super::Config

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;

use super::Afterwards;

/// What one source says. A key that is `None` is one it does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The tier.
    pub tier: Option<String>,
    /// Tailoring files.
    pub tailoring: Vec<PathBuf>,
    /// Who must keep access.
    pub access: Access,
    /// What becomes of cloud-init.
    pub cloud_init: CloudInit,
    /// What happens at the first boot.
    pub firstboot: Firstboot,
}

/// The section `access`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// The accounts.
    pub keep: Option<Vec<String>>,
}

/// The section `cloud_init`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloudInit {
    /// How much of it stays.
    pub afterwards: Option<Afterwards>,
    /// Whether the account it makes by itself is removed.
    pub remove_default_user: Option<bool>,
    /// The data sources it may look for.
    pub datasource: Option<Vec<String>>,
    /// How many seconds it waits for VMware's customization.
    pub vmware_wait: Option<u16>,
}

/// The section `firstboot`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Firstboot {
    /// Whether the machine hardens itself.
    pub enabled: Option<bool>,
    /// How long that may take.
    pub time_limit: Option<jiff::SignedDuration>,
}

impl Written {
    /// Reads a document. `source` is what messages call it.
    ///
    /// # Errors
    /// When it is not understood, with source, line and column.
    pub fn parse(text: &str, source: &str) -> Result<Written> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
            return Ok(Written::default());
        }
        let written: Written = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column()));
            anyhow!("{source}{}: {}", place.unwrap_or_default(), error.without_snippet())
        })?;
        written.check(source)?;
        Ok(written)
    }

    /// Refuses values that mean nothing.
    fn check(&self, source: &str) -> Result<()> {
        if let Some(relative) = self.tailoring.iter().find(|path| path.is_relative()) {
            bail!("{source}: tailoring {relative:?} must be written as an absolute path");
        }
        if self.firstboot.time_limit.is_some_and(|limit| limit.as_secs() <= 0) {
            bail!("{source}: firstboot.time_limit must be a time such as \"10m\"");
        }
        let names = self.cloud_init.datasource.iter().flatten();
        if let Some(name) = names.into_iter().find(|name| !name.chars().all(|c| c.is_ascii_alphanumeric())) {
            bail!("{source}: cloud_init.datasource {name:?} is no name of a data source, such as VMware");
        }
        Ok(())
    }
}
