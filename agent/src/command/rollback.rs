//! `agent rollback`: take changes back.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use super::say;
use crate::apply::journal::{self, STATE_DIR};
use crate::apply::rollback::Undone;
use crate::apply::{lock, lock_after, pending, rollback};
use crate::cli::Notation;
use crate::cli::Rollback;
use crate::drift;
use crate::exit::Exit;
use crate::system::System;

/// So long a run that is under way is waited for.
const LONGEST_RUN: Duration = Duration::from_secs(2 * 60 * 60);

/// What is said of changes when all is over.
const DONE: &str = "taken back";

/// Runs the command.
///
/// A run that was interrupted is always taken back first; when no run is named, and one was, that is all.
///
/// # Errors
/// When there is no such run, or its journal cannot be read or kept.
pub fn run(args: &Rollback) -> Result<Exit> {
    let mut system = System::open(&args.root)?;
    if args.unconfirmed {
        return unconfirmed(args, &mut system);
    }
    if system.meta(STATE_DIR)?.is_none() {
        bail!("there is no run to take back");
    }
    if args.dry_run {
        return foresee(args, &system);
    }
    let (state, _lock) = lock(&system)?;
    let dir = args.run.as_deref().map(|id| rollback::find(&state, Some(id))).transpose()?;
    let recovered = rollback::recover(&mut system, &state, args.keep_rest)?;
    for undone in &recovered {
        say(&format!("the run {} had been interrupted", undone.run));
    }
    pending::taken_back(&system, &recovered)?;
    drift::forget(&system)?;
    let done = |dir: &PathBuf| recovered.iter().any(|undone| dir.ends_with(&undone.run));
    let dir = match dir {
        Some(dir) if done(&dir) => return tell(&recovered, args.format, DONE),
        None if !recovered.is_empty() => return tell(&recovered, args.format, DONE),
        Some(dir) => dir,
        None => rollback::find(&state, None)?,
    };
    let undone = rollback::take_back(&mut system, &dir, &args.rule)?;
    if args.rule.is_empty() {
        pending::taken_back(&system, [&undone])?;
    }
    tell(&recovered.into_iter().chain([undone]).collect::<Vec<_>>(), args.format, DONE)
}

/// Tells what [`run`] would take back, and changes nothing.
fn foresee(args: &Rollback, system: &System) -> Result<Exit> {
    let state = journal::state_dir(system)?;
    let mut foreseen = rollback::foresee_recovery(&state)?;
    let id = args.run.as_deref();
    let recovered = foreseen.iter().any(|undone| id.is_none_or(|id| undone.run == id));
    if !recovered {
        foreseen.push(rollback::foresee(&rollback::find(&state, id)?, &args.rule)?);
    }
    tell(&foreseen, args.format, "to be taken back")
}

/// Takes back what waits to be confirmed; called when its time is over. A run that is under way is waited for: when it has come to
/// its end, its time has begun anew.
fn unconfirmed(args: &Rollback, system: &mut System) -> Result<Exit> {
    let Some(waiting) = pending::read(system)? else {
        say("nothing waits to be confirmed");
        return Ok(Exit::Good);
    };
    let (state, _lock) = lock_after(system, LONGEST_RUN)?;
    if pending::read(system)?.as_ref() != Some(&waiting) {
        say("it was confirmed or taken back, or its time has begun anew");
        return Ok(Exit::Good);
    }
    drift::forget(system)?;
    let mut undone = rollback::recover(system, &state, false)?;
    if undone.iter().all(|undone| undone.run != waiting.run) {
        let dir = rollback::find(&state, Some(&waiting.run))?;
        undone.push(rollback::take_back(system, &dir, &[])?);
    }
    pending::taken_back(system, &undone)?;
    tell(&undone, args.format, DONE)
}

/// Tells what was, or would be, taken back of each run; what was not is told on standard error too.
fn tell(all: &[Undone], format: Notation, what: &str) -> Result<Exit> {
    let text: String = all.iter().map(|undone| sentences(undone, what)).collect();
    super::print(format, &text, &all)?;
    for line in all.iter().flat_map(|undone| &undone.kept) {
        say(&format!("agent: left as it is: {line}"));
    }
    for line in all.iter().flat_map(|undone| &undone.failed) {
        say(&format!("agent: could not take back: {line}"));
    }
    Ok(if all.iter().all(|undone| undone.failed.is_empty()) { Exit::Good } else { Exit::Trouble })
}

fn sentences(undone: &Undone, what: &str) -> String {
    let mut text: String = undone.changes.iter().map(|line| format!("{line}\n")).collect();
    let plural = if undone.changes.len() == 1 { "" } else { "s" };
    text.push_str(&format!("run {}: {} change{plural} {what}\n", undone.run, undone.changes.len()));
    text
}
