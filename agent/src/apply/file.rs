//! The only writer of files: whole, atomic, durable, and inside the root.
//!
//! A temporary file beside the target gets content, owner, mode and extended attributes (SELinux label and ACLs are such),
//! is synced, renamed over the target, and the directory is synced ([`write`]) or waits for the end of the run, which is no
//! promise the journal needs ([`put`]). Whenever the power goes, the target is the old file or the
//! new one.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmod, fchmodat, fstat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchownat, symlinkat, unlinkat};
use serde::{Deserialize, Serialize};
use xattr::FileExt;

use crate::system::{FileKind, System};

/// Everything about an inode that a write keeps and an undo restores, beside its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attributes {
    /// The lower twelve bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes: name and value.
    #[serde(default)]
    pub xattrs: Vec<(String, Vec<u8>)>,
}

impl Attributes {
    /// Those of a new file or directory: owned by root.
    pub fn new(mode: u32) -> Attributes {
        let root = nix::unistd::geteuid().is_root();
        let (uid, gid) =
            if root { (0, 0) } else { (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw()) };
        Attributes { mode, uid, gid, xattrs: Vec::new() }
    }

    fn of(file: &File) -> Result<Attributes> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let meta = file.metadata()?;
        let mut xattrs = Vec::new();
        match file.list_xattr() {
            Ok(names) => {
                for name in names {
                    if let Some(value) = file.get_xattr(&name)? {
                        xattrs.push((name.to_string_lossy().into_owned(), value));
                    }
                }
            }
            Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => {}
            Err(error) => return Err(error).context("reading extended attributes"),
        }
        Ok(Attributes { mode: meta.permissions().mode() & 0o7777, uid: meta.uid(), gid: meta.gid(), xattrs })
    }
}

/// A regular file, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Content.
    pub content: Vec<u8>,
    /// The rest.
    pub attributes: Attributes,
}

/// Reads a regular file whole; `None` when nothing is there.
///
/// # Errors
/// When it is something else than a regular file, or cannot be read.
pub fn read(system: &System, path: &Path) -> Result<Option<Whole>> {
    let Some(meta) = system.meta(path)? else { return Ok(None) };
    if meta.kind != FileKind::Regular {
        bail!("{}: not a regular file", path.display());
    }
    let (dir, name) = system.open_parent(path)?;
    let fd =
        openat(dir.as_fd(), &name, OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
            .with_context(|| format!("opening {}", path.display()))?;
    let mut file = File::from(fd);
    let mut content = Vec::new();
    file.read_to_end(&mut content).with_context(|| format!("reading {}", path.display()))?;
    let attributes = Attributes::of(&file).with_context(|| format!("reading {}", path.display()))?;
    Ok(Some(Whole { content, attributes }))
}

/// Puts a regular file in place, whole and durable.
///
/// # Errors
/// When it cannot be written; the target is then as it was.
pub fn write(system: &System, path: &Path, whole: &Whole) -> Result<()> {
    let dir = put(system, path, whole)?;
    sync(&dir).with_context(|| format!("syncing the directory of {}", path.display()))
}

/// As [`write`], but after a power cut the old file may be there again: the journal, which is on disk, says so. Returns the
/// directory.
///
/// # Errors
/// When it cannot be written; the target is then as it was.
pub fn put(system: &System, path: &Path, whole: &Whole) -> Result<OwnedFd> {
    let (dir, name) = system.open_parent(path)?;
    let temporary = temporary_name(&name);
    remove_at(&dir, &temporary)?;
    let written = write_temporary(&dir, &temporary, whole).and_then(|()| {
        renameat(dir.as_fd(), &temporary, dir.as_fd(), &name)
            .map_err(|error| anyhow!("renaming into place: {error}"))
    });
    if let Err(error) = written {
        remove_at(&dir, &temporary)?;
        return Err(error).with_context(|| format!("writing {}", path.display()));
    }
    Ok(dir)
}

/// The name of the temporary file beside `name`: always the same, so that one left by a power cut is found and removed.
fn temporary_name(name: &Path) -> PathBuf {
    PathBuf::from(format!(".{}.trempe", name.display()))
}

/// Removes what an interrupted write may have left beside `path`.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove_leftover(system: &System, path: &Path) -> Result<()> {
    match system.open_parent(path) {
        Ok((dir, name)) => remove_at(&dir, &temporary_name(&name)),
        // Without the directory there is no leftover.
        Err(_) => Ok(()),
    }
}

