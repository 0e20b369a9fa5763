//! `agent status`: how this machine stands, from what the last run left behind. Looks at no rule anew.

mod config;

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::apply;
use crate::apply::journal::{self, Journal};
use crate::apply::pending::{self, Pending};
use crate::change::Effect;
use crate::cli::Status;
use crate::cloud_init;
use crate::drift::Drift;
use crate::exit::Exit;
use crate::firstboot;
use crate::policy::Exception;
use crate::report::{Report, Summary, text};
use crate::system::System;

/// How a machine stands.
#[derive(Debug, Serialize)]
struct Standing {
    /// The last run that changed it and came to its end, when there was one.
    last: Option<Last>,
    /// The run that is under way, when one is.
    under_way: Option<String>,
    /// Runs that did not come to their end; the next run takes them back first.
    interrupted: Vec<String>,
    /// Runs since then that changed it and whose report could not be kept.
    unreported: Vec<String>,
    /// How the first boot stands, when one of its phases has begun since the machine was started.
    first_boot: Option<firstboot::status::Status>,
    /// Whether its second phase is still to come at this boot.
    awaits_provisioning: bool,
    /// Whether the phase was killed before its end.
    killed: bool,
    /// What has become of the machine, when that was looked at since it was started.
    drift: Option<Drift>,
    /// The run that waits to be confirmed, when one does.
    pending: Option<Pending>,
    /// Why it must be rebooted; empty when it need not be.
    reboot: Vec<String>,
}

/// The last run.
#[derive(Debug, Serialize)]
struct Last {
    run: String,
    finished: String,
    tier: String,
    profile: String,
    summary: Summary,
    score: f64,
    failing: Vec<String>,
    /// Exceptions whose last day is over by now.
    expired: Vec<Excepted>,
}

/// A rule with its exception.
#[derive(Debug, Serialize)]
struct Excepted {
    rule: String,
    exception: Exception,
}

/// Runs the command.
///
/// # Errors
/// When the state on disk cannot be read or understood.
pub fn run(args: &Status) -> Result<Exit> {
    let system = System::open(&args.root)?;
    if args.config {
        return config::run(&system, args.format);
    }
    let standing = standing(&system)?;
    super::print(args.format, &sentences(&standing)?, &standing)?;
    Ok(standing.exit())
}

impl Standing {
    /// What the command ends with: as an audit would, and with trouble where a run or the first boot ended in it.
    fn exit(&self) -> Exit {
        let last = self.last.as_ref();
        let first_boot = self.first_boot.as_ref().is_some_and(|status| {
            status.state == firstboot::status::State::Failed
                || !status.problems.is_empty()
                || !status.errors.is_empty()
        });
        let trouble = first_boot || self.killed || last.is_some_and(|last| last.summary.error > 0);
        let deviates = last.is_some_and(|last| !last.failing.is_empty() || !last.expired.is_empty());
        match deviates {
            _ if trouble || !self.interrupted.is_empty() || !self.unreported.is_empty() => Exit::Trouble,
            _ if self.awaits_provisioning || self.under_way.is_some() => Exit::Deviates,
            true => Exit::Deviates,
            false => Exit::Good,
        }
    }
}

fn standing(system: &System) -> Result<Standing> {
    let mut reboot = Vec::new();
    if system.exists("/run/reboot-required")? {
        reboot.push("the package manager asks for it".to_owned());
    }
    let (mut last, mut interrupted, mut unreported) = (None, Vec::new(), Vec::new());
    for dir in journal::runs(&journal::state_dir(system)?)? {
        let (entries, state) = Journal::read(&dir)?;
        if state != journal::State::Closed {
            interrupted.push(name(&dir));
            continue;
        }
        // What was taken back says nothing of how the machine stands.
        if !entries.is_empty() && entries.iter().all(|entry| entry.undone) {
            continue;
        }
        let path = dir.join("result.json");
        let reading = || format!("reading {}", path.display());
        let json = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // What is done beside the rules has no verdicts.
                if entries.iter().any(|entry| !cloud_init::PARTS.contains(&entry.rule.as_str())) {
                    unreported.push(name(&dir));
                }
                continue;
            }
            json => json.with_context(reading)?,
        };
        let report: Report = serde_json::from_slice(&json).with_context(reading)?;
        let waiting = entries.iter().filter(|entry| !entry.undone && entry.effects.contains(&Effect::Reboot));
        if up_since(system)?.is_some_and(|boot| boot <= report.finished) {
            reboot.extend(waiting.map(|entry| format!("{} waits for it", entry.rule)));
        }
        last = Some((dir, report));
        unreported.clear();
    }
    // The newest of those that are open; it may have come to its end meanwhile, which another look would tell.
    let under_way = if apply::under_way(system) { interrupted.pop() } else { None };
    reboot.dedup();
    let last = last.map(|(dir, report)| summed_up(&dir, report));
    let first_boot = firstboot::status::Status::read(system)?;
    let record = firstboot::record::Record::read(system)?;
    let comes = || crate::config::look(system).config.firstboot.enabled;
    let awaits_provisioning =
        first_boot.as_ref().is_some_and(|status| status.awaits_provisioning(record.as_ref())) && comes();
    let killed = first_boot.as_ref().map_or(Ok(false), |status| status.was_killed(system))?;
    let (drift, pending) = (Drift::read(system)?, pending::read(system)?);
    Ok(Standing {
        last,
        under_way,
        interrupted,
        unreported,
        first_boot,
        awaits_provisioning,
        killed,
        drift,
        pending,
        reboot,
    })
}

