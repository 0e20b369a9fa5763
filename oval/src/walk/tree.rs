//! One walk over a directory tree, as `fts(3)` does it with `FTS_PHYSICAL | FTS_COMFOLLOW`: the start is followed when it is a link,
//! the others are links until the visitor follows them, a directory that is its own ancestor is a cycle.

use super::Found;
use crate::system::{Directory, Kind, Meta, System};
use std::cell::Cell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The deepest directory looked into. A path of that depth is longer than the kernel takes.
const MAX_LEVEL: usize = 2048;

/// The most links on the way that make an entry dearer.
const MAX_DEARER: u32 = 8;

/// What the kernel tells of this process.
const OWN: &str = "/proc/self";

/// What the walk has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Info {
    /// A directory.
    Directory,
    /// A directory that contains itself.
    Cycle,
    /// A regular file.
    Regular,
    /// A symbolic link.
    Symlink,
    /// A symbolic link that was to be followed and leads nowhere.
    Dangling,
    /// Anything else.
    Other,
}

/// An entry on the way.
pub(super) struct Visit<'a> {
    /// Its path, links in it as they were met.
    pub path: &'a Path,
    /// Its name; `/` for the root.
    pub name: &'a OsStr,
    /// How deep below the start, which is 0.
    pub level: usize,
    /// What it is.
    pub info: Info,
    /// What its inode says; what a followed link leads to.
    pub meta: &'a Meta,
    /// Whether a link was followed to come to `meta`.
    followed: bool,
}

/// What the visitor wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on, into this directory.
    On,
    /// Go on, not into this directory.
    Skip,
    /// Visit again what this link leads to.
    Follow,
    /// End the walk.
    Stop,
}

impl<'a> Visit<'a> {
    /// The entry as a file: directory and name.
    pub fn as_file(&self) -> Found<'a> {
        Found {
            full: self.path,
            name: Some(self.name),
            meta: (!self.followed).then_some(*self.meta),
            may_have_content: matches!(self.info, Info::Regular | Info::Symlink),
        }
    }

    /// The entry as a directory that is asked for as such.
    pub fn as_directory(&self) -> Found<'a> {
        let meta = (!self.followed).then_some(*self.meta);
        Found { full: self.path, name: None, meta, may_have_content: false }
    }
}

/// A directory that is being gone through.
struct Open {
    directory: Rc<Directory>,
    next: usize,
    identity: (u64, u64),
    /// How many links were followed on the way to it.
    links: u32,
}

/// How many entries a search may still come to. Directories that link to one another make more paths than anybody can walk: every link
/// followed on the way makes an entry twice as dear.
pub(super) struct Fuel(Cell<u64>);

impl Fuel {
    pub fn new(entries: u64) -> Fuel {
        Fuel(Cell::new(entries))
    }

    /// Whether nothing is left, so that the search has ended before its end.
    pub fn is_spent(&self) -> bool {
        self.0.get() == 0
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.0.get()
    }

    fn spend(&self, links: u32) {
        self.0.set(self.0.get().saturating_sub(1 << links.min(MAX_DEARER)));
    }
}

/// Walks from `start` down while there is fuel; with `one_device` no directory of another device is entered. Directories that cannot be
/// listed are passed over, as in oscap.
pub(super) fn walk(
    system: &System,
    start: &Path,
    one_device: bool,
    fuel: &Fuel,
    visitor: &mut dyn FnMut(&Visit<'_>) -> Step,
) {
    let (meta, dangling) = match (system.stat(start), system.lstat(start)) {
        (Ok(meta), _) => (meta, false),
        (Err(_), Ok(meta)) => (meta, true),
        (Err(_), Err(_)) => return,
    };
    let info = if dangling { Info::Dangling } else { info(&meta, &[]) };
    let name = start.file_name().unwrap_or(OsStr::new("/"));
    let visit = Visit { path: start, name, level: 0, info, meta: &meta, followed: true };
    if visitor(&visit) != Step::On || info != Info::Directory {
        return;
    }
    let mut walk =
        Walk { system, path: start.to_owned(), open: Vec::new(), device: one_device.then_some(meta.device) };
    walk.enter(&meta, 0);
    while let Some(open) = walk.open.last_mut() {
        let directory = Rc::clone(&open.directory);
        let Some(entry) = directory.entry(open.next) else {
            walk.open.pop();
            walk.path.pop();
            continue;
        };
        open.next += 1;
        fuel.spend(open.links);
        if fuel.is_spent() {
            return;
        }
        walk.path.push(entry.name);
        match walk.step(entry.name, entry.meta, visitor) {
            Some(true) => {}
            Some(false) => drop(walk.path.pop()),
            None => return,
        }
    }
}

struct Walk<'a> {
    system: &'a System,
    path: PathBuf,
    open: Vec<Open>,
    device: Option<u64>,
}

impl Walk<'_> {
    /// Visits an entry; true when it was entered, `None` when the walk is to end.
    fn step(
        &mut self,
        name: &OsStr,
        meta: &Meta,
        visitor: &mut dyn FnMut(&Visit<'_>) -> Step,
    ) -> Option<bool> {
        let level = self.open.len();
        let mut visit = |meta: &Meta, info, followed| {
            visitor(&Visit { path: &self.path, name, level, info, meta, followed })
        };
        let mut meta = *meta;
        let mut kind = info(&meta, &self.open);
        let mut step = visit(&meta, kind, false);
        if step == Step::Follow && self.is_own(&self.path) {
            return Some(false);
        }
        let mut links = self.open.last().map_or(0, |open| open.links);
        if step == Step::Follow && kind == Info::Symlink {
            links += 1;
            match self.system.stat(&self.path) {
                Ok(target) => {
                    kind = info(&target, &self.open);
                    meta = target;
                }
                Err(_) => kind = Info::Dangling,
            }
            step = visit(&meta, kind, true);
        }
        match step {
            Step::Stop => None,
            Step::On if kind == Info::Directory => Some(self.enter(&meta, links)),
            _ => Some(false),
        }
    }

    /// Whether a link is what this process has open (`/dev/fd` leads there too). That is no part of the machine, and may lead back to
    /// the root from below it, a way without an end: oscap, which keeps no directory open, never gets on it.
    fn is_own(&self, link: &Path) -> bool {
        let Some(directory) = link.parent().filter(|own| own.ends_with("fd")) else { return false };
        let own =
            || Some((self.system.real_path(directory).ok()?, self.system.real_path(Path::new(OWN)).ok()?));
        self.system.is_running() && own().is_some_and(|(directory, own)| directory.starts_with(own))
    }

    /// Opens the directory at the present path.
    fn enter(&mut self, meta: &Meta, links: u32) -> bool {
        if self.device.is_some_and(|device| device != meta.device) || self.open.len() >= MAX_LEVEL {
            return false;
        }
        match self.system.list(&self.path) {
            Ok(directory) => {
                self.open.push(Open { directory, next: 0, identity: (meta.device, meta.inode), links });
                true
            }
            Err(_) => false,
        }
    }
}

/// What an inode is below these open directories.
fn info(meta: &Meta, open: &[Open]) -> Info {
    match meta.kind {
        Kind::Directory if open.iter().any(|open| open.identity == (meta.device, meta.inode)) => Info::Cycle,
        Kind::Directory => Info::Directory,
        Kind::Regular => Info::Regular,
        Kind::Symlink => Info::Symlink,
        _ => Info::Other,
    }
}
