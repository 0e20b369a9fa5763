//! The threads of a sweep: a heap of directories to read, from which each takes the next.

use super::{Granted, Wish};
use crate::collector::MAX_ITEMS;
use crate::item::Item;
use crate::pattern::{Patience, Patterns};
use crate::system::{Files, Kind, Meta};
use crate::verdict::Verdict;
use crate::walk::Found;
use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::fstatat;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The most wishes of one pass: each has a bit.
pub(super) const MOST: usize = 64;

/// The most threads. More of them wait for one disk.
const MAX_THREADS: usize = 8;

/// The deepest directory looked into. A path of that depth is longer than the kernel takes.
const MAX_LEVEL: usize = 2048;

/// The most items of all wishes together, some 200 MiB of them. A wish that finds another one then is given up.
const MAX_TOTAL: usize = 100_000;

/// The most failures told of one wish.
const MAX_FAILURES: usize = 20;

/// A directory to be read.
struct Task {
    path: PathBuf,
    place: Arc<Ancestor>,
}

/// A directory on the way down to one that is to be read.
struct Ancestor {
    identity: (u64, u64),
    /// The wishes that look into it.
    wishes: u64,
    level: usize,
    parent: Option<Arc<Ancestor>>,
}

impl Ancestor {
    /// The wishes that have come through a directory already: for them it contains itself.
    fn passed(&self, identity: (u64, u64)) -> u64 {
        let chain = std::iter::successors(Some(self), |one| one.parent.as_deref());
        chain.filter(|one| one.identity == identity).fold(0, |wishes, one| wishes | one.wishes)
    }
}

/// Directories that wait, and how many are being read.
#[derive(Default)]
struct Heap {
    tasks: Vec<Task>,
    busy: usize,
}

/// One pass over the disk.
pub(super) struct Pass<'a> {
    files: &'a Files,
    patience: &'a Patience,
    wishes: Vec<Wish>,
    /// Which wishes start at a directory.
    starts: HashMap<PathBuf, u64>,
    /// The wishes that have started.
    started: AtomicU64,
    /// How many items each wish has, and all of them.
    counts: Vec<AtomicUsize>,
    total: AtomicUsize,
    /// The wishes that are given up.
    abandoned: AtomicU64,
    heap: Mutex<Heap>,
    changed: Condvar,
}

impl<'a> Pass<'a> {
    pub fn new(files: &'a Files, wishes: Vec<Wish>, patience: &'a Patience) -> Pass<'a> {
        let mut starts: HashMap<PathBuf, u64> = HashMap::new();
        for (n, wish) in wishes.iter().enumerate() {
            *starts.entry(wish.start.clone()).or_default() |= 1 << n;
        }
        let counts = wishes.iter().map(|_| AtomicUsize::new(0)).collect();
        Pass {
            files,
            patience,
            wishes,
            starts,
            started: AtomicU64::new(0),
            counts,
            total: AtomicUsize::new(0),
            abandoned: AtomicU64::new(0),
            heap: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Reads what there is to read; what came of each wish, in their order.
    pub fn run(self) -> Vec<Granted> {
        let mut granted: Vec<Granted> = self.wishes.iter().map(|_| Granted::default()).collect();
        // A tree inside another is met on the way; one that was not, behind a link or on another file system, is a tree of its own.
        let mut order: Vec<usize> = (0..self.wishes.len()).collect();
        order.sort_by_key(|n| self.wishes.get(*n).map_or(0, |wish| wish.start.components().count()));
        for n in order {
            let Some(wish) = self.wishes.get(n) else { continue };
            if self.started.load(Ordering::Relaxed) >> n & 1 == 1 {
                continue;
            }
            for haul in self.from(wish) {
                haul.hand_over(&mut granted);
            }
        }
        for (n, (one, count)) in granted.iter_mut().zip(&self.counts).enumerate() {
            one.abandoned = self.abandoned.load(Ordering::Relaxed) >> n & 1 == 1;
            one.truncated = count.load(Ordering::Relaxed) > MAX_ITEMS;
            one.items
                .sort_by(|a, b| a.place.as_ref().map(|p| &p.path).cmp(&b.place.as_ref().map(|p| &p.path)));
        }
        granted
    }

    /// Reads the tree that a wish starts from.
    fn from(&self, wish: &Wish) -> Vec<Haul> {
        let mut first = Worker::new(self);
        let wishes = self.starting(&wish.start);
        first.begin(wishes);
        let identity = (wish.meta.device, wish.meta.inode);
        let place = Arc::new(Ancestor { identity, wishes, level: 0, parent: None });
        self.heap.lock().unwrap_or_else(PoisonError::into_inner).tasks =
            vec![Task { path: wish.start.clone(), place }];
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        std::thread::scope(|scope| {
            let work = || {
                let mut worker = Worker::new(self);
                worker.work();
                worker.haul
            };
            let others: Vec<_> =
                (1..threads).map(|_| std::thread::Builder::new().spawn_scoped(scope, work)).collect();
            first.work();
            let others = others.into_iter().flatten().filter_map(|other| other.join().ok());
            std::iter::once(first.haul).chain(others).collect()
        })
    }

    /// The wishes that start at a directory and have not yet; they have now.
    fn starting(&self, path: &Path) -> u64 {
        let Some(wishes) = self.starts.get(path) else { return 0 };
        wishes & !self.started.fetch_or(*wishes, Ordering::Relaxed)
    }

    /// The next directory; `None` when all are read.
    fn next(&self) -> Option<Task> {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(task) = heap.tasks.pop() {
                heap.busy += 1;
                return Some(task);
            }
            if heap.busy == 0 {
                return None;
            }
            heap = self.changed.wait(heap).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A directory is read; these are in it.
    fn done(&self, found: &mut Vec<Task>) {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        heap.busy -= 1;
        let more = found.len() > 1 || heap.busy == 0;
        heap.tasks.append(found);
        drop(heap);
        if more {
            self.changed.notify_all();
        }
    }

    /// The wishes among some that go into a directory.
    fn going_into(&self, meta: &Meta, wishes: u64) -> u64 {
        bits(wishes)
            .filter(|n| self.wishes.get(*n).is_some_and(|wish| !wish.scope.bars(meta)))
            .fold(0, |all, n| all | 1 << n)
    }
}

/// The numbers of the bits that are set.
fn bits(mut wishes: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let n = wishes.trailing_zeros() as usize;
        wishes &= wishes.checked_sub(1)?;
        Some(n)
    })
}

