//! `agent rollback`: take changes back.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use super::say;
use crate::apply::rollback::Undone;
use crate::apply::{lock, rollback};
use crate::cli::Rollback;
use crate::exit::Exit;
use crate::system::System;

/// Runs the command.
///
/// A run that was interrupted is always taken back first; when no run is named, and one was, that is all.
///
/// # Errors
/// When there is no such run, or its journal cannot be read or kept.
pub fn run(args: &Rollback) -> Result<Exit> {
    let mut system = System::open(&args.root)?;
    let (state, _lock) = lock(&system)?;
    let dir = args.run.as_deref().map(|id| rollback::find(&state, Some(id))).transpose()?;
    let recovered = rollback::recover(&mut system, &state, args.keep_rest)?;
    for undone in &recovered {
        say(&format!("the run {} had been interrupted", undone.run));
        tell(undone)?;
    }
    let done = |dir: &PathBuf| recovered.iter().any(|undone| dir.ends_with(&undone.run));
    let dir = match dir {
        Some(dir) if done(&dir) => return Ok(Exit::Good),
        None if !recovered.is_empty() => return Ok(Exit::Good),
        Some(dir) => dir,
        None => rollback::find(&state, None)?,
    };
    let undone = rollback::take_back(&mut system, &dir, &args.rule)?;
    tell(&undone)?;
    Ok(if undone.failed.is_empty() { Exit::Good } else { Exit::Trouble })
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
