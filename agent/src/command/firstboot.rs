//! `agent firstboot`: one phase of the first boot, run by systemd.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::apply::{harden, stop_on_signals};
use super::{Work, begin_with, say};
use crate::apply::{Control, Watch, besides};
use crate::cli::{FirstBoot, Selection};
use crate::cloud_init;
use crate::config::{self, Config, Gathered};
use crate::exit::Exit;
use crate::firstboot::instance::Instance;
use crate::firstboot::record::{Done, Record};
use crate::firstboot::status::{State, Status};
use crate::firstboot::{Phase, customization, status, wishes};
use crate::report::now;
use crate::system::System;

/// How many times longer the second phase may take: nobody waits for it, and its packages come over the network.
const PATIENCE: u32 = 4;

/// Runs the command.
///
/// What the phase itself runs into is told on the console, in the journal and in `/run/trempe/status.json`, and the exit code
/// says it.
///
/// # Errors
/// When it is not root who asks, or how it stands cannot be told.
pub fn run(args: &FirstBoot) -> Result<Exit> {
    if !nix::unistd::geteuid().is_root() {
        bail!("only root can change this machine: run it with sudo");
    }
    let system = System::open(Path::new("/"))?;
    let instance = Instance::of(&system)?;
    let mut status = Status::begin(args.phase, instance.clone(), now());
    let mut record = Record::of(&system, &instance)?;
    let looked = config::look(&system);
    let exit = if nothing_new(args.phase, args.again, &looked, &record) {
        if nothing_new(Phase::AfterProvisioning, args.again, &looked, &record) {
            status::spare_provisioned(&system)?;
        }
        rest(&mut status, idle(args, &looked.config, &record))
    } else {
        status.write(&system)?;
        let gathered = looked.tried(&system);
        status.problems = gathered.problems;
        match idle(args, &gathered.config, &record) {
            None => harden_now(args.phase, gathered.config, &mut status),
            why => rest(&mut status, why),
        }
    };
    if status.state == State::Done {
        let (finished, asked, run) = (status.finished.clone(), status.asked().to_owned(), status.run.clone());
        record.done.insert(args.phase, Done { finished, asked, run, exit: ended(exit, &status).code() });
        if let Err(error) = record.keep(&system) {
            status.problems.push(format!("{error:#}"));
        }
    }
    status.write(&system)?;
    status.sentences().iter().for_each(|line| say(line));
    Ok(ended(exit, &status))
}

/// Whether this is a boot like most: the phase was done and nothing was or is wrong. Then whether a policy can be made of the
/// configuration is not tried, which every boot would pay for.
fn nothing_new(phase: Phase, again: bool, looked: &Gathered, record: &Record) -> bool {
    let well = |done: &Done| done.exit != Exit::Trouble.code();
    !again && looked.problems.is_empty() && record.done.get(&phase).is_some_and(well)
}

/// Ends a phase that has nothing to do.
fn rest(status: &mut Status, why: Option<String>) -> Exit {
    status.notes.extend(why);
    status.end(State::Idle);
    Exit::Good
}

/// Does the phase, and tells how it ended.
fn harden_now(phase: Phase, config: Config, status: &mut Status) -> Exit {
    match work(phase, config, status) {
        Ok(exit) => {
            status.end(State::Done);
            exit
        }
        Err(error) => {
            status.problems.push(format!("{error:#}"));
            status.end(State::Failed);
            Exit::Trouble
        }
    }
}

/// A phase with a problem did not end well, whatever its rules say.
fn ended(exit: Exit, status: &Status) -> Exit {
    if status.problems.is_empty() { exit } else { Exit::Trouble }
}

/// Why there is nothing to do, when there is not.
fn idle(args: &FirstBoot, config: &Config, record: &Record) -> Option<String> {
    if !config.firstboot.enabled {
        return Some("the first boot is switched off by the configuration".to_owned());
    }
    if config.tier.is_none() && config.tailoring.is_empty() {
        return Some(
            "no tier is configured, so the machine stays as it is (/etc/trempe/agent.yml)".to_owned(),
        );
    }
    let done = record.done.get(&args.phase).filter(|_| !args.again)?;
    Some(format!("it was done for this instance at {} ({})", done.finished, done.asked))
}

