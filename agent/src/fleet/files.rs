//! Which files are meant: those that are named, and the results below directories that are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Directories are gone into so deep.
const DEEPEST: usize = 8;

/// The files, in the order of their names; of directories those called `*.json`, `*.xml` and `*.arf`. Links to directories are not followed.
///
/// # Errors
/// When a path is not there, or a directory cannot be read.
pub fn all(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).with_context(|| path.display().to_string())?;
        if kind.is_dir() { below(path, DEEPEST, &mut found)? } else { found.push(path.clone()) }
    }
    Ok(found)
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
        } else if named && (kind.is_file() || path.is_file()) {
            found.push(path);
        }
    }
    Ok(())
}
