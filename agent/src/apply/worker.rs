//! Carrying the steps of a plan out, journal in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, anyhow, bail};

use super::journal::{Journal, Record};
use super::transaction::{Part, Transaction};
use super::undo::{self, Undo};
use super::{Control, batch, check_stop, disk, effect, package, perform, rollback, validate};
use crate::change::{Change, Effect, UnitGoal};
use crate::plan::{Step, digest};
use crate::system::{System, Tool};

/// Carries steps out. The journal begins with the first step, so that a run with nothing to do leaves no trace.
pub struct Worker {
    state: PathBuf,
    run: String,
    journal: Option<Journal>,
    next: usize,
    effects: Vec<Effect>,
    /// The steps carried out, in order.
    pub made: Vec<Step>,
    /// Rules of which a change failed, and why.
    pub failed: BTreeMap<String, String>,
    /// Files that something was taken back from: what was planned on top of that holds no longer, and is planned anew in the
    /// next pass.
    stale: BTreeSet<PathBuf>,
    /// Steps that no running program takes up: they are made while those are told of the others.
    beside: Vec<Step>,
}

impl Worker {
    /// A worker for the run named `id`.
    pub fn new(state: &Path, id: &str) -> Worker {
        let failed = BTreeMap::new();
        Worker {
            state: state.to_owned(),
            run: id.to_owned(),
            journal: None,
            next: 1,
            effects: Vec::new(),
            made: Vec::new(),
            failed,
            stale: BTreeSet::new(),
            beside: Vec::new(),
        }
    }

    /// The directory of the run, once it has begun.
    pub fn dir(&self) -> Option<&Path> {
        self.journal.as_ref().map(|journal| journal.dir.as_path())
    }

    /// The id of the run, once it has begun.
    pub fn id(&self) -> Option<String> {
        self.journal.as_ref().map(|journal| journal.id.clone())
    }

    /// Begins the run, when no step has yet; returns its id.
    ///
    /// # Errors
    /// When the journal cannot be begun: nothing may be changed then.
    pub fn begin(&mut self) -> Result<String> {
        Ok(self.journal()?.id.clone())
    }

    fn journal(&mut self) -> Result<&mut Journal> {
        if self.journal.is_none() {
            self.journal = Some(Journal::begin(&self.state, &self.run)?);
        }
        self.journal.as_mut().context("beginning the journal")
    }

    /// Makes the changes of `steps` in order; those to packages all at once, since each call of a package manager takes
    /// seconds.
    ///
    /// # Errors
    /// When the run is to stop or the journal cannot be kept. What a change runs into is in [`Worker::failed`].
    pub fn carry_out(&mut self, system: &mut System, steps: &[Step], control: &Control) -> Result<()> {
        let (packages, others): (Vec<&Step>, Vec<&Step>) =
            steps.iter().partition(|step| matches!(step.change, Change::Packages { .. }));
        let (beside, others): (Vec<&Step>, Vec<&Step>) = others.into_iter().partition(|step| is_beside(step));
        self.beside.extend(beside.into_iter().cloned());
        if !packages.is_empty() {
            check_stop(control.stop)?;
            packages.iter().for_each(|step| (control.progress)(&step.sentence));
            self.change_packages(system, &packages, control.stop)?;
        }
        self.stale.clear();
        let mut rest = others.as_slice();
        while !rest.is_empty() {
            check_stop(control.stop)?;
            let (batch, others) = rest.split_at(batch::length(rest));
            rest = others;
            let holds = |step: &&Step| {
                !self.failed.contains_key(&step.rule)
                    && step.change.path().is_none_or(|path| !self.stale.contains(path))
            };
            let batch: Vec<&Step> = batch.iter().copied().filter(holds).collect();
            if self.overtaken(system, &batch)? {
                continue;
            }
            batch.iter().for_each(|step| (control.progress)(&step.sentence));
            if batch.len() > 1 && self.make_together(system, &batch)? {
                continue;
            }
            for step in batch {
                if step.change.path().is_none_or(|path| !self.stale.contains(path)) {
                    self.try_to_make(system, step)?;
                }
            }
        }
        self.beside.iter().for_each(|step| (control.progress)(&step.sentence));
        check_stop(control.stop)
    }

