//! Stage 5, apply: the only place that changes a machine.
//!
//! Each change is written to the journal with its undo, then made, then marked as made ([`journal`]). A rule of which one change
//! fails is taken back whole and reported as an error; the others stay. Before running programs are told ([`effect`]), they
//! check what they will read ([`validate`]); what they refuse is taken back too. At the end everything is inspected again, and
//! that is what is reported.

mod effect;
pub mod file;
pub mod journal;
mod kernel;
mod package;
mod pam;
pub(crate) mod perform;
pub mod rollback;
pub(crate) mod undo;
mod unit;
mod validate;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use crate::change::Effect;
use crate::inspect::{Outcome, Verdict, inspect};
use crate::plan::{Step, plan};
use crate::policy::Policy;
use crate::system::System;
use journal::{Journal, Record};

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
    /// Runs that had been interrupted and were taken back first.
    pub recovered: Vec<rollback::Undone>,
}

/// Held while a run changes the machine, so that there is never more than one.
pub struct Lock(#[allow(dead_code)] Flock<File>);

/// The state directory below a root, made when missing, readable by root alone.
///
/// # Errors
/// When it cannot be made or another run is under way.
pub fn lock(system: &System) -> Result<(PathBuf, Lock)> {
    let path = Path::new(journal::STATE_DIR);
    file::make_directories(system, path, 0o700)?;
    let state = system.host_path(path);
    let lock = state.join("lock");
    let file = File::options().create(true).append(true).open(&lock);
    let file = file.with_context(|| format!("opening {}", lock.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok((state, Lock(lock))),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => bail!("another run is under way on this machine"),
        Err((_, error)) => Err(error).with_context(|| format!("locking {}", lock.display())),
    }
}

/// Makes a machine what its policy asks for. `id` names the run.
///
/// # Errors
/// When the run could not begin or the journal could not be kept: nothing is half done then, and what was done is in
/// the journal. What single rules run into is in [`Run::problems`].
pub fn apply(
    policy: &Policy,
    system: &mut System,
    id: &str,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Run> {
    let (state, _lock) = lock(system)?;
    let mut run = Run { recovered: rollback::recover(system, &state)?, ..Run::default() };
    let before = inspect(policy, system, &|_| ());
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    let mut journal = None;
    let mut outcomes = before.clone();
    for _ in 0..MAX_PASSES {
        let planned = plan(policy, &outcomes, system)?;
        system.refresh();
        let steps: Vec<Step> =
            planned.steps.into_iter().filter(|step| !failed.contains_key(&step.rule)).collect();
        if steps.is_empty() {
            break;
        }
        if journal.is_none() {
            journal = Some(Worker { journal: Journal::begin(&state, id)?, next: 1, effects: Vec::new() });
        }
        if let Some(worker) = &mut journal {
            worker.carry_out(system, &steps, &mut failed, progress)?;
        }
        run.steps.extend(steps);
        outcomes = inspect(policy, system, &|_| ());
    }
    if let Some(worker) = journal {
        run.id = id.to_owned();
        run.problems.extend(worker.finish(system, &mut failed)?);
        outcomes = inspect(policy, system, &|_| ());
    }
    run.outcomes = settle(before, outcomes, &failed);
    Ok(run)
}

/// What is reported of each rule: `fixed` where it failed before and passes now, `error` where its changes failed.
fn settle(before: Vec<Outcome>, after: Vec<Outcome>, failed: &BTreeMap<String, String>) -> Vec<Outcome> {
    let settled = |(was, mut is): (Outcome, Outcome)| {
        if let Some(reason) = failed.get(&is.rule) {
            is.verdict = Verdict::Error;
            is.reason = Some(reason.clone());
        } else if was.verdict != Verdict::Pass && is.verdict == Verdict::Pass {
            is.verdict = Verdict::Fixed;
        }
        is
    };
    before.into_iter().zip(after).map(settled).collect()
}

/// Carries steps out, journal in hand.
struct Worker {
    journal: Journal,
    next: usize,
    effects: Vec<Effect>,
}

impl Worker {
    fn carry_out(
        &mut self,
        system: &mut System,
        steps: &[Step],
        failed: &mut BTreeMap<String, String>,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<()> {
        for step in steps {
            if failed.contains_key(&step.rule) {
                continue;
            }
            progress(&step.sentence);
            if let Err(error) = self.make(system, step)? {
                failed.insert(step.rule.clone(), format!("{error:#}"));
                self.take_back(system, &step.rule)?;
            }
        }
        Ok(())
    }

    /// Makes one change. The outer error is the journal's and ends the run; the inner one is the change's.
    fn make(&mut self, system: &mut System, step: &Step) -> Result<Result<()>> {
        let undo = match undo::prepare(system, &step.change, &self.journal.blobs) {
            Ok(undo) => undo,
            Err(error) => return Ok(Err(error)),
        };
        let number = self.next;
        self.next += 1;
        let (rule, change, effects) = (step.rule.clone(), step.change.clone(), step.effects.clone());
        self.journal.record(&Record::Intent { number, rule, change, undo, effects })?;
        let made = perform::perform(system, &step.change);
        system.refresh();
        if made.is_ok() {
            self.journal.record(&Record::Done { number })?;
            self.effects.extend(step.effects.iter().cloned());
        }
        Ok(made)
    }

    /// Takes back what was done for one rule so far, also the change that failed half-way.
    fn take_back(&mut self, system: &mut System, rule: &str) -> Result<()> {
        let (entries, _) = Journal::read(&self.journal.dir)?;
        for entry in entries.iter().rev().filter(|entry| entry.rule == rule && !entry.undone) {
            entry.undo.perform(system, &self.journal.blobs).with_context(|| format!("taking {rule} back"))?;
            self.journal.record(&Record::Undone { number: entry.number })?;
            system.refresh();
        }
        Ok(())
    }

    /// Lets the readers check what was written, tells them, and closes the journal.
    fn finish(mut self, system: &mut System, failed: &mut BTreeMap<String, String>) -> Result<Vec<String>> {
        let (entries, _) = Journal::read(&self.journal.dir)?;
        let touched: Vec<&Path> =
            entries.iter().filter(|entry| !entry.undone).filter_map(|entry| entry.change.path()).collect();
        for (prefix, reason) in validate::in_place(system, &touched) {
            let refused = entries.iter().rev().filter(|entry| {
                !entry.undone
                    && entry.change.path().is_some_and(|path| path.to_string_lossy().starts_with(prefix))
            });
            for entry in refused {
                failed.insert(entry.rule.clone(), reason.clone());
                entry.undo.perform(system, &self.journal.blobs)?;
                self.journal.record(&Record::Undone { number: entry.number })?;
            }
        }
        system.refresh();
        let problems = effect::perform_all(system, std::mem::take(&mut self.effects));
        self.journal.record(&Record::Closed)?;
        Ok(problems)
    }
}
