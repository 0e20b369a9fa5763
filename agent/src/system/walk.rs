//! One shared, parallel walk over the local file systems, which answers every whole-disk question.
//!
//! Each entry is looked at once (`lstat`) and forgotten unless it is remarkable, so memory does not grow with the number
//! of files. To ask another question, add a list to [`Walk`] and a line to [`Found::consider`].

use std::collections::HashSet;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};

use anyhow::{Context, Result};

use super::{FileKind, Meta, System};

/// File systems that are not walked: those of the kernel hold no files, those in memory none that last, and those of the
/// network belong to the machine that serves them.
const FOREIGN: [&str; 33] = [
    "proc",
    "sysfs",
    "autofs",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "bpf",
    "pstore",
    "configfs",
    "fusectl",
    "binfmt_misc",
    "efivarfs",
    "mqueue",
    "hugetlbfs",
    "devpts",
    "devtmpfs",
    "tmpfs",
    "ramfs",
    "afs",
    "auristorfs",
    "ceph",
    "cifs",
    "smb3",
    "smbfs",
    "sshfs",
    "nfs",
    "nfs4",
    "gfs2",
    "glusterfs",
    "ocfs2",
    "lustre",
];

/// Where such file systems are mounted when the mount table is not that of the machine (`--root`).
const FOREIGN_PLACES: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// The most entries kept of one kind. A machine with more has a bigger problem than the exact list.
pub const MAX_KEPT: usize = 50_000;

/// A remarkable entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkEntry {
    /// Its path on the machine.
    pub path: PathBuf,
    /// What the inode says.
    pub meta: Meta,
}

/// What the walk found. Lists are sorted by path.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// Regular files that anyone may write.
    pub world_writable_files: Vec<WalkEntry>,
    /// Directories that anyone may write, without the sticky bit.
    pub unsticky_dirs: Vec<WalkEntry>,
    /// Entries whose user id has no name.
    pub no_user: Vec<WalkEntry>,
    /// Entries whose group id has no name.
    pub no_group: Vec<WalkEntry>,
    /// Regular files with the set-user-id or set-group-id bit.
    pub set_id: Vec<WalkEntry>,
    /// Directories that could not be listed, with the reason. A question about the whole disk has no sure answer then.
    pub unreadable: Vec<String>,
    /// How many entries were looked at.
    pub visited: u64,
    /// Whether a list was cut at [`MAX_KEPT`].
    pub truncated: bool,
}

impl Walk {
    pub(super) fn learn(system: &System) -> Result<Walk> {
        let accounts = system.accounts()?;
        let known = Known {
            users: sorted(accounts.users.iter().map(|user| user.uid)),
            groups: sorted(accounts.groups.iter().map(|group| group.gid)),
        };
        let mut skip: HashSet<PathBuf> = FOREIGN_PLACES.iter().map(|path| system.host_path(path)).collect();
        let mounts = system.mounts()?;
        let foreign = mounts.now.iter().filter(|mount| is_foreign(&mount.fs_type));
        skip.extend(foreign.map(|mount| PathBuf::from(&mount.target)));
        walk(&system.host_path("/"), &skip, &known)
    }
}

fn sorted(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids
}

fn is_foreign(fs_type: &str) -> bool {
    FOREIGN.contains(&fs_type) || fs_type.strip_prefix("fuse.").is_some_and(|inner| FOREIGN.contains(&inner))
}

/// Ids that have a name, in order: a search in a few dozen numbers beats hashing.
struct Known {
    users: Vec<u32>,
    groups: Vec<u32>,
}

/// What one worker found.
#[derive(Default)]
struct Found(Walk);

impl Found {
    /// Keeps what is remarkable; the path is only put together for that.
    fn consider(&mut self, entry: &DirEntry, base: &Path, meta: &Meta, known: &Known) {
        let walk = &mut self.0;
        walk.visited += 1;
        let writable = meta.mode & 0o002 != 0;
        let mut keep = |list: fn(&mut Walk) -> &mut Vec<WalkEntry>| {
            let path = entry.path();
            let below = path.strip_prefix(base).unwrap_or(&path);
            let entry = WalkEntry { path: Path::new("/").join(below), meta: meta.clone() };
            if list(walk).len() < MAX_KEPT {
                list(walk).push(entry);
            } else {
                walk.truncated = true;
            }
        };
        if writable && meta.kind == FileKind::Regular {
            keep(|walk| &mut walk.world_writable_files);
        }
        if writable && meta.kind == FileKind::Directory && meta.mode & 0o1000 == 0 {
            keep(|walk| &mut walk.unsticky_dirs);
        }
        if meta.mode & 0o6000 != 0 && meta.kind == FileKind::Regular {
            keep(|walk| &mut walk.set_id);
        }
        if known.users.binary_search(&meta.uid).is_err() {
            keep(|walk| &mut walk.no_user);
        }
        if known.groups.binary_search(&meta.gid).is_err() {
            keep(|walk| &mut walk.no_group);
        }
    }
}

