//! Where a server is.

use schemars::JsonSchema;
use serde::Deserialize;

/// A host name or IP address (IPv6 in brackets), with `:PORT` where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Address {
    /// The host.
    pub host: String,
    /// The port, when it is said.
    pub port: Option<u16>,
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Address, String> {
        // Not quoted: somebody may have written a password before the @.
        if text.contains('@') || text.contains("://") || text.contains('/') {
            return Err(
                "an address is HOST or HOST:PORT alone: no https://, no path, and user and password under their own keys"
                    .to_owned(),
            );
        }
        let wrong =
            || format!("{text:?} is no address: write HOST or HOST:PORT, an IPv6 address in brackets");
        let colon = text.rfind(':').filter(|at| !text.get(*at..).unwrap_or_default().contains(']'));
        let (host, port) = match colon {
            Some(at) => {
                let port = text.get(at + 1..).unwrap_or_default().parse::<u16>().map_err(|_| wrong())?;
                (text.get(..at).unwrap_or_default(), Some(port))
            }
            None => (text.as_str(), None),
        };
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let good = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.len() <= 253
                    && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
            }
        };
        if !good || port == Some(0) {
            return Err(wrong());
        }
        Ok(Address { host: host.to_owned(), port })
    }
}
