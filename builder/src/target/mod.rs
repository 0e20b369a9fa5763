//! Stage 4, target: the places that images go to, in a file of the user's.
//!
//! The file says where a place is and how to get in; secrets are named there ([`secret`]), never written. The types here are the
//! file's shape: `targets.schema.json` is made of them, unknown keys are errors. What can only be judged together is judged by
//! [`Targets::parse`], so that later stages check nothing again.
//!
//! To add a kind of place, add a variant to [`Target`], its type in a file of its own, and a module to [`crate::upload`].

mod address;
pub mod example;
mod nutanix;
mod read;
pub mod secret;
mod vsphere;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

pub use address::Address;
pub use nutanix::{Api, Nutanix, OneOrMore, Patience};
pub use read::{path, verify_file};
pub use secret::SecretRef;
pub use vsphere::Vsphere;

/// The places that images go to.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Trempe upload targets")]
pub struct Targets {
    /// Each by the name that `builder upload --to` takes.
    pub targets: BTreeMap<Label, Target>,
    /// The directory that relative paths start from: that of the file.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// A place of one kind.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A Nutanix Prism Central.
    Nutanix(Box<Nutanix>),
    /// A content library of a VMware vCenter.
    Vsphere(Box<Vsphere>),
}

impl Targets {
    /// The environment variables that hold secrets of targets.
    pub fn variables(&self) -> Vec<String> {
        let variable = |secret: &SecretRef| match secret {
            SecretRef::Env(name) => Some(name.clone()),
            SecretRef::File(_) | SecretRef::Command(_) => None,
        };
        self.targets.values().flat_map(Target::secrets).filter_map(variable).collect()
    }
}

impl Target {
    /// Where its secrets are.
    fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Target::Nutanix(nutanix) => nutanix.password.iter().chain(&nutanix.api_key).collect(),
            Target::Vsphere(vsphere) => vec![&vsphere.password],
        }
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        match self {
            Target::Nutanix(nutanix) => &nutanix.address.value,
            Target::Vsphere(vsphere) => &vsphere.address.value,
        }
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Target::Nutanix(_) => "nutanix",
            Target::Vsphere(_) => "vsphere",
        }
    }
}

/// What a target is called: letters, digits, `.`, `_` and `-`, 64 at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Label(String);

/// The longest label.
const LONGEST: usize = 64;

impl Label {
    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Label, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let good = text.len() <= LONGEST
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(plain);
        if good {
            return Ok(Label(text));
        }
        Err(format!(
            "{text:?} cannot be a target's name: letters, digits, '.', '_' and '-', {LONGEST} at most, a letter or digit first"
        ))
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
