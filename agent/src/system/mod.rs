//! The only door to the machine: a root directory and a runner for external programs.
//!
//! Everything the agent learns about a machine goes through [`System`], so that `--root DIR` works
//! everywhere and tests run on a temporary tree. Paths are given as on the machine (`/etc/passwd`) and
//! resolved below the root; no symbolic link leads out of it.
//!
//! A `System` also answers *what would be so*: [`System::pretend`] lays a [`Change`] over what is on disk,
//! and every later reading sees it. That is how a plan is made without touching anything.
//!
//! To add a source of facts, add a file here with a type that parses text, and a method on `System` that
//! reads the text and caches the parsed value in [`facts::Facts`].

mod accounts;
pub mod audit;
mod disks;
mod facts;
mod kernel;
pub mod login;
mod mount_units;
mod mounts;
mod os;
mod overlay;
mod packages;
mod root;
pub mod run;
pub mod script;
pub mod sshd;
pub mod tmpfiles;
mod units;
mod walk;

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use accounts::{Accounts, Group, Passwords, Shadow, User};
pub use disks::Disk;
pub use login::{Attempt, Trial};
pub use mount_units::unit_name as mount_unit_name;
pub use mounts::{FstabEntry, Mount, Mounts};
pub use os::Os;
pub use packages::{PackageDelta, Packages};
pub use root::{FileKind, Meta};
pub(crate) use run::{Drain, drain, wait};
pub use run::{Output, Run, Tool};
pub use sshd::SshdView;
pub use tmpfiles::TmpfilesLine;
pub use units::{UnitFileState, UnitState, Units};
pub use walk::{Walk, WalkEntry};

use crate::change::Change;
use facts::Facts;
use overlay::Overlay;
use root::Root;

/// The largest configuration file the agent reads, in bytes. Anything larger is not a configuration file,
/// and an error rather than a reason to run out of memory.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The most symbolic links followed to find the file that a path stands for.
const MAX_LINKS: usize = 16;

/// A machine, or a directory that holds one, possibly with changes laid over it.
pub struct System {
    root: Root,
    running: bool,
    runner: Box<dyn Run>,
    overlay: Overlay,
    facts: Facts,
}

impl System {
    /// The machine whose files are below `root`; `/` is the machine the agent runs on.
    ///
    /// # Errors
    /// When `root` is not a directory that can be opened.
    pub fn open(root: &Path) -> Result<System> {
        Ok(System::with_runner(Root::open(root)?, Box::new(run::Real)))
    }

    /// Like [`System::open`], with another runner for external programs: for tests.
    ///
    /// # Errors
    /// When `root` is not a directory that can be opened.
    pub fn open_with(root: &Path, runner: Box<dyn Run>) -> Result<System> {
        Ok(System::with_runner(Root::open(root)?, runner))
    }

    /// Like [`System::open_with`], for a tree that stands for a running machine, the files of its kernel included.
    ///
    /// # Errors
    /// When `root` is not a directory that can be opened.
    #[cfg(test)]
    pub fn open_as_running(root: &Path, runner: Box<dyn Run>) -> Result<System> {
        Ok(System { running: true, ..System::open_with(root, runner)? })
    }

    fn with_runner(root: Root, runner: Box<dyn Run>) -> System {
        let running = root.is_slash();
        System { root, running, runner, overlay: Overlay::default(), facts: Facts::default() }
    }

    /// Whether the files are those of the running machine, so that its kernel may be asked.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Whether systemd manages the running machine (`sd_booted(3)`): false in a chroot, a container without
    /// an init, or with `--root`.
    pub fn is_booted(&self) -> bool {
        self.is_running()
            && matches!(self.meta("/run/systemd/system"), Ok(Some(m)) if m.kind == FileKind::Directory)
    }

