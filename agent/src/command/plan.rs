//! `agent plan`: every change that would be made.

use anyhow::Result;

use super::{begin, by_catalogue, foreign, progress, tell};
use crate::cli::PlanArgs;
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::plan::plan;
use crate::report::{Host, Report, now};

/// Runs the command.
///
/// # Errors
/// When the machine cannot be judged at all, or the plan cannot be made or written.
pub fn run(args: &PlanArgs) -> Result<Exit> {
    if let Some(content) = &args.foreign.content {
        return foreign::plan(content, args);
    }
    let started = now();
    let mut work = begin(&args.selection)?;
    let host = Host::of(&work.system);
    let outcomes = inspect(&work.policy, &work.system, &progress(work.policy.rules.len()));
    let mut plan = plan(&work.policy, &outcomes, &mut work.system)?;
    plan.foresee(&work.system);
    let mut report = Report::new(&work.policy, work.content, host, outcomes, "plan", started);
    report.set_changes(&plan.steps);
    report.plan = Some(plan);
    tell(&report, &args.output, &by_catalogue(&report, work.tailoring.as_ref()))?;
    Ok(report.exit())
}