fn write_temporary(dir: &impl AsFd, name: &Path, whole: &Whole) -> Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let fd = openat(dir.as_fd(), name, flags, Mode::from_bits_truncate(0o600))?;
    let mut file = File::from(fd);
    file.write_all(&whole.content)?;
    set_attributes(&file, &whole.attributes)?;
    file.sync_all()?;
    Ok(())
}

fn set_attributes(file: &File, attributes: &Attributes) -> Result<()> {
    let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
    nix::unistd::fchown(file.as_fd(), Some(uid), Some(gid)).context("setting the owner")?;
    fchmod(file.as_fd(), Mode::from_bits_truncate(attributes.mode)).context("setting the mode")?;
    for (name, value) in &attributes.xattrs {
        file.set_xattr(name, value).with_context(|| format!("setting the attribute {name}"))?;
    }
    Ok(())
}

fn sync(dir: &impl AsFd) -> Result<()> {
    nix::unistd::fsync(dir.as_fd())?;
    Ok(())
}

fn remove_at(dir: &impl AsFd, name: &Path) -> Result<()> {
    match unlinkat(dir.as_fd(), name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(anyhow!("removing {}: {error}", name.display())),
    }
}

/// Removes a file or symbolic link; nothing there is fine.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove(system: &System, path: &Path) -> Result<()> {
    if system.meta(path)?.is_none() {
        return Ok(());
    }
    let (dir, name) = system.open_parent(path)?;
    remove_at(&dir, &name).with_context(|| format!("removing {}", path.display()))?;
    sync(&dir)
}

/// Puts a symbolic link in place of whatever file or link is there.
///
/// # Errors
/// When it cannot be made; what is there stays then.
pub fn link(system: &System, path: &Path, target: &Path) -> Result<()> {
    let (dir, name) = system.open_parent(path)?;
    let temporary = temporary_name(&name);
    remove_at(&dir, &temporary)?;
    let linked = symlinkat(target, dir.as_fd(), &temporary)
        .and_then(|()| renameat(dir.as_fd(), &temporary, dir.as_fd(), &name));
    if let Err(error) = linked {
        remove_at(&dir, &temporary)?;
        return Err(error).with_context(|| format!("linking {}", path.display()));
    }
    sync(&dir)
}

/// Makes the missing directories of a path, itself included; returns those made, the outermost first.
///
/// # Errors
/// When one cannot be made.
pub fn make_directories(system: &System, path: &Path, mode: u32) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    let mut current = path;
    while system.meta_followed(current)?.is_none() {
        missing.push(current.to_path_buf());
        current = current.parent().unwrap_or(Path::new("/"));
    }
    missing.reverse();
    for dir in &missing {
        let bits = if dir == path { mode } else { 0o755 };
        let (parent, name) = system.open_parent(dir)?;
        mkdirat(parent.as_fd(), &name, Mode::from_bits_truncate(bits))
            .with_context(|| format!("creating {}", dir.display()))?;
        // The process' umask took bits away.
        set_mode_at(&parent, &name, bits).with_context(|| format!("creating {}", dir.display()))?;
        sync(&parent)?;
    }
    Ok(missing)
}

/// Removes a directory when it is empty and there; anything else stays.
///
/// # Errors
/// When an empty directory cannot be removed.
pub fn remove_directory(system: &System, path: &Path) -> Result<()> {
    if system.meta(path)?.is_none() {
        return Ok(());
    }
    let (dir, name) = system.open_parent(path)?;
    match unlinkat(dir.as_fd(), &name, UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("removing {}", path.display())),
    }
}

fn set_mode_at(dir: &impl AsFd, name: &Path, mode: u32) -> Result<()> {
    fchmodat(dir.as_fd(), name, Mode::from_bits_truncate(mode), FchmodatFlags::FollowSymlink)?;
    Ok(())
}

