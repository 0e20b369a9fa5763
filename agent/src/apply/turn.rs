//! A run's turn: no other run is under way, what interrupted ones left is taken back, and nothing waits to be confirmed.
//!
//! Who asks for a run by hand is told at once that another has the turn. The first boot, which nobody repeats, waits for it
//! ([`Control::patience`]).

use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};

use super::rollback::Undone;
use super::{Control, check_stop, file, journal, pending, rollback};
use crate::system::System;

/// How often it is looked whether it has come.
const LOOK: Duration = Duration::from_millis(500);

/// Held while a run changes the machine, so that there is never more than one.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

/// Another run holds the lock.
#[derive(Debug, thiserror::Error)]
#[error("another run is under way on this machine")]
struct UnderWay;

/// The turn of a run; over when dropped.
#[derive(Debug)]
pub struct Turn {
    /// The state directory.
    pub state: PathBuf,
    /// Runs that had been interrupted and were taken back first.
    pub recovered: Vec<Undone>,
    /// Held until the end of the run.
    pub lock: Lock,
}

/// Takes the turn. Waits for another run's end, and for what becomes of one that is to be confirmed, as long as the control's patience
/// lasts and it is not told to stop.
///
/// # Errors
/// When another has it still, or what was interrupted cannot be taken back.
pub fn take(system: &mut System, control: &Control) -> Result<Turn> {
    let (since, mut waited) = (Instant::now(), false);
    let mut recovered = Vec::new();
    loop {
        let error = match at_once(system, &mut recovered) {
            Ok((state, lock)) => return Ok(Turn { state, recovered, lock }),
            Err(error) => error,
        };
        let others = error.is::<UnderWay>() || error.is::<pending::Unconfirmed>();
        if !others || since.elapsed() >= control.patience {
            return Err(error);
        }
        check_stop(control.stop).with_context(|| format!("waiting, as {error:#}"))?;
        if !waited {
            (control.progress)(&format!("{error:#}: waiting for what becomes of it"));
            waited = true;
        }
        std::thread::sleep(LOOK);
        // The other one changes the machine.
        system.refresh();
    }
}

fn at_once(system: &mut System, recovered: &mut Vec<Undone>) -> Result<(PathBuf, Lock)> {
    let (state, lock) = lock(system)?;
    let back = rollback::recover(system, &state, false)?;
    pending::taken_back(system, &back)?;
    recovered.extend(back);
    pending::refuse(system)?;
    Ok((state, lock))
}

/// As [`lock`], waiting for a run that is under way.
///
/// # Errors
/// When it cannot be made, or the run does not end.
pub fn lock_after(system: &System, most: Duration) -> Result<(PathBuf, Lock)> {
    let started = Instant::now();
    loop {
        match lock(system) {
            Err(error) if error.is::<UnderWay>() && started.elapsed() < most => std::thread::sleep(LOOK),
            other => return other,
        }
    }
}

/// The state directory below a root, made when missing and readable by root alone, and the lock on it.
///
/// # Errors
/// When it cannot be made or another run is under way.
pub fn lock(system: &System) -> Result<(PathBuf, Lock)> {
    let path = Path::new(journal::STATE_DIR);
    file::make_directories(system, path, 0o700)?;
    let state = journal::state_dir(system)?;
    let lock = state.join("lock");
    // A link could lead anywhere, out of the root too.
    let flags = nix::fcntl::OFlag::O_NOFOLLOW.bits();
    let file = File::options().create(true).append(true).custom_flags(flags).open(&lock);
    let file = file.with_context(|| format!("opening {}", lock.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok((state, Lock { _file: file })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(UnderWay.into()),
        Err((_, error)) => Err(error).with_context(|| format!("locking {}", lock.display())),
    }
}

/// Whether a run is under way on this machine. That is looked up, not tried: who tries holds the lock for a moment, in which another run
/// would be refused.
pub fn under_way(system: &System) -> bool {
    let lock = journal::state_dir(system).ok().and_then(|state| std::fs::metadata(state.join("lock")).ok());
    let Some(inode) = lock.map(|lock| lock.ino().to_string()) else { return false };
    // proc_locks(5): the file is MAJOR:MINOR:INODE, the device that of the file system, which `stat` may call otherwise.
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let held = |line: &str| {
        let mut words = line.split_whitespace();
        words.any(|word| word == "FLOCK")
            && words.any(|word| word.rsplit(':').next() == Some(&inode) && word != inode)
    };
    locks.lines().any(held)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::setting::testing::Tree;

    const PENDING: &str = "/var/lib/trempe/pending.json";
    const WAITS: &str = "{\"run\": \"r\", \"until\": \"2026-01-01T00:00:00Z\"}";

    /// What it comes to with this patience while `others` are as they are, until `ended` is called after it has waited; and what was told.
    fn turn(tree: &Tree, patience: Duration, ended: &(dyn Fn() + Sync)) -> (Result<Turn>, Vec<String>) {
        let told = Mutex::new(Vec::new());
        let stop = AtomicBool::new(false);
        let progress = |line: &str| {
            told.lock().unwrap().push(line.to_owned());
            ended();
        };
        let control = Control { patience, ..Control::new(&progress, &stop) };
        let turn = take(&mut tree.system(), &control);
        (turn, told.into_inner().unwrap())
    }

    #[test]
    fn who_has_no_patience_is_told_at_once() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        assert!(!under_way(&tree.system()));
        let (_, held) = lock(&tree.system()).unwrap();
        let (taken, told) = turn(&tree, Duration::ZERO, &|| ());
        assert!(taken.unwrap_err().to_string().contains("another run is under way"));
        assert!(told.is_empty() && under_way(&tree.system()), "{told:?}");
        drop(held);
        assert!(!under_way(&tree.system()));
        let tree = tree.file(PENDING, WAITS);
        let (taken, _) = turn(&tree, Duration::ZERO, &|| ());
        assert!(taken.unwrap_err().to_string().contains("waits to be confirmed until 2026-01-01"));
    }

    #[test]
    fn who_has_waits_for_others() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        let held = Mutex::new(Some(lock(&tree.system()).unwrap()));
        let (taken, told) = turn(&tree, Duration::MAX, &|| drop(held.lock().unwrap().take()));
        drop(taken.unwrap());
        assert_eq!(told.len(), 1, "told once: {told:?}");

        let tree = tree.file(PENDING, WAITS);
        let there = tree.system().host_path(PENDING);
        let (taken, told) = turn(&tree, Duration::MAX, &|| std::fs::remove_file(&there).unwrap());
        assert!(lock(&tree.system()).is_err(), "the turn is taken");
        assert_eq!((taken.is_ok(), told.len()), (true, 1));
    }

    #[test]
    fn a_lock_that_leads_elsewhere_is_none() {
        let outside = tempfile::tempdir().unwrap();
        let made = outside.path().join("made");
        let tree = Tree::new().link("/var/lib/trempe/lock", &made.display().to_string());
        assert!(lock(&tree.system()).is_err() && !made.exists());
    }

    #[test]
    fn who_waits_can_be_stopped() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        let _held = lock(&tree.system()).unwrap();
        let stop = AtomicBool::new(false);
        let progress = |_: &str| stop.store(true, Ordering::Relaxed);
        let control = Control { patience: Duration::MAX, ..Control::new(&progress, &stop) };
        let error = format!("{:#}", take(&mut tree.system(), &control).unwrap_err());
        assert!(error.contains("another run is under way") && error.contains("told to stop"), "{error}");
    }
}
