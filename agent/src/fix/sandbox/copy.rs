//! A copy of a file system that no overlay can lie on: what scripts see of it, and write to, instead.
//!
//! It is kept in memory, and what firmware starts is large: of such a file there is only its name and its size. A script that touches it is
//! told to write what no change can express, which is right.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use anyhow::{Context, Result};

/// The largest file that is copied with its content.
const LARGEST: u64 = 4 << 20;

/// Copies what is in a directory, with modes and owners; links and the like are not on file systems of that kind.
///
/// # Errors
/// When something cannot be read, or there is no room.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("listing {}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let meta = entry.metadata()?;
        let context = || format!("copying {}", source.display());
        if meta.is_dir() {
            copy(&source, &target)?;
        } else if meta.is_file() && meta.len() > LARGEST {
            File::create(&target).and_then(|file| file.set_len(meta.len())).with_context(context)?;
        } else if meta.is_file() {
            fs::copy(&source, &target).with_context(context)?;
        } else {
            continue;
        }
        chown(&target, Some(meta.uid()), Some(meta.gid())).with_context(context)?;
        fs::set_permissions(&target, meta.permissions()).with_context(context)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_small_is_copied_and_of_what_is_large_its_size() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("from"), home.path().join("to"));
        fs::create_dir_all(from.join("EFI/redhat")).unwrap();
        fs::write(from.join("EFI/redhat/grub.cfg"), "set x").unwrap();
        fs::set_permissions(from.join("EFI/redhat"), fs::Permissions::from_mode(0o700)).unwrap();
        File::create(from.join("linux.efi")).unwrap().set_len(1 << 30).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("EFI/redhat/grub.cfg")).unwrap(), "set x");
        let large = fs::metadata(to.join("linux.efi")).unwrap();
        assert_eq!((large.len(), large.blocks()), (1 << 30, 0));
        assert_eq!(fs::metadata(to.join("EFI/redhat")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
