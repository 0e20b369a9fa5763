//! One call of the package manager for several rules, and the way back from it.
//!
//! What will be installed and removed, dependencies and dependents included, is asked of the package manager and saved before it
//! is done; taking back is limited to those packages, whatever was installed since. Maintainer scripts write where they like
//! below `/etc`, so the whole of `/etc` is saved before and compared after: that is the only way back to a machine that is the
//! same to the byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::journal::Blobs;
use super::undo::{self, Was};
use super::{file, package};
use crate::system::{FileKind, System};

/// How long after the last word of the package database an interrupted maintainer script may have gone on writing, in seconds.
const AFTERMATH: i64 = 120;

/// One rule's part in a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Digest of the transaction, which is long and kept beside the journal; parts of one transaction have the same.
    pub transaction: String,
    /// What this rule installs that was not there.
    pub install: Vec<String>,
    /// What this rule removes that was there.
    pub remove: Vec<String>,
}

/// What was before a transaction, and what it is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Every package that it brings.
    added: Vec<String>,
    /// Every package that it takes away.
    removed: Vec<String>,
    /// Those of the removed that were there only because others needed them.
    automatic: Vec<String>,
    /// Every file and link below `/etc`, and what it was.
    etc: Vec<(PathBuf, Was)>,
    /// When it began, in seconds since 1970.
    begun: i64,
}

impl Transaction {
    /// Foresees a transaction, saves what is, and returns the digest under which both are kept.
    ///
    /// # Errors
    /// When the package manager cannot do it, or what is cannot be read and saved. Nothing was changed then.
    pub fn prepare(system: &System, install: &[String], remove: &[String], blobs: &Blobs) -> Result<String> {
        let delta = package::foresee(system, install, remove)?;
        let transaction = Transaction {
            automatic: package::automatic(system, &delta.removed)?,
            added: delta.installed,
            removed: delta.removed,
            etc: saved_etc(system, blobs)?,
            begun: now()?,
        };
        blobs.store(&serde_json::to_vec(&transaction)?)
    }

    /// The transaction of a digest.
    ///
    /// # Errors
    /// When it is not there or damaged.
    pub fn load(digest: &str, blobs: &Blobs) -> Result<Transaction> {
        serde_json::from_slice(&blobs.load(digest)?).context("reading what was before packages were changed")
    }

