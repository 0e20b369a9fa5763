//! What an image is made from.

use schemars::JsonSchema;
use serde::Deserialize;

use super::checksum::Checksum;

/// What an image is made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// From the packages of a mirror, without an installer. Debian and Ubuntu.
    Bootstrap(Bootstrap),
    /// From the vendor's installer, unattended.
    Iso(Iso),
    /// From a disk image that somebody else made, which has cloud-init in it.
    Image(Image),
}

impl Default for Source {
    fn default() -> Source {
        Source::Bootstrap(Bootstrap::default())
    }
}

impl Source {
    /// How it is written.
    pub fn word(&self) -> &'static str {
        match self {
            Source::Bootstrap(_) => "bootstrap",
            Source::Iso(_) => "iso",
            Source::Image(_) => "image",
        }
    }

    /// The digest of what it begins with, where that comes from elsewhere.
    pub fn checksum(&self) -> Option<&Checksum> {
        match self {
            Source::Bootstrap(_) => None,
            Source::Iso(iso) => Some(&iso.checksum),
            Source::Image(image) => Some(&image.checksum),
        }
    }

    /// Where that is.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Source::Bootstrap(_) => None,
            Source::Iso(iso) => Some(&iso.url),
            Source::Image(image) => Some(&image.url),
        }
    }
}

/// The packages of a mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bootstrap {
    /// The mirror; the distribution's own when left out.
    pub mirror: Option<Url>,
}

/// A vendor's installer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iso {
    /// Where it is: a path, which begins at the specification's directory unless it is absolute, or an address that Packer fetches.
    pub url: Url,
    /// The digest it must have.
    pub checksum: Checksum,
    /// Where the packages are, when they are not on the disc itself.
    pub repository: Option<Url>,
}

/// A disk image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Where it is: a path, which begins at the specification's directory unless it is absolute, or an address that Packer fetches.
    pub url: Url,
    /// The digest it must have.
    pub checksum: Checksum,
}

/// A path or an address, without blanks, quotes, and passwords.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Url(String);

impl Url {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Url, String> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'\\`$%{}<>|;".contains(c);
        if text.is_empty() || text.contains(odd) {
            return Err(format!("{text:?} is neither a path nor an address, or has blanks or quotes in it"));
        }
        let host = text.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
        if host.is_some_and(|host| host.contains('@')) {
            return Err(
                "the address holds a user name or password, which would end up in rendered files and logs: \
                        fetch the file beforehand and name its path"
                    .to_owned(),
            );
        }
        Ok(Url(text))
    }
}
