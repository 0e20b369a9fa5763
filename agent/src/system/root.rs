//! A directory that stands for `/`: reading below it without ever leaving it.
//!
//! With a root other than `/`, paths are opened with `openat2(2)` and `RESOLVE_IN_ROOT`, so the kernel itself
//! keeps absolute links and `..` inside.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use serde::{Deserialize, Serialize};

/// How often a path is opened before a busy machine counts as a failure.
const ATTEMPTS: usize = 1000;

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, socket or pipe.
    Special,
}

/// What the inode of a path says, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with set-id and sticky bits: the lower twelve.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
}

impl From<&fs::Metadata> for Meta {
    fn from(meta: &fs::Metadata) -> Meta {
        let kind = match meta.file_type() {
            t if t.is_file() => FileKind::Regular,
            t if t.is_dir() => FileKind::Directory,
            t if t.is_symlink() => FileKind::Symlink,
            _ => FileKind::Special,
        };
        let mode = meta.permissions().mode() & 0o7777;
        Meta { kind, mode, uid: meta.uid(), gid: meta.gid(), size: meta.size() }
    }
}

/// The open root directory.
pub struct Root {
    path: PathBuf,
    dir: OwnedFd,
    slash: bool,
}

impl Root {
    /// Opens `path` as a root.
    ///
    /// # Errors
    /// When it is not a directory that can be opened.
    pub fn open(path: &Path) -> Result<Root> {
        let path = fs::canonicalize(path).with_context(|| format!("opening the root {}", path.display()))?;
        let dir = File::open(&path).with_context(|| format!("opening the root {}", path.display()))?;
        if !dir.metadata().with_context(|| format!("opening the root {}", path.display()))?.is_dir() {
            bail!("opening the root {}: not a directory", path.display());
        }
        let slash = path == Path::new("/");
        Ok(Root { path, dir: dir.into(), slash })
    }

    /// Whether this is the running machine's own `/`.
    pub fn is_slash(&self) -> bool {
        self.slash
    }

    /// The path on the host.
    pub fn host_path(&self, path: &Path) -> PathBuf {
        self.path.join(relative(path))
    }

    /// The directory that holds `path`, opened inside the root, and the last part of `path`: what a writer needs. With
    /// `links` false, a symbolic link on the way is an error.
    pub fn open_parent(&self, path: &Path, links: bool) -> io::Result<(OwnedFd, PathBuf)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        let extra = if links { ResolveFlag::empty() } else { ResolveFlag::RESOLVE_NO_SYMLINKS };
        let dir = self.open_resolved(parent, OFlag::O_DIRECTORY | OFlag::O_RDONLY, extra)?;
        Ok((dir, PathBuf::from(name)))
    }

    /// A directory, opened inside the root.
    pub fn open_directory(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_flags(path, OFlag::O_DIRECTORY | OFlag::O_RDONLY)
    }

    fn open_flags(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        self.open_resolved(path, flags, ResolveFlag::empty())
    }

    fn open_resolved(&self, path: &Path, flags: OFlag, extra: ResolveFlag) -> io::Result<OwnedFd> {
        let below = relative(path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let how =
            OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT | extra);
        match insist(|| openat2(self.dir.as_fd(), below, how)) {
            // Kernels before 5.6 (RHEL 8) lack openat2; on the machine's own root nothing can be left.
            Err(Errno::ENOSYS) if self.slash && extra.contains(ResolveFlag::RESOLVE_NO_SYMLINKS) => {
                self.open_unlinked(below, flags)
            }
            Err(Errno::ENOSYS) if self.slash => nix::fcntl::openat(
                self.dir.as_fd(),
                below,
                flags | OFlag::O_CLOEXEC,
                nix::sys::stat::Mode::empty(),
            )
            .map_err(io::Error::from),
            other => other.map_err(io::Error::from),
        }
    }

    /// Opens part by part, and follows no link: what `RESOLVE_NO_SYMLINKS` does where the kernel knows it.
    fn open_unlinked(&self, below: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        let open = |dir: BorrowedFd<'_>, part: &Path, flags: OFlag| {
            let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            nix::fcntl::openat(dir, part, flags, nix::sys::stat::Mode::empty()).map_err(io::Error::from)
        };
        let mut at = open(self.dir.as_fd(), Path::new("."), OFlag::O_PATH | OFlag::O_DIRECTORY)?;
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let how = if last { flags } else { OFlag::O_PATH | OFlag::O_DIRECTORY };
            match part {
                Component::Normal(part) => at = open(at.as_fd(), Path::new(part), how)?,
                Component::CurDir if last => return open(at.as_fd(), Path::new("."), flags),
                Component::CurDir => {}
                _ => return Err(ErrorKind::InvalidInput.into()),
            }
        }
        Ok(at)
    }

    /// See [`super::System::read`].
    pub fn read(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let Some(fd) = absent(self.open_flags(path, flags))? else { return Ok(None) };
        let file = File::from(fd);
        let meta = file.metadata()?;
        if !meta.is_file() {
            bail!("not a regular file");
        }
        let mut bytes = Vec::with_capacity(meta.size().min(limit) as usize);
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            bail!("larger than {} MiB, which no configuration file is", limit / 1024 / 1024);
        }
        Ok(Some(bytes))
    }

    /// See [`super::System::meta`].
    pub fn meta(&self, path: &Path, follow: bool) -> io::Result<Option<Meta>> {
        let flags = if follow { OFlag::O_PATH } else { OFlag::O_PATH | OFlag::O_NOFOLLOW };
        let Some(fd) = absent(self.open_flags(path, flags))? else { return Ok(None) };
        Ok(Some(Meta::from(&File::from(fd).metadata()?)))
    }

    /// See [`super::System::read_link`].
    pub fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let Some(fd) = absent(self.open_flags(path, OFlag::O_PATH | OFlag::O_NOFOLLOW))? else {
            return Ok(None);
        };
        let file = File::from(fd);
        if !file.metadata()?.is_symlink() {
            return Ok(None);
        }
        Ok(Some(PathBuf::from(readlinkat(file.as_fd(), "")?)))
    }

    /// See [`super::System::list`].
    pub fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let Some(fd) = absent(self.open_flags(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY))? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in nix::dir::Dir::from_fd(fd)?.iter() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if name != "." && name != ".." {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }
}

