//! What was before each change: worked out and saved before the change is made. The way back is in [`super::restore`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::file::{self, Attributes};
use super::journal::Blobs;
use super::transaction::{Part, Transaction};
use super::{kernel, unit};
use crate::change::Change;
use crate::system::{FileKind, System};

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
        /// What was there before several changes that are made with one write, where this is not the first of them: `files`
        /// says then what the one before it would have left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Was>,
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
        /// For a default of network interfaces: the parameter of each interface that is there, and its value. After a reboot
        /// an interface has what the default was then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        interfaces: Vec<(String, String)>,
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
    Packages(Part),
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
            Undo::Files { files: vec![(path.clone(), save(system, &path, blobs)?)], directories, base: None }
        }
        Change::Link { path, .. } => Undo::Files {
            files: vec![(path.clone(), save(system, path, blobs)?)],
            directories: missing_directories(system, path.parent().unwrap_or(Path::new("/")))?,
            base: None,
        },
        Change::RemoveFile { path } => Undo::Files {
            files: vec![(path.clone(), save(system, path, blobs)?)],
            directories: Vec::new(),
            base: None,
        },
        Change::MakeDirectory { path, .. } => {
            Undo::Files { files: Vec::new(), directories: missing_directories(system, path)?, base: None }
        }
        Change::SetMeta { path, .. } => {
            let meta = system.meta(path)?.with_context(|| format!("{}: no such file", path.display()))?;
            let mode = (meta.kind != FileKind::Symlink).then_some(meta.mode);
            Undo::Meta { path: path.clone(), mode, uid: meta.uid, gid: meta.gid }
        }
        Change::Sysctl { key, .. } => match system.sysctl(key)? {
            Some(value) => {
                Undo::Sysctl { key: key.clone(), value, interfaces: kernel::of_interfaces(system, key)? }
            }
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
            let transaction = Transaction::prepare(system, install, remove, blobs)?;
            Undo::Packages(Part::of(system, &transaction, install, remove)?)
        }
        Change::Generate { outputs, .. } => {
            let save = |path: &PathBuf| Ok((path.clone(), save(system, path, blobs)?));
            Undo::Files {
                files: outputs.iter().map(save).collect::<Result<_>>()?,
                directories: Vec::new(),
                base: None,
            }
        }
    })
}

fn missing_directories(system: &System, path: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    let mut current = Some(path);
    while let Some(dir) = current
        && system.meta_followed(dir)?.is_none()
    {
        if system.meta(dir)?.is_some() {
            bail!("{} is a symbolic link that leads nowhere", dir.display());
        }
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

/// As [`save`], without waiting until the copy is on disk: the caller only compares, or calls [`Blobs::sync`] before it relies on
/// it.
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
    // What nothing was done to may be what nothing can be done to: an immutable file, a file system mounted read-only.
    if save_lazily(system, path, blobs).is_ok_and(|now| now == *was) {
        return Ok(());
    }
    match was {
        Was::Absent => file::remove(system, path),
        Was::Link { target } => file::link(system, path, target),
        Was::File { blob, attributes } => {
            let content = blobs.load(blob)?;
            file::write(system, path, &file::Whole { content, attributes: attributes.clone() })
        }
    }
}

impl Undo {
    /// How a change that has been made left the files that it does not itself describe: what a program generated, and the
    /// links of a unit. What differs from that later was changed by somebody else.
    ///
    /// # Errors
    /// When a file cannot be read or saved.
    pub fn left(&self, system: &System, change: &Change, blobs: &Blobs) -> Result<Vec<(PathBuf, Was)>> {
        let paths = match (self, change) {
            (Undo::Files { files, .. }, Change::Generate { .. }) => files,
            (Undo::Unit(before), _) => &before.links,
            _ => return Ok(Vec::new()),
        };
        paths.iter().map(|(path, _)| Ok((path.clone(), save_lazily(system, path, blobs)?))).collect()
    }
}
