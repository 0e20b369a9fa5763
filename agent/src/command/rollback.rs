//! `agent rollback`: take changes back.

use std::io::Write;

use anyhow::Result;

use crate::apply::{lock, rollback};
use crate::cli::Rollback;
use crate::exit::Exit;
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// When there is no such run, or its journal cannot be read or kept.
pub fn run(args: &Rollback) -> Result<Exit> {
    let mut system = System::open(&args.root)?;
    let (state, _lock) = lock(&system)?;
    let dir = rollback::find(&state, args.run.as_deref())?;
    let undone = rollback::take_back(&mut system, &dir, &args.rule)?;
    let mut out = std::io::stdout().lock();
    for line in &undone.changes {
        writeln!(out, "{line}")?;
    }
    for line in &undone.failed {
        eprintln!("agent: could not take back: {line}");
    }
    writeln!(out, "run {}: {} changes taken back", undone.run, undone.changes.len())?;
    Ok(if undone.failed.is_empty() { Exit::Good } else { Exit::Trouble })
}
