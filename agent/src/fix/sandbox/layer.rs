//! What scripts have changed, as layers of overlay file systems (`Documentation/filesystems/overlayfs.rst` of the kernel).
//!
//! Each file system has a base, what the scripts so far have left, and a fresh upper directory for the script that runs. To keep
//! what it left, the upper is moved onto the base. All paths are below the working directory.

use std::fs::{self, DirEntry};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::sys::statvfs::statvfs;

/// The attribute of a directory that hides what is below it.
const OPAQUE: &str = "trusted.overlay.opaque";

/// Where the layer with this number keeps what the scripts before have left.
pub fn base(n: usize) -> PathBuf {
    PathBuf::from(format!("base/{n}"))
}

/// Where a copy of the file system is, when scripts get one in its place.
pub fn copied(n: usize) -> PathBuf {
    PathBuf::from(format!("copy/{n}"))
}

/// Where it gets what the running script changes.
pub fn upper(n: usize) -> PathBuf {
    PathBuf::from(format!("fresh/{n}/upper"))
}

/// The directory that the kernel works in.
pub fn work(n: usize) -> PathBuf {
    PathBuf::from(format!("fresh/{n}/work"))
}

/// Makes the empty directories of so many layers.
///
/// # Errors
/// When they cannot be made.
pub fn prepare(count: usize) -> Result<()> {
    for dir in (0..count).flat_map(|n| [base(n), upper(n), work(n)]) {
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    }
    Ok(())
}

/// Forgets what the last script changed.
///
/// # Errors
/// When it cannot be removed.
pub fn forget(count: usize) -> Result<()> {
    fs::remove_dir_all("fresh").context("forgetting what the script changed")?;
    prepare(count)
}

/// Takes over what the last script changed.
///
/// # Errors
/// When it cannot be moved.
pub fn keep(count: usize) -> Result<()> {
    for n in 0..count {
        settle(&upper(n), &base(n)).context("keeping what the script changed")?;
    }
    forget(count)
}

/// Whether a script has used up what it may write.
///
/// # Errors
/// When that cannot be asked.
pub fn is_full() -> Result<bool> {
    let space = statvfs(".").context("asking for the space left")?;
    Ok(space.blocks_free() == 0 || space.files_free() == 0)
}

/// Whether this hides what is below it: an overlay's mark for what was removed.
pub fn is_whiteout(meta: &fs::Metadata) -> bool {
    meta.file_type().is_char_device() && meta.rdev() == 0
}

/// Whether this directory hides what is in the one below it.
pub fn is_opaque(dir: &Path) -> bool {
    xattr::get(dir, OPAQUE).ok().flatten().is_some_and(|value| value == b"y")
}

fn settle(upper: &Path, base: &Path) -> Result<()> {
    for entry in fs::read_dir(upper)? {
        let entry = entry?;
        let target = base.join(entry.file_name());
        let meta = entry.metadata()?;
        let there = fs::symlink_metadata(&target).ok();
        let both =
            meta.is_dir() && there.as_ref().is_some_and(fs::Metadata::is_dir) && !is_opaque(&entry.path());
        if both {
            copy_attributes(&entry, &meta, &target)?;
            settle(&entry.path(), &target)?;
            continue;
        }
        // A directory that was new stays opaque over the machine's own, in case there was one that a script removed.
        let hides = there.as_ref().is_some_and(is_whiteout) && meta.is_dir();
        match there {
            Some(there) if there.is_dir() => fs::remove_dir_all(&target)?,
            Some(_) => fs::remove_file(&target)?,
            None => {}
        }
        if is_whiteout(&meta) {
            mknod(&target, SFlag::S_IFCHR, Mode::empty(), 0)?;
        } else {
            fs::rename(entry.path(), &target)?;
        }
        if hides {
            xattr::set(&target, OPAQUE, b"y")?;
        }
    }
    Ok(())
}

fn copy_attributes(entry: &DirEntry, meta: &fs::Metadata, target: &Path) -> Result<()> {
    std::os::unix::fs::chown(target, Some(meta.uid()), Some(meta.gid()))?;
    fs::set_permissions(target, fs::Permissions::from_mode(meta.permissions().mode()))?;
    for name in
        xattr::list(entry.path())?.filter(|name| !name.to_string_lossy().starts_with("trusted.overlay."))
    {
        if let Some(value) = xattr::get(entry.path(), &name)? {
            xattr::set(target, &name, &value)?;
        }
    }
    Ok(())
}
