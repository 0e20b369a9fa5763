//! A temporary tree that stands for a machine, for the tests of settings.
//!
//! As it is made it is one that lies on a disk, as with `--root`; [`Tree::running`] and [`Tree::booted`] make it a machine that
//! runs, whose programs ([`host`]) really change it.

mod host;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Setting;
use crate::apply::journal::{Entry, Journal};
use crate::apply::perform::perform;
use crate::apply::restore::{Taken, take_back};
use crate::apply::transaction::Transaction;
use crate::apply::undo::{Undo, prepare};
use crate::change::Change;
use crate::system::{Output, Run, System, Tool};

/// A tree of files below a temporary directory.
#[derive(Default)]
pub struct Tree {
    dir: Dir,
    running: bool,
}

struct Dir(tempfile::TempDir);

impl Default for Dir {
    fn default() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Tree {
        Tree::default()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.0.path().join(path.trim_start_matches('/'))
    }

    /// Adds a file with mode 0644.
    pub fn file(self, path: &str, text: &str) -> Tree {
        self.file_with_mode(path, text, 0o644)
    }

    /// Adds a file.
    pub fn file_with_mode(self, path: &str, text: &str, mode: u32) -> Tree {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Adds a directory.
    pub fn dir(self, path: &str, mode: u32) -> Tree {
        fs::create_dir_all(self.at(path)).unwrap();
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Adds a symbolic link.
    pub fn link(self, path: &str, target: &str) -> Tree {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, self.at(path)).unwrap();
        self
    }

    /// Adds installed packages to the dpkg database.
    pub fn packages(self, names: &[&str]) -> Tree {
        let stanza = |name: &&str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n");
        let status: String = names.iter().map(stanza).collect();
        self.file("/var/lib/dpkg/status", &status)
    }

    /// Makes it a machine that runs: its kernel and its programs can be asked.
    pub fn running(self) -> Tree {
        Tree { running: true, ..self }
    }

    /// Makes it a machine that runs, with these units active under its systemd.
    pub fn booted(self, active: &[&str]) -> Tree {
        let lines: String = active.iter().map(|unit| format!("{unit}\n")).collect();
        self.running().dir("/run/systemd/system", 0o755).file(host::ACTIVE, &lines)
    }

    /// The machine. Every program of the host is there and agrees, so that a test does not depend on which checkers are
    /// installed where it runs.
    pub fn system(&self) -> System {
        match self.running {
            true => System::open_as_running(self.dir.0.path(), Box::new(host::Host::of(self.dir.0.path()))),
            false => System::open_with(self.dir.0.path(), Box::new(Agreeable)),
        }
        .unwrap()
    }

    /// The machine on a host with these programs.
    pub fn system_with(&self, programs: Box<dyn Run>) -> System {
        System::open_with(self.dir.0.path(), programs).unwrap()
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    /// The permission bits of a path.
    pub fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.at(path)).unwrap().permissions().mode() & 0o7777
    }

    /// Whether something is there.
    pub fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }

    /// The changes that would make a setting right, checked on an overlay: after them the setting holds.
    pub fn planned(&self, setting: &dyn Setting) -> Vec<Change> {
        let mut system = self.system();
        let changes = setting.examine(&system).unwrap().changes;
        for change in &changes {
            system.pretend(change).unwrap();
        }
        let after = setting.examine(&system).unwrap();
        assert!(after.is_compliant(), "the plan does not lead to compliance: {changes:?}\n{after:?}");
        changes
    }

    /// Makes the changes that would make a setting right, for real, below the tree.
    pub fn applied(&self, setting: &dyn Setting) -> &Tree {
        let state = tempfile::tempdir().unwrap();
        drop(self.carry_out(setting, state.path()));
        self
    }

    /// Inspect, change, inspect clean, nothing left to change, take back: the tree is what it was.
    pub fn round_trip(&self, setting: &dyn Setting) {
        let before = self.snapshot();
        assert!(!setting.examine(&self.system()).unwrap().is_compliant(), "there is nothing to mend");
        let state = tempfile::tempdir().unwrap();
        let (journal, entries) = self.carry_out(setting, state.path());
        let after = setting.examine(&self.system()).unwrap();
        assert!(after.is_compliant(), "not compliant after the changes: {after:?}");
        assert!(after.changes.is_empty(), "compliant, and still something to change: {:?}", after.changes);
        for entry in entries.iter().rev() {
            self.take_back(entry, &journal);
        }
        assert_eq!(self.snapshot(), before, "taking back did not restore the tree");
    }

    fn carry_out(&self, setting: &dyn Setting, state: &Path) -> (Journal, Vec<Entry>) {
        let journal = Journal::begin(state, "test").unwrap();
        let mut entries = Vec::new();
        for (number, change) in setting.examine(&self.system()).unwrap().changes.into_iter().enumerate() {
            let undo = prepare(&self.system(), &change, &journal.blobs).unwrap();
            perform(&self.system(), &change).unwrap();
            let left = match &undo {
                Undo::Packages(part) => Transaction::load(&part.transaction, &journal.blobs)
                    .and_then(|transaction| transaction.left(&self.system(), &journal.blobs)),
                _ => undo.left(&self.system(), &change, &journal.blobs),
            };
            let (rule, effects, left) = ("test".to_owned(), Vec::new(), Some(left.unwrap()));
            entries.push(Entry { number, rule, change, undo, effects, left, undone: false });
        }
        (journal, entries)
    }

    fn take_back(&self, entry: &Entry, journal: &Journal) {
        match &entry.undo {
            Undo::Packages(part) => Transaction::load(&part.transaction, &journal.blobs)
                .and_then(|transaction| {
                    transaction.take_back(&mut self.system(), entry.left.as_deref(), &journal.blobs)
                })
                .unwrap(),
            _ => assert_eq!(take_back(&self.system(), entry, &[], &journal.blobs).unwrap(), Taken::Back),
        }
    }

    /// Every path with its kind, mode, owner and content.
    pub fn snapshot(&self) -> Vec<String> {
        snapshot(self.dir.0.path())
    }
}

/// A host on which every program is installed and succeeds without a word.
struct Agreeable;

impl Run for Agreeable {
    fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
        let command = format!("{} {}", tool.name(), args.join(" "));
        Ok(Output { code: Some(0), command, ..Output::default() })
    }

    fn has(&self, _: Tool) -> bool {
        true
    }
}

/// Every path below a directory with its kind, mode, owner and content.
fn snapshot(dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let meta = entry.metadata().unwrap();
            let content = match () {
                () if meta.is_symlink() => fs::read_link(entry.path()).unwrap().display().to_string(),
                () if meta.is_file() => fs::read_to_string(entry.path()).unwrap(),
                () => String::new(),
            };
            let (mode, uid, gid) = (meta.permissions().mode(), meta.uid(), meta.gid());
            lines.push(format!("{} {mode:o} {uid}:{gid} {content}", entry.path().display()));
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    lines.sort();
    lines
}
