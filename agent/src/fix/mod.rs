//! The fixes that content of others brings along, run as data.
//!
//! ```text
//! choice ──▶ sandbox (stand_in) ──▶ harvest, recorded ──▶ order: a plan like any other
//! ```
//!
//! [`choice`](of_policy) takes the fix that is meant and puts the values in, [`document`] writes it out for others to use. Here a shell
//! fix is run in a [`sandbox`] over the machine's files. What it wrote is harvested, and what it called is turned, into our own
//! [`Change`](crate::change::Change)s, so that plan, diff, journal, validators and undo hold for it too. What no change can express is
//! an obstacle: it is told, and the rule is left alone.

mod choice;
pub mod document;
mod harvest;
mod order;
mod recorded;
pub mod sandbox;
mod stand_in;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

pub use choice::{Chosen, of_policy};
pub use order::plan;

/// What this program does when it was started as a part of the sandbox; `None` when it was started as the agent.
pub fn entry(args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let (name, args) = args.split_first()?;
    let done = sandbox::entry(name, args).or_else(|| stand_in::entry(name, args))?;
    let code = done.unwrap_or_else(|error| {
        // Where nobody can be told there is nothing left to do.
        let _ = writeln!(std::io::stderr(), "{name}: {error:#}");
        125
    });
    Some(ExitCode::from(u8::try_from(code).unwrap_or(125)))
}
