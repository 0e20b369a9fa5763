//! Which packages are installed: the dpkg status file.
//!
//! Read from the file rather than asked of a program, so that it works with `--root` and costs milliseconds. Another
//! package system is another `learn_…` function here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{System, Tool};

const DPKG_STATUS: &str = "/var/lib/dpkg/status";

/// The installed packages.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    installed: BTreeMap<String, String>,
    /// Cut half-way: unpacked or configured in part.
    unfinished: BTreeSet<String>,
    planned: BTreeSet<String>,
}

/// What a transaction of the package manager does, dependencies and dependents included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageDelta {
    /// Packages that were not there.
    pub installed: Vec<String>,
    /// Packages of which another version comes.
    pub upgraded: Vec<String>,
    /// Packages that go.
    pub removed: Vec<String>,
}

impl PackageDelta {
    /// Reads what `apt-get --simulate` says: `Inst NAME [OLD] (NEW …)`, `Remv NAME [OLD]`.
    pub fn parse(text: &str) -> PackageDelta {
        let mut delta = PackageDelta::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(verb), Some(name), third) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let list = match verb {
                "Inst" if third.is_some_and(|word| word.starts_with('[')) => &mut delta.upgraded,
                "Inst" => &mut delta.installed,
                "Remv" | "Purg" => &mut delta.removed,
                _ => continue,
            };
            list.push(name.to_owned());
        }
        delta
    }
}

impl Packages {
    pub(super) fn learn(system: &System) -> Result<Packages> {
        let read = system.root.read(std::path::Path::new(DPKG_STATUS), 256 * 1024 * 1024);
        match read.with_context(|| format!("reading {DPKG_STATUS}"))? {
            Some(bytes) => Ok(Packages::parse_dpkg(&String::from_utf8_lossy(&bytes))),
            None => bail!("reading {DPKG_STATUS}: no such file; no supported package database here"),
        }
    }

    /// Reads the text of a dpkg status file. A package counts when its status is `install ok installed`
    /// or another state in which its files are unpacked and wanted.
    pub fn parse_dpkg(text: &str) -> Packages {
        let (mut installed, mut unfinished) = (BTreeMap::new(), BTreeSet::new());
        for stanza in text.split("\n\n") {
            let field = |name: &str| {
                stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
            };
            let (Some(package), Some(status)) = (field("Package"), field("Status")) else { continue };
            if status.ends_with(" installed") {
                installed.insert(package.to_owned(), field("Version").unwrap_or_default().to_owned());
            } else if !status.ends_with(" not-installed") && !status.ends_with(" config-files") {
                unfinished.insert(package.to_owned());
            }
        }
        Packages { installed, unfinished, planned: BTreeSet::new() }
    }

    /// Whether the package is installed, or would be by the changes laid over the system.
    pub fn has(&self, name: &str) -> bool {
        self.installed.contains_key(name)
    }

    /// Whether anything but configuration files of the package is there, be it cut half-way.
    pub fn remains(&self, name: &str) -> bool {
        self.has(name) || self.unfinished.contains(name)
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
    /// What installing and removing these packages would do to those that are there, whatever is laid over the system.
    ///
    /// # Errors
    /// When the package manager cannot do it, with what it said.
    pub fn package_delta(&self, install: &[String], remove: &[String]) -> Result<PackageDelta> {
        let packages = Packages::learn(self)?;
        let missing = install.iter().filter(|name| !packages.has(name)).cloned();
        let unwanted = remove.iter().filter(|name| packages.has(name)).map(|name| format!("{name}-"));
        let wanted: Vec<String> = missing.chain(unwanted).collect();
        if wanted.is_empty() {
            return Ok(PackageDelta::default());
        }
        if !self.has_tool(Tool::AptGet) {
            bail!("no supported package manager (apt) is installed here; by hand: {}", wanted.join(", "));
        }
        let mut args = vec!["--simulate", "--quiet", "--no-install-recommends", "install"];
        args.extend(wanted.iter().map(String::as_str));
        Ok(PackageDelta::parse(&self.run(Tool::AptGet, &args)?.success()?.stdout))
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

    #[test]
    fn a_package_cut_half_way_remains() {
        let text = "Package: a\nStatus: install reinstreq half-installed\n\nPackage: b\nStatus: install ok unpacked\n\n\
                    Package: c\nStatus: deinstall ok config-files\n\nPackage: d\nStatus: purge ok not-installed\n";
        let packages = Packages::parse_dpkg(text);
        let seen = ["a", "b", "c", "d"].map(|name| (packages.has(name), packages.remains(name)));
        assert_eq!(seen, [(false, true), (false, true), (false, false), (false, false)]);
    }

    #[test]
    fn the_simulation_tells_what_comes_and_goes() {
        let said = "NOTE: This is only a simulation!\nRemv telnet [0.17]\nInst libaide (1.0 Debian:12 [amd64])\n\
                    Inst libpam0g [1.5.2-6] (1.5.2-7 Debian:12 [amd64])\nConf libaide (1.0 Debian:12 [amd64])\n";
        let delta = PackageDelta::parse(said);
        assert_eq!(
            (delta.installed, delta.upgraded, delta.removed),
            (vec!["libaide".to_owned()], vec!["libpam0g".to_owned()], vec!["telnet".to_owned()])
        );
    }
}