    /// What is different below `/etc` from what it was, and how it is now; [`Was::Absent`] for what is gone.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn left(&self, system: &System, blobs: &Blobs) -> Result<Vec<(PathBuf, Was)>> {
        let known: BTreeMap<&PathBuf, &Was> = self.etc.iter().map(|(path, was)| (path, was)).collect();
        let now = saved_etc(system, blobs)?;
        let present: BTreeSet<&PathBuf> = now.iter().map(|(path, _)| path).collect();
        let gone = self.etc.iter().filter(|(path, _)| !present.contains(path));
        let gone: Vec<_> = gone.map(|(path, _)| (path.clone(), Was::Absent)).collect();
        let different = now.iter().filter(|(path, is)| known.get(path) != Some(&is)).cloned();
        Ok(different.chain(gone).collect())
    }

    /// Takes the whole transaction back. `left` is how it left `/etc`, when it came to its end: what somebody changed since is
    /// kept. Without it, what was written while it ran is taken back.
    ///
    /// # Errors
    /// When something else depends on what it brought, the archive no longer has what it took away, or the package manager
    /// fails.
    pub fn take_back(
        &self,
        system: &mut System,
        left: Option<&[(PathBuf, Was)]>,
        blobs: &Blobs,
    ) -> Result<()> {
        let left = match left {
            Some(left) => left.to_vec(),
            None => self.written_meanwhile(system, blobs)?,
        };
        let then = saved_etc(system, blobs)?;
        self.change_back(system, &self.added, &self.removed)?;
        self.restore_etc(system, &left, &then, blobs)
    }

    /// Takes some rules' part back: their packages, and what only those needed. What maintainer scripts wrote stays until the
    /// whole transaction is taken back.
    ///
    /// # Errors
    /// As for [`Transaction::take_back`].
    pub fn take_back_parts(&self, system: &mut System, parts: &[&Part]) -> Result<()> {
        let install: Vec<String> = parts.iter().flat_map(|part| part.install.iter().cloned()).collect();
        let remove: Vec<String> = parts.iter().flat_map(|part| part.remove.iter().cloned()).collect();
        self.change_back(system, &install, &remove)?;
        if install.is_empty() {
            return Ok(());
        }
        let orphans = package::no_longer_needed(system, &self.added)?;
        self.change_back(system, &orphans, &[])
    }

    fn change_back(&self, system: &mut System, added: &[String], removed: &[String]) -> Result<()> {
        let packages = system.packages()?;
        let purge: Vec<&str> =
            added.iter().filter(|name| packages.remains(name)).map(String::as_str).collect();
        let missing: Vec<String> = removed.iter().filter(|name| !packages.has(name)).cloned().collect();
        package::purge(system, &purge)?;
        system.refresh();
        package::perform(system, &missing, &[]).context("a removed package could not be installed again")?;
        system.refresh();
        let automatic = self.automatic.iter().filter(|name| missing.contains(name)).cloned();
        package::mark_automatic(system, &automatic.collect::<Vec<_>>())
    }

    /// What is different below `/etc` and was changed while an interrupted transaction was at work: from its beginning to
    /// shortly after the package database was last written.
    fn written_meanwhile(&self, system: &mut System, blobs: &Blobs) -> Result<Vec<(PathBuf, Was)>> {
        // A script that fails fails again: what it leaves unfinished is purged.
        if let Err(error) = package::finish_pending(system)
            && package::is_busy(&error)
        {
            return Err(error);
        }
        system.refresh();
        let changed_at = |path: &Path| fs::symlink_metadata(system.host_path(path)).map(|meta| meta.ctime());
        let databases = ["/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages"];
        let database = databases.iter().find_map(|path| changed_at(Path::new(path)).ok());
        let database = database.context("there is no package database to look at")?;
        let within = |path: &Path| match changed_at(path) {
            Ok(at) => (self.begun..=database + AFTERMATH).contains(&at),
            Err(_) => true,
        };
        let left = self.left(system, blobs)?;
        Ok(left.into_iter().filter(|(path, _)| within(path)).collect())
    }

    /// Restores what the transaction changed, and what taking it back changed besides: installing a package again writes to
    /// more than removing it did. `then` is how all was before it was taken back.
    fn restore_etc(
        &self,
        system: &System,
        left: &[(PathBuf, Was)],
        then: &[(PathBuf, Was)],
        blobs: &Blobs,
    ) -> Result<()> {
        let now = saved_etc(system, blobs)?;
        let [known, left, then, now] = [&self.etc, left, then, &now].map(by_path);
        let at =
            |map: &BTreeMap<&PathBuf, &Was>, path| map.get(path).map_or(Was::Absent, |was| (*was).clone());
        let paths: BTreeSet<&PathBuf> = left.keys().chain(then.keys()).chain(now.keys()).copied().collect();
        for path in paths {
            let is = at(&now, path);
            let was = match left.get(path) {
                // Purging took our file away, or nobody touched it since: either way it is ours to restore.
                Some(left) if is == Was::Absent || at(&then, path) == **left => at(&known, path),
                Some(_) => continue,
                None => at(&then, path),
            };
            if is != was {
                file::make_directories(system, path.parent().unwrap_or(Path::new("/")), 0o755)?;
                undo::restore(system, path, &was, blobs)?;
            }
        }
        Ok(())
    }
}

fn by_path(saved: &[(PathBuf, Was)]) -> BTreeMap<&PathBuf, &Was> {
    saved.iter().map(|(path, was)| (path, was)).collect()
}

impl Part {
    /// A rule's part in the transaction of a digest.
    ///
    /// # Errors
    /// When the package database cannot be read.
    pub fn of(system: &System, transaction: &str, install: &[String], remove: &[String]) -> Result<Part> {
        let packages = system.packages()?;
        Ok(Part {
            transaction: transaction.to_owned(),
            install: install.iter().filter(|name| !packages.has(name)).cloned().collect(),
            remove: remove.iter().filter(|name| packages.has(name)).cloned().collect(),
        })
    }
}

fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_secs())?)
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
