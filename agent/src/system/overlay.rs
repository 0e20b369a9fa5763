//! Changes laid over the machine: how a plan sees what would be so without anything being written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::root::Root;
use super::{FileKind, Meta, Mount, Packages, UnitFileState, UnitState, Units};
use crate::change::{Change, UnitGoal};

/// A path as the changes leave it.
#[derive(Debug, Clone)]
pub enum Overlaid {
    /// A regular file with this content.
    File(Vec<u8>),
    /// A symbolic link that leads there.
    Link(PathBuf),
    /// Nothing.
    Gone,
}

impl Overlaid {
    /// The content, when there is a regular file.
    pub fn content(&self) -> Option<&[u8]> {
        match self {
            Overlaid::File(bytes) => Some(bytes),
            Overlaid::Link(_) | Overlaid::Gone => None,
        }
    }

    /// The target, when there is a symbolic link.
    pub fn link(&self) -> Option<&Path> {
        match self {
            Overlaid::Link(target) => Some(target),
            Overlaid::File(_) | Overlaid::Gone => None,
        }
    }
}

/// Everything the changes so far would do.
#[derive(Default)]
pub struct Overlay {
    files: BTreeMap<PathBuf, Overlaid>,
    metas: BTreeMap<PathBuf, Meta>,
    sysctls: BTreeMap<String, String>,
    mounts: Vec<(String, Vec<String>)>,
    units: BTreeMap<String, UnitGoal>,
    unloaded: BTreeSet<String>,
    install: Vec<String>,
    remove: Vec<String>,
}

impl Overlay {
    /// Lays one more change over all before.
    ///
    /// # Errors
    /// When the inode that the change starts from cannot be looked at.
    pub fn lay(&mut self, root: &Root, change: &Change) -> Result<()> {
        match change {
            Change::WriteFile { path, content, mode } => {
                let size = content.len() as u64;
                let new = Meta { kind: FileKind::Regular, mode: *mode, uid: 0, gid: 0, size };
                let meta = self.meta(path, root.meta(path, true)?).unwrap_or(new);
                self.metas.insert(path.clone(), Meta { size, kind: FileKind::Regular, ..meta });
                self.files.insert(path.clone(), Overlaid::File(content.clone().into_bytes()));
            }
            Change::Link { path, target } => {
                let size = target.as_os_str().len() as u64;
                let meta = Meta { kind: FileKind::Symlink, mode: 0o777, uid: 0, gid: 0, size };
                self.metas.insert(path.clone(), meta);
                self.files.insert(path.clone(), Overlaid::Link(target.clone()));
            }
            Change::RemoveFile { path } => {
                self.files.insert(path.clone(), Overlaid::Gone);
                self.metas.remove(path);
            }
            Change::MakeDirectory { path, mode } => {
                let new = Meta { kind: FileKind::Directory, mode: *mode, uid: 0, gid: 0, size: 0 };
                let meta = self.meta(path, root.meta(path, true)?).unwrap_or(new);
                self.metas.insert(path.clone(), meta);
            }
            Change::SetMeta { path, mode, uid, gid } => {
                if let Some(mut meta) = self.meta(path, root.meta(path, false)?) {
                    meta.mode = mode.unwrap_or(meta.mode);
                    meta.uid = uid.unwrap_or(meta.uid);
                    meta.gid = gid.unwrap_or(meta.gid);
                    self.metas.insert(path.clone(), meta);
                }
            }
            Change::Sysctl { key, value } => drop(self.sysctls.insert(key.clone(), value.clone())),
            Change::Mount { target, options } => self.mounts.push((target.clone(), options.clone())),
            Change::Unit { unit, goal } => drop(self.units.insert(unit.clone(), *goal)),
            Change::UnloadModule { module } => drop(self.unloaded.insert(module.replace('-', "_"))),
            Change::Packages { install, remove } => {
                self.install.extend(install.iter().cloned());
                self.remove.extend(remove.iter().cloned());
            }
            // What a program writes is known only once it has run.
            Change::Generate { .. } => {}
        }
        Ok(())
    }

    /// The file at `path`, when a change touched it.
    pub fn file(&self, path: &Path) -> Option<&Overlaid> {
        self.files.get(path)
    }

    /// Whether a change touched a file below a directory.
    pub fn touches(&self, dir: &Path) -> bool {
        self.files.keys().any(|path| path.starts_with(dir))
    }

    /// The inode at `path`, given what is `below` the changes.
    pub fn meta(&self, path: &Path, below: Option<Meta>) -> Option<Meta> {
        match (self.files.get(path), self.metas.get(path)) {
            (_, Some(meta)) => Some(meta.clone()),
            (Some(Overlaid::Gone), None) => None,
            _ => below,
        }
    }

    /// Adds to and takes from the names in a directory.
    pub fn amend_listing(&self, dir: &Path, names: &mut Vec<String>) {
        for (path, file) in self.files.iter().filter(|(path, _)| path.parent() == Some(dir)) {
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            match file {
                Overlaid::File(_) | Overlaid::Link(_) => names.push(name),
                Overlaid::Gone => names.retain(|other| *other != name),
            }
        }
    }

    /// The pretended value of a kernel parameter.
    pub fn sysctl(&self, key: &str) -> Option<&str> {
        self.sysctls.get(key).map(String::as_str)
    }

    /// Whether the module would be unloaded.
    pub fn module_unloaded(&self, module: &str) -> bool {
        self.unloaded.contains(&module.replace('-', "_"))
    }

    /// Adds the options of pretended remounts.
    pub fn amend_mounts(&self, now: &mut [Mount]) {
        for (target, options) in &self.mounts {
            for mount in now.iter_mut().filter(|mount| mount.target == *target) {
                let missing: Vec<String> =
                    options.iter().filter(|o| !mount.options.contains(o)).cloned().collect();
                mount.options.extend(missing);
            }
        }
    }

    /// Adds and takes the pretended packages.
    pub fn amend_packages(&self, packages: &mut Packages) {
        packages.pretend(&self.install, &self.remove);
    }

    /// Puts the units into their pretended states.
    pub fn amend_units(&self, units: &mut Units) {
        for (unit, goal) in &self.units {
            let before = units.state(unit);
            let (file, active) = match goal {
                UnitGoal::Enabled if before.file == UnitFileState::Static => (UnitFileState::Static, true),
                UnitGoal::Enabled => (UnitFileState::Enabled, true),
                UnitGoal::Disabled if before.file == UnitFileState::Static => (UnitFileState::Static, false),
                UnitGoal::Disabled => (UnitFileState::Disabled, false),
                UnitGoal::Masked => (UnitFileState::Masked, false),
            };
            units.pretend(unit, UnitState { file, active: before.active.map(|_| active) });
        }
    }
}