/// Sets mode, owner and group of whatever is at `path`; a symbolic link has no mode of its own.
///
/// What is given to a user is mostly in a place where that user can put things in the way: no link is followed there,
/// and no file of root that has a second name is given away.
///
/// # Errors
/// When one cannot be set.
pub fn set_meta(
    system: &System,
    path: &Path,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<()> {
    let context = || format!("setting mode and owner of {}", path.display());
    if uid.is_none_or(|uid| uid == 0) {
        return restore_meta(system, path, mode, uid, gid);
    }
    let (dir, name) = system.open_parent_unlinked(path)?;
    let fd = open_inode(&dir, &name).with_context(context)?;
    refuse_shared(&fd).with_context(context)?;
    set_inode(&dir, &fd, mode, uid, gid).with_context(context)
}

/// Like [`set_meta`], for giving back what was.
///
/// # Errors
/// When one cannot be set.
pub fn restore_meta(
    system: &System,
    path: &Path,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<()> {
    let context = || format!("setting mode and owner of {}", path.display());
    let (dir, name) = system.open_parent(path)?;
    let fd = open_inode(&dir, &name).with_context(context)?;
    set_inode(&dir, &fd, mode, uid, gid).with_context(context)
}

fn open_inode(dir: &impl AsFd, name: &Path) -> Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(dir.as_fd(), name, flags, Mode::empty())?)
}

fn set_inode(
    dir: &impl AsFd,
    fd: &OwnedFd,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<()> {
    if uid.is_some() || gid.is_some() {
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        fchownat(fd.as_fd(), "", uid, gid, AtFlags::AT_EMPTY_PATH)?;
    }
    // After the owner: a change of owner drops the set-id bits.
    if let Some(mode) = mode {
        set_mode_at(dir, &PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd())), mode)?;
    }
    Ok(())
}

/// Refuses a file of root that has several names: one of them may be where a user put it, and another where it matters.
fn refuse_shared(fd: &impl AsFd) -> Result<()> {
    let stat = fstat(fd)?;
    let regular = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
    if regular && stat.st_uid == 0 && stat.st_nlink > 1 {
        bail!("it belongs to root and has {} names (hard links); remove the others first", stat.st_nlink);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn what_has_another_name_is_not_given_away() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, name) = (dir.path().join("secret"), dir.path().join("dot"));
        std::fs::write(&secret, "x").unwrap();
        std::fs::hard_link(&secret, &name).unwrap();
        let before = std::fs::metadata(&secret).unwrap().uid();
        let system = System::open(dir.path()).unwrap();
        assert!(set_meta(&system, Path::new("/dot"), None, Some(1000), None).is_err());
        assert_eq!(std::fs::metadata(&secret).unwrap().uid(), before);
    }

    #[test]
    fn a_link_takes_the_place_of_what_is_there_or_leaves_it() {
        let tree = Tree::new().file("/etc/a", "old").link("/etc/b", "a").dir("/etc/c", 0o755);
        let link = |path: &str, target: &str| super::link(&tree.system(), Path::new(path), Path::new(target));
        for path in ["/etc/a", "/etc/b", "/etc/new"] {
            link(path, "x").unwrap();
            assert_eq!(tree.system().read_link(path).unwrap().unwrap(), Path::new("x"), "{path}");
        }
        let before = tree.snapshot();
        assert!(link("/etc/b", &"x".repeat(5000)).is_err() && link("/etc/c", "x").is_err());
        assert_eq!(tree.snapshot(), before);
    }

    #[test]
    fn nothing_is_given_away_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("root")).unwrap();
        std::fs::write(dir.path().join("root/.rc"), "").unwrap();
        std::os::unix::fs::symlink("root", dir.path().join("home")).unwrap();
        let system = System::open(dir.path()).unwrap();
        let error = set_meta(&system, Path::new("/home/.rc"), None, Some(1000), None).unwrap_err();
        assert!(format!("{error:#}").contains("without following links"), "{error:#}");
        set_meta(&system, Path::new("/home/.rc"), Some(0o600), None, None).unwrap();
    }
}
