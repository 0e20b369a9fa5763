//! Keys that rpm trusts: each is in its database as a package `gpg-pubkey`, its version the last eight digits of the key's number.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::finding::Finding;
use crate::system::System;

/// Keys that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpmKey {
    /// `version-release` of each.
    pub keys: Vec<String>,
}

impl Setting for RpmKey {
    fn examine(&self, system: &System) -> Result<Finding> {
        let packages = system.packages()?;
        let have: Vec<&str> = packages.version("gpg-pubkey").unwrap_or_default().split_whitespace().collect();
        let mut finding = Finding::new();
        for key in &self.keys {
            let is = have.contains(&key.as_str());
            let found = if is { "trusted" } else { "not trusted" };
            finding.persistent(is, format!("gpg-pubkey-{key} is {found}"), "trusted", "the rpm database");
        }
        if !finding.is_compliant() {
            finding.manual("compare the fingerprint of the key's file with the one its owner publishes, then rpm --import");
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("rpm trusts the keys {}", self.keys.join(", "))
    }
}
