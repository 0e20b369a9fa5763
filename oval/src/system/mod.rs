//! The only door to the machine: the files of the running system, or of a directory that holds one.
//!
//! Paths are given as on the machine (`/etc/passwd`). Below another root than `/` they are resolved inside it, symbolic links too
//! (`openat2(2)` with `RESOLVE_IN_ROOT`), so nothing leads out. What only a kernel or a service manager that runs can tell is not
//! asked below such a root: [`System::is_running`].
//!
//! Nothing is written. One program is started, and on a running system only: `systemctl show`.

mod digest;
mod directory;
mod files;
mod meta;
mod mounts;
mod packages;
mod rpm;
mod share;
mod units;

pub(crate) use digest::Algorithm;
pub(crate) use directory::Directory;
pub(crate) use files::{Files, KERNELS};
pub(crate) use meta::{Kind, Meta};
pub(crate) use mounts::Mount;
pub(crate) use packages::Packages;
pub(crate) use rpm::{Header, RpmFile};
pub(crate) use share::Share;
pub(crate) use units::Units;

use crate::pattern::Patience;
use directory::Directories;
use std::cell::{Cell, OnceCell};
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// The most entries of directories that all searches together come to.
const MAX_VISITS: u64 = 256_000_000;

/// A machine's files, and whether it runs.
pub struct System {
    files: Arc<Files>,
    /// How many entries searches may still come to.
    visits: Cell<u64>,
    /// The processor time that searches for patterns may still take.
    patience: Patience,
    /// The bytes of items and of variables' values that evaluations keep.
    items: Rc<Cell<usize>>,
    values: Rc<Cell<usize>>,
    directories: Directories,
    mounts: OnceCell<Option<Rc<[Mount]>>>,
    dpkg: OnceCell<Option<Packages>>,
    units: OnceCell<Result<Rc<Units>, String>>,
    rpms: OnceCell<Result<Rc<[Rpm]>, String>>,
}

/// An installed rpm package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rpm {
    pub name: String,
    /// `(none)` when it has none.
    pub epoch: String,
    pub version: String,
    pub release: String,
    pub architecture: String,
    /// The id of the key that signed it; `0` when nobody did.
    pub signature_key: String,
}

impl Deref for System {
    type Target = Files;

    fn deref(&self) -> &Files {
        &self.files
    }
}

impl System {
    /// The running system.
    pub fn running() -> System {
        System {
            files: Arc::new(Files::running()),
            visits: Cell::new(MAX_VISITS),
            patience: Patience::default(),
            items: Rc::default(),
            values: Rc::default(),
            directories: Directories::default(),
            mounts: OnceCell::new(),
            dpkg: OnceCell::new(),
            units: OnceCell::new(),
            rpms: OnceCell::new(),
        }
    }

    /// The system whose files are below a directory; `/` is the running one.
    ///
    /// # Errors
    /// When there is no such directory or it may not be opened.
    pub fn below(root: &Path) -> io::Result<System> {
        Ok(System { files: Arc::new(Files::below(root)?), ..System::running() })
    }

    /// What a search may look at: as much as it asks for, or what is left for all searches together.
    pub(crate) fn take_visits(&self, wanted: u64) -> u64 {
        let taken = wanted.min(self.visits.get());
        self.visits.set(self.visits.get() - taken);
        taken
    }

    /// Gives back what a search did not need.
    pub(crate) fn give_visits(&self, left: u64) {
        self.visits.set(self.visits.get() + left);
    }

    /// The patience of all searches for patterns.
    pub(crate) fn patience(&self) -> Patience {
        self.patience.clone()
    }

    /// A share of the memory for items, and one of that for variables' values.
    pub(crate) fn shares(&self) -> (Share, Share) {
        (Share::of(&self.items), Share::of(&self.values))
    }

    /// Its files, for another thread.
    pub(crate) fn files(&self) -> Arc<Files> {
        Arc::clone(&self.files)
    }

    /// The entries of a directory with what they are, in the order of the directory; kept for the next who asks.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Rc<Directory>> {
        self.directories.list(self, path)
    }

    /// systemd's loaded units; the error says why there are none to be had.
    pub(crate) fn units(&self) -> Result<Rc<Units>, String> {
        self.units.get_or_init(|| units::read().map(Rc::new)).clone()
    }

    /// Whether the system has rpm at all.
    pub(crate) fn has_rpm(&self) -> bool {
        rpm::is_configured(self)
    }

    /// The installed rpm packages; the error says why they cannot be listed.
    pub(crate) fn rpms(&self) -> Result<Rc<[Rpm]>, String> {
        let read = || {
            let mut found = Vec::new();
            self.each_rpm(&mut |header| {
                found.push(Rpm {
                    name: header.name(),
                    epoch: header.epoch(),
                    version: header.version(),
                    release: header.release(),
                    architecture: header.architecture(),
                    signature_key: header.signature_key(),
                });
                true
            })?;
            Ok(found.into())
        };
        self.rpms.get_or_init(read).clone()
    }

    /// Every installed rpm package: its name, and `[epoch:]version-release` as rpm writes it. `None` where there is no database of
    /// rpm.
    ///
    /// # Errors
    /// When the database cannot be read, or is in a format that is not supported.
    pub fn rpm_packages(&self) -> Result<Option<Vec<(String, String)>>, String> {
        if !rpm::is_there(self)? {
            return Ok(None);
        }
        let packages = self.rpms()?;
        let evr = |rpm: &Rpm| match rpm.epoch.as_str() {
            "(none)" | "0" => format!("{}-{}", rpm.version, rpm.release),
            epoch => format!("{epoch}:{}-{}", rpm.version, rpm.release),
        };
        Ok(Some(packages.iter().map(|rpm| (rpm.name.clone(), evr(rpm))).collect()))
    }

    /// Calls `each` with the header of every installed rpm package; it says whether to go on.
    pub(crate) fn each_rpm(&self, each: &mut dyn FnMut(&Header<'_>) -> bool) -> Result<(), String> {
        rpm::each_package(self, each)
    }

    /// dpkg's list of packages; `None` when there is none.
    pub(crate) fn packages(&self) -> Option<&Packages> {
        self.dpkg.get_or_init(|| self.read_text("/var/lib/dpkg/status").ok().map(Packages::new)).as_ref()
    }

    /// What is mounted, in the order of the mount table; `None` when there is no such table.
    pub(crate) fn mounts(&self) -> Option<Rc<[Mount]>> {
        self.mounts.get_or_init(|| mounts::read(self, &["/proc/mounts"])).clone()
    }

    /// The devices that count as local: `None` below another root, where all do.
    pub(crate) fn local_devices(&self) -> io::Result<Option<Vec<u64>>> {
        if !self.is_running() {
            return Ok(None);
        }
        // As oscap: what counts as local is asked of another table. Where it is missing oscap finds no files at all.
        let mounts = mounts::read(self, &["/etc/mtab", "/proc/mounts"])
            .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "there is no /etc/mtab"))?;
        let local = mounts.iter().filter(|mount| mount.is_local());
        let mut devices: Vec<u64> =
            local.filter_map(|mount| Some(self.stat(Path::new(&mount.point)).ok()?.device)).collect();
        devices.sort_unstable();
        devices.dedup();
        Ok(Some(devices))
    }
}
