//! Which packages are installed: the dpkg status file.
//!
//! Read from the file rather than asked of a program, so that it works with `--root` and costs milliseconds. Another
//! package system is another `learn_…` function here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::{System, Tool};

const DPKG_STATUS: &str = "/var/lib/dpkg/status";

/// The installed packages.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    installed: BTreeMap<String, String>,
    planned: BTreeSet<String>,
}

impl Packages {
    pub(super) fn learn(system: &System) -> Result<Packages> {
        match system.root.read(std::path::Path::new(DPKG_STATUS), 256 * 1024 * 1024)? {
            Some(bytes) => Ok(Packages::parse_dpkg(&String::from_utf8_lossy(&bytes))),
            None => bail!("reading {DPKG_STATUS}: no such file; no supported package database here"),
        }
    }

    /// Reads the text of a dpkg status file. A package counts when its status is `install ok installed`
    /// or another state in which its files are unpacked and wanted.
    pub fn parse_dpkg(text: &str) -> Packages {
        let mut installed = BTreeMap::new();
        for stanza in text.split("\n\n") {
            let field = |name: &str| {
                stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
            };
            let (Some(package), Some(status)) = (field("Package"), field("Status")) else { continue };
            if status.ends_with(" installed") {
                installed.insert(package.to_owned(), field("Version").unwrap_or_default().to_owned());
            }
        }
        Packages { installed, planned: BTreeSet::new() }
    }

    /// Whether the package is installed, or would be by the changes laid over the system.
    pub fn has(&self, name: &str) -> bool {
        self.installed.contains_key(name)
    }

    /// Whether the package is only there because a change laid over the system would install it: its files cannot
    /// be looked at yet.
    pub fn is_planned(&self, name: &str) -> bool {
        self.planned.contains(name)
    }

    /// The version of an installed package.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.installed.get(name).map(String::as_str)
    }

    /// The names of the installed packages, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.installed.keys().map(String::as_str)
    }

    pub(super) fn pretend(&mut self, install: &[String], remove: &[String]) {
        for name in install {
            self.installed.insert(name.clone(), String::new());
            self.planned.insert(name.clone());
        }
        for name in remove {
            self.installed.remove(name);
            self.planned.remove(name);
        }
    }
}

impl System {
    /// The packages that would go together with those that are to be removed, because they depend on them.
    ///
    /// # Errors
    /// When the package manager cannot tell.
    pub fn removal_cascade(&self, remove: &[String]) -> Result<Vec<String>> {
        let packages = self.packages()?;
        let present: Vec<&str> =
            remove.iter().map(String::as_str).filter(|name| packages.has(name)).collect();
        if present.is_empty() || !self.is_running() {
            return Ok(Vec::new());
        }
        let mut args = vec!["--simulate", "--quiet", "remove"];
        args.extend(&present);
        let output = self.run(Tool::AptGet, &args)?.success()?;
        let removed =
            output.stdout.lines().filter_map(|line| line.strip_prefix("Remv ")?.split_whitespace().next());
        Ok(removed.filter(|name| !remove.iter().any(|other| other == name)).map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let text = "Package: sudo\nStatus: install ok installed\nVersion: 1.9.13p3-1\n\n\
                    Package: telnet\nStatus: deinstall ok config-files\nVersion: 0.17\n\n\
                    Package: held\nStatus: hold ok installed\nVersion: 1\n";
        let packages = Packages::parse_dpkg(text);
        assert!(packages.has("sudo") && packages.has("held") && !packages.has("telnet"));
        assert_eq!(packages.version("sudo"), Some("1.9.13p3-1"));
    }
}
