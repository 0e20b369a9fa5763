//! What different versions of Packer understand.

use std::fmt;
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// A version of Packer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second.
    pub minor: u16,
    /// The third.
    pub patch: u16,
}

/// The oldest that is supported: Debian 12's.
pub const OLDEST: Version = Version { major: 1, minor: 6, patch: 6 };
/// From here on plugins are not inside Packer, and must be asked for. Before it, what is inside knows no more than 1.6.6 did, or it
/// depends on the version what it knows: those get the files for 1.6.6.
const PLUGINS: Version = Version { major: 1, minor: 10, patch: 0 };
/// The plugin that drives QEMU, as the template names it: where it is from, and the oldest version that knows all that the template says.
pub const QEMU: (&str, Version) = ("github.com/hashicorp/qemu", Version { major: 1, minor: 1, patch: 0 });

impl Version {
    /// Whether plugins must be named, and the keys that came with them may be used.
    pub fn has_plugins(self) -> bool {
        self >= PLUGINS
    }

    /// The version in what `packer version` says.
    ///
    /// # Errors
    /// When there is none in it, or it is too old.
    pub fn told(text: &str) -> Result<Version> {
        let word =
            text.split_whitespace().find_map(|word| word.trim_start_matches('v').parse::<Version>().ok());
        let version = word.with_context(|| format!("no version in what Packer says of itself: {text:?}"))?;
        if version < OLDEST {
            bail!("Packer {version} is too old: {OLDEST} or newer is needed");
        }
        Ok(version)
    }
}

/// The version of the installed Packer.
///
/// # Errors
/// When there is none, or it is too old.
pub fn installed() -> Result<Version> {
    let output = Command::new("packer").arg("version").env("CHECKPOINT_DISABLE", "1").output();
    let output =
        output.context("starting packer: install HashiCorp's Packer (Debian 12: apt-get install packer)")?;
    Version::told(&String::from_utf8_lossy(&output.stdout))
}

/// Whether QEMU's plugin is among those that `packer plugins installed` lists, one file a line:
/// `…/github.com/hashicorp/qemu/packer-plugin-qemu_v1.1.0_x5.0_linux_amd64`.
pub fn has_qemu(listed: &str) -> bool {
    let (source, oldest) = QEMU;
    let version = |line: &str| {
        let (directory, name) = line.trim().rsplit_once('/')?;
        let (_, version) = name.split_once("_v").filter(|_| directory.ends_with(source))?;
        version.split('_').next()?.parse::<Version>().ok()
    };
    listed.lines().filter_map(version).any(|version| version >= oldest)
}

impl FromStr for Version {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Version> {
        let text = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        // What Debian and pre-releases add begins with one of these.
        let bare = text.split(['-', '+', '~']).next().unwrap_or_default();
        let numbers: Option<Vec<u16>> = bare.split('.').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some([major, minor, patch]) => Ok(Version { major: *major, minor: *minor, patch: *patch }),
            Some([major, minor]) => Ok(Version { major: *major, minor: *minor, patch: 0 }),
            _ => bail!("{text:?} is no version of Packer: write it as 1.6.6"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_found_when_it_is_new_enough() {
        let at = |name: &str| format!("/home/a/.config/packer/plugins/github.com/hashicorp/{name}\n");
        let vsphere = at("vsphere/packer-plugin-vsphere_v1.4.2_x5.0_linux_amd64");
        for (listed, there) in [
            (at("qemu/packer-plugin-qemu_v1.1.0_x5.0_linux_amd64"), true),
            (vsphere.clone() + &at("qemu/packer-plugin-qemu_v1.1.4_x5.0_linux_amd64"), true),
            (at("qemu/packer-plugin-qemu_v1.0.10_x5.0_linux_amd64"), false),
            (vsphere, false),
            ("/opt/github.com/somebody/qemu/packer-plugin-qemu_v1.1.0_x5.0_linux_amd64\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(has_qemu(&listed), there, "{listed}");
        }
    }

    #[test]
    fn versions_are_found_in_what_packer_says() {
        let table = [
            ("Packer v1.6.6", Some("1.6.6")),
            (
                "Packer v1.15.0\n\nYour version of Packer is out of date! The latest version\nis 1.16.0.",
                Some("1.15.0"),
            ),
            ("1.6.6+ds2-1+b1", Some("1.6.6")),
            ("Packer v1.11.0-dev", Some("1.11.0")),
            ("Packer v1.4.0", None),
            ("cracklib-packer: 3 words", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = Version::told(text).ok().map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
