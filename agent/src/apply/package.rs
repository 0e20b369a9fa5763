//! Changes to the set of installed packages, by the machine's own package manager.
//!
//! Maintainer scripts write where they like below `/etc`, so the whole of `/etc` is saved before and compared after: that is the only way
//! back to a machine that is the same to the byte.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::file;
use super::journal::Blobs;
use super::undo::{self, Was};
use crate::system::{FileKind, System, Tool};

/// What was, before packages were changed. The lists are long, so they are kept beside the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Digest of the names of all installed packages, as JSON.
    pub installed: String,
    /// Digest of every file and link below `/etc` and what it was, as JSON.
    pub etc: String,
    /// What this change installs that was not there.
    pub install: Vec<String>,
    /// What this change removes that was there.
    pub remove: Vec<String>,
}

/// Saves what is.
///
/// # Errors
/// When the package database or a file below `/etc` cannot be read.
pub fn before(system: &System, install: &[String], remove: &[String], blobs: &Blobs) -> Result<Before> {
    let packages = system.packages()?;
    let names: Vec<&str> = packages.names().collect();
    let installed = blobs.store(&serde_json::to_vec(&names)?)?;
    let etc = blobs.store(&serde_json::to_vec(&saved_etc(system, blobs)?)?)?;
    let install = install.iter().filter(|name| !packages.has(name)).cloned().collect();
    let remove = remove.iter().filter(|name| packages.has(name)).cloned().collect();
    Ok(Before { installed, etc, install, remove })
}

fn saved_etc(system: &System, blobs: &Blobs) -> Result<Vec<(PathBuf, Was)>> {
    let paths = files_below(system, Path::new("/etc"))?;
    let saved: Result<Vec<(PathBuf, Was)>> =
        paths.into_iter().map(|path| Ok((path.clone(), undo::save_lazily(system, &path, blobs)?))).collect();
    blobs.sync()?;
    saved
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
    files.sort();
    Ok(files)
}

/// What is different below `/etc` from what it was, and how it is now; `Was::Absent` for what is gone.
///
/// # Errors
/// When a file cannot be read.
pub fn touched(system: &System, before: &Before, blobs: &Blobs) -> Result<Vec<(PathBuf, Was)>> {
    let was: Vec<(PathBuf, Was)> = serde_json::from_slice(&blobs.load(&before.etc)?)?;
    let now = saved_etc(system, blobs)?;
    let known: BTreeSet<&(PathBuf, Was)> = was.iter().collect();
    let present: BTreeSet<&PathBuf> = now.iter().map(|(path, _)| path).collect();
    let gone =
        was.iter().filter(|(path, _)| !present.contains(path)).map(|(path, _)| (path.clone(), Was::Absent));
    let gone: Vec<_> = gone.collect();
    let mut touched: Vec<(PathBuf, Was)> =
        now.iter().filter(|entry| !known.contains(entry)).cloned().collect();
    touched.extend(gone);
    Ok(touched)
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

/// Takes one change to packages back: what it installed goes, what it removed comes again. `touched` is what it made different
/// below `/etc`; of that, what nobody changed since becomes what it was.
///
/// # Errors
/// When the archive no longer has a removed package, or the package manager fails.
pub fn bring_back(
    system: &mut System,
    before: &Before,
    touched: &[(PathBuf, Was)],
    blobs: &Blobs,
) -> Result<()> {
    let was: Vec<String> = serde_json::from_slice(&blobs.load(&before.installed)?)?;
    let was: BTreeSet<&str> = was.iter().map(String::as_str).collect();
    let is = system.packages()?;
    // Without `touched` the change was cut half-way: everything that was not there is its doing.
    let ours = |name: &&str| touched.is_empty() || before.install.iter().any(|own| own == name);
    let added: Vec<String> =
        is.names().filter(|name| !was.contains(name)).filter(ours).map(str::to_owned).collect();
    let removed: Vec<&str> = before.remove.iter().map(String::as_str).filter(|name| !is.has(name)).collect();
    if !added.is_empty() {
        apt(system, "purge", &added.iter().map(String::as_str).collect::<Vec<_>>())?;
        apt(system, "autoremove", &["--purge"])?;
    }
    if !removed.is_empty() {
        apt(system, "install", &removed).context("a removed package could not be installed again")?;
    }
    system.refresh();
    restore_etc(system, before, touched, blobs)
}

fn restore_etc(system: &System, before: &Before, touched: &[(PathBuf, Was)], blobs: &Blobs) -> Result<()> {
    let was: Vec<(PathBuf, Was)> = serde_json::from_slice(&blobs.load(&before.etc)?)?;
    let before_of =
        |path: &PathBuf| was.iter().find(|(known, _)| known == path).map_or(&Was::Absent, |(_, was)| was);
    for (path, left) in touched {
        let now = undo::save(system, path, blobs)?;
        let wanted = before_of(path);
        // Purging took our file away, or nobody touched it since: either way it is ours to restore.
        if now != *wanted && (now == *left || now == Was::Absent) {
            file::make_directories(system, path.parent().unwrap_or(Path::new("/")), 0o755)?;
            undo::restore(system, path, wanted, blobs)?;
        }
    }
    Ok(())
}

/// One call of apt-get that never asks, keeps configuration files that were changed, and pulls in nothing that is merely recommended. When
/// the package lists are missing or stale they are fetched once.
fn apt(system: &System, verb: &str, packages: &[&str]) -> Result<()> {
    if !system.has_tool(Tool::AptGet) {
        bail!("no supported package manager here: {verb} {} by hand", packages.join(", "));
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
    let stale = ["Unable to locate", "Unable to fetch", "has no installation candidate", "404"];
    if output.code != Some(0) && stale.iter().any(|sign| output.stderr.contains(sign)) {
        system.run(Tool::AptGet, &["--quiet", "update"])?.success()?;
        return system.run(Tool::AptGet, &args)?.success().map(drop);
    }
    output.success().map(drop)
}
