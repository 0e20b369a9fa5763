//! Packages that must be, or must not be, installed.
//!
//! The package database decides, as `dpkg(1)` or `rpm(8)` keeps it: a package of which only configuration files are left is not
//! installed. Removing keeps those files, so that installing again restores the service as its owner had it. What else
//! goes with a removal is told by the plan, which asks the package manager.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::Change;
use crate::content::Names;
use crate::finding::Finding;
use crate::system::{Packages, System};

/// Where the answer comes from, as evidence names it.
const DATABASE: &str = "the package database";

/// What a package only recommends and yet cannot do without: with no dictionary, the judge of passwords refuses every one.
const NEEDED: [(&str, &str); 1] = [("libpam-pwquality", "cracklib-runtime")];

/// Of a package and what it cannot do without, those that are not there.
pub fn missing(package: &str, present: &Packages) -> Vec<String> {
    let needed = NEEDED.iter().filter(|(of, _)| *of == package).map(|(_, needed)| *needed);
    let all = std::iter::once(package).chain(needed);
    all.filter(|name| !present.has(name)).map(str::to_owned).collect()
}

/// Packages that must be there, or must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Package {
    /// All of these are installed.
    Installed(Names),
    /// None of these is installed.
    Removed(Names),
}

impl Setting for Package {
    fn examine(&self, system: &System) -> Result<Finding> {
        let packages = system.packages()?;
        let (names, wanted) = self.parts();
        let mut finding = Finding::new();
        for name in names.as_slice() {
            let found = match packages.version(name) {
                Some("") => format!("{name} is installed"),
                Some(version) => format!("{name} {version} is installed"),
                None => format!("{name} is not installed"),
            };
            let word = if wanted { "installed" } else { "not installed" };
            finding.persistent(packages.has(name) == wanted, found, format!("{name} {word}"), DATABASE);
        }
        let wrong: Vec<String> =
            names.as_slice().iter().filter(|name| packages.has(name) != wanted).cloned().collect();
        if !wrong.is_empty() {
            finding.change(match wanted {
                true => {
                    let mut install: Vec<String> =
                        wrong.iter().flat_map(|name| missing(name, packages)).collect();
                    install.sort();
                    install.dedup();
                    Change::Packages { install, remove: Vec::new() }
                }
                false => Change::Packages { install: Vec::new(), remove: wrong },
            });
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        match self {
            Package::Installed(names) => format!("installed: {}", names.as_slice().join(", ")),
            Package::Removed(names) => format!("not installed: {}", names.as_slice().join(", ")),
        }
    }
}

impl Package {
    fn parts(&self) -> (&Names, bool) {
        match self {
            Package::Installed(names) => (names, true),
            Package::Removed(names) => (names, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn names(list: &[&str]) -> Names {
        Names::Several(list.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        let tree = Tree::new().packages(&["auditd"]);
        let changes = tree.planned(&Package::Installed(names(&["auditd", "audispd-plugins"])));
        let wanted = Change::Packages { install: vec!["audispd-plugins".into()], remove: vec![] };
        assert_eq!(changes, [wanted]);
    }

    #[test]
    fn what_a_package_cannot_do_without_comes_with_it() {
        for (present, expected) in [
            (["sudo"], ["cracklib-runtime", "libpam-pwquality"].as_slice()),
            (["cracklib-runtime"], &["libpam-pwquality"]),
        ] {
            let tree = Tree::new().packages(&present);
            let changes = tree.planned(&Package::Installed(names(&["libpam-pwquality"])));
            let install = expected.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(changes, [Change::Packages { install, remove: vec![] }]);
        }
        let tree = Tree::new().packages(&["libpam-pwquality"]);
        assert!(
            Package::Installed(names(&["libpam-pwquality"])).examine(&tree.system()).unwrap().is_compliant()
        );
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = || Tree::new().running().packages(&["base", "telnet"]).file("/etc/shells", "/bin/sh\n");
        tree().round_trip(&Package::Installed(names(&["auditd", "base", "libpam-pwquality"])));
        tree().round_trip(&Package::Removed(names(&["telnet", "ftp"])));
    }

    #[test]
    fn only_what_is_there_is_removed() {
        let tree = Tree::new().packages(&["bind9", "sudo"]);
        let changes = tree.planned(&Package::Removed(names(&["bind", "bind9"])));
        let wanted = Change::Packages { install: vec![], remove: vec!["bind9".into()] };
        assert_eq!(changes, [wanted]);
    }

    #[test]
    fn left_configuration_files_are_no_package() {
        let status = "Package: telnet\nStatus: deinstall ok config-files\nVersion: 0.17\n";
        let tree = Tree::new().file("/var/lib/dpkg/status", status);
        let system = tree.system();
        assert!(Package::Removed(names(&["telnet"])).examine(&system).unwrap().is_compliant());
        assert!(!Package::Installed(names(&["telnet"])).examine(&system).unwrap().is_compliant());
    }

    #[test]
    fn without_a_package_database_there_is_no_verdict() {
        let error = Package::Removed(names(&["telnet"])).examine(&Tree::new().system()).unwrap_err();
        assert!(error.to_string().contains("/var/lib/dpkg/status"), "{error}");
    }
}
