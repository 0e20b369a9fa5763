//! Light changes made together: a wait for the disk costs more than the change itself.
//!
//! Several rules that write the same file are served with one write; each one's part is in the journal by itself, and can be
//! taken back by itself. Modes, owners and kernel parameters that come in between need only one announcement.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::file::Attributes;
use super::journal::Blobs;
use super::perform;
use super::undo::{self, Undo, Was};
use crate::change::Change;
use crate::plan::Step;
use crate::system::System;

/// How many of the next steps can be made together.
pub fn length(steps: &[&Step]) -> usize {
    let mut file: Option<&Path> = None;
    let mut touched: BTreeSet<String> = BTreeSet::new();
    for (length, step) in steps.iter().enumerate() {
        let joins = match &step.change {
            Change::WriteFile { path, .. } => {
                *file.get_or_insert(path) == path.as_path() && !touched.contains(&key(path))
            }
            Change::SetMeta { path, .. } => file != Some(path) && touched.insert(key(path)),
            Change::Sysctl { key, .. } => touched.insert(key.clone()),
            _ => false,
        };
        if !joins {
            return length.max(1);
        }
    }
    steps.len()
}

fn key(path: &Path) -> String {
    path.display().to_string()
}

/// As [`undo::prepare`], for changes that are made together: of those that write the same file, each starts from what the one
/// before it leaves.
///
/// # Errors
/// When the present state cannot be read or saved: none of the changes must be made then.
pub fn prepare(system: &System, changes: &[&Change], blobs: &Blobs) -> Result<Vec<Undo>> {
    let mut undos = Vec::new();
    let mut current: Option<(PathBuf, Was)> = None;
    let mut base = None;
    for change in changes {
        let Change::WriteFile { content, mode, .. } = change else {
            undos.push(undo::prepare(system, change, blobs)?);
            continue;
        };
        let undo = match current.take() {
            None => undo::prepare(system, change, blobs)?,
            Some(was) => Undo::Files { files: vec![was], directories: Vec::new(), base: base.clone() },
        };
        let Some((path, was)) = written(&undo) else { bail!("a write without a file") };
        let attributes = match was {
            Was::File { attributes, .. } => attributes.clone(),
            _ => Attributes::new(*mode),
        };
        let blob = blobs.store_lazily(content.as_bytes())?;
        base.get_or_insert_with(|| was.clone());
        current = Some((path.clone(), Was::File { blob, attributes }));
        undos.push(undo);
    }
    if base.is_some() {
        blobs.sync()?;
    }
    Ok(undos)
}

fn written(undo: &Undo) -> Option<&(PathBuf, Was)> {
    match undo {
        Undo::Files { files, .. } => files.first(),
        _ => None,
    }
}

/// Writes what the last of the changes to the file says. After an inner error the file is as before.
///
/// # Errors
/// When it cannot be made as before: the run must end.
pub fn write(system: &mut System, changes: &[&Change], undos: &[Undo], blobs: &Blobs) -> Result<Result<()>> {
    let writes = |change: &&&Change| matches!(change, Change::WriteFile { .. });
    let Some(last) = changes.iter().rev().find(writes) else { return Ok(Ok(())) };
    let made = perform::perform(system, last);
    if made.is_err()
        && let Some((path, was)) = undos.iter().find_map(written)
    {
        undo::restore(system, path, was, blobs)?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(change: Change) -> Step {
        Step {
            rule: "r".into(),
            sentence: String::new(),
            change,
            diff: String::new(),
            effects: vec![],
            starts_from: None,
        }
    }

    #[test]
    fn what_goes_together() {
        let write = |path: &str| step(Change::write(path, "x"));
        let mode =
            |path: &str| step(Change::SetMeta { path: path.into(), mode: Some(0o600), uid: None, gid: None });
        let sysctl = |key: &str| step(Change::Sysctl { key: key.into(), value: "0".into() });
        let remove = || step(Change::RemoveFile { path: "/a".into() });
        for (steps, wanted) in [
            (vec![write("/a"), write("/a"), write("/b")], 2),
            (vec![write("/a"), sysctl("k"), write("/a"), mode("/c")], 4),
            (vec![sysctl("k"), sysctl("k")], 1),
            (vec![mode("/a"), write("/a")], 1),
            (vec![write("/a"), mode("/a")], 1),
            (vec![mode("/a"), mode("/b"), remove()], 2),
            (vec![remove(), remove()], 1),
            (vec![write("/a")], 1),
        ] {
            assert_eq!(length(&steps.iter().collect::<Vec<_>>()), wanted, "{steps:?}");
        }
    }
}
