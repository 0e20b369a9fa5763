//! Stage 5, apply: the only place that changes a machine.
//!
//! Each change is written to the journal with its undo, then made, then marked as made ([`journal`]). A rule of which one change
//! fails is taken back whole and reported as an error; the others stay. Before running programs are told ([`effect`]), they
//! check what they will read ([`validate`]); what they refuse is taken back too. Then everything is inspected again, and that is
//! what is reported. The way back is in [`undo`] (what is saved), [`restore`] (one change), [`transaction`] (packages) and
//! [`rollback`] (a run). What no rule asks for is done in [`besides`], what others have planned in [`planned`]. Over who gets in watches [`guard`], and [`pending`] holds what takes a run back that nobody confirms. One run comes after another: [`turn`].
//!
//! A run that is interrupted (a signal, a full disk) takes itself back; one that is killed, or loses power, is taken back by
//! the next ([`rollback::recover`]). So a machine is always as before the run or as after it.

mod batch;
pub mod besides;
mod disk;
mod effect;
pub mod file;
mod guard;
pub mod journal;
mod kernel;
mod merge;
mod package;
mod pam;
pub mod pending;
pub(crate) mod perform;
pub mod planned;
pub(crate) mod restore;
mod retention;
pub mod rollback;
pub(crate) mod transaction;
mod turn;
pub(crate) mod undo;
mod unit;
mod validate;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::change::Change;
use crate::inspect::{Outcome, Verdict, inspect, inspect_rule};
use crate::plan::{Plan, Step, plan};
use crate::policy::{Policy, PolicyRule};
use crate::system::System;
use guard::Guard;
pub use guard::Watch;
use pending::Pending;
use turn::Turn;
pub use turn::{lock, lock_after, under_way};
use worker::Worker;

/// Packages can bring files that further rules are about, which can need a package again: more passes than this mean that
/// rules undo each other.
const MAX_PASSES: usize = 4;

/// What a run did.
#[derive(Debug, Default)]
pub struct Run {
    /// Its id; empty when there was nothing to do.
    pub id: String,
    /// The steps carried out, in order.
    pub steps: Vec<Step>,
    /// The outcome of each rule afterwards, in the order of the policy.
    pub outcomes: Vec<Outcome>,
    /// What could not be done, in words.
    pub problems: Vec<String>,
    /// What else is to be known, in words.
    pub notes: Vec<String>,
    /// Until when it must be confirmed, when it must.
    pub pending: Option<Pending>,
    /// Runs that had been interrupted and were taken back first.
    pub recovered: Vec<rollback::Undone>,
    /// Whether the plan was turned down: nothing was changed then.
    pub declined: bool,
}

/// Answers whether a plan shall be carried out.
pub type Confirm<'a> = dyn Fn(&Plan) -> Result<bool> + 'a;

/// How a run is watched and stopped.
pub struct Control<'a> {
    /// Told each change before it is made.
    pub progress: &'a (dyn Fn(&str) + Sync),
    /// Set from outside to stop the run, which is then taken back.
    pub stop: &'a AtomicBool,
    /// Asked once, before the first change, with exactly what the first pass will do; `None` where nobody is to be asked.
    /// Later passes do what the rules that the plan says are decided later call for.
    pub confirm: Option<&'a Confirm<'a>>,
    /// Whose access is watched over.
    pub watch: Watch<'a>,
    /// Whether packages may come and go. Rules that need that are left as they are otherwise.
    pub packages: bool,
    /// How long after its end the run is taken back unless somebody confirms it; `None` where it stays.
    pub confirm_within: Option<Duration>,
    /// How long another run is waited for.
    pub patience: Duration,
}

impl<'a> Control<'a> {
    /// Nobody is asked, nobody's access is watched over, and what is done stays.
    pub fn new(progress: &'a (dyn Fn(&str) + Sync), stop: &'a AtomicBool) -> Control<'a> {
        let (watch, patience) = (Watch::Off, Duration::ZERO);
        Control { progress, stop, confirm: None, watch, packages: true, confirm_within: None, patience }
    }
}

/// Makes a machine what its policy asks for, once [`Control::confirm`] agrees. `id` names the run.
///
/// The plan is made under the lock, after interrupted runs were taken back: nothing can change between what is
/// confirmed and what is done.
///
/// # Errors
/// When the run could not begin, was stopped, or its journal could not be kept: what it had done is then taken back. What single
/// rules run into is in the outcomes and in [`Run::problems`].
pub fn apply(policy: &Policy, system: &mut System, id: &str, control: &Control) -> Result<Run> {
    let Turn { state, recovered, lock: _lock } = turn::take(system, control)?;
    for undone in &recovered {
        let changes = undone.changes.len();
        (control.progress)(&format!("took back the interrupted run {} ({changes} changes)", undone.run));
    }
    let mut run = Run { recovered, ..Run::default() };
    run.problems.extend(retention::forget_old(&state).err().map(|error| format!("{error:#}")));
    let mut guard = Guard::new(policy, control);
    let before = guard.inspect(system);
    let mut worker = Worker::new(&state, id);
    let passed = passes(policy, system, before.clone(), &mut guard, &mut worker, &mut run, control);
    let passed = passed.and_then(|outcomes| worker.close(system).map(|()| outcomes));
    let outcomes = match passed {
        Ok(outcomes) => outcomes,
        Err(error) => return Err(taken_back(system, &worker, error)),
    };
    if let Some(within) = control.confirm_within {
        match pending::begin_to_wait(system, &worker, within) {
            Ok(pending) => run.pending = pending,
            Err(error) => run.problems.push(format!("the time to confirm has not begun anew: {error:#}")),
        }
    }
    run.id = worker.id().unwrap_or_default();
    run.outcomes = settle(before, outcomes, &worker.failed);
    run.steps = worker.made;
    Ok(run)
}

