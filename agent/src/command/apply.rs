//! `agent apply`: make the changes.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use super::{Work, begin_with, by_catalogue, configuration, foreign, say, tell, watched};
use crate::apply::pending::{self, Pending};
use crate::apply::{Control, Watch, apply, journal};
use crate::cli::Apply;
use crate::drift;
use crate::exit::Exit;
use crate::firstboot::record::Record;
use crate::plan::Plan;
use crate::report::{self, Host, Report, now};
use crate::system::System;

/// What the agent ends with when the question is broken off: changes are pending, see [`Exit::Deviates`].
const DECLINED: i32 = 2;

/// Runs the command.
///
/// # Errors
/// When the run could not begin, or its journal could not be kept.
pub fn run(args: &Apply) -> Result<Exit> {
    args.output.apart(&[])?;
    let started = now();
    if let Some(content) = &args.foreign.content {
        return foreign::apply(content, args, started);
    }
    let system = System::open(&args.selection.root)?;
    let config = configuration(&args.selection, &system)?;
    let named = config.access.keep.clone();
    let mut work = begin_with(&args.selection, system, config)?;
    let confirm_within = allowed(args, &work.system)?;
    let id = started.replace(':', "-");
    let asking = Arc::new(AtomicBool::new(false));
    let stop = stop_on_signals(&asking)?;
    let ask = |plan: &Plan| agreed(plan, &asking);
    let control = Control {
        progress: &say,
        stop: &stop,
        confirm: if args.yes { None } else { Some(&ask) },
        watch: if work.system.is_running() { Watch::Accounts(named.as_deref()) } else { Watch::Off },
        confirm_within,
        ..Control::new(&say, &stop)
    };
    let Some((mut report, _)) = harden(&mut work, &id, started, &control)? else {
        return Ok(Exit::Deviates);
    };
    if work.system.is_running() && args.selection.rule.is_empty() {
        report.problems.extend(mend(&report, &work.system).err().map(|error| format!("{error:#}")));
    }
    tell(&report, &args.output, &by_catalogue(&report, work.tailoring.as_ref()))?;
    Ok(report.exit())
}

/// Has the first boot know that what was in its way is not any longer, so that no later boot complains of it.
fn mend(report: &Report, system: &System) -> Result<()> {
    if report.exit() == Exit::Trouble {
        return Ok(());
    }
    let policy = &report.policy;
    let asked = if policy.tier.is_empty() { &policy.profile } else { &policy.tier };
    let Some(mut record) = Record::read(system)? else { return Ok(()) };
    if record.mend(asked, report.exit()) { record.keep(system) } else { Ok(()) }
}

/// Whether the run may begin; within what time it is to be confirmed.
///
/// # Errors
/// When only root could do it, or nobody can be asked.
pub fn allowed(args: &Apply, system: &System) -> Result<Option<std::time::Duration>> {
    if !nix::unistd::geteuid().is_root() && system.is_running() {
        bail!("only root can change this machine: run it with sudo");
    }
    if !args.yes && !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here: give --yes");
    }
    let confirm_within = args.confirm_within.as_deref().map(pending::parse).transpose()?;
    if confirm_within.is_some() {
        pending::check(system)?;
    }
    Ok(confirm_within)
}

/// Makes the machine what its policy asks for, and keeps the report with the run's journal. Returns it and the run's id, which is
/// empty when nothing had to be changed; `None` when the plan was turned down.
///
/// # Errors
/// As [`apply`].
pub fn harden(
    work: &mut Work,
    id: &str,
    started: String,
    control: &Control,
) -> Result<Option<(Report, String)>> {
    let run = apply(&work.policy, &mut work.system, id, control)?;
    if run.declined {
        return Ok(None);
    }
    let (content, host) = (work.content.clone(), Host::of(&work.system));
    let mut report = Report::new(&work.policy, content, host, run.outcomes, "apply", started);
    report.set_changes(&run.steps);
    report.set_diffs(&run.steps);
    report.run.clone_from(&run.id);
    report.problems = run.problems;
    report.notes = run.notes;
    if let Some(Pending { until, .. }) = &run.pending {
        report.notes.push(format!("all of it is taken back at {until} unless 'agent confirm' comes before"));
    }
    if !run.id.is_empty()
        && let Err(error) = keep(&report, &work.system, &run.id)
    {
        report.problems.push(format!("this report could not be kept: {error:#}"));
    }
    report.problems.extend(drift::forget(&work.system).err().map(|error| format!("{error:#}")));
    Ok(Some((report, run.id)))
}

/// A flag that an interrupt or a request to end sets: the run then stops between two changes and takes itself back. While
/// `asking`, nothing has been changed yet, and the agent just ends, as if the answer were no.
pub fn stop_on_signals(asking: &Arc<AtomicBool>) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, DECLINED, Arc::clone(asking))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("listening for signals")?;
    }
    Ok(stop)
}

/// Shows the plan and asks.
pub fn agreed(plan: &Plan, asking: &AtomicBool) -> Result<bool> {
    let mut terminal = std::io::stderr();
    let style = watched(std::io::stderr());
    report::plan::write(plan, &mut terminal, &style)?;
    write!(terminal, "Make these changes? [y/N] ")?;
    terminal.flush()?;
    asking.store(true, Ordering::SeqCst);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    asking.store(false, Ordering::SeqCst);
    read.context("reading the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Keeps the report with the run's journal, for `history` and `status`.
pub fn keep(report: &Report, system: &System, id: &str) -> Result<()> {
    let path = journal::state_dir(system)?.join("runs").join(id).join("result.json");
    super::deliver(&serde_json::to_vec_pretty(report)?, Some(&path))
}
