//! `agent audit`: which rules are met.

use anyhow::Result;

use super::{begin, by_catalogue, foreign, progress, tell_also};
use crate::cli::Audit;
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::report::{Format, Host, Report, Wanted, now};
use crate::scap;
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// When the machine cannot be judged at all, or the report cannot be written.
pub fn run(args: &Audit) -> Result<Exit> {
    args.output.apart(&results(args))?;
    if let Some(content) = &args.content {
        return by_content(content, args);
    }
    let started = now();
    let work = begin(&args.selection)?;
    let outcomes = inspect(&work.policy, &work.system, &progress(work.policy.rules.len()));
    let report = Report::new(&work.policy, work.content, Host::of(&work.system), outcomes, "audit", started);
    tell_also(&report, &args.output, &results(args), &by_catalogue(&report, work.tailoring.as_ref()))?;
    Ok(report.exit())
}

/// The files that are asked for by oscap's names.
fn results(args: &Audit) -> Vec<Wanted> {
    let files = [(Format::Xccdf, &args.results), (Format::Arf, &args.results_arf)];
    files.into_iter().filter_map(|(format, path)| Some(Wanted { format, path: path.clone()? })).collect()
}

/// Judges by content of others. The machine's own configuration is about the catalogue, and does not count here.
fn by_content(content: &str, args: &Audit) -> Result<Exit> {
    let selection = &args.selection;
    let request = foreign::request(content, selection)?;
    let system = System::open(&selection.root)?;
    let report = scap::audit(&request, &system, &|report, standard| {
        tell_also(report, &args.output, &results(args), standard)
    })?;
    Ok(report.exit())
}
