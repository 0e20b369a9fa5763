//! Directories as they were when first looked at, kept within a bound: the one walk of the disk that all objects share.
//!
//! An object that asks for a tree walks over what is kept and looks at the disk only where nobody was before. When [`MAX_KEPT`] is
//! reached, further directories are read again by each who asks.

use super::{Meta, System};
use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::fstatat;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The most memory that directories are kept in, in bytes: some 250 000 files.
const MAX_KEPT: usize = 24 << 20;

/// A directory's entries.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    names: Vec<u8>,
    entries: Vec<(u32, u16, Meta)>,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Its name.
    pub name: &'a OsStr,
    /// What it is; a link itself.
    pub meta: &'a Meta,
}

impl Directory {
    /// The entries, `.` and `..` left out.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.entries.len()).filter_map(|n| self.entry(n))
    }

    /// The entry of this number.
    pub fn entry(&self, n: usize) -> Option<Entry<'_>> {
        let (start, length, meta) = self.entries.get(n)?;
        let name = self.names.get(*start as usize..*start as usize + usize::from(*length))?;
        Some(Entry { name: OsStr::from_bytes(name), meta })
    }

    fn add(&mut self, name: &[u8], meta: Meta) {
        // A name is at most 255 bytes, and a directory whose names fill 4 GiB does not fit into memory anyway.
        if let (Ok(start), Ok(length)) = (u32::try_from(self.names.len()), u16::try_from(name.len())) {
            self.names.extend_from_slice(name);
            self.entries.push((start, length, meta));
        }
    }

    fn bytes(&self) -> usize {
        self.names.len() + self.entries.len() * size_of::<(u32, u16, Meta)>() + 128
    }
}

/// The directories kept.
#[derive(Default)]
pub(super) struct Directories {
    kept: RefCell<HashMap<PathBuf, Rc<Directory>>>,
    bytes: Cell<usize>,
}

impl Directories {
    /// See [`System::list`].
    pub fn list(&self, system: &System, path: &Path) -> io::Result<Rc<Directory>> {
        if let Some(known) = self.kept.borrow().get(path) {
            return Ok(Rc::clone(known));
        }
        let mut directory = read(system, path)?;
        directory.names.shrink_to_fit();
        directory.entries.shrink_to_fit();
        let bytes = self.bytes.get() + directory.bytes() + path.as_os_str().len();
        let directory = Rc::new(directory);
        if bytes <= MAX_KEPT {
            self.bytes.set(bytes);
            self.kept.borrow_mut().insert(path.to_owned(), Rc::clone(&directory));
        }
        Ok(directory)
    }
}

/// Reads a directory. What vanishes between its listing and its look is left out.
fn read(system: &System, path: &Path) -> io::Result<Directory> {
    let descriptor = system.open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NONBLOCK)?;
    let mut listing = Dir::from_fd(descriptor)?;
    let names: Vec<_> = listing.iter().filter_map(|entry| Some(entry.ok()?.file_name().to_owned())).collect();
    let mut directory = Directory::default();
    for name in names {
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if let Ok(stat) = fstatat(listing.as_fd(), name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            directory.add(name.to_bytes(), Meta::from(&stat));
        }
    }
    Ok(directory)
}
