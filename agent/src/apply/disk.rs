//! Waiting until what was changed is on disk.
//!
//! Only the file systems that can have been changed are waited for. `sync(2)` waits for all there are, and never returns while a
//! network file system somewhere is dead.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use nix::sys::stat::fstat;
use nix::unistd::syncfs;

use super::journal::{Entry, STATE_DIR};
use super::undo::Undo;
use crate::system::System;

/// Where programs write what no change names: package managers, generators.
const PROGRAMS_WRITE: [&str; 7] = ["/", "/boot", "/boot/grub", "/etc", "/usr", "/var", STATE_DIR];

/// Waits until all that these changes wrote is on disk.
///
/// # Errors
/// When a disk fails: nothing may be promised then.
pub fn wait(system: &System, entries: &[Entry]) -> Result<()> {
    for (dir, path) in file_systems(system, entries)? {
        syncfs(&dir).with_context(|| format!("writing the file system of {} to disk", path.display()))?;
    }
    Ok(())
}

/// A directory on each file system that the changes wrote to, and the path it was found by.
fn file_systems<'a>(system: &System, entries: &'a [Entry]) -> Result<Vec<(OwnedFd, &'a Path)>> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let fixed = PROGRAMS_WRITE.iter().map(Path::new);
    for path in fixed.chain(entries.iter().flat_map(paths)) {
        // What is at the path may be where another file system begins.
        for at in [Some(path), path.parent()].into_iter().flatten() {
            // Of a directory that went since, the one it was in.
            let Some(dir) = at.ancestors().find_map(|path| system.open_directory(path).ok()) else {
                continue;
            };
            if seen.insert(fstat(&dir).with_context(|| format!("looking at {}", path.display()))?.st_dev) {
                found.push((dir, path));
            }
        }
    }
    Ok(found)
}

/// The paths that a change wrote to, as far as the journal names them.
fn paths(entry: &Entry) -> Vec<&Path> {
    let files = match &entry.undo {
        Undo::Files { files, .. } => files.as_slice(),
        Undo::Unit(before) => before.links.as_slice(),
        _ => &[],
    };
    files.iter().map(|(path, _)| path.as_path()).chain(entry.change.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Change;
    use crate::setting::testing::Tree;

    fn write(path: &str) -> Entry {
        let change = Change::write(path, "");
        let (rule, effects) = ("r".to_owned(), Vec::new());
        Entry { number: 1, rule, change, undo: Undo::Nothing, effects, left: None, undone: false }
    }

    #[test]
    fn each_file_system_is_waited_for_once() {
        let tree = Tree::new().file("/home/ann/.profile", "").dir("/etc", 0o755);
        let entries = ["/home/ann/.profile", "/home/gone/dir/x", "/etc/x"].map(write);
        let found = file_systems(&tree.system(), &entries).unwrap();
        assert_eq!(found.len(), 1);
        wait(&tree.system(), &entries).unwrap();
    }

    #[test]
    fn a_file_system_that_was_not_written_to_is_left_alone() {
        let here = System::open(Path::new("/")).unwrap();
        let other = |entries: &[Entry]| {
            let device = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata("/proc").unwrap());
            let found = file_systems(&here, entries).unwrap();
            found.iter().any(|(dir, _)| fstat(dir).unwrap().st_dev == device)
        };
        assert!(!other(&[]));
        assert!(other(&[write("/proc/version")]));
    }
}