/// Hardens the machine as far as the phase goes.
fn work(phase: Phase, config: Config, status: &mut Status) -> Result<Exit> {
    let limit = match phase {
        Phase::BeforeLogins => config.firstboot.time_limit,
        Phase::AfterProvisioning => config.firstboot.time_limit * PATIENCE,
    };
    let stop = stop_on_signals(&Arc::new(AtomicBool::new(false)))?;
    stop_after(limit, Arc::clone(&stop));
    let late = match phase {
        Phase::BeforeLogins => None,
        Phase::AfterProvisioning => customization::wait(&System::open(Path::new("/"))?, &stop)?,
    };
    let (mut work, config) = understood(config, status)?;
    status.notes = wishes::refused(&work.system, &work.policy);
    status.notes.extend(late);
    phase.limit(&mut work.policy);
    let started = status.started.clone();
    let watch = Watch::Accounts(config.access.keep.as_deref());
    // Package managers take long, and nobody can log in while the first phase is at work.
    let packages = phase == Phase::AfterProvisioning;
    let control = Control { watch, packages, ..Control::new(&log, &stop) };
    let Some((report, run)) = harden(&mut work, &started.replace(':', "-"), started, &control)? else {
        bail!("nobody was asked, and the plan was turned down");
    };
    status.take(&report, &run);
    if phase == Phase::AfterProvisioning {
        // The machine is hardened by then, whatever becomes of this.
        if let Err(error) = leave_cloud_init(&config, &mut work.system, status, &control) {
            status.problems.push(format!("{error:#}"));
        }
    }
    Ok(report.exit())
}

/// Does with cloud-init, which has done its work, what the configuration asks for.
fn leave_cloud_init(
    config: &Config,
    system: &mut System,
    status: &mut Status,
    control: &Control,
) -> Result<()> {
    let keep = config.access.keep.clone().unwrap_or_default();
    let todo = cloud_init::changes(system, &config.cloud_init, &keep).context("the section cloud_init")?;
    let run = besides::carry_out(&todo.parts, system, &now().replace(':', "-"), control)
        .context("the section cloud_init")?;
    status.problems.extend(todo.refused);
    status.problems.extend(run.problems);
    Ok(())
}

/// The policy that the configuration names; where that makes none (no such tier, a tailoring that is not understood), the one of the
/// image by itself, and the problem is told.
fn understood(config: Config, status: &mut Status) -> Result<(Work, Config)> {
    let selection = Selection { root: "/".into(), ..Selection::default() };
    let system = || System::open(Path::new("/"));
    let error = match begin_with(&selection, system()?, config.clone()) {
        Ok(work) => return Ok((work, config)),
        Err(error) => error,
    };
    let image = Config::image(&system()?)?;
    if image.tier.is_none() && image.tailoring.is_empty() {
        return Err(error);
    }
    status.problems.push(format!("{error:#}"));
    Ok((begin_with(&selection, system()?, image.clone())?, image))
}

/// Progress goes to the journal; the console gets the outcome alone.
fn log(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Stops the phase after a time, so that a machine that hangs somewhere can be reached at last: what was done so far is taken back.
fn stop_after(limit: Duration, stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        stop.store(true, Ordering::Relaxed);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_like_most_is_told_from_others() {
        let done = |exit| Done { finished: "2026".into(), asked: "light".into(), run: String::new(), exit };
        let record = |exit: Option<u8>| Record {
            instance: Instance::default(),
            done: exit.map(|exit| (Phase::AfterProvisioning, done(exit))).into_iter().collect(),
        };
        let good = Gathered::default();
        let mut bad = Gathered::default();
        bad.problems.push("unknown key".into());
        for (what, again, looked, exit, expected) in [
            ("done well", false, &good, Some(0), true),
            ("something left to a person", false, &good, Some(2), true),
            ("never done", false, &good, None, false),
            ("done with trouble", false, &good, Some(1), false),
            ("asked for again", true, &good, Some(0), false),
            ("a source is bad now", false, &bad, Some(0), false),
        ] {
            let record = record(exit);
            assert_eq!(nothing_new(Phase::AfterProvisioning, again, looked, &record), expected, "{what}");
        }
    }
}
