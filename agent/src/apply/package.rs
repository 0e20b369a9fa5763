//! Changes to the set of installed packages, by the machine's own package manager.
//!
//! Maintainer scripts write where they like below `/etc`, so the whole of `/etc` is saved before and compared when packages are
//! taken back: that is the only way to a machine that is the same to the byte.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::journal::Blobs;
use super::undo::{self, Was};
use crate::system::{FileKind, System, Tool};

/// What was, before packages were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The names and versions of all installed packages.
    pub installed: Vec<(String, String)>,
    /// Every file and link below `/etc`.
    pub etc: Vec<(PathBuf, Was)>,
}

/// Saves what is.
///
/// # Errors
/// When the package database or a file below `/etc` cannot be read.
pub fn before(system: &System, _install: &[String], _remove: &[String], blobs: &Blobs) -> Result<Before> {
    let packages = system.packages()?;
    let installed = packages
        .names()
        .map(|name| (name.to_owned(), packages.version(name).unwrap_or_default().to_owned()))
        .collect();
    let mut etc = Vec::new();
    for path in files_below(system, Path::new("/etc"))? {
        let was = undo::save(system, &path, blobs)?;
        etc.push((path, was));
    }
    Ok(Before { installed, etc })
}

/// Every regular file and link below a directory.
fn files_below(system: &System, top: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![top.to_path_buf()];
    while let Some(dir) = open.pop() {
        for name in system.list(&dir)? {
            let path = dir.join(name);
            match system.meta(&path)?.map(|meta| meta.kind) {
                Some(FileKind::Directory) => open.push(path),
                Some(FileKind::Regular | FileKind::Symlink) => files.push(path),
                _ => {}
            }
        }
    }
    Ok(files)
}

/// Installs and removes packages.
///
/// # Errors
/// When the package manager fails, with what it said.
pub fn perform(system: &System, install: &[String], remove: &[String]) -> Result<()> {
    let packages = system.packages()?;
    let missing: Vec<&str> = install.iter().map(String::as_str).filter(|name| !packages.has(name)).collect();
    let unwanted: Vec<String> =
        remove.iter().filter(|name| packages.has(name)).map(|name| format!("{name}-")).collect();
    if missing.is_empty() && unwanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = missing.into_iter().chain(unwanted.iter().map(String::as_str)).collect();
    apt(system, "install", &wanted)
}

/// Brings the former packages and the former `/etc` back.
///
/// # Errors
/// When the archive no longer has a removed package, or the package manager fails.
pub fn bring_back(system: &System, before: &Before, blobs: &Blobs) -> Result<()> {
    let is = system.packages()?;
    let was: BTreeSet<&str> = before.installed.iter().map(|(name, _)| name.as_str()).collect();
    let added: Vec<&str> = is.names().filter(|name| !was.contains(name)).collect();
    let removed: Vec<&str> = was.iter().copied().filter(|name| !is.has(name)).collect();
    if !added.is_empty() {
        apt(system, "purge", &added)?;
    }
    if !removed.is_empty() {
        apt(system, "install", &removed).context("a removed package could not be installed again")?;
    }
    restore_etc(system, before, blobs)
}

fn restore_etc(system: &System, before: &Before, blobs: &Blobs) -> Result<()> {
    let was: BTreeSet<&PathBuf> = before.etc.iter().map(|(path, _)| path).collect();
    for path in files_below(system, Path::new("/etc"))? {
        if !was.contains(&path) {
            super::file::remove(system, &path)?;
        }
    }
    for (path, was) in &before.etc {
        if undo::save(system, path, blobs)? != *was {
            if let Some(parent) = path.parent() {
                super::file::make_directories(system, parent, 0o755)?;
            }
            undo::restore(system, path, was, blobs)?;
        }
    }
    Ok(())
}

/// One call of apt-get that never asks, keeps configuration files that were changed, and pulls in nothing that is merely recommended.
fn apt(system: &System, verb: &str, packages: &[&str]) -> Result<()> {
    if !system.has_tool(Tool::AptGet) {
        bail!("no supported package manager here: install {} by hand", packages.join(", "));
    }
    let mut args = vec![
        "--yes",
        "--quiet",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold",
        "-o",
        "DPkg::Lock::Timeout=120",
        verb,
    ];
    args.extend(packages);
    let output = system.run(Tool::AptGet, &args)?;
    if output.code != Some(0) && output.stderr.contains("Unable to locate") {
        system.run(Tool::AptGet, &["--quiet", "update"])?.success()?;
        return system.run(Tool::AptGet, &args)?.success().map(drop);
    }
    output.success().map(drop)
}