/// Asks again while the kernel cannot tell whether a `..` stayed inside, because something on the machine was renamed or
/// mounted at that moment: `openat2(2)` says `EAGAIN` then.
fn insist<T>(open: impl Fn() -> nix::Result<T>) -> nix::Result<T> {
    (1..ATTEMPTS).map(|_| open()).find(|result| !matches!(result, Err(Errno::EAGAIN))).unwrap_or_else(open)
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// Turns "nothing there" into `None` and keeps every other failure.
fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/hostname"), "web\n").unwrap();
        symlink("/etc/hostname", dir.path().join("absolute")).unwrap();
        symlink("../../../../../../etc/passwd", dir.path().join("etc/escape")).unwrap();
        dir
    }

    #[test]
    fn absolute_links_stay_inside() {
        let dir = tree();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(root.read(Path::new("/absolute"), 100).unwrap().unwrap(), b"web\n");
        assert_eq!(root.read(Path::new("/etc/escape"), 100).unwrap(), None);
    }

    #[test]
    fn a_rename_elsewhere_is_no_failure() {
        let calls = std::cell::Cell::new(0);
        let busy = |times| {
            calls.set(0);
            insist(|| {
                calls.set(calls.get() + 1);
                if calls.get() <= times { Err(Errno::EAGAIN) } else { Ok(calls.get()) }
            })
        };
        assert_eq!(busy(0), Ok(1));
        assert_eq!(busy(3), Ok(4));
        assert_eq!(busy(ATTEMPTS), Err(Errno::EAGAIN));
        assert_eq!(calls.get(), ATTEMPTS);
        assert_eq!(insist(|| Err::<(), _>(Errno::ENOENT)), Err(Errno::ENOENT));
    }

    #[test]
    fn absent_is_none_and_too_large_is_an_error() {
        let dir = tree();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(root.read(Path::new("/etc/none"), 100).unwrap(), None);
        assert_eq!(root.read(Path::new("/etc/hostname/below"), 100).unwrap(), None);
        assert!(root.read(Path::new("/etc/hostname"), 3).is_err());
        assert!(root.read(Path::new("/etc"), 100).is_err());
    }

    #[test]
    fn where_no_link_is_to_be_followed_none_is_without_openat2_too() {
        let dir = tree();
        symlink("etc", dir.path().join("way")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        let open = |path: &str, flags| root.open_unlinked(Path::new(path), flags);
        let directory = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        assert!(open(".", directory).is_ok() && open("etc", directory).is_ok());
        assert!(open("etc/hostname", OFlag::O_RDONLY).is_ok());
        for (path, flags) in [
            ("way", directory),
            ("way/hostname", OFlag::O_RDONLY),
            ("etc/escape", OFlag::O_RDONLY),
            ("etc/../etc", directory),
        ] {
            assert!(open(path, flags).is_err(), "{path}");
        }
    }

    #[test]
    fn links_are_told_from_what_they_lead_to() {
        let dir = tree();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(root.meta(Path::new("/absolute"), false).unwrap().unwrap().kind, FileKind::Symlink);
        assert_eq!(root.meta(Path::new("/absolute"), true).unwrap().unwrap().kind, FileKind::Regular);
        assert_eq!(root.read_link(Path::new("/absolute")).unwrap().unwrap(), Path::new("/etc/hostname"));
        assert_eq!(root.read_link(Path::new("/etc/hostname")).unwrap(), None);
        assert_eq!(root.list(Path::new("/etc")).unwrap().len(), 2);
    }
}
