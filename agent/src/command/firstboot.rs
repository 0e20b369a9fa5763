//! `agent firstboot`: one phase of the first boot, run by systemd.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::apply::{harden, stop_on_signals};
use super::{begin_with, say};
use crate::apply::{Control, Watch, besides, rollback};
use crate::cli::{FirstBoot, Selection};
use crate::cloud_init;
use crate::config::{self, Config, Gathered};
use crate::exit::Exit;
use crate::firstboot::instance::Instance;
use crate::firstboot::record::{Done, Record};
use crate::firstboot::status::{State, Status};
use crate::firstboot::{Phase, customization, cut, network, status, wishes};
use crate::report::now;
use crate::system::System;

/// How many times longer the second phase may take: nobody waits for it, and its packages come over the network.
const PATIENCE: u32 = 4;

/// How long the first phase, which logins wait for, waits for another run: for the timer, say, that takes back what nobody confirmed.
/// The second waits as long as it may take in all.
const TURN: Duration = Duration::from_secs(120);

/// How often a phase is done in all while rules end in error.
const TRIES: u8 = 3;

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
    let Some(phase) = args.phase else {
        if cut::before(&system)? {
            say("trempe: cloud-init was cut off in its first stages: it begins anew");
        }
        return Ok(Exit::Good);
    };
    let (mut status, mut record) = begin(phase, &system);
    let looked = config::look(&system);
    // Where the first boot is switched off too: nothing is hardened by it.
    if phase == Phase::BeforeLogins {
        recover(&mut status);
        forget(&mut status, &mut record, &system);
    }
    let exit = if nothing_new(phase, args.again, &looked, &record) {
        if nothing_new(Phase::AfterProvisioning, args.again, &looked, &record) {
            let spared = status::spare_provisioned(&system);
            status.problems.extend(spared.err().map(|error| format!("{error:#}")));
        }
        rest(&mut status, idle(phase, args.again, &looked, &record), &record)
    } else {
        tell(&mut status, &system);
        let gathered = looked.tried(&system);
        status.problems.extend(gathered.problems.iter().cloned());
        match idle(phase, args.again, &gathered, &record) {
            None => {
                let misled = !gathered.problems.is_empty();
                let exit = harden_now(phase, gathered.config, &mut status);
                keep(&system, &mut record, &mut status, exit, misled);
                exit
            }
            why => {
                status.problems.extend(given_up(phase, args.again, &record));
                if !gathered.problems.is_empty() && names_nothing(&gathered.config) {
                    status.problems.push("nothing was hardened".to_owned());
                }
                rest(&mut status, why, &record)
            }
        }
    };
    tell(&mut status, &system);
    status.sentences().iter().for_each(|line| say(line));
    Ok(ended(exit, &status))
}

/// Tells how it stands. That this cannot be written down is no reason not to harden the machine.
fn tell(status: &mut Status, system: &System) {
    if let Err(error) = status.write(system) {
        status.problems.push(format!("{error:#}"));
    }
}

/// The phase that begins, and what was done for this machine. Where it cannot be told which machine this is, or what was done, it is
/// a new one: hardened once more it takes no harm, left as it is it might.
fn begin(phase: Phase, system: &System) -> (Status, Record) {
    let mut problems = Vec::new();
    let mut or_new = |error: anyhow::Error| problems.push(format!("taken for a new machine: {error:#}"));
    let instance = Instance::of(system).unwrap_or_else(|error| {
        or_new(error);
        Instance::default()
    });
    let record = Record::of(system, &instance).unwrap_or_else(|error| {
        or_new(error);
        Record { instance: instance.clone(), ..Record::default() }
    });
    (Status { problems, ..Status::begin(phase, instance, now()) }, record)
}

/// Takes back what a power cut or a kill left half done, before anybody can log in: whoever it keeps out could not begin the run that
/// would take it back.
fn recover(status: &mut Status) {
    let recovered =
        System::open(Path::new("/")).and_then(|mut system| rollback::recover_at_boot(&mut system));
    match recovered {
        Ok(all) => status.notes.extend(all.iter().map(|undone| {
            format!(
                "run {} had been interrupted and was taken back ({} changes)",
                undone.run,
                undone.changes.len()
            )
        })),
        Err(error) => status.problems.push(format!("taking back what was interrupted: {error:#}")),
    }
}

