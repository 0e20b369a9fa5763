//! The files of a machine: those of the running system, or those below a directory. May be shared between threads.

use super::meta::{Kind, Meta};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat};
use nix::sys::stat::{Mode, fstat, fstatat};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest file whose content is looked at, in bytes. A larger one is an error and not a reason to run out of memory.
const MAX_FILE: u64 = 256 << 20;

/// The most bytes of all contents together, those that only a digest is made of too.
const MAX_BYTES: u64 = 64 << 30;

/// What a kernel makes up, and what its services leave until they end.
pub(crate) const KERNELS: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// What no service of a machine leaves in `/run`: the marks of those who run a container or an image, and settings that an administrator
/// made until the next boot. A machine that is off has none of it, and what its files say counts.
const NOT_LEFT: [&str; 3] = ["/run/.containerenv", "/run/ostree-booted", "/run/sysctl.d"];

/// The most symbolic links followed for one path, as in the kernel.
const MAX_LINKS: usize = 40;

/// How often a path is opened while the kernel cannot tell whether it stays inside the root, because of a rename elsewhere.
const ATTEMPTS: usize = 1000;

/// A machine's files.
#[derive(Debug)]
pub struct Files {
    /// The root directory and its path on the host; `None` for `/`.
    root: Option<(OwnedFd, PathBuf)>,
    /// How many bytes of contents may still be read.
    left: AtomicU64,
}

impl Files {
    /// Those of the running system.
    pub(super) fn running() -> Files {
        Files { root: None, left: AtomicU64::new(MAX_BYTES) }
    }

    /// Those below a directory; `/` is the running system's.
    pub(super) fn below(root: &Path) -> io::Result<Files> {
        let path = std::fs::canonicalize(root)?;
        if path == Path::new("/") {
            return Ok(Files::running());
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory = openat(AT_FDCWD, &path, flags, Mode::empty())?;
        Ok(Files { root: Some((directory, path)), ..Files::running() })
    }

    /// Whether the files are those of the running system, so that its kernel and services may be asked.
    pub fn is_running(&self) -> bool {
        self.root.is_none()
    }

    /// Opens a path inside the root, its last link followed unless `flags` say otherwise.
    pub(crate) fn open(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        let flags = flags | OFlag::O_CLOEXEC;
        let Some((root, _)) = &self.root else {
            return Ok(openat(AT_FDCWD, path, flags, Mode::empty())?);
        };
        let below = path.strip_prefix("/").unwrap_or(path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_IN_ROOT);
        for _ in 1..ATTEMPTS {
            match openat2(root.as_fd(), below, how) {
                Err(Errno::EAGAIN) => {}
                other => return Ok(other?),
            }
        }
        Ok(openat2(root.as_fd(), below, how)?)
    }

    /// What a path itself is; a symbolic link is not followed.
    pub(crate) fn lstat(&self, path: &Path) -> io::Result<Meta> {
        if self.root.is_none() {
            return Ok(Meta::from(&fstatat(AT_FDCWD, path, AtFlags::AT_SYMLINK_NOFOLLOW)?));
        }
        Ok(Meta::from(&fstat(self.open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?)?))
    }

    /// What a path leads to.
    pub(crate) fn stat(&self, path: &Path) -> io::Result<Meta> {
        if self.root.is_none() {
            return Ok(Meta::from(&fstatat(AT_FDCWD, path, AtFlags::empty())?));
        }
        Ok(Meta::from(&fstat(self.open(path, OFlag::O_PATH)?)?))
    }

    /// The content of a file, links followed. Devices and pipes are errors, and so is what is larger than [`MAX_FILE`].
    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = File::from(self.open(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)?);
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(MAX_FILE)).unwrap_or_default());
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("larger than {} MiB", MAX_FILE >> 20),
            ));
        }
        self.count(bytes.len())?;
        Ok(bytes)
    }

    /// Counts bytes that were read; an error when it is too much in all.
    pub(super) fn count(&self, bytes: usize) -> io::Result<()> {
        let less = |left: u64| left.checked_sub(bytes as u64);
        let counted = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        counted.map(drop).map_err(|_| {
            let why = format!("all that was read is more than {} GiB", MAX_BYTES >> 30);
            io::Error::new(ErrorKind::FileTooLarge, why)
        })
    }

    /// The content of a text file; what is not UTF-8 is replaced.
    pub(crate) fn read_text(&self, path: &str) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.read(Path::new(path))?).into_owned())
    }

    /// Where a symbolic link points, as written in it.
    pub(crate) fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let link = self.open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?;
        Ok(PathBuf::from(readlinkat(link.as_fd(), "")?))
    }

    /// The directory of what a kernel and its services make up while they run, when a path leads into one and none runs: a file that is
    /// not there says nothing then.
    pub(crate) fn kernels_own(&self, path: &Path) -> Option<&'static str> {
        if self.is_running() {
            return None;
        }
        let own = |path: &Path| KERNELS.into_iter().find(|own| path.starts_with(own));
        let path = self.resolve(path, &|path| own(path).is_some()).ok()?;
        own(&path).filter(|_| !NOT_LEFT.iter().any(|other| path.starts_with(other)))
    }

    /// The path without links, `.` and `..`, as `realpath(3)` has it; everything on it must exist.
    pub(crate) fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        self.resolve(path, &|_| false)
    }

    /// Follows a path to its end, or up to where it is far enough; from there on it is as it was given.
    fn resolve(&self, path: &Path, is_enough: &dyn Fn(&Path) -> bool) -> io::Result<PathBuf> {
        let parts = |path: &Path| path.iter().rev().map(PathBuf::from).collect::<Vec<_>>();
        let (mut todo, mut done, mut links) = (parts(path), PathBuf::from("/"), 0);
        while let Some(part) = todo.pop() {
            match part.to_str() {
                Some("/") => done = PathBuf::from("/"),
                Some(".") => {}
                Some("..") => drop(done.pop()),
                _ => {
                    let next = done.join(&part);
                    if is_enough(&next) {
                        return Ok(todo.iter().rev().fold(next, |path, part| path.join(part)));
                    }
                    if self.lstat(&next)?.kind != Kind::Symlink {
                        done = next;
                        continue;
                    }
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::ELOOP.into());
                    }
                    todo.extend(parts(&self.read_link(&next)?));
                }
            }
        }
        Ok(done)
    }

    /// An extended attribute of what a path leads to; `None` when it has none of that name.
    pub(crate) fn attribute(&self, path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
        if self.root.is_none() {
            return xattr::get_deref(path, name);
        }
        // A descriptor without access does not give attributes, but its name below /proc does.
        let file = self.open(path, OFlag::O_PATH)?;
        xattr::get_deref(format!("/proc/self/fd/{}", file.as_raw_fd()), name)
    }

    /// The path on the host of a path without links: for a library that opens files itself.
    pub(crate) fn host_path(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some((_, root)) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }
}