    /// Whether somebody wrote the file of these steps since they were planned. Their work is not overwritten: the next pass plans
    /// anew on it.
    fn overtaken(&mut self, system: &System, steps: &[&Step]) -> Result<bool> {
        for step in steps {
            let (Change::WriteFile { path, .. }, Some(from)) = (&step.change, &step.starts_from) else {
                continue;
            };
            let overtaken = digest(system.read_text(path)?.as_deref()) != *from;
            if overtaken {
                self.stale.insert(path.clone());
            }
            // The others of the batch start from what this one leaves.
            return Ok(overtaken);
        }
        Ok(false)
    }

    /// Makes light changes with one announcement and, where several write the same file, with one write. Returns whether it did;
    /// where not, everything is as it was before, and they are to be made one by one.
    fn make_together(&mut self, system: &mut System, steps: &[&Step]) -> Result<bool> {
        let changes: Vec<&Change> = steps.iter().map(|step| &step.change).collect();
        let Ok(undos) = batch::prepare(system, &changes, &self.journal()?.blobs) else { return Ok(false) };
        let numbers: Vec<usize> = (self.next..).take(steps.len()).collect();
        let intents = steps.iter().zip(&undos).zip(&numbers);
        let intents: Vec<Record> =
            intents.map(|((step, undo), number)| intent(step, undo.clone(), *number)).collect();
        self.journal()?.record_all(&intents)?;
        self.next += steps.len();
        if batch::write(system, &changes, &undos, &self.journal()?.blobs)?.is_err() {
            let undone = numbers.iter().map(|&number| Record::Undone { number });
            self.journal()?.record_all(&undone.collect::<Vec<_>>())?;
            return Ok(false);
        }
        for (step, number) in steps.iter().zip(numbers) {
            // Another of its changes failed, and this one was taken back with it.
            if self.failed.contains_key(&step.rule) {
                continue;
            }
            let made = match step.change {
                Change::WriteFile { .. } => Ok(()),
                _ => perform::perform(system, &step.change),
            };
            system.changed(&step.change);
            match made {
                Ok(()) => self.done(step, number, Vec::new())?,
                Err(error) => self.fail(system, &step.rule, format!("{error:#}"))?,
            }
        }
        Ok(true)
    }

    /// Makes one change, or gives its rule up.
    fn try_to_make(&mut self, system: &mut System, step: &Step) -> Result<()> {
        if self.failed.contains_key(&step.rule) {
            return Ok(());
        }
        match self.make(system, step)? {
            Ok(()) => Ok(()),
            Err(error) => {
                self.stale.extend(step.change.path().map(Path::to_path_buf));
                self.fail(system, &step.rule, format!("{error:#}"))
            }
        }
    }

    /// Makes one change. The outer error is the journal's and ends the run; the inner one is the change's.
    fn make(&mut self, system: &mut System, step: &Step) -> Result<Result<()>> {
        let undo = match undo::prepare(system, &step.change, &self.journal()?.blobs) {
            Ok(undo) => undo,
            Err(error) => return Ok(Err(error)),
        };
        let number = self.announce(step, undo.clone())?;
        let made = perform::perform(system, &step.change);
        system.changed(&step.change);
        if made.is_ok() {
            let left = undo.left(system, &step.change, &self.journal()?.blobs)?;
            self.done(step, number, left)?;
        }
        Ok(made)
    }

    /// Writes the intent of a change, with its undo, to the journal.
    fn announce(&mut self, step: &Step, undo: Undo) -> Result<usize> {
        let number = self.next;
        self.journal()?.record(&intent(step, undo, number))?;
        self.next += 1;
        Ok(number)
    }