fn name(dir: &std::path::Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn summed_up(dir: &std::path::Path, report: Report) -> Last {
    let today = super::today().to_string();
    let failing = report.rules.iter().filter(|row| row.result == crate::inspect::Verdict::Fail);
    let over = |exception: &Exception| exception.until.as_ref().is_some_and(|until| *until < today);
    let expired = report.rules.iter().filter_map(|row| {
        let exception = row.exception.clone().filter(|exception| exception.expired || over(exception))?;
        Some(Excepted { rule: row.id.clone(), exception: Exception { expired: true, ..exception } })
    });
    Last {
        run: name(dir),
        failing: failing.map(|row| row.id.clone()).collect(),
        expired: expired.collect(),
        finished: report.finished,
        tier: report.policy.tier,
        profile: report.policy.profile,
        summary: report.summary,
        score: report.score.value,
    }
}

/// When the machine was booted, as RFC 3339; `None` when its files are not those of the running machine.
fn up_since(system: &System) -> Result<Option<String>> {
    if !system.is_running() {
        return Ok(None);
    }
    let stat = system.read_text("/proc/stat")?.unwrap_or_default();
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "));
    let seconds =
        seconds.and_then(|seconds| seconds.trim().parse().ok()).context("/proc/stat has no btime line")?;
    Ok(Some(jiff::Timestamp::from_second(seconds)?.to_string()))
}

fn sentences(standing: &Standing) -> Result<String> {
    let mut out = String::new();
    for run in &standing.interrupted {
        let next = "the next 'agent apply' or 'agent rollback' takes it back first";
        writeln!(out, "run {run} was interrupted half way: {next}")?;
    }
    if let Some(run) = &standing.under_way {
        writeln!(out, "run {run} is under way")?;
    }
    for run in &standing.unreported {
        writeln!(
            out,
            "run {run} changed this machine, and its report could not be kept: 'agent audit' tells how it stands"
        )?;
    }
    let told = [&standing.interrupted, &standing.unreported].iter().any(|runs| !runs.is_empty());
    match &standing.last {
        None if told || standing.under_way.is_some() => {}
        None => writeln!(out, "no run has changed this machine; 'agent audit' tells how it stands")?,
        Some(last) => {
            let asked = if last.tier.is_empty() { &last.profile } else { &last.tier };
            writeln!(out, "last run {}, against {asked}, finished {}", last.run, last.finished)?;
            writeln!(
                out,
                "{}   score {:.2} of 100",
                text::counts(&last.summary, &text::Style::default()),
                last.score
            )?;
            for rule in &last.failing {
                writeln!(out, "still fails: {rule}")?;
            }
            for Excepted { rule, exception } in &last.expired {
                let day = exception.until.as_deref().unwrap_or_default();
                writeln!(out, "exception over since {day}: {rule} ({})", exception.reason)?;
            }
        }
    }
    for line in standing.drift.iter().flat_map(Drift::sentences) {
        writeln!(out, "{line}")?;
    }
    if let Some(Pending { run, until }) = &standing.pending {
        writeln!(out, "run {run} is taken back at {until} unless 'agent confirm' comes before")?;
    }
    for line in standing.first_boot.iter().flat_map(firstboot::status::Status::sentences) {
        writeln!(out, "{line}")?;
    }
    if standing.killed {
        writeln!(out, "trempe: PROBLEM: that phase was killed before its end; the next boot begins it anew")?;
    }
    if standing.awaits_provisioning {
        writeln!(
            out,
            "trempe: phase 2, after provisioning, is still to come: it waits for cloud-init's final stage and guest customization"
        )?;
    }
    for reason in &standing.reboot {
        writeln!(out, "reboot pending: {reason}")?;
    }
    Ok(out)
}