    /// The path on the host of a path on the machine. Only for handing to external programs.
    pub fn host_path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.host_path(path.as_ref())
    }

    /// The whole content of a file, or `None` when there is no such file. Symbolic links are followed
    /// inside the root.
    ///
    /// # Errors
    /// When the file is there and cannot be read whole: permission, a directory, larger than [`MAX_FILE`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        match self.overlay.file(path) {
            Some(overlaid) => Ok(overlaid.content().map(<[u8]>::to_vec)),
            None => self.root.read(path, MAX_FILE).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// The content of a text file, or `None` when there is no such file.
    ///
    /// # Errors
    /// As [`System::read`], and when the content is not UTF-8: a file that cannot be understood is not judged.
    pub fn read_text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let path = path.as_ref();
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => bail!(
                "reading {}: byte {} is not UTF-8 text; convert the file to UTF-8",
                path.display(),
                error.utf8_error().valid_up_to()
            ),
        }
    }

    /// When the content of a file was last written, or `None` when there is no such file. What a plan has written is new.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn modified(&self, path: impl AsRef<Path>) -> Result<Option<std::time::SystemTime>> {
        let path = path.as_ref();
        if self.overlay.file(path).is_some() {
            return Ok(Some(std::time::SystemTime::now()));
        }
        match std::fs::symlink_metadata(self.host_path(path)) {
            Ok(meta) => Ok(Some(meta.modified()?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("looking at {}", path.display())),
        }
    }

    /// What `path` itself is (a symbolic link is not followed), or `None` when nothing is there.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn meta(&self, path: impl AsRef<Path>) -> Result<Option<Meta>> {
        let path = path.as_ref();
        let below = self.root.meta(path, false).with_context(|| format!("looking at {}", path.display()))?;
        Ok(self.overlay.meta(path, below))
    }

    /// What `path` leads to (symbolic links followed inside the root), or `None` when that is nothing.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn meta_followed(&self, path: impl AsRef<Path>) -> Result<Option<Meta>> {
        let path = path.as_ref();
        let below = self.root.meta(path, true).with_context(|| format!("looking at {}", path.display()))?;
        Ok(self.overlay.meta(path, below))
    }

    /// Whether anything is at `path`, a dangling symbolic link included.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.meta(path)?.is_some())
    }

    /// Where the symbolic link at `path` points, as written in it; `None` when it is no link.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        let path = path.as_ref();
        match self.overlay.file(path) {
            Some(overlaid) => Ok(overlaid.link().map(Path::to_path_buf)),
            None => self.root.read_link(path).with_context(|| format!("reading the link {}", path.display())),
        }
    }

    /// The path that `path` stands for once symbolic links are followed inside the root; the path itself when it is no link.
    ///
    /// # Errors
    /// When links go in circles.
    pub fn follow(&self, path: &Path) -> Result<PathBuf> {
        let mut current = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let Some(target) = self.read_link(&current)? else { return Ok(current) };
            current = normal(&current.parent().unwrap_or(Path::new("/")).join(target));
        }
        bail!("{}: too many symbolic links", path.display())
    }

    /// Like [`System::follow`], with the links on the way followed too: a path without any.
    ///
    /// # Errors
    /// When links go in circles.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        let reversed = |path: &Path| path.iter().rev().map(PathBuf::from).collect::<Vec<_>>();
        let (mut todo, mut done, mut links) = (reversed(path), PathBuf::from("/"), 0);
        while let Some(part) = todo.pop() {
            let next = normal(&done.join(&part));
            match self.read_link(&next)? {
                Some(_) if links == MAX_LINKS => bail!("{}: too many symbolic links", path.display()),
                Some(target) => {
                    links += 1;
                    todo.extend(reversed(&target));
                }
                None => done = next,
            }
        }
        Ok(done)
    }

    /// The names in a directory, sorted; empty when there is no such directory.
    ///
    /// # Errors
    /// When the directory is there and cannot be listed.
    pub fn list(&self, path: impl AsRef<Path>) -> Result<Vec<String>> {
        let path = path.as_ref();
        let mut names = self.root.list(path).with_context(|| format!("listing {}", path.display()))?;
        self.overlay.amend_listing(path, &mut names);
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The files of a drop-in directory whose names end in `suffix`, as full paths, in the order of their
    /// names: how `sysctl.d`, `sshd_config.d` and their like are read.
    ///
    /// # Errors
    /// When the directory is there and cannot be listed.
    pub fn drop_ins(&self, dir: impl AsRef<Path>, suffix: &str) -> Result<Vec<PathBuf>> {
        let dir = dir.as_ref();
        let names = self.list(dir)?;
        let counts = |name: &&String| name.ends_with(suffix) && !name.starts_with('.');
        Ok(names.iter().filter(counts).map(|name| dir.join(name)).collect())
    }

    /// Runs an external program of the running machine.
    ///
    /// # Errors
    /// When the files are not those of the running machine, the program is not there, or it does not end
    /// in time. A non-zero exit is not an error: see [`Output::success`].
    pub fn run(&self, tool: Tool, args: &[&str]) -> Result<Output> {
        if !self.is_running() {
            bail!("{} can only be asked on the running machine, not with --root", tool.name());
        }
        self.runner.run(tool, args, None)
    }

    /// Runs a program of the host whatever the root: for checkers, which are given files or input, and for tools
    /// that take the root as an argument.
    ///
    /// # Errors
    /// When the program is not there or does not end in time.
    pub fn run_on_host(&self, tool: Tool, args: &[&str], input: Option<&[u8]>) -> Result<Output> {
        self.runner.run(tool, args, input)
    }

    /// Tries logins over ssh on the host, one after the other; see [`login`].
    ///
    /// # Errors
    /// When none can be tried.
    pub fn log_in(&self, trials: &[Trial]) -> Result<Vec<Attempt>> {
        self.runner.log_in(trials)
    }

    /// Whether a program is installed on the host.
    pub fn has_tool(&self, tool: Tool) -> bool {
        self.runner.has(tool)
    }

    /// The directory that holds `path`, opened inside the root, and the last part of `path`. For writers only.
    ///
    /// # Errors
    /// When there is no such directory.
    pub(crate) fn open_parent(&self, path: &Path) -> Result<(std::os::fd::OwnedFd, PathBuf)> {
        self.root
            .open_parent(path, true)
            .with_context(|| format!("opening the directory of {}", path.display()))
    }

    /// Like [`System::open_parent`], with no symbolic link on the way: below a directory that users write to, a link
    /// may have come in between since the path was looked at.
    ///
    /// # Errors
    /// When there is no such directory, or it is behind a link.
    pub(crate) fn open_parent_unlinked(&self, path: &Path) -> Result<(std::os::fd::OwnedFd, PathBuf)> {
        let context = || format!("opening the directory of {} without following links", path.display());
        self.root.open_parent(path, false).with_context(context)
    }

    /// A directory, opened inside the root: for waiting until its file system is on disk.
    ///
    /// # Errors
    /// When there is no such directory.
    pub(crate) fn open_directory(&self, path: &Path) -> Result<std::os::fd::OwnedFd> {
        self.root.open_directory(path).with_context(|| format!("opening the directory {}", path.display()))
    }

    /// Lays a change over the machine: every later reading sees it, nothing is written.
    ///
    /// # Errors
    /// When the present state, which the change starts from, cannot be read.
    pub fn pretend(&mut self, change: &Change) -> Result<()> {
        self.overlay.lay(&self.root, change)?;
        self.facts.forget(change);
        Ok(())
    }

    /// Forgets the facts that a change, made for real, may have made untrue. The states of units are kept: an undo wants
    /// those from before the run.
    pub fn changed(&mut self, change: &Change) {
        if !matches!(change, Change::Unit { .. }) {
            self.facts.forget(change);
        }
    }

    /// Forgets every cached fact and every change laid over, after the machine itself was changed.
    pub fn refresh(&mut self) {
        self.overlay = Overlay::default();
        self.facts = Facts::default();
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::ParentDir => drop(parts.pop()),
            _ => {}
        }
    }
    parts
}