    /// Notes that a change came to its end. That this is known is worth nothing to whoever takes back a run that was cut, so it
    /// need not be on disk before the next change is announced.
    fn done(&mut self, step: &Step, number: usize, left: Vec<(PathBuf, undo::Was)>) -> Result<()> {
        self.journal()?.note(&Record::Done { number, left })?;
        self.made.push(step.clone());
        self.effects.extend(step.effects.iter().cloned());
        // What boots with the machine is read at the next boot; what is not to run any more, the manager must know now.
        if matches!(step.change, Change::Unit { goal: UnitGoal::Disabled | UnitGoal::Masked, .. }) {
            self.effects.push(Effect::DaemonReload);
        }
        Ok(())
    }

    /// Installs and removes all packages in one transaction; when that fails, rule by rule, so that one package that cannot be
    /// had does not keep the others away. Where no mirror answers none is to be had, and each would be waited for in vain.
    fn change_packages(&mut self, system: &mut System, steps: &[&Step], stop: &AtomicBool) -> Result<()> {
        let mut silent = None;
        if steps.len() > 1 {
            match self.transact(system, steps)? {
                Ok(()) => return Ok(()),
                Err(error) => silent = package::silence(&error),
            }
        }
        for step in steps {
            check_stop(stop)?;
            let installs = matches!(&step.change, Change::Packages { install, .. } if !install.is_empty());
            let made = match &silent {
                Some(why) if installs => Err(anyhow!("{why}")),
                _ => self.transact(system, &[step])?,
            };
            if let Err(error) = made {
                silent = silent.or_else(|| package::silence(&error));
                self.fail(system, &step.rule, format!("{error:#}"))?;
            }
        }
        Ok(())
    }

    /// One call of the package manager. The outer error is the journal's and ends the run; after the inner one everything is
    /// as it was before.
    fn transact(&mut self, system: &mut System, steps: &[&Step]) -> Result<Result<()>> {
        let (mut install, mut remove) = (Vec::new(), Vec::new());
        for step in steps {
            if let Change::Packages { install: more, remove: less } = &step.change {
                install.extend(more.iter().cloned());
                remove.extend(less.iter().cloned());
            }
        }
        let digest = match Transaction::prepare(system, &install, &remove, &self.journal()?.blobs) {
            Ok(digest) => digest,
            Err(error) => return Ok(Err(error)),
        };
        let mut numbers = Vec::new();
        for step in steps {
            let Change::Packages { install, remove } = &step.change else { continue };
            let part = Part::of(system, &digest, install, remove)?;
            numbers.push((self.announce(step, Undo::Packages(part))?, *step));
        }
        let made = package::perform(system, &install, &remove);
        system.refresh();
        let blobs = &self.journal()?.blobs;
        let transaction = Transaction::load(&digest, blobs)?;
        if made.is_err() {
            transaction
                .take_back(system, None, blobs)
                .context("taking back what the package manager began")?;
            system.refresh();
            for (number, _) in numbers {
                self.journal()?.record(&Record::Undone { number })?;
            }
            return Ok(made);
        }
        // The first part keeps, for all, how things were left.
        let mut left = transaction.left(system, blobs)?;
        for (number, step) in numbers {
            self.done(step, number, std::mem::take(&mut left))?;
        }
        Ok(made)
    }

    /// Gives a rule up: takes back what was done for it so far, also the change that failed half-way.
    fn fail(&mut self, system: &mut System, rule: &str, reason: String) -> Result<()> {
        self.failed.insert(rule.to_owned(), reason);
        self.take_back(system, rule).map(drop)
    }

    /// Takes back what was done for a rule without giving it up: another pass may do it again. Tells running programs; returns
    /// what could not be told.
    ///
    /// # Errors
    /// When it cannot be taken back, or the journal cannot be kept.
    pub fn withdraw(&mut self, system: &mut System, rule: &str) -> Result<Vec<String>> {
        let effects = self.take_back(system, rule)?;
        Ok(effect::perform_all(system, effects))
    }

