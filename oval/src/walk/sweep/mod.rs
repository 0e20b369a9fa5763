//! One pass over the disk for all objects that look through whole trees, by several threads, while the other objects are looked at.
//!
//! An object joins in when it names the directory to start from, goes down without an end and follows no links: those are the ones that
//! ask for every file of a disk. What such an object finds is what [`super::find`] finds; only the order differs, which is that of the
//! paths here. Every directory is read once, however many objects want it, and every entry is looked at and forgotten unless an object
//! takes it: memory does not grow with the number of files.

mod pass;

use super::behavior::{Behavior, Direction};
use super::{Found, Scope};
use crate::item::Item;
use crate::model::Operation;
use crate::pattern::{Patience, Patterns};
use crate::probe::{Asked, Request};
use crate::sieve::Sieve;
use crate::system::{Files, Kind, Meta, System};
use crate::verdict::Verdict;
use pass::Pass;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Makes an item of a file that passes the filters.
pub(crate) type Look = fn(&Found<'_>, Meta, &Files, &Sieve, &Patterns) -> Option<Item>;

/// What an object looks for in one tree.
pub(crate) struct Wish {
    start: PathBuf,
    /// The directory it starts from.
    meta: Meta,
    /// What the name must compare with; `None` when directories are asked for.
    name: Option<Asked>,
    scope: Scope,
    sieve: Arc<Sieve>,
    look: Look,
}

/// What came of a wish.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    /// What was found, in the order of the paths.
    pub items: Vec<Item>,
    /// What went wrong.
    pub failures: Vec<String>,
    /// Whether there was more than is kept.
    pub truncated: bool,
    /// Whether all wishes together found too much to keep, so that this one has to be looked for alone.
    pub abandoned: bool,
}

/// A sweep that is under way.
pub(crate) struct Sweep {
    worker: JoinHandle<Vec<Granted>>,
}

/// Whether an object's search is one that a sweep can do. One for what only a running system tells is none: it says so by itself.
pub(crate) fn is_sweepable(request: &Request<'_>, system: &System) -> bool {
    let Some(path) = request.entity("path").filter(|_| request.entity("filepath").is_none()) else {
        return false;
    };
    path.operation == Operation::Equals
        && path.values.iter().all(|value| system.kernels_own(Path::new(value)).is_none())
        && Behavior::read(request.behaviors()).is_ok_and(|behavior| {
            behavior.direction == Direction::Down && !behavior.follows && !behavior.is_below(usize::MAX)
        })
}

impl Wish {
    /// What a request looks for; `None` when it cannot find anything.
    pub fn of(
        request: &Request<'_>,
        system: &System,
        patterns: &Patterns,
        sieve: &Arc<Sieve>,
        look: Look,
    ) -> Option<Wish> {
        let path = request.entity("path")?;
        let behavior = Behavior::read(request.behaviors()).ok()?;
        let start = PathBuf::from(path.value());
        let scope = Scope::of(system, behavior.file_system, &start)?;
        let meta =
            system.stat(&start).ok().filter(|meta| meta.kind == Kind::Directory && !scope.bars(meta))?;
        let compares = path.compare(patterns, path.value().as_bytes()) == Verdict::True;
        let name = request.entity("filename").filter(|name| !name.is_nil()).cloned();
        compares.then(|| Wish { start, meta, name, scope, sieve: Arc::clone(sieve), look })
    }
}

impl Sweep {
    /// Starts looking for all wishes.
    pub fn start(files: Arc<Files>, wishes: Vec<Wish>, patience: Patience) -> std::io::Result<Sweep> {
        let work = move || grant(&files, wishes, &patience);
        Ok(Sweep { worker: std::thread::Builder::new().name("sweep".to_owned()).spawn(work)? })
    }

    /// Waits for what came of each wish, in their order. `None` when the sweep broke down.
    pub fn finish(self) -> Option<Vec<Granted>> {
        self.worker.join().ok()
    }
}

/// Looks for all wishes and waits.
fn grant(files: &Files, wishes: Vec<Wish>, patience: &Patience) -> Vec<Granted> {
    let mut granted = Vec::with_capacity(wishes.len());
    let mut wishes = wishes.into_iter().peekable();
    while wishes.peek().is_some() {
        let some: Vec<Wish> = wishes.by_ref().take(pass::MOST).collect();
        granted.extend(Pass::new(files, some, patience).run());
    }
    granted
}
