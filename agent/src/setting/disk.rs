//! What must be nowhere on the disks of the machine: files that anyone may write, files of nobody.
//!
//! All these rules ask one shared walk ([`crate::system::Walk`]). What the walk kept is looked at once more, so that a
//! plan sees what its own changes would make of it. Directories that could not be listed leave the question open: an error,
//! unless something bad was found anyway.

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::Change;
use crate::finding::Finding;
use crate::system::{Accounts, FileKind, Meta, System, Walk, WalkEntry};

/// How many files are shown one by one; all are mended.
const MAX_SHOWN: usize = 50;

/// What must be nowhere on the disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disk {
    /// No regular file that anyone may write.
    NoWorldWritableFiles,
    /// No directory that anyone may write and where anyone may remove what others put there.
    NoWorldWritableDirectories,
    /// No file or directory of a user who does not exist.
    NoFilesWithoutUser,
    /// No file or directory of a group that does not exist.
    NoFilesWithoutGroup,
}

impl Setting for Disk {
    fn examine(&self, system: &System) -> Result<Finding> {
        let walk = system.walk()?;
        let accounts = system.accounts()?;
        let mut bad = Vec::new();
        for entry in self.kept(walk) {
            if let Some(meta) = system.meta(&entry.path)?
                && self.is_bad(&meta, accounts)
            {
                bad.push((entry, meta));
            }
        }
        if bad.is_empty()
            && let Some(first) = walk.unreadable.first()
        {
            bail!("{} directories could not be listed, the first: {first}", walk.unreadable.len());
        }
        let mut finding = Finding::new();
        for (entry, meta) in &bad {
            self.report(entry, meta, &mut finding);
        }
        if bad.len() > MAX_SHOWN {
            let found = format!("{} more", bad.len() - MAX_SHOWN);
            finding.persistent(false, found, self.wanted(), "all local disks");
        } else if bad.is_empty() {
            let found = format!("none among {} files and directories", walk.visited);
            finding.persistent(true, found, self.wanted(), "all local disks");
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("on all local disks: {}", self.wanted())
    }
}

impl Disk {
    fn kept<'a>(&self, walk: &'a Walk) -> &'a [WalkEntry] {
        match self {
            Disk::NoWorldWritableFiles => &walk.world_writable_files,
            Disk::NoWorldWritableDirectories => &walk.unsticky_dirs,
            Disk::NoFilesWithoutUser => &walk.no_user,
            Disk::NoFilesWithoutGroup => &walk.no_group,
        }
    }

    fn is_bad(&self, meta: &Meta, accounts: &Accounts) -> bool {
        match self {
            Disk::NoWorldWritableFiles => meta.kind == FileKind::Regular && meta.mode & 0o002 != 0,
            Disk::NoWorldWritableDirectories => {
                meta.kind == FileKind::Directory && meta.mode & 0o1002 == 0o002
            }
            Disk::NoFilesWithoutUser => accounts.users.iter().all(|user| user.uid != meta.uid),
            Disk::NoFilesWithoutGroup => accounts.groups.iter().all(|group| group.gid != meta.gid),
        }
    }

    fn report(&self, entry: &WalkEntry, meta: &Meta, finding: &mut Finding) {
        let found = match self {
            Disk::NoWorldWritableFiles | Disk::NoWorldWritableDirectories => {
                format!("mode {:04o}", meta.mode)
            }
            Disk::NoFilesWithoutUser => format!("owner {}", meta.uid),
            Disk::NoFilesWithoutGroup => format!("group {}", meta.gid),
        };
        if finding.evidence.len() < MAX_SHOWN {
            finding.persistent(false, found, self.wanted(), entry.path.display().to_string());
        }
        let mode = match self {
            Disk::NoWorldWritableFiles => Some(meta.mode & !0o002),
            Disk::NoWorldWritableDirectories => Some(meta.mode | 0o1000),
            Disk::NoFilesWithoutUser | Disk::NoFilesWithoutGroup => None,
        };
        if mode.is_some() {
            finding.change(Change::SetMeta { path: entry.path.clone(), mode, uid: None, gid: None });
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            Disk::NoWorldWritableFiles => "no file that anyone may write",
            Disk::NoWorldWritableDirectories => "no directory that anyone may write without the sticky bit",
            Disk::NoFilesWithoutUser => "no file without an existing owner",
            Disk::NoFilesWithoutGroup => "no file without an existing group",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    /// A tree whose passwd and group name the user who runs the tests.
    fn tree() -> Tree {
        let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
        Tree::new()
            .file("/etc/passwd", &format!("me:x:{uid}:{gid}::/home/me:/bin/sh\n"))
            .file("/etc/group", &format!("me:x:{gid}:\n"))
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = tree().file_with_mode("/srv/a", "", 0o666).file_with_mode("/srv/b/c", "", 0o4757);
        tree.round_trip(&Disk::NoWorldWritableFiles);
        assert_eq!(tree.planned(&Disk::NoWorldWritableFiles).len(), 2);
        assert_eq!(tree.applied(&Disk::NoWorldWritableFiles).mode("/srv/b/c"), 0o4755);
    }

    #[test]
    fn directories_for_everyone_get_the_sticky_bit() {
        let tree = tree().dir("/pool", 0o777).dir("/tmp", 0o1777);
        tree.round_trip(&Disk::NoWorldWritableDirectories);
        assert_eq!(tree.applied(&Disk::NoWorldWritableDirectories).mode("/pool"), 0o1777);
    }

    #[test]
    fn directories_and_links_that_anyone_may_write_are_another_matter() {
        let tree = tree().dir("/pool", 0o1777).link("/etc/x", "/etc/passwd");
        let finding = Disk::NoWorldWritableFiles.examine(&tree.system()).unwrap();
        assert!(finding.is_compliant(), "{finding:?}");
    }

    #[test]
    fn files_of_nobody_are_found_and_left_to_a_person() {
        let nobody = Tree::new().file("/etc/passwd", "x:x:4242:4242::/:/bin/sh\n").file("/srv/a", "");
        for kind in [Disk::NoFilesWithoutUser, Disk::NoFilesWithoutGroup] {
            let finding = kind.examine(&nobody.system()).unwrap();
            assert!(!finding.is_compliant() && finding.changes.is_empty());
            assert!(finding.evidence.iter().any(|one| one.place == "/srv/a"), "{finding:?}");
            assert!(kind.examine(&tree().system()).unwrap().is_compliant());
        }
    }
}
