//! A content library of a VMware vCenter.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Address, Patience, SecretRef};

/// A vCenter, and the content library that images go to.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vsphere {
    /// Where it is; port 443 unless another is said.
    #[schemars(with = "Address")]
    pub address: Spanned<Address>,
    /// The user, as `image-builder@vsphere.local`.
    pub user: String,
    /// The user's password.
    pub password: SecretRef,
    /// A file with the certificates to trust (PEM) instead of the system's.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub ca: Option<Spanned<PathBuf>>,
    /// Whether any certificate is taken: whoever is on the way then reads the password.
    #[serde(default)]
    pub insecure: bool,
    /// The name of the content library, which is there and local.
    pub library: String,
    /// How many earlier versions of an image are kept.
    #[serde(default = "super::nutanix::two")]
    pub keep: u16,
    /// How long things may take.
    #[serde(default)]
    pub patience: Patience,
}
