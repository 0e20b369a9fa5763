//! Which operating system this is: `os-release(5)`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::System;

/// The operating system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Os {
    /// `ID`: `debian`, `ubuntu`, `rhel`, …
    pub id: String,
    /// `VERSION_ID`: `12`, `22.04`, `9.4`, …
    pub version: String,
    /// `ID_LIKE`, split at blanks: `rhel fedora` for the rebuilds.
    pub like: Vec<String>,
    /// `PRETTY_NAME`.
    pub name: String,
}

impl Os {
    pub(super) fn learn(system: &System) -> Result<Os> {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            if let Some(text) = system.read_text(path)? {
                return Ok(Os::parse(&text));
            }
        }
        bail!("reading /etc/os-release: no such file; the operating system is not known")
    }

    /// Reads the text of an `os-release` file: `KEY=value` lines, the value quoted as in a shell.
    pub fn parse(text: &str) -> Os {
        let pairs: BTreeMap<&str, String> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim(), unquote(value.trim())))
            .collect();
        let get = |key: &str| pairs.get(key).cloned().unwrap_or_default();
        Os {
            id: get("ID"),
            version: get("VERSION_ID"),
            like: get("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
            name: get("PRETTY_NAME"),
        }
    }

    /// The short name of the benchmark product for this system: `debian12`, `ubuntu2204`, `rhel9`. The rebuilds of
    /// RHEL are `rhel`, with their major version.
    pub fn product(&self) -> String {
        match self.id.as_str() {
            "ubuntu" => format!("ubuntu{}", self.version.replace('.', "")),
            id if id == "rhel"
                || self.like.iter().any(|like| like == "rhel")
                || ["centos", "ol"].contains(&id) =>
            {
                format!("rhel{}", major(&self.version))
            }
            id => format!("{id}{}", major(&self.version)),
        }
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn unquote(value: &str) -> String {
    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    match quoted.or_else(|| value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''))) {
        Some(inner) => {
            inner.replace("\\\"", "\"").replace("\\$", "$").replace("\\`", "`").replace("\\\\", "\\")
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products() {
        for (text, product) in [
            ("ID=debian\nVERSION_ID=\"12\"\n", "debian12"),
            ("ID=ubuntu\nVERSION_ID=\"22.04\"\nID_LIKE=debian\n", "ubuntu2204"),
            ("ID=\"almalinux\"\nVERSION_ID=\"9.4\"\nID_LIKE=\"rhel centos fedora\"\n", "rhel9"),
            ("ID='rhel'\nVERSION_ID='10.1'\n", "rhel10"),
            ("ID=ol\nVERSION_ID=8.10\nID_LIKE=fedora\n", "rhel8"),
            ("# no version\nID=debian\n", "debian"),
        ] {
            assert_eq!(Os::parse(text).product(), product, "{text}");
        }
    }
}