    fn take_back(&mut self, system: &mut System, rule: &str) -> Result<Vec<Effect>> {
        self.made.retain(|step| step.rule != rule);
        let (entries, _) = Journal::read(&self.journal()?.dir)?;
        let ours = entries.iter().filter(|entry| entry.rule == rule && !entry.undone);
        self.stale.extend(ours.filter_map(|entry| entry.change.path()).map(Path::to_path_buf));
        let (undone, effects) = rollback::take_back_of(system, self.journal()?, &[rule.to_owned()])?;
        system.refresh();
        if !undone.failed.is_empty() {
            bail!("taking {rule} back: {}", undone.failed.join("; "));
        }
        Ok(effects)
    }

    /// Lets the readers check what was written, takes back what they refuse, then tells them; returns what could not be told.
    ///
    /// # Errors
    /// When the journal cannot be kept, or what was refused cannot be taken back.
    pub fn settle_in(&mut self, system: &mut System) -> Result<Vec<String>> {
        let effects = std::mem::take(&mut self.effects);
        let journal = self.journal()?;
        let (entries, _) = Journal::read(&journal.dir)?;
        let touched: Vec<&Path> =
            entries.iter().filter(|entry| !entry.undone).filter_map(|entry| entry.change.path()).collect();
        let refused = validate::in_place(system, &touched);
        for (prefix, reason) in refused {
            let below = |path: &Path| path.to_string_lossy().starts_with(prefix);
            let rules: Vec<&str> = entries
                .iter()
                .filter(|entry| !entry.undone && entry.change.path().is_some_and(below))
                .map(|entry| entry.rule.as_str())
                .collect();
            for rule in rules.into_iter().rev() {
                self.fail(system, rule, reason.clone())?;
            }
        }
        self.tell(system, effects)
    }

    /// Tells running programs, and makes meanwhile the steps that are none of their business: both take long.
    fn tell(&mut self, system: &mut System, effects: Vec<Effect>) -> Result<Vec<String>> {
        let mut announced = Vec::new();
        for step in std::mem::take(&mut self.beside) {
            if self.failed.contains_key(&step.rule) {
                continue;
            }
            match undo::prepare(system, &step.change, &self.journal()?.blobs) {
                Ok(undo) => announced.push((self.announce(&step, undo.clone())?, undo, step)),
                Err(error) => self.fail(system, &step.rule, format!("{error:#}"))?,
            }
        }
        let shared: &System = system;
        let (made, untold) = std::thread::scope(|scope| {
            let told = scope.spawn(|| effect::perform_all(shared, effects));
            let made = announced.iter().map(|(_, _, step)| perform::perform(shared, &step.change));
            (made.collect::<Vec<_>>(), told.join().unwrap_or_default())
        });
        for ((number, undo, step), made) in announced.into_iter().zip(made) {
            system.changed(&step.change);
            match made {
                Ok(()) => {
                    let left = undo.left(system, &step.change, &self.journal()?.blobs)?;
                    self.done(&step, number, left)?;
                }
                Err(error) => self.fail(system, &step.rule, format!("{error:#}"))?,
            }
        }
        Ok(untold)
    }

    /// Ends the run: what it did stays.
    ///
    /// # Errors
    /// When the journal cannot be written, or the disk fails.
    pub fn close(&mut self, system: &System) -> Result<()> {
        match &mut self.journal {
            Some(journal) => {
                // Names of files are not waited for one by one; the run is over when all are on disk.
                disk::wait(system, &Journal::read(&journal.dir)?.0)?;
                journal.record(&Record::Closed)
            }
            None => Ok(()),
        }
    }
}

/// The boot loader's menu is read at the next boot.
fn is_beside(step: &Step) -> bool {
    matches!(step.change, Change::Generate { tool: Tool::UpdateGrub, .. })
}

fn intent(step: &Step, undo: Undo, number: usize) -> Record {
    let (rule, change, effects) = (step.rule.clone(), step.change.clone(), step.effects.clone());
    Record::Intent { number, rule, change, undo, effects }
}
