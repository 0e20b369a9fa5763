//! Finds the files an object asks for: `path` and `filename`, or `filepath`, with the behaviors of recursion.
//!
//! What is found, and where links are followed, is what oscap 1.3.7 does (`src/OVAL/probes/oval_fts.c`): two walks, one that looks
//! for the directories (or files, for `filepath`) whose path compares, and from each directory another one for the files in it.

mod behavior;
mod start;
pub(crate) mod sweep;
mod tree;

use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::Field;
use crate::model::Operation;
use crate::pattern::Reach;
use crate::probe::{Asked, Context, Request};
use crate::system::{KERNELS, Meta, System};
use crate::verdict::Verdict;
use behavior::{Behavior, Direction, FileSystem};
use start::Start;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use tree::{Fuel, Info, Step, Visit, walk};

/// The most entries that one search comes to.
const MAX_VISITS: u64 = 16_000_000;

/// A file or directory that an object asks for.
pub(crate) struct Found<'a> {
    /// The whole path.
    pub full: &'a Path,
    /// Its name; `None` for a directory that is asked for as such.
    pub name: Option<&'a OsStr>,
    /// What the path itself is, when that is known already.
    pub meta: Option<Meta>,
    /// Whether it is a regular file or a symbolic link: what may have content.
    pub may_have_content: bool,
}

impl Found<'_> {
    /// The directory it is in; the directory itself when directories are asked for.
    fn path(&self) -> &Path {
        match self.name {
            Some(_) => self.full.parent().unwrap_or(Path::new("/")),
            None => self.full,
        }
    }

    /// A field of an item about it, by name.
    pub fn field(&self, name: &str) -> Option<Field> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match (name, self.name) {
            ("filepath", Some(_)) => Some(Field::text("filepath", text(self.full))),
            ("path", _) => Some(Field::text("path", text(self.path()))),
            ("filename", name) => Some(Field::text("filename", name.unwrap_or_default().to_string_lossy())),
            _ => None,
        }
    }

    /// The fields `filepath`, `path` and `filename` of an item about it.
    pub fn fields(&self) -> Vec<Field> {
        ["filepath", "path", "filename"].into_iter().filter_map(|name| self.field(name)).collect()
    }
}

/// Finds what an object asks for. `each` is called for every file or directory, in the order of the disk.
pub(crate) fn find(
    request: &Request<'_>,
    context: &Context<'_>,
    out: &mut Collector<'_>,
    each: &mut dyn FnMut(&Found<'_>, &mut Collector<'_>),
) {
    let (by_filepath, entity) = match (request.entity("filepath"), request.entity("path")) {
        (Some(filepath), _) => (true, filepath),
        (None, Some(path)) => (false, path),
        (None, None) => return out.fail("the object has neither filepath nor path"),
    };
    let behavior = match Behavior::read(request.behaviors()) {
        Ok(behavior) => behavior,
        Err(why) => return out.fail(why),
    };
    let Some(start) = Start::of(entity, context.patterns) else { return };
    let singled_out = || KERNELS.into_iter().find(|own| start.singles_out(own));
    let own = context.system.kernels_own(start.path());
    if let Some(own) = own.or_else(|| singled_out().filter(|_| !context.system.is_running())) {
        return out.end(Flag::NotRunning, not_running(own));
    }
    let Some(scope) = Scope::of(context.system, behavior.file_system, start.path()) else { return };
    let name = request.entity("filename").filter(|name| !name.is_nil());
    let fuel = Fuel::new(context.system.take_visits(MAX_VISITS));
    let finder = Finder { context, entity, by_filepath, name, behavior, start: &start, scope, fuel };
    finder.match_path(out, each);
    if finder.fuel.is_spent() {
        out.leave_out("too many files and directories, or links that lead from one to another without end");
    }
    context.system.give_visits(finder.fuel.left());
}

/// Why nobody can tell what is in a directory of a system that does not run.
pub(crate) fn not_running(own: &str) -> String {
    format!("only a running system tells what is in {own}, not a directory given as root")
}

/// Which devices a search stays on.
struct Scope {
    /// The only device, of `recurse_file_system="defined"`.
    device: Option<u64>,
    /// The local devices; `None` when all are.
    local: Option<Vec<u64>>,
}

