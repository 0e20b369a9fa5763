//! `agent drift`: what this machine has become since it was hardened, and what the configuration says to do about it. Run by a timer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};

use super::apply::{harden, stop_on_signals};
use super::{Work, begin_with, by_catalogue, print, say};
use crate::apply::{Control, Watch};
use crate::cli::{DriftArgs, Selection};
use crate::config::Config;
use crate::drift::{Action, Drift, baseline, forget};
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::report::file::put;
use crate::report::text::Style;
use crate::report::{Format, Host, Report, now};
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// When it is not root who asks, the configuration is not understood, or what was found cannot be recorded.
pub fn run(args: &DriftArgs) -> Result<Exit> {
    if !nix::unistd::geteuid().is_root() {
        bail!("only root sees all of this machine: run it with sudo");
    }
    let system = System::open(Path::new("/"))?;
    let config = Config::read(&system)?;
    let action = config.drift.action;
    if action == Action::Off {
        forget(&system)?;
        say("agent: drift is not looked for: the configuration has no drift.action (/etc/trempe/agent.yml)");
        return Ok(Exit::Good);
    }
    let selection = Selection { root: "/".into(), ..Selection::default() };
    let mut work = begin_with(&selection, system, config.clone())?;
    let mut report = found(&work);
    let last = baseline(&work.system)?;
    let mut drift = Drift::new(&report, last.report.as_ref());
    drift.problems.extend(last.problems);
    let again: Vec<String> =
        drift.drifted.iter().filter(|id| !last.taken_back.contains(*id)).cloned().collect();
    if action == Action::Reapply && !again.is_empty() {
        reapply(Selection { rule: again, ..selection }, &config, &mut drift)?;
        work.system.refresh();
        report = found(&work);
        drift.mended_by(&report);
    }
    drift.write(&work.system)?;
    drift.tell(&work.system, action)?;
    print(args.format, &(drift.sentences().join("\n") + "\n"), &drift)?;
    if let Some(path) = &config.drift.metrics {
        metrics(path, &work, &drift, &report).context("drift.metrics")?;
    }
    Ok(match (drift.problems.is_empty() && report.exit() != Exit::Trouble, drift.is_good()) {
        (false, _) => Exit::Trouble,
        (true, false) => Exit::Deviates,
        (true, true) => Exit::Good,
    })
}

/// How the machine stands.
fn found(work: &Work) -> Report {
    let started = now();
    let outcomes = inspect(&work.policy, &work.system, &|_| {});
    Report::new(&work.policy, work.content.clone(), Host::of(&work.system), outcomes, "audit", started)
}

/// Applies again what drifted, and nothing else: what was taken back, or what is newly asked for, is for people to decide. What that
/// runs into is a problem that is recorded: the machine is as it was found then.
fn reapply(selection: Selection, config: &Config, drift: &mut Drift) -> Result<()> {
    let mut work = begin_with(&selection, System::open(Path::new("/"))?, config.clone())?;
    let stop = stop_on_signals(&Arc::new(AtomicBool::new(false)))?;
    let watch = Watch::Accounts(config.access.keep.as_deref());
    let control = Control { watch, ..Control::new(&say, &stop) };
    let started = now();
    match harden(&mut work, &started.replace(':', "-"), started, &control) {
        Ok(Some((report, _))) => drift.problems.extend(report.problems),
        Ok(None) => bail!("nobody was asked, and the plan was turned down"),
        Err(error) => drift.problems.push(format!("applying again: {error:#}")),
    }
    Ok(())
}

/// Writes the metrics, in a directory that is there.
fn metrics(path: &Path, work: &Work, drift: &Drift, report: &Report) -> Result<()> {
    put(path, &|out| {
        let standard = by_catalogue(report, work.tailoring.as_ref());
        report.write(Format::Prometheus, out, &Style::default(), &standard)?;
        Ok(drift.metrics(out)?)
    })
}