/// A directory still to list, and the device it is on.
type Open = (PathBuf, u64);

/// The directories still to list, shared by the workers: deepest first, so that there are never many.
struct Queue {
    state: Mutex<(Vec<Open>, usize)>,
    changed: Condvar,
}

impl Queue {
    /// The next directory; waits while others may still add some, `None` when all is done.
    fn next(&self) -> Option<Open> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        loop {
            if let Some(dir) = state.0.pop() {
                state.1 += 1;
                return Some(dir);
            }
            if state.1 == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn done(&self, found: &mut Vec<Open>) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.1 -= 1;
        if !found.is_empty() || state.1 == 0 {
            self.changed.notify_all();
        }
        state.0.append(found);
    }
}

fn walk(base: &Path, skip: &HashSet<PathBuf>, known: &Known) -> Result<Walk> {
    let device = std::fs::metadata(base).with_context(|| format!("looking at {}", base.display()))?.dev();
    let queue = Queue { state: Mutex::new((vec![(base.to_path_buf(), device)], 0)), changed: Condvar::new() };
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
    let parts: Vec<Walk> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&queue, base, skip, known))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let mut whole = Walk::default();
    for mut part in parts {
        whole.world_writable_files.append(&mut part.world_writable_files);
        whole.unsticky_dirs.append(&mut part.unsticky_dirs);
        whole.no_user.append(&mut part.no_user);
        whole.no_group.append(&mut part.no_group);
        whole.set_id.append(&mut part.set_id);
        whole.unreadable.append(&mut part.unreadable);
        whole.visited += part.visited;
        whole.truncated |= part.truncated;
    }
    for list in [
        &mut whole.world_writable_files,
        &mut whole.unsticky_dirs,
        &mut whole.no_user,
        &mut whole.no_group,
        &mut whole.set_id,
    ] {
        list.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(whole)
}

fn work(queue: &Queue, base: &Path, skip: &HashSet<PathBuf>, known: &Known) -> Walk {
    let mut found = Found::default();
    let mut below = Vec::new();
    while let Some(dir) = queue.next() {
        if let Err(error) = list(&dir, base, skip, known, &mut found, &mut below) {
            found.0.unreadable.push(format!("{error:#}"));
        }
        queue.done(&mut below);
    }
    found.0
}

fn list(
    (dir, device): &Open,
    base: &Path,
    skip: &HashSet<PathBuf>,
    known: &Known,
    found: &mut Found,
    below: &mut Vec<Open>,
) -> Result<()> {
    let listing = || format!("listing {}", dir.display());
    let entries = match std::fs::read_dir(dir) {
        // Gone since its parent was listed: nothing there to judge.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.with_context(listing)?,
    };
    for entry in entries {
        let entry = entry.with_context(listing)?;
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.with_context(|| format!("looking at {}", entry.path().display()))?,
        };
        let meta = Meta::from(&metadata);
        if meta.kind == FileKind::Directory {
            let path = entry.path();
            // Another device is where something is mounted, and only there the table has to be asked.
            if metadata.dev() != *device && skip.contains(&path) {
                continue;
            }
            below.push((path, metadata.dev()));
        }
        found.consider(&entry, base, &meta, known);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn finds_what_is_remarkable_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, mode: u32| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        fs::create_dir_all(dir.path().join("deep/er")).unwrap();
        at("plain", 0o644);
        at("deep/open", 0o666);
        at("deep/er/suid", 0o4755);
        fs::create_dir(dir.path().join("pool")).unwrap();
        fs::set_permissions(dir.path().join("pool"), fs::Permissions::from_mode(0o777)).unwrap();
        let meta = fs::metadata(dir.path()).unwrap();
        let known = Known { users: vec![meta.uid()], groups: vec![] };
        let walk = walk(dir.path(), &HashSet::new(), &known).unwrap();
        let paths =
            |list: &[WalkEntry]| list.iter().map(|e| e.path.display().to_string()).collect::<Vec<_>>();
        assert_eq!(paths(&walk.world_writable_files), ["/deep/open"]);
        assert_eq!(paths(&walk.unsticky_dirs), ["/pool"]);
        assert_eq!(paths(&walk.set_id), ["/deep/er/suid"]);
        assert!(walk.no_user.is_empty());
        assert_eq!(walk.no_group.len() as u64, walk.visited);
        assert_eq!(walk.visited, 6);
    }

    #[test]
    fn a_place_is_foreign_only_where_another_device_begins() {
        let known = Known { users: vec![0], groups: vec![0] };
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("proc")).unwrap();
        fs::write(dir.path().join("proc/file"), "").unwrap();
        let walk = walk(dir.path(), &[dir.path().join("proc")].into(), &known).unwrap();
        assert_eq!(walk.visited, 2);
    }
}