/// Where cloud-init did anew what it does once for a machine (it was cut off, or somebody had it begin anew), it rewrote what had been
/// hardened before: nothing of that counts any longer.
fn forget(status: &mut Status, record: &mut Record, system: &System) {
    let forgotten = cut::after(system).and_then(|anew| {
        if !anew || record.done.is_empty() {
            return Ok(());
        }
        record.done.clear();
        record.failed.clear();
        record.keep(system)
    });
    status.problems.extend(forgotten.err().map(|error| format!("{error:#}")));
}

/// Notes what was done, when the phase came to its end, and that it did not.
fn keep(system: &System, record: &mut Record, status: &mut Status, exit: Exit, misled: bool) {
    if status.state == State::Done {
        note_done(record, status, exit, misled);
    } else {
        let failed = record.failed.entry(status.phase).or_default();
        *failed = failed.saturating_add(1);
    }
    if let Err(error) = record.keep(system) {
        status.problems.push(format!("{error:#}"));
    }
}

fn note_done(record: &mut Record, status: &Status, exit: Exit, misled: bool) {
    // The second phase does what the first could not.
    record.failed.retain(|phase, _| *phase > status.phase);
    let tries = record.done.get(&status.phase).map_or(1, |done| done.tries.saturating_add(1));
    let trouble = status.errors.iter().chain(&status.problems).cloned().collect();
    let done = Done {
        finished: status.finished.clone(),
        asked: status.asked().to_owned(),
        run: status.run.clone(),
        exit: ended(exit, status).code(),
        trouble,
        lasting: status.lasting.clone(),
        misled,
        tries,
    };
    record.done.insert(status.phase, done);
}

/// Whether this is a boot like most: the phase was done and nothing was or is wrong. Then whether a policy can be made of the
/// configuration is not tried, which every boot would pay for.
fn nothing_new(phase: Phase, again: bool, looked: &Gathered, record: &Record) -> bool {
    let well = |done: &Done| done.exit != Exit::Trouble.code();
    !again && looked.problems.is_empty() && record.done.get(&phase).is_some_and(well)
}

