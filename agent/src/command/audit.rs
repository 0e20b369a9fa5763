//! `agent audit`: which rules are met.

use anyhow::Result;

use super::{begin, progress, tell};
use crate::cli::Audit;
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::report::{Host, Report, now};

/// Runs the command.
///
/// # Errors
/// When the machine cannot be judged at all, or the report cannot be written.
pub fn run(args: &Audit) -> Result<Exit> {
    let started = now();
    let work = begin(&args.selection)?;
    let outcomes = inspect(&work.policy, &work.system, &progress(work.policy.rules.len()));
    let report = Report::new(&work.policy, work.content, Host::of(&work.system), outcomes, "audit", started);
    tell(&report, &args.output)?;
    Ok(report.exit())
}
