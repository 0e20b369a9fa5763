//! `agent confirm`: keep a run that waits to be confirmed.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::apply::{lock, pending};
use crate::exit::Exit;
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// When nothing waits (perhaps it was taken back already), or the waiting cannot be ended.
pub fn run() -> Result<Exit> {
    let system = System::open(Path::new("/"))?;
    let Some(waiting) = pending::read(&system)? else {
        bail!("nothing waits to be confirmed; 'agent history' tells whether a run was taken back");
    };
    let locked = lock(&system).context("it is being taken back, or has not come to its end")?;
    if pending::read(&system)?.as_ref().is_none_or(|still| still.run != waiting.run) {
        bail!("the run {} was taken back just now", waiting.run);
    }
    pending::disarm(&system)?;
    drop(locked);
    writeln!(std::io::stdout(), "run {}: confirmed, it stays", waiting.run)?;
    Ok(Exit::Good)
}