/// Ends a phase that has nothing to do. What went wrong when it was done is still so, as far as anybody knows.
fn rest(status: &mut Status, why: Option<String>, record: &Record) -> Exit {
    status.notes.extend(why);
    let before = record.done.get(&status.phase).into_iter().flat_map(|done| &done.trouble);
    status.problems.extend(before.map(|trouble| format!("when it was done: {trouble}")));
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
fn idle(phase: Phase, again: bool, gathered: &Gathered, record: &Record) -> Option<String> {
    let config = &gathered.config;
    if !config.firstboot.enabled {
        return Some("the first boot is switched off by the configuration".to_owned());
    }
    if names_nothing(config) {
        return Some(
            "no tier is configured, so the machine stays as it is (/etc/trempe/agent.yml)".to_owned(),
        );
    }
    if given_up(phase, again, record).is_some() {
        return Some("it is left to phase 2, after provisioning".to_owned());
    }
    let done = record.done.get(&phase).filter(|done| !again && !worth_again(done, gathered))?;
    Some(format!("it was done for this instance at {} ({})", done.finished, done.asked))
}

/// That the first phase, which logins wait for, did not come to its end too often to be tried at each boot.
fn given_up(phase: Phase, again: bool, record: &Record) -> Option<String> {
    let failed = *record.failed.get(&phase)?;
    (phase == Phase::BeforeLogins && !again && failed >= TRIES).then(|| {
        format!("it did not come to its end at {failed} boots, and is not tried before logins again")
    })
}

/// Whether a configuration asks for nothing.
fn names_nothing(config: &Config) -> bool {
    config.tier.is_none() && config.tailoring.is_empty()
}

/// Whether what ended in trouble is done once more: it may have been a mirror that did not answer. Where the configuration was
/// to blame, and is good now, however often it was tried.
fn worth_again(done: &Done, gathered: &Gathered) -> bool {
    let mended = done.misled && gathered.problems.is_empty();
    mended || (done.exit == Exit::Trouble.code() && !done.misled && done.tries < TRIES)
}

/// Hardens the machine as far as the phase goes, in the time that it has.
fn work(phase: Phase, config: Config, status: &mut Status) -> Result<Exit> {
    let limit = match phase {
        Phase::BeforeLogins => config.firstboot.time_limit,
        Phase::AfterProvisioning => config.firstboot.time_limit * PATIENCE,
    };
    let stop = stop_on_signals(&Arc::new(AtomicBool::new(false)))?;
    let over = stop_after(limit, Arc::clone(&stop));
    harden_as_far(phase, &config, status, &stop).map_err(|error| match over.load(Ordering::Relaxed) {
        true => error.context(format!("it took more than {limit:?} (firstboot.time_limit)")),
        false => error,
    })
}

/// The work of a phase, until it is told to stop.
fn harden_as_far(phase: Phase, config: &Config, status: &mut Status, stop: &Arc<AtomicBool>) -> Result<Exit> {
    if phase == Phase::AfterProvisioning {
        let system = System::open(Path::new("/"))?;
        status.notes.extend(customization::wait(&system, stop)?);
        status.notes.extend(network::wait(&system));
    }
    let selection = Selection { root: "/".into(), ..Selection::default() };
    let mut work = begin_with(&selection, System::open(Path::new("/"))?, config.clone())?;
    phase.limit(&mut work.policy);
    let started = status.started.clone();
    let watch = Watch::Accounts(config.access.keep.as_deref());
    // Package managers take long, and nobody can log in while the first phase is at work.
    let packages = phase == Phase::AfterProvisioning;
    let patience = if packages { Duration::MAX } else { TURN };
    let control = Control { watch, packages, patience, ..Control::new(&log, stop) };
    let Some((report, run)) = harden(&mut work, &started.replace(':', "-"), started, &control)? else {
        bail!("nobody was asked, and the plan was turned down");
    };
    status.take(&report, &run);
    status.notes.extend(wishes::refused(&work.system, &work.policy, &report));
    if phase == Phase::AfterProvisioning {
        // The machine is hardened by then, whatever becomes of this.
        let left = leave_cloud_init(config, &mut work.system, &control);
        let problems = match left {
            Err(error) if stop.load(Ordering::Relaxed) => return Err(error),
            left => left.unwrap_or_else(|error| vec![format!("{error:#}")]),
        };
        status.problems.extend(problems.iter().cloned());
        status.lasting = problems;
    }
    Ok(report.exit())
}

/// Does with cloud-init, which has done its work, what the configuration asks for. Returns what went wrong.
fn leave_cloud_init(config: &Config, system: &mut System, control: &Control) -> Result<Vec<String>> {
    let keep = config.access.keep.clone().unwrap_or_default();
    let todo = cloud_init::changes(system, &config.cloud_init, &keep).context("the section cloud_init")?;
    let run = besides::carry_out(&todo.parts, system, &now().replace(':', "-"), control)
        .context("the section cloud_init")?;
    Ok(todo.refused.into_iter().chain(run.problems).collect())
}

/// Progress goes to the journal; the console gets the outcome alone.
fn log(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Stops the phase after a time, so that a machine that hangs somewhere can be reached at last: what was done so far is taken back.
/// Returns what tells whether that happened.
fn stop_after(limit: Duration, stop: Arc<AtomicBool>) -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        told.store(true, Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
    });
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn done(exit: u8, misled: bool, tries: u8) -> Done {
        let trouble = if exit == 1 { vec!["aide: no mirror answers".into()] } else { vec![] };
        Done {
            finished: "2026".into(),
            asked: "light".into(),
            run: String::new(),
            exit,
            trouble,
            lasting: vec![],
            misled,
            tries,
        }
    }

    fn record(done: Option<Done>) -> Record {
        let done = done.map(|done| (Phase::AfterProvisioning, done)).into_iter().collect();
        Record { done, ..Record::default() }
    }

    fn gathered(problems: &[&str]) -> Gathered {
        let mut gathered = Gathered::default();
        gathered.config.tier = Some("light".into());
        gathered.problems = problems.iter().map(|&problem| problem.to_owned()).collect();
        gathered
    }

    #[test]
    fn a_boot_like_most_is_told_from_others() {
        let (good, bad) = (gathered(&[]), gathered(&["unknown key"]));
        for (what, again, looked, exit, expected) in [
            ("done well", false, &good, Some(0), true),
            ("something left to a person", false, &good, Some(2), true),
            ("never done", false, &good, None, false),
            ("done with trouble", false, &good, Some(1), false),
            ("asked for again", true, &good, Some(0), false),
            ("a source is bad now", false, &bad, Some(0), false),
        ] {
            let record = record(exit.map(|exit| done(exit, false, 1)));
            assert_eq!(nothing_new(Phase::AfterProvisioning, again, looked, &record), expected, "{what}");
        }
    }

    #[test]
    fn what_ended_in_trouble_is_done_again_a_few_times() {
        let (good, bad) = (gathered(&[]), gathered(&["unknown key"]));
        for (what, looked, before, expected) in [
            ("never done", &good, None, true),
            ("done well", &good, Some(done(0, false, 1)), false),
            ("left to a person", &good, Some(done(2, false, 1)), false),
            ("in error", &good, Some(done(1, false, 1)), true),
            ("in error again and again", &good, Some(done(1, false, TRIES)), false),
            ("the configuration is still bad", &bad, Some(done(1, true, 1)), false),
            ("the configuration was mended", &good, Some(done(1, true, 9)), true),
        ] {
            let phase = Phase::AfterProvisioning;
            assert_eq!(idle(phase, false, looked, &record(before)).is_none(), expected, "{what}");
        }
    }

    #[test]
    fn logins_do_not_wait_for_ever_for_what_never_comes_to_its_end() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        let mut status = Status::begin(Phase::BeforeLogins, Instance::default(), "2026".into());
        status.end(State::Failed);
        let mut kept = record(None);
        for boot in 0..TRIES {
            let idle = idle(Phase::BeforeLogins, false, &gathered(&[]), &kept);
            assert_eq!(idle, None, "boot {boot}: it is tried");
            keep(&tree.system(), &mut kept, &mut status, Exit::Trouble, false);
        }
        let kept_on_disk = Record::of(&tree.system(), &Instance::default()).unwrap();
        let (first, second) = (Phase::BeforeLogins, Phase::AfterProvisioning);
        let why = |phase, again, record: &Record| idle(phase, again, &gathered(&[]), record);
        assert!(why(first, false, &kept_on_disk).unwrap().contains("left to phase 2"));
        assert!(given_up(first, false, &kept).unwrap().contains("at 3 boots"));
        assert_eq!((why(first, true, &kept), why(second, false, &kept)), (None, None));
        let mut status = Status::begin(second, Instance::default(), "2026".into());
        status.end(State::Done);
        keep(&tree.system(), &mut kept, &mut status, Exit::Good, false);
        assert_eq!(why(first, false, &kept), None, "what is left of it is done in no time");
    }

    #[test]
    fn old_trouble_is_still_told() {
        let mut status = Status::begin(Phase::AfterProvisioning, Instance::default(), "2026".into());
        let exit = rest(&mut status, None, &record(Some(done(1, false, TRIES))));
        assert_eq!(status.problems, ["when it was done: aide: no mirror answers"]);
        assert_eq!(ended(exit, &status), Exit::Trouble);
    }

    #[test]
    fn a_machine_that_cannot_be_told_is_a_new_one() {
        let tree = Tree::new().dir("/etc/machine-id", 0o755);
        let (status, record) = begin(Phase::BeforeLogins, &tree.system());
        assert!(status.problems[0].contains("/etc/machine-id"), "{:?}", status.problems);
        assert!(record.done.is_empty());
    }
}
