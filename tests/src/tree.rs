//! Small trees for tests that change one thousands of times: the configuration of a root tree, in memory.
//!
//! A [`Tree`] has `/etc`, the package database and the unit files of a [`Root`], and nothing else; the agent works on it with
//! `--root`. A [`Snapshot`] is everything about it that a change must not spoil.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cache;
use crate::command::Program;
use crate::root::Root;

/// What of a root tree a small one has.
const PARTS: [&str; 8] = [
    "etc",
    "var/lib/dpkg/status",
    "var/lib/pam",
    "usr/share/pam-configs",
    "usr/lib/os-release",
    "usr/lib/systemd",
    "usr/lib/sysctl.d",
    "usr/lib/x86_64-linux-gnu/security",
];

/// A small tree; it is gone when dropped.
pub struct Tree {
    dir: TempDir,
}

/// Kind, mode, owner and content of every path, the agent's own state left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, String>);

impl Tree {
    /// A copy of the configuration of a root tree, in memory where there is room for that.
    pub fn of(root: &Root) -> Result<Tree> {
        let key = [root.path.to_string_lossy().into_owned(), PARTS.join(",")];
        let archive = cache::entry("tree", &[&key[0], &key[1]], |path| {
            let source = root.path.as_os_str();
            let parts = PARTS.iter().filter(|part| root.path.join(part).exists());
            Program::new("tar")
                .args(["-cf".as_ref(), path.as_os_str(), "-C".as_ref(), source])
                .args(parts)
                .run()?;
            Ok(())
        })?;
        let dir = tempfile::Builder::new().prefix("tree-").tempdir_in(memory())?;
        let arguments = ["-xpf".as_ref(), archive.as_os_str(), "-C".as_ref(), dir.path().as_os_str()];
        Program::new("tar").args(arguments).run()?;
        for link in ["lib", "sbin", "bin"] {
            std::os::unix::fs::symlink(format!("usr/{link}"), dir.path().join(link))?;
        }
        Ok(Tree { dir })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Everything about it.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut paths = BTreeMap::new();
        let mut open = vec![self.path().to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory)? {
                let path = entry?.path();
                let below = path.strip_prefix(self.path())?.to_path_buf();
                if below.starts_with("var/lib/trempe") {
                    continue;
                }
                paths.insert(
                    below,
                    describe(&path).with_context(|| format!("looking at {}", path.display()))?,
                );
                if fs::symlink_metadata(&path)?.is_dir() {
                    open.push(path);
                }
            }
        }
        Ok(Snapshot(paths))
    }
}

impl Snapshot {
    /// The paths that differ, each with what is here and there.
    pub fn differences(&self, other: &Snapshot) -> Vec<String> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let absent = "absent".to_owned();
        let side = |snapshot: &Snapshot, path| snapshot.0.get(path).unwrap_or(&absent).clone();
        let differs = paths.into_iter().filter(|path| self.0.get(*path) != other.0.get(*path));
        differs
            .map(|path| format!("{}: {} / {}", path.display(), side(self, path), side(other, path)))
            .collect()
    }
}

fn memory() -> PathBuf {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared.to_path_buf() } else { std::env::temp_dir() }
}

fn describe(path: &Path) -> Result<String> {
    let meta = fs::symlink_metadata(path)?;
    let content = match () {
        () if meta.is_symlink() => format!("-> {}", fs::read_link(path)?.display()),
        () if meta.is_file() => {
            let content = fs::read(path)?;
            format!("{} bytes {}", content.len(), cache::hash(&[&String::from_utf8_lossy(&content)]))
        }
        () => String::new(),
    };
    Ok(format!("{:o} {}:{} {content}", meta.permissions().mode(), meta.uid(), meta.gid()))
}
