//! Firmware: BIOS is QEMU's own, UEFI is what the host's firmware descriptors name.
//!
//! Distributions call the files of OVMF by different names; the descriptors in `qemu/firmware/*.json` (QEMU, `docs/interop/firmware.json`)
//! tell them apart by what they do. They are sorted by name over all directories, the first that fits counts, and one in `/etc` stands in for the
//! one of the same name in `/usr/share`, one of the user's for both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::case::Case;
use crate::spec::Firmware;

/// The directories of descriptors, the weaker first.
const DIRECTORIES: [&str; 2] = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"];
/// The user's own, in their directory of configuration.
const OWN: &str = "qemu/firmware";

/// The files of a UEFI firmware.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Flash {
    /// The firmware itself.
    pub executable: Part,
    /// The variables that a new machine has; each machine gets a copy.
    #[serde(rename = "nvram-template")]
    pub variables: Part,
}

/// A file of a firmware.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// Where it is.
    pub filename: PathBuf,
    /// `raw` or `qcow2`.
    pub format: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Descriptor {
    interface_types: Vec<String>,
    mapping: serde_json::Value,
    targets: Vec<Target>,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    architecture: String,
    machines: Vec<String>,
}

/// Looks whether what these cases start with is here.
///
/// # Errors
/// When one is not.
pub fn found(cases: &[Case]) -> Result<()> {
    cases.iter().try_for_each(|case| flash(case.firmware).map(drop))
}

/// The files of a firmware; `None` for BIOS.
///
/// # Errors
/// When no descriptor names any.
pub fn flash(firmware: Firmware) -> Result<Option<Flash>> {
    if firmware == Firmware::Bios {
        return Ok(None);
    }
    match choose(&directories(), firmware == Firmware::UefiSecure)? {
        Some(flash) => Ok(Some(flash)),
        None => bail!(
            "no firmware for {} is here ({} name none): apt-get install ovmf, or leave it out with --firmware",
            firmware.word(),
            DIRECTORIES.join(" and ")
        ),
    }
}

/// Where descriptors are, the weaker first.
fn directories() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configuration =
        variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
    let own = configuration.map(|directory| directory.join(OWN));
    DIRECTORIES.iter().map(PathBuf::from).chain(own).collect()
}

fn choose(directories: &[impl AsRef<Path>], secure: bool) -> Result<Option<Flash>> {
    let mut descriptors = BTreeMap::new();
    for directory in directories {
        let entries = fs::read_dir(directory.as_ref()).into_iter().flatten().flatten();
        let json = entries.filter(|entry| entry.path().extension().is_some_and(|it| it == "json"));
        descriptors.extend(json.map(|entry| (entry.file_name(), entry.path())));
    }
    for path in descriptors.values() {
        let reading = || format!("reading {}", path.display());
        let text = fs::read_to_string(path).with_context(reading)?;
        // An empty file hides the one of that name in a weaker directory.
        if text.trim().is_empty() {
            continue;
        }
        let descriptor: Descriptor = serde_json::from_str(&text).with_context(reading)?;
        if let Some(flash) = descriptor.flash(secure) {
            return Ok(Some(flash));
        }
    }
    Ok(None)
}

impl Descriptor {
    /// The files, when it is what is wanted.
    fn flash(&self, secure: bool) -> Option<Flash> {
        let uefi = self.interface_types.iter().any(|kind| kind == "uefi");
        let fits = |target: &Target| {
            target.architecture == "x86_64" && target.machines.iter().any(|name| name.starts_with("pc-q35"))
        };
        let has = |feature: &&str| self.features.iter().any(|name| name == feature);
        let of_secure = ["secure-boot", "enrolled-keys", "requires-smm"];
        let right = match secure {
            true => of_secure.iter().all(has),
            false => !of_secure.iter().any(has),
        };
        let flash = self.mapping.get("device").is_some_and(|device| device == "flash");
        let split = self.mapping.get("mode").is_none_or(|mode| mode == "split");
        if !(uefi && right && flash && split && self.targets.iter().any(fits)) {
            return None;
        }
        serde_json::from_value(self.mapping.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(code: &str, features: &str) -> String {
        format!(
            r#"{{"description": "", "interface-types": ["uefi"], "features": [{features}], "tags": [],
               "targets": [{{"architecture": "x86_64", "machines": ["pc-i440fx-*", "pc-q35-*"]}}],
               "mapping": {{"device": "flash", "executable": {{"filename": "{code}", "format": "raw"}},
                            "nvram-template": {{"filename": "/vars", "format": "raw"}}}}}}"#
        )
    }

    #[test]
    fn the_first_descriptor_that_does_what_is_wanted_counts() {
        let home = tempfile::tempdir().unwrap();
        let [usr, etc] = ["usr", "etc"].map(|name| home.path().join(name));
        let write = |directory: &Path, name: &str, text: &str| {
            fs::create_dir_all(directory).unwrap();
            fs::write(directory.join(name), text).unwrap();
        };
        let enrolled = r#""enrolled-keys", "requires-smm", "secure-boot""#;
        write(&usr, "40-secure.json", &descriptor("/secure", enrolled));
        write(&usr, "50-capable.json", &descriptor("/capable", r#""requires-smm", "secure-boot""#));
        write(&usr, "60-plain.json", &descriptor("/plain", r#""acpi-s3""#));
        write(&usr, "70-plain.json", &descriptor("/other", ""));
        write(&usr, "README", "not json");
        let code = |secure| {
            let found = choose(&[&usr, &etc], secure).unwrap();
            found.map(|flash| flash.executable.filename.display().to_string())
        };
        assert_eq!((code(false).as_deref(), code(true).as_deref()), (Some("/plain"), Some("/secure")));
        write(&etc, "60-plain.json", "");
        write(&etc, "40-secure.json", &descriptor("/site", enrolled));
        assert_eq!((code(false).as_deref(), code(true).as_deref()), (Some("/other"), Some("/site")));
        write(&etc, "10-broken.json", "{");
        assert!(format!("{:#}", choose(&[&usr, &etc], true).unwrap_err()).contains("10-broken.json"));
        assert_eq!(choose(&[home.path().join("none")], true).unwrap(), None);
    }
}
