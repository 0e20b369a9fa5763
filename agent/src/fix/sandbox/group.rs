//! A control group that scripts run in: a hard limit on how many processes there are, where the kernel offers one.
//!
//! Without it a script that does nothing but multiply would, until it is ended, take all the processes that the machine can have.
//! See `Documentation/admin-guide/cgroup-v2.rst` of the kernel, and `cgroup-v1/pids.rst`. Where neither is there, the watch over
//! the script is all there is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where groups that count processes are made: of version 2, where that controller is handed down, and of version 1.
const UNIFIED: &str = "/sys/fs/cgroup";
const COUNTING: &str = "/sys/fs/cgroup/pids";
/// What the names of ours begin with; a session's process number follows.
const PREFIX: &str = "trempe-sandbox-";

/// Makes the group of a session, for so many processes, and removes those that agents which were killed have left. `None` where there
/// can be none.
pub fn make(session: u32, most: usize) -> Option<PathBuf> {
    let parent = parent()?;
    for entry in fs::read_dir(&parent).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ended = |session: &str| !Path::new("/proc").join(session).exists();
        if name.strip_prefix(PREFIX).is_some_and(ended) {
            drop(fs::remove_dir(entry.path()));
        }
    }
    let group = parent.join(format!("{PREFIX}{session}"));
    if !group.is_dir() {
        fs::create_dir(&group).ok()?;
    }
    fs::write(group.join("pids.max"), most.to_string()).ok()?;
    Some(group)
}

/// Removes the group of a session that has ended.
pub fn remove(session: u32) {
    if let Some(parent) = parent() {
        drop(fs::remove_dir(parent.join(format!("{PREFIX}{session}"))));
    }
}

/// Puts this process, and all that it will start, into a group.
///
/// # Errors
/// When the kernel refuses.
pub fn join(group: &Path) -> Result<()> {
    let own = std::process::id().to_string();
    fs::write(group.join("cgroup.procs"), own).with_context(|| format!("joining {}", group.display()))
}

fn parent() -> Option<PathBuf> {
    let handed_down = fs::read_to_string(Path::new(UNIFIED).join("cgroup.subtree_control"));
    if handed_down.is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "pids")) {
        return Some(PathBuf::from(UNIFIED));
    }
    Path::new(COUNTING).join("cgroup.procs").exists().then(|| PathBuf::from(COUNTING))
}
