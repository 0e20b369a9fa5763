//! Root trees of systems that no Debian mirror has: made of data, so that content for them is applicable and has something to judge.
//!
//! A [`System`] is laid together from layers, directories below `tests/synthetic`. A layer may have:
//!
//! | file | what it says |
//! |---|---|
//! | `*.tree` | files: see [`entry`] |
//! | `packages` | what is installed, one package a line: see [`package`] |
//!
//! Later layers win, file by file and package by package. Programs that the laboratory needs inside are this machine's own: see
//! [`tools`]. To add a system, write its layer and add a line to [`SYSTEMS`].

mod berkeley;
mod entry;
mod package;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache;
use entry::Entry;

/// A system made of data.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Our name for it.
    pub name: &'static str,
    /// The operating system's name in the content's file names.
    pub os: &'static str,
    /// The layers, from the ground up.
    layers: &'static [&'static str],
    /// How its rpm keeps the list of what is installed.
    database: Database,
}

/// Formats of rpm's database.
#[derive(Debug, Clone, Copy)]
enum Database {
    Berkeley,
    Sqlite,
}

/// Every system there is. Those called servers are as their installer left them where it matters to what the agent changes: authselect
/// writes the stacks of PAM, and entries name the arguments of kernels.
pub const SYSTEMS: [System; 6] = [
    System { name: "rhel8", os: "rhel8", layers: &["redhat", "rhel8"], database: Database::Berkeley },
    System { name: "rhel9", os: "rhel9", layers: &["redhat", "rhel9"], database: Database::Sqlite },
    System { name: "rhel10", os: "rhel10", layers: &["redhat", "rhel10"], database: Database::Sqlite },
    System {
        name: "rhel8-server",
        os: "rhel8",
        layers: &["redhat", "rhel8", "server", "server8"],
        database: Database::Berkeley,
    },
    System {
        name: "rhel9-server",
        os: "rhel9",
        layers: &["redhat", "rhel9", "server"],
        database: Database::Sqlite,
    },
    System {
        name: "rhel10-server",
        os: "rhel10",
        layers: &["redhat", "rhel10", "server", "server10"],
        database: Database::Sqlite,
    },
];

impl System {
    /// Stands for everything it is made of in cache keys.
    pub fn recipe(&self) -> Result<String> {
        let mut parts = vec![tools::recipe(), format!("{:?}", self.database)];
        for file in self.files("")? {
            let name = file.strip_prefix(cache::checkout()).unwrap_or(&file);
            parts.extend([name.display().to_string(), read(&file)?]);
        }
        Ok(cache::hash(&parts.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// Makes the tree.
    pub fn make(&self, target: &Path) -> Result<()> {
        fs::create_dir(target)?;
        let mut entries = Vec::new();
        for file in self.files(".tree")? {
            entries.extend(entry::parse(&read(&file)?).with_context(|| file.display().to_string())?);
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entry::keep_last(&mut entries);
        // Whose the others are is said by name.
        let (accounts, others): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| ["/etc/passwd", "/etc/group"].contains(&entry.path.as_str()));
        for entry in accounts.into_iter().chain(others) {
            entry.make(target).with_context(|| format!("making {}", entry.path))?;
        }
        tools::install(target)?;
        let mut packages = Vec::new();
        for file in self.files("packages")? {
            packages.extend(package::parse(&read(&file)?).with_context(|| file.display().to_string())?);
        }
        package::install(target, &package::last_of_each(packages), &entries)?;
        match self.database {
            Database::Berkeley => berkeley::convert(target).context("making the rpm database of Berkeley DB"),
            Database::Sqlite => Ok(()),
        }
    }

    /// The files of its layers whose name ends so: a layer's after those of the layers below.
    fn files(&self, end: &str) -> Result<Vec<PathBuf>> {
        let mut all = Vec::new();
        for layer in self.layers {
            let directory = cache::checkout().join("tests/synthetic").join(layer);
            let listed =
                fs::read_dir(&directory).with_context(|| format!("listing {}", directory.display()))?;
            let mut files: Vec<PathBuf> = listed.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
            files.retain(|file| file.to_string_lossy().ends_with(end));
            files.sort();
            all.extend(files);
        }
        Ok(all)
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}
