//! A Nutanix Prism Central.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Address, SecretRef};

/// A Prism Central, and what becomes of an image there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nutanix {
    /// Where it is; port 9440 unless another is said.
    #[schemars(with = "Address")]
    pub address: Spanned<Address>,
    /// The user; with `password`.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// An API key instead of a user. Files then go by API v3: the store that v4 takes them from knows passwords alone.
    #[serde(default)]
    pub api_key: Option<SecretRef>,
    /// A file with the certificates to trust (PEM) instead of the system's.
    #[serde(default)]
    #[schemars(with = "Option<PathBuf>")]
    pub ca: Option<Spanned<PathBuf>>,
    /// Whether any certificate is taken: whoever is on the way then reads the password.
    #[serde(default)]
    pub insecure: bool,
    /// The API.
    #[serde(default = "auto")]
    #[schemars(with = "Api")]
    pub api: Spanned<Api>,
    /// The clusters that get the image, by name or UUID; where Prism Central pleases when left out.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// The categories of the image: key, and value or values. They must be there.
    #[serde(default)]
    pub categories: BTreeMap<String, OneOrMore>,
    /// How many earlier versions of an image are kept.
    #[serde(default = "two")]
    pub keep: u16,
    /// Whether the file that was put into the store of API v4 is removed after its import. What becomes of it otherwise is not documented.
    #[serde(default)]
    pub remove_object: bool,
    /// How long things may take.
    #[serde(default)]
    pub patience: Patience,
}

fn auto() -> Spanned<Api> {
    crate::spec::storage::unwritten(Api::Auto)
}

pub(super) fn two() -> u16 {
    2
}

/// Which API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// v4 where it is there and files can be given to it, else v3.
    #[default]
    Auto,
    /// v4 or nothing.
    V4,
    /// v3 or nothing.
    V3,
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// A list.
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(more) => more,
        }
    }
}

/// How long things may take, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: u32,
    /// Without a byte moved, or an answer.
    pub stall: u32,
    /// Until a file that is there has become an image.
    pub import: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { connect: 15, stall: 120, import: 7200 }
    }
}
