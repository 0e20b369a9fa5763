//! `agent rollback`: take changes back.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use super::say;
use crate::apply::journal::STATE_DIR;
use crate::apply::rollback::Undone;
use crate::apply::{lock, lock_after, pending, rollback};
use crate::cli::Rollback;
use crate::exit::Exit;
use crate::system::System;

/// So long a run that is under way is waited for.
const LONGEST_RUN: Duration = Duration::from_secs(2 * 60 * 60);

/// Runs the command.
///
/// A run that was interrupted is always taken back first; when no run is named, and one was, that is all.
///
/// # Errors
/// When there is no such run, or its journal cannot be read or kept.
pub fn run(args: &Rollback) -> Result<Exit> {
    let mut system = System::open(&args.root)?;
    if args.unconfirmed {
        return unconfirmed(&mut system);
    }
    if system.meta(STATE_DIR)?.is_none() {
        bail!("there is no run to take back");
    }
    let (state, _lock) = lock(&system)?;
    let dir = args.run.as_deref().map(|id| rollback::find(&state, Some(id))).transpose()?;
    let recovered = rollback::recover(&mut system, &state, args.keep_rest)?;
    for undone in &recovered {
        say(&format!("the run {} had been interrupted", undone.run));
        tell(undone)?;
    }
    pending::taken_back(&system, &recovered)?;
    let done = |dir: &PathBuf| recovered.iter().any(|undone| dir.ends_with(&undone.run));
    let dir = match dir {
        Some(dir) if done(&dir) => return Ok(Exit::Good),
        None if !recovered.is_empty() => return Ok(Exit::Good),
        Some(dir) => dir,
        None => rollback::find(&state, None)?,
    };
    let undone = rollback::take_back(&mut system, &dir, &args.rule)?;
    if args.rule.is_empty() {
        pending::taken_back(&system, [&undone])?;
    }
    tell(&undone)?;
    Ok(if undone.failed.is_empty() { Exit::Good } else { Exit::Trouble })
}

/// Takes back what waits to be confirmed; called when its time is over. A run that is under way is waited for: when it has come to
/// its end, its time has begun anew.
fn unconfirmed(system: &mut System) -> Result<Exit> {
    let Some(waiting) = pending::read(system)? else {
        say("nothing waits to be confirmed");
        return Ok(Exit::Good);
    };
    let (state, _lock) = lock_after(system, LONGEST_RUN)?;
    if pending::read(system)?.as_ref() != Some(&waiting) {
        say("it was confirmed or taken back, or its time has begun anew");
        return Ok(Exit::Good);
    }
    let mut undone = rollback::recover(system, &state, false)?;
    if undone.iter().all(|undone| undone.run != waiting.run) {
        let dir = rollback::find(&state, Some(&waiting.run))?;
        undone.push(rollback::take_back(system, &dir, &[])?);
    }
    undone.iter().try_for_each(tell)?;
    pending::taken_back(system, &undone)?;
    Ok(if undone.iter().all(|undone| undone.failed.is_empty()) { Exit::Good } else { Exit::Trouble })
}

fn tell(undone: &Undone) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for line in &undone.changes {
        writeln!(out, "{line}")?;
    }
    for line in &undone.kept {
        say(&format!("agent: left as it is: {line}"));
    }
    for line in &undone.failed {
        say(&format!("agent: could not take back: {line}"));
    }
    let plural = if undone.changes.len() == 1 { "" } else { "s" };
    writeln!(out, "run {}: {} change{plural} taken back", undone.run, undone.changes.len())?;
    Ok(())
}
