//! The digest that a file from elsewhere must have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A digest as vendors publish it: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Checksum(String);

impl Checksum {
    /// As Packer wants it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Checksum {
    type Error = String;

    fn try_from(text: String) -> Result<Checksum, String> {
        let long = [("sha256", 64), ("sha512", 128)];
        let good = text.split_once(':').is_some_and(|(kind, digits)| {
            long.contains(&(kind, digits.len())) && digits.chars().all(|c| c.is_ascii_hexdigit())
        });
        if good {
            return Ok(Checksum(text.to_lowercase()));
        }
        let remedy =
            "write sha256: and the 64 digits that the vendor publishes beside the file (or sha512: and 128)";
        Err(format!("{text:?} is no digest: {remedy}"))
    }
}
