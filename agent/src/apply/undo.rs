//! The way back of each change: worked out and saved before the change is made.
//!
//! An undo says what was. Making it twice, or after a change that was never made, does no harm: that is what lets a run that
//! was cut anywhere be taken back.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::file::{self, Attributes};
use super::journal::Blobs;
use super::{package, unit};
use crate::change::Change;
use crate::system::{FileKind, System, Tool};

/// What was at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "kebab-case")]
pub enum Was {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// Digest of its content, which is kept beside the journal.
        blob: String,
        /// The rest of it.
        attributes: Attributes,
    },
    /// A symbolic link.
    Link {
        /// Where it pointed.
        target: PathBuf,
    },
}

/// What was, before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undo {
    /// Files, and the directories that were not there.
    Files {
        /// What was at each path.
        files: Vec<(PathBuf, Was)>,
        /// Directories to remove again, the outermost first.
        #[serde(default)]
        directories: Vec<PathBuf>,
    },
    /// Mode and owner.
    Meta {
        /// Of what.
        path: PathBuf,
        /// Mode; `None` for a symbolic link.
        mode: Option<u32>,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// The running value of a kernel parameter.
    Sysctl {
        /// The parameter.
        key: String,
        /// Its value.
        value: String,
    },
    /// Mount options.
    Mount {
        /// Where.
        target: String,
        /// The options that were not in force.
        added: Vec<String>,
    },
    /// A unit.
    Unit(unit::Before),
    /// A loaded module.
    Module {
        /// Its name.
        module: String,
    },
    /// Packages.
    Packages(package::Before),
    /// There is nothing to take back.
    Nothing,
}

/// Works out and saves what a change is about to overwrite.
///
/// # Errors
/// When the present state cannot be read or saved: the change must not be made then.
pub fn prepare(system: &System, change: &Change, blobs: &Blobs) -> Result<Undo> {
    Ok(match change {
        Change::WriteFile { path, .. } => {
            let path = system.follow(path)?;
            let directories = missing_directories(system, path.parent().unwrap_or(Path::new("/")))?;
            Undo::Files { files: vec![(path.clone(), save(system, &path, blobs)?)], directories }
        }
        Change::RemoveFile { path } => {
            Undo::Files { files: vec![(path.clone(), save(system, path, blobs)?)], directories: Vec::new() }
        }
        Change::MakeDirectory { path, .. } => {
            Undo::Files { files: Vec::new(), directories: missing_directories(system, path)? }
        }
        Change::SetMeta { path, .. } => {
            let meta = system.meta(path)?.with_context(|| format!("{}: no such file", path.display()))?;
            let mode = (meta.kind != FileKind::Symlink).then_some(meta.mode);
            Undo::Meta { path: path.clone(), mode, uid: meta.uid, gid: meta.gid }
        }
        Change::Sysctl { key, .. } => match system.sysctl(key)? {
            Some(value) => Undo::Sysctl { key: key.clone(), value },
            None => Undo::Nothing,
        },
        Change::Mount { target, options } => {
            let now = system.mounts()?.now_at(target).with_context(|| format!("{target} is not mounted"))?;
            let added = options.iter().filter(|option| !now.options.contains(option)).cloned().collect();
            Undo::Mount { target: target.clone(), added }
        }
        Change::Unit { unit, goal } => Undo::Unit(unit::before(system, unit, *goal, blobs)?),
        Change::UnloadModule { module } => match system.module_loaded(module)? {
            Some(true) => Undo::Module { module: module.clone() },
            _ => Undo::Nothing,
        },
        Change::Packages { install, remove } => {
            Undo::Packages(package::before(system, install, remove, blobs)?)
        }
        Change::Generate { outputs, .. } => {
            let save = |path: &PathBuf| Ok((path.clone(), save(system, path, blobs)?));
            Undo::Files { files: outputs.iter().map(save).collect::<Result<_>>()?, directories: Vec::new() }
        }
    })
}

fn missing_directories(system: &System, path: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    let mut current = Some(path);
    while let Some(dir) = current
        && system.meta_followed(dir)?.is_none()
    {
        missing.push(dir.to_path_buf());
        current = dir.parent();
    }
    missing.reverse();
    Ok(missing)
}

/// Saves what is at a path.
///
/// # Errors
/// When it cannot be read, or the copy cannot be written.
pub fn save(system: &System, path: &Path, blobs: &Blobs) -> Result<Was> {
    save_with(system, path, |content| blobs.store(content))
}

/// As [`save`], without waiting until the copy is on disk: the caller calls [`Blobs::sync`] before it relies on it.
///
/// # Errors
/// When it cannot be read, or the copy cannot be written.
pub fn save_lazily(system: &System, path: &Path, blobs: &Blobs) -> Result<Was> {
    save_with(system, path, |content| blobs.store_lazily(content))
}

fn save_with(system: &System, path: &Path, store: impl Fn(&[u8]) -> Result<String>) -> Result<Was> {
    if let Some(target) = system.read_link(path)? {
        return Ok(Was::Link { target });
    }
    match file::read(system, path)? {
        None => Ok(Was::Absent),
        Some(whole) => Ok(Was::File { blob: store(&whole.content)?, attributes: whole.attributes }),
    }
}

/// Makes a path what it was.
///
/// # Errors
/// When it cannot be made so.
pub fn restore(system: &System, path: &Path, was: &Was, blobs: &Blobs) -> Result<()> {
    file::remove_leftover(system, path)?;
    match was {
        Was::Absent => file::remove(system, path),
        Was::Link { target } => {
            if system.read_link(path)?.as_ref() == Some(target) {
                return Ok(());
            }
            file::remove(system, path)?;
            file::link(system, path, target)
        }
        Was::File { blob, attributes } => {
            let content = blobs.load(blob)?;
            file::write(system, path, &file::Whole { content, attributes: attributes.clone() })
        }
    }
}

impl Undo {
    /// Takes a change back.
    ///
    /// # Errors
    /// When the former state cannot be made again.
    pub fn perform(&self, system: &mut System, blobs: &Blobs) -> Result<()> {
        match self {
            Undo::Files { files, directories } => {
                for (path, was) in files {
                    restore(system, path, was, blobs)?;
                }
                directories.iter().rev().try_for_each(|dir| file::remove_directory(system, dir))
            }
            Undo::Meta { path, mode, uid, gid } => match system.meta(path)? {
                Some(_) => file::restore_meta(system, path, *mode, Some(*uid), Some(*gid)),
                // Removed since: nothing left to give its mode back to.
                None => Ok(()),
            },
            Undo::Sysctl { key, value } => super::kernel::set_sysctl(system, key, value),
            Undo::Mount { target, added } => super::kernel::remount_without(system, target, added),
            Undo::Unit(before) => unit::bring_back(system, before, blobs),
            Undo::Module { module } => system.run(Tool::Modprobe, &[module])?.success().map(drop),
            Undo::Packages(before) => package::bring_back(system, before, &[], blobs),
            Undo::Nothing => Ok(()),
        }
    }

    /// The files it restores.
    pub fn files(&self) -> &[(PathBuf, Was)] {
        match self {
            Undo::Files { files, .. } => files,
            _ => &[],
        }
    }
}
