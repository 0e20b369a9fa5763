//! Which files are meant: those that are named, and the results below directories that are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Directories are gone into so deep.
const DEEPEST: usize = 8;

/// The files, in the order of their names; of directories those called `*.json`, `*.xml` and `*.arf`, dangling links and pipes of such names
/// included: that they cannot be read is told where they are. Links to directories are not followed. Beside them, what cannot be gone into, a
/// sentence each.
pub fn all(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let gone = below(path, DEEPEST, &mut found);
            problems.extend(gone.err().map(|error| format!("{error:#}")));
        } else {
            found.push(path.clone());
        }
    }
    (found, problems)
}

fn below(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let read = || format!("reading {}", directory.display());
    let mut entries: Vec<_> =
        fs::read_dir(directory).with_context(read)?.collect::<Result<_, _>>().with_context(read)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let named =
            path.extension().is_some_and(|own| ["json", "xml", "arf"].iter().any(|known| own == *known));
        if kind.is_dir() && depth > 0 {
            below(&path, depth - 1, found)?;
        } else if named && !path.is_dir() {
            found.push(path);
        }
    }
    Ok(())
}