fn passes(
    policy: &Policy,
    system: &mut System,
    mut outcomes: Vec<Outcome>,
    guard: &mut Guard,
    worker: &mut Worker,
    run: &mut Run,
    control: &Control,
) -> Result<Vec<Outcome>> {
    let (mut pass, mut most) = (0, MAX_PASSES);
    while pass < most {
        pass += 1;
        let mut hopeful: Vec<Outcome> =
            outcomes.iter().cloned().map(|outcome| failed(outcome, &worker.failed)).collect();
        if !control.packages {
            hopeful.iter_mut().filter(|outcome| needs_packages(outcome)).for_each(put_off);
        }
        let planned = plan(policy, &hopeful, system);
        system.refresh();
        let mut planned = planned?;
        // What was done once and did not help will not help twice.
        planned.steps.retain(|step| !worker.made.contains(step));
        if planned.steps.is_empty() {
            break;
        }
        if pass > 1 {
            (control.progress)(&format!("pass {pass}: what the rules decided now call for"));
        } else if let Some(confirm) = control.confirm {
            planned.foresee(system);
            run.declined = !confirm(&planned)?;
            if run.declined {
                break;
            }
        }
        if let Some(within) = control.confirm_within.filter(|_| worker.dir().is_none()) {
            pending::arm(system, &worker.begin()?, within)?;
        }
        guard.before(system, &mut planned.steps, worker);
        worker.carry_out(system, &planned.steps, control)?;
        run.problems.extend(worker.settle_in(system)?);
        system.refresh();
        let meanwhile = || inspect_again(policy, system, &outcomes, &planned.steps);
        let (seen, inspected) = guard.look_again(system, &planned.steps, meanwhile)?;
        outcomes = inspected;
        if let Some((again, untold)) = guard.open(seen, system, worker)? {
            run.problems.extend(untold);
            // Each such round gives at least one rule up, so they come to an end.
            most += usize::from(again);
            outcomes = inspect_again(policy, system, &outcomes, &planned.steps);
        }
    }
    run.notes.append(&mut guard.notes);
    run.problems.append(&mut guard.problems);
    Ok(outcomes)
}

fn needs_packages(outcome: &Outcome) -> bool {
    outcome.finding.changes.iter().any(|change| matches!(change, Change::Packages { .. }))
}

/// Takes a rule out of the planning.
fn put_off(outcome: &mut Outcome) {
    if outcome.verdict == Verdict::Fail {
        outcome.verdict = Verdict::NotChecked;
    }
}

/// Inspects what steps can have changed: what only takes stock of the machine changes nothing for other rules.
fn inspect_again(policy: &Policy, system: &System, outcomes: &[Outcome], steps: &[Step]) -> Vec<Outcome> {
    let planned = |outcome: &Outcome| steps.iter().any(|step| step.rule == outcome.rule);
    if outcomes.iter().any(|outcome| planned(outcome) && !outcome.finding.last) {
        return inspect(policy, system, &|_| ());
    }
    let again = |(rule, outcome): (&PolicyRule, &Outcome)| match planned(outcome) {
        true => inspect_rule(rule, system),
        false => outcome.clone(),
    };
    policy.rules.iter().zip(outcomes).map(again).collect()
}

/// Takes the whole run back after something that ends it; the error says whether that went well.
fn taken_back(system: &mut System, worker: &Worker, error: anyhow::Error) -> anyhow::Error {
    system.refresh();
    let Some(dir) = worker.dir() else { return error };
    let undone = match rollback::take_back(system, dir, &[]) {
        Ok(undone) => undone,
        Err(second) => {
            return error.context(format!(
                "the run ended early; taking it back failed too ({second:#}); the next run tries again"
            ));
        }
    };
    // What cannot be cleared away finds nothing to take back later.
    let cleared = pending::taken_back(system, [&undone]);
    let left = cleared.err().map(|error| format!("{error:#}")).into_iter().chain(undone.failed);
    let left = left.collect::<Vec<_>>().join("; ");
    error.context(match left.is_empty() {
        true => "the run ended early and was taken back".to_owned(),
        false => format!(
            "the run ended early and could not be taken back whole ({left}); the next run tries again"
        ),
    })
}

/// What is reported of each rule: `fixed` where it failed before and passes now, `error` where its changes failed.
fn settle(before: Vec<Outcome>, after: Vec<Outcome>, failed: &BTreeMap<String, String>) -> Vec<Outcome> {
    let settled = |(was, is): (Outcome, Outcome)| {
        let mut is = self::failed(is, failed);
        if was.verdict == Verdict::Fail && is.verdict == Verdict::Pass {
            is.verdict = Verdict::Fixed;
        }
        is
    };
    before.into_iter().zip(after).map(settled).collect()
}

/// The outcome of a rule, which is `error` when one of its changes failed.
fn failed(mut outcome: Outcome, failed: &BTreeMap<String, String>) -> Outcome {
    if let Some(reason) = failed.get(&outcome.rule) {
        outcome.verdict = Verdict::Error;
        outcome.reason = Some(reason.clone());
    }
    outcome
}

/// Fails when the run is to stop.
fn check_stop(stop: &AtomicBool) -> Result<()> {
    if stop.load(Ordering::Relaxed) {
        bail!("it was told to stop");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