/// A thread and what it works with.
struct Worker<'a> {
    pass: &'a Pass<'a>,
    patterns: Patterns,
    haul: Haul,
}

/// What a thread has found so far, by the number of the wish.
#[derive(Default)]
struct Haul {
    items: Vec<(usize, Item)>,
    failures: Vec<(usize, String)>,
}

impl<'a> Worker<'a> {
    fn new(pass: &'a Pass<'a>) -> Worker<'a> {
        Worker { pass, patterns: Patterns::with(pass.patience.clone()), haul: Haul::default() }
    }

    fn work(&mut self) {
        let mut found = Vec::new();
        while let Some(task) = self.pass.next() {
            // What cannot be read is passed over, as in oscap.
            let _ = self.read(&task, &mut found);
            self.pass.done(&mut found);
        }
    }

    /// Looks at the directory that wishes start from.
    fn begin(&mut self, wishes: u64) {
        for n in bits(wishes) {
            let Some(wish) = self.pass.wishes.get(n) else { continue };
            if wish.name.is_none()
                && let Ok(meta) = self.pass.files.lstat(&wish.start)
            {
                let found =
                    Found { full: &wish.start, name: None, meta: Some(meta), may_have_content: false };
                self.take(n, wish, &found, meta);
            }
        }
    }

    fn read(&mut self, task: &Task, found: &mut Vec<Task>) -> std::io::Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NONBLOCK;
        let descriptor = self.pass.files.open(&task.path, flags)?;
        // One to go through the names, one to ask about them: a directory may have more names than memory.
        let mut names = Dir::from_fd(descriptor.try_clone()?)?;
        let mut path = task.path.clone();
        for entry in names.iter().map_while(Result::ok) {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Ok(stat) = fstatat(descriptor.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW) else { continue };
            path.push(OsStr::from_bytes(name.to_bytes()));
            let inside = self.entry(task, &path, OsStr::from_bytes(name.to_bytes()), &Meta::from(&stat));
            found.extend(inside.map(|place| Task { path: path.clone(), place: Arc::new(place) }));
            path.pop();
        }
        Ok(())
    }

    /// Looks at an entry of a directory; what to read it as when it is a directory that is wanted.
    fn entry(&mut self, task: &Task, path: &Path, name: &OsStr, meta: &Meta) -> Option<Ancestor> {
        let mut wishes = task.place.wishes & !self.pass.abandoned.load(Ordering::Relaxed);
        let directory = meta.kind == Kind::Directory;
        if directory {
            wishes &= !task.place.passed((meta.device, meta.inode));
        }
        let file = Found {
            full: path,
            name: (!directory).then_some(name),
            meta: Some(*meta),
            may_have_content: false,
        };
        for n in bits(wishes) {
            let Some(wish) = self.pass.wishes.get(n) else { continue };
            match &wish.name {
                None if directory => self.take(n, wish, &file, *meta),
                Some(asked) if !directory => match asked.compare(&self.patterns, name.as_bytes()) {
                    Verdict::True => self.take(n, wish, &file, *meta),
                    Verdict::Error => {
                        self.fail(n, format!("the name of {} cannot be compared", path.display()))
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if !directory || task.place.level + 1 >= MAX_LEVEL {
            return None;
        }
        let starting = self.pass.starting(path);
        self.begin(starting);
        let wishes = self.pass.going_into(meta, wishes) | starting;
        let (identity, level) = ((meta.device, meta.inode), task.place.level + 1);
        (wishes != 0).then(|| Ancestor { identity, wishes, level, parent: Some(Arc::clone(&task.place)) })
    }

    fn take(&mut self, n: usize, wish: &Wish, found: &Found<'_>, meta: Meta) {
        let look = || (wish.look)(found, meta, self.pass.files, &wish.sieve, &self.patterns);
        let (item, refused) = self.patterns.watched(look);
        if let Some(why) = refused {
            return self.fail(n, why);
        }
        let Some(item) = item else { return };
        let count = self.pass.counts.get(n).map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        if count >= MAX_ITEMS {
            return;
        }
        if self.pass.total.fetch_add(1, Ordering::Relaxed) < MAX_TOTAL {
            self.haul.items.push((n, item));
        } else {
            self.pass.abandoned.fetch_or(1 << n, Ordering::Relaxed);
        }
    }

    fn fail(&mut self, n: usize, why: String) {
        if self.haul.failures.len() < MAX_FAILURES * MOST {
            self.haul.failures.push((n, why));
        }
    }
}

impl Haul {
    fn hand_over(self, granted: &mut [Granted]) {
        for (n, item) in self.items {
            if let Some(one) = granted.get_mut(n) {
                one.items.push(item);
            }
        }
        for (n, why) in self.failures {
            if let Some(one) = granted.get_mut(n).filter(|one| one.failures.len() < MAX_FAILURES) {
                one.failures.push(why);
            }
        }
    }
}
