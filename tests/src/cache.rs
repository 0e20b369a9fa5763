//! Where slow things are kept: root trees, unpacked content, virtual disks, OpenSCAP's verdicts.
//!
//! One directory for all work trees of a clone: `.cache/` in the main checkout, or `$TREMPE_CACHE`.
//! Every entry's name ends in a hash of its recipe, so a changed recipe never meets an old entry;
//! an entry appears by a rename, so a half-made one is never taken for whole. A lock file beside the
//! entry makes a second process wait instead of making the same thing twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::command::Program;

/// The checkout this package was built from.
pub fn checkout() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The main checkout of the clone: [`checkout`], unless that is an additional `git worktree`.
pub fn main_checkout() -> PathBuf {
    Program::new("git")
        .args([
            "-C",
            &checkout().to_string_lossy(),
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
        ])
        .output()
        .ok()
        .and_then(|shared| Path::new(shared.trim()).parent().map(Path::to_owned))
        .unwrap_or_else(|| checkout().to_owned())
}

/// The cache directory, created when missing.
pub fn directory() -> Result<PathBuf> {
    let directory =
        std::env::var_os("TREMPE_CACHE").map_or_else(|| main_checkout().join(".cache"), PathBuf::from);
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    Ok(directory)
}

/// The entry `NAME-HASH`, made by `make(path)` when the cache lacks it.
///
/// `recipe` is everything the entry depends on. `make` gets a path that does not exist and creates a file
/// or directory there.
pub fn entry(name: &str, recipe: &[&str], make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let path = directory()?.join(format!("{name}-{}", hash(recipe)));
    let lock = File::create(path.with_extension("lock")).context("creating a lock in the cache")?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .with_context(|| format!("locking {}", path.display()))?;
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        remove(&unfinished)?;
        make(&unfinished).with_context(|| format!("making {}", path.display()))?;
        fs::rename(&unfinished, &path).with_context(|| format!("keeping {}", path.display()))?;
    }
    Ok(path)
}

/// A directory for things that are thrown away, beside the cached ones. What killed runs left there goes after a day.
pub fn scratch(name: &str) -> Result<TempDir> {
    let (parent, prefix) = (directory()?, format!("scratch-{name}-"));
    for entry in fs::read_dir(&parent)?.flatten() {
        let old = || {
            Some(entry.metadata().ok()?.modified().ok()?.elapsed().ok()? > Duration::from_secs(24 * 60 * 60))
        };
        if entry.file_name().to_string_lossy().starts_with(&prefix) && old() == Some(true) {
            remove(&entry.path())?;
        }
    }
    Ok(tempfile::Builder::new().prefix(&prefix).tempdir_in(parent)?)
}

/// Sixteen hexadecimal digits that stand for these strings in this order.
pub fn hash(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
