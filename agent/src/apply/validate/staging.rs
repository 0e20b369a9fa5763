//! Copies of files for a checker to read, in a directory that only root can look into.
//!
//! It has always the same name, so that what a power cut leaves behind is found and removed by the next check.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apply::{file, journal};
use crate::system::System;

/// The directory, inside the state directory.
const NAME: &str = "check";

/// A directory with copies; it is gone when dropped.
pub struct Staging {
    /// Where it is on the host.
    dir: PathBuf,
    /// Directories on the way that had to be made, the outermost first.
    made: Vec<PathBuf>,
}

impl Staging {
    /// An empty one.
    ///
    /// # Errors
    /// When it cannot be made, or what is left of an older one not removed.
    pub fn new(system: &System) -> Result<Staging> {
        let made = file::make_directories(system, Path::new(journal::STATE_DIR), 0o700)?;
        let made = made.iter().map(|dir| system.host_path(dir)).collect();
        let staging = Staging { dir: journal::state_dir(system)?.join(NAME), made };
        let context = || format!("staging copies in {}", staging.dir.display());
        if staging.dir.exists() {
            fs::remove_dir_all(&staging.dir).with_context(context)?;
        }
        private_directory(&staging.dir).with_context(context)?;
        Ok(staging)
    }

    /// Puts a copy at the place inside that `path` has on the machine; returns the copy's path on the host.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, path: &Path, content: &str) -> Result<PathBuf> {
        let copy = self.copy_of(path);
        let write = || -> Result<()> {
            private_directory(copy.parent().unwrap_or(&self.dir))?;
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&copy)?;
            Ok(std::io::Write::write_all(&mut file, content.as_bytes())?)
        };
        write().with_context(|| format!("staging a copy of {}", path.display()))?;
        Ok(copy)
    }

    /// Where the copy of `path` is, or would be, on the host.
    pub fn copy_of(&self, path: &Path) -> PathBuf {
        self.dir.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// What a checker said of copies, with the names of the files they are copies of.
    pub fn told(&self, said: &str) -> String {
        said.replace(&self.dir.to_string_lossy().into_owned(), "")
    }
}

fn private_directory(dir: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays is removed by the next check.
        drop(fs::remove_dir_all(&self.dir));
        for dir in self.made.iter().rev() {
            drop(fs::remove_dir(dir));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn copies_are_private_and_nothing_stays() {
        let tree = Tree::new().file("/var/lib/trempe/check/etc/left", "by a power cut");
        let before = tree.snapshot().len();
        let staging = Staging::new(&tree.system()).unwrap();
        let copy = staging.put(Path::new("/etc/x.d/y"), "text").unwrap();
        assert_eq!(fs::read_to_string(&copy).unwrap(), "text");
        assert!(!staging.copy_of(Path::new("/etc/left")).exists());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&copy), mode(copy.parent().unwrap())), (0o600, 0o700));
        assert_eq!(staging.told(&format!("{}: bad", copy.display())), "/etc/x.d/y: bad");
        drop(staging);
        assert_eq!(tree.snapshot().len(), before - 3, "{:?}", tree.snapshot());

        let bare = Tree::new().file("/etc/fstab", "");
        let before = bare.snapshot();
        drop(Staging::new(&bare.system()).unwrap());
        assert_eq!(bare.snapshot(), before);
    }
}
