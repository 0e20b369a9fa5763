//! `agent apply`: make the changes.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};

use super::{begin, progress, tell};
use crate::apply::{Control, apply, journal};
use crate::cli::Apply;
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::plan::plan;
use crate::report::{Host, Report, now, text::Style};

/// Runs the command.
///
/// # Errors
/// When the run could not begin, or its journal could not be kept.
pub fn run(args: &Apply) -> Result<Exit> {
    let started = now();
    let mut work = begin(&args.selection)?;
    if !nix::unistd::geteuid().is_root() && work.system.is_running() {
        bail!("only root can change this machine: run it with sudo");
    }
    if !args.yes && !confirmed(&mut work)? {
        return Ok(Exit::Deviates);
    }
    let id = started.replace(':', "-");
    let stop = stop_on_signals()?;
    let control = Control { progress: &|sentence| eprintln!("{sentence}"), stop: &stop };
    let run = apply(&work.policy, &mut work.system, &id, &control)?;
    for undone in &run.recovered {
        eprintln!("took back the interrupted run {} ({} changes)", undone.run, undone.changes.len());
    }
    let mut report =
        Report::new(&work.policy, work.content, Host::of(&work.system), run.outcomes, "apply", started);
    for row in &mut report.rules {
        row.changes =
            run.steps.iter().filter(|step| step.rule == row.id).map(|step| step.sentence.clone()).collect();
    }
    report.problems = run.problems;
    if !run.id.is_empty() {
        keep(&report, &work.system, &run.id)?;
    }
    tell(&report, &args.output)?;
    Ok(report.exit())
}

/// A flag that an interrupt or a request to end sets: the run then stops between two changes and takes itself back.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("listening for signals")?;
    }
    Ok(stop)
}

/// Shows the plan and asks, where somebody can answer.
fn confirmed(work: &mut super::Work) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here: give --yes");
    }
    let outcomes = inspect(&work.policy, &work.system, &progress(work.policy.rules.len()));
    let mut plan = plan(&work.policy, &outcomes, &mut work.system)?;
    plan.foresee(&work.system);
    work.system.refresh();
    super::plan::write_text(&plan, &mut std::io::stderr().lock(), &Style { colour: true, verbose: false })?;
    eprint!("Make these changes? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Keeps the report with the run's journal, for `history` and `status`.
fn keep(report: &Report, system: &crate::system::System, id: &str) -> Result<()> {
    let dir = system.host_path(journal::STATE_DIR).join("runs").join(id);
    let path = dir.join("result.json");
    let json = serde_json::to_vec_pretty(report)?;
    std::fs::write(&path, json).with_context(|| format!("writing {}", path.display()))
}
