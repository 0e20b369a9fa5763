//! Which packages are installed: the dpkg status file, or the database of rpm.
//!
//! Read from the files rather than asked of a program, so that it works with `--root` and costs milliseconds. Another
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

impl PackageDelta {
    /// Reads the table that `dnf --assumeno` shows: headings end with a colon, and below each are lines of a name, an architecture, a
    /// version, a repository and a size. A name that is too long for its column is a line of its own.
    pub fn parse_dnf(text: &str) -> PackageDelta {
        let mut delta = PackageDelta::default();
        let (mut heading, mut long) = (String::new(), None);
        for line in text.lines() {
            if let Some(head) = line.strip_suffix(':').filter(|head| !head.starts_with(' ')) {
                head.clone_into(&mut heading);
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let name = match (line.starts_with(' '), words.as_slice()) {
                (true, [name]) => {
                    long = Some(*name);
                    continue;
                }
                (true, [name, _, _, _, ..]) => long.take().unwrap_or(name),
                _ => continue,
            };
            let list = match heading.split_whitespace().next() {
                Some("Installing") => &mut delta.installed,
                Some("Upgrading" | "Downgrading" | "Reinstalling") => &mut delta.upgraded,
                Some("Removing") => &mut delta.removed,
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
            None => Packages::learn_rpm(system),
        }
    }

    fn learn_rpm(system: &System) -> Result<Packages> {
        let root = system.host_path("/");
        let machine = oval::System::below(&root).with_context(|| format!("opening {}", root.display()))?;
        match machine.rpm_packages() {
            Ok(Some(packages)) => Ok(Packages::of_rpm(packages)),
            Ok(None) => {
                bail!("there is no {DPKG_STATUS} and no database of rpm: no supported package database here")
            }
            Err(reason) => bail!("reading the database of rpm: {reason}"),
        }
    }

    /// What rpm has installed. Of a package that is there several times (kernels, keys) the versions are separated by blanks.
    pub fn of_rpm(packages: impl IntoIterator<Item = (String, String)>) -> Packages {
        let mut installed: BTreeMap<String, String> = BTreeMap::new();
        for (name, version) in packages {
            let versions = installed.entry(name).or_default();
            if !versions.is_empty() {
                versions.push(' ');
            }
            versions.push_str(&version);
        }
        Packages { installed, ..Packages::default() }
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
        if !self.has_tool(Tool::AptGet) && self.has_tool(Tool::Dnf) {
            return self.dnf_delta(install, remove, &packages);
        }
        if !self.has_tool(Tool::AptGet) {
            bail!(
                "no supported package manager (apt, dnf) is installed here; by hand: {}",
                wanted.join(", ")
            );
        }
        let mut args = vec!["--simulate", "--quiet", "--no-install-recommends", "install"];
        args.extend(wanted.iter().map(String::as_str));
        Ok(PackageDelta::parse(&self.run(Tool::AptGet, &args)?.success()?.stdout))
    }

    /// dnf tells what it would do and then is told not to; that it ends with 1 then is no failure.
    fn dnf_delta(&self, install: &[String], remove: &[String], packages: &Packages) -> Result<PackageDelta> {
        let mut whole = PackageDelta::default();
        let missing = install.iter().filter(|name| !packages.has(name));
        let unwanted = remove.iter().filter(|name| packages.has(name));
        for (verb, option, names) in [
            ("install", "--setopt=install_weak_deps=False", missing.collect::<Vec<_>>()),
            ("remove", "--noautoremove", unwanted.collect()),
        ] {
            if names.is_empty() {
                continue;
            }
            let mut args = vec!["--assumeno", option, verb];
            args.extend(names.iter().map(|name| name.as_str()));
            let output = self.run(Tool::Dnf, &args)?;
            let delta = PackageDelta::parse_dnf(&output.stdout);
            if delta == PackageDelta::default() {
                output.success()?;
            }
            whole.installed.extend(delta.installed);
            whole.upgraded.extend(delta.upgraded);
            whole.removed.extend(delta.removed);
            // However its table looks: what is asked for is among it.
            let asked = if verb == "install" { &mut whole.installed } else { &mut whole.removed };
            let unseen: Vec<String> =
                names.into_iter().filter(|name| !asked.contains(name)).cloned().collect();
            asked.extend(unseen);
        }
        Ok(whole)
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
    fn versions_of_one_rpm_package_stand_beside_each_other() {
        let key = |version: &str| ("gpg-pubkey".to_owned(), version.to_owned());
        let packages = Packages::of_rpm([key("fd431d51-4ae0493b"), key("5a6340b3-6229229e")]);
        assert_eq!(packages.version("gpg-pubkey"), Some("fd431d51-4ae0493b 5a6340b3-6229229e"));
        assert!(!packages.remains("kernel"));
    }

    #[test]
    fn dnf_tells_what_comes_and_goes() {
        let said = "Last metadata expiration check: 0:01:12 ago on Mon.\nDependencies resolved.\n====\n \
                    Package      Arch    Version    Repository  Size\n====\nInstalling:\n \
                    aide         x86_64  0.16-103   appstream   154 k\nInstalling dependencies:\n \
                    libx         x86_64  1-1        baseos      1 k\n \
                    python3-gobject-base-noarch\n                 noarch  3.40.1-6   rhel-9-for-x86_64-baseos-rpms 15 k\nUpgrading:\n \
                    y            noarch  2-1        baseos      1 k\nRemoving:\n \
                    telnet       x86_64  1:0.17-85  @appstream  120 k\nRemoving dependent packages:\n \
                    z            x86_64  1-1        @x          1 k\n\nTransaction Summary\n====\nInstall  2 Packages\n\n\
                    Operation aborted.\n";
        let delta = PackageDelta::parse_dnf(said);
        assert_eq!(
            (delta.installed, delta.upgraded, delta.removed),
            (
                vec!["aide".into(), "libx".into(), "python3-gobject-base-noarch".into()],
                vec!["y".to_owned()],
                vec!["telnet".into(), "z".into()]
            )
        );
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