impl Scope {
    /// `None` when the place to start from is not there, or nobody can tell what is local.
    fn of(system: &System, file_system: FileSystem, start: &Path) -> Option<Scope> {
        let own = system.lstat(start).ok()?;
        match file_system {
            FileSystem::All => Some(Scope { device: None, local: None }),
            FileSystem::Local => Some(Scope { device: None, local: system.local_devices().ok()? }),
            FileSystem::Defined => {
                let device = system.stat(start).unwrap_or(own).device;
                Some(Scope { device: Some(device), local: None })
            }
        }
    }

    fn is_local(&self, meta: &Meta) -> bool {
        self.local.as_ref().is_none_or(|local| local.binary_search(&meta.device).is_ok())
    }

    /// Whether a directory or link is out of the search.
    fn excludes(&self, visit: &Visit<'_>) -> bool {
        matches!(visit.info, Info::Directory | Info::Symlink) && self.bars(visit.meta)
    }

    /// Whether the search does not go where this is.
    fn bars(&self, meta: &Meta) -> bool {
        !self.is_local(meta) || self.device.is_some_and(|device| device != meta.device)
    }
}

struct Finder<'a> {
    context: &'a Context<'a>,
    entity: &'a Asked,
    by_filepath: bool,
    name: Option<&'a Asked>,
    behavior: Behavior,
    start: &'a Start<'a>,
    scope: Scope,
    fuel: Fuel,
}

type Each<'a> = &'a mut dyn FnMut(&Found<'_>, &mut Collector<'_>);

impl Finder<'_> {
    /// Looks for the directories, or the files, whose path compares.
    fn match_path(&self, out: &mut Collector<'_>, each: Each<'_>) {
        let equals = self.entity.operation == Operation::Equals;
        walk(self.context.system, self.start.path(), false, &self.fuel, &mut |visit| {
            if out.is_over() || self.context.patterns.have_refused() {
                return Step::Stop;
            }
            match visit.info {
                Info::Cycle => return Step::Skip,
                Info::Symlink => return Step::Follow,
                _ if self.scope.excludes(visit) => return Step::Skip,
                Info::Directory => match self.start.reach(visit.path) {
                    Reach::Match => {}
                    Reach::Beginning => return Step::On,
                    Reach::None => return Step::Skip,
                },
                _ => {}
            }
            if (visit.info == Info::Directory) == self.by_filepath {
                return Step::On;
            }
            let path = visit.path.as_os_str().as_bytes();
            if self.entity.compare(self.context.patterns, path) != Verdict::True {
                return if equals { Step::Stop } else { Step::On };
            }
            if self.by_filepath {
                if self.scope.is_local(visit.meta) {
                    each(&visit.as_file(), out);
                }
                return Step::On;
            }
            self.recurse(visit, out, each);
            if equals { Step::Stop } else { Step::On }
        });
    }

    /// Looks for the files in a directory, or for the directories below it.
    fn recurse(&self, directory: &Visit<'_>, out: &mut Collector<'_>, each: Each<'_>) {
        let down = self.behavior.direction == Direction::Down;
        if !down && self.name.is_none() {
            return each(&directory.as_directory(), out);
        }
        let mut following = false;
        walk(self.context.system, directory.path, self.scope.device.is_some(), &self.fuel, &mut |visit| {
            if out.is_over() || self.context.patterns.have_refused() {
                return Step::Stop;
            }
            if visit.info == Info::Cycle {
                return Step::Skip;
            }
            self.consider(visit, out, each);
            let mut step = Step::On;
            if visit.level > 0 {
                if !down || self.behavior.is_below(visit.level) {
                    return Step::Skip;
                }
                match visit.info {
                    Info::Directory if !self.behavior.enters(following) => return Step::Skip,
                    Info::Directory => following = false,
                    Info::Symlink if !self.behavior.follows => return Step::Skip,
                    Info::Symlink => {
                        following = true;
                        step = Step::Follow;
                    }
                    _ => return Step::On,
                }
            }
            if self.scope.excludes(visit) { Step::Skip } else { step }
        });
    }

    /// Reports a file whose name compares, or a directory that is not too deep when directories are asked for.
    fn consider(&self, visit: &Visit<'_>, out: &mut Collector<'_>, each: Each<'_>) {
        match (self.name, visit.info) {
            (None, Info::Directory) if !self.behavior.is_below(visit.level) => {
                each(&visit.as_directory(), out)
            }
            (None, _) | (Some(_), Info::Directory) => {}
            (Some(name), _) => match name.compare(self.context.patterns, visit.name.as_bytes()) {
                Verdict::True => each(&visit.as_file(), out),
                Verdict::Error => {
                    out.fail(format!("the name of {} cannot be compared", visit.path.display()))
                }
                _ => {}
            },
        }
    }
}
