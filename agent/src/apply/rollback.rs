//! Taking back: a whole run, some rules of it, or a run that was interrupted.
//!
//! Changes are taken back the last first, each by [`super::restore`], those to packages by [`super::transaction`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;

use super::journal::{Entry, Journal, Record, State, runs, state_dir};
use super::restore::{self, Taken};
use super::transaction::Transaction;
use super::undo::{Undo, Was};
use super::{disk, effect, file, merge, pending, perform};
use crate::change::{Change, Effect};
use crate::system::System;

/// How long a boot waits for another run.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of taking back.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The run.
    pub run: String,
    /// What was taken back, in sentences.
    pub changes: Vec<String>,
    /// What was left as it is, because somebody changed it since.
    pub kept: Vec<String>,
    /// What could not be, and why.
    pub failed: Vec<String>,
}

/// Takes back every run that was interrupted, and ends every taking back that was: afterwards the machine is as before or after
/// each run. With `keep_rest`, what cannot be taken back stays as it is.
///
/// # Errors
/// When a journal cannot be read, or a change cannot be taken back: nothing else may be changed then.
pub fn recover(system: &mut System, state: &Path, keep_rest: bool) -> Result<Vec<Undone>> {
    let mut recovered = Vec::new();
    for dir in runs(state)?.into_iter().rev() {
        let read = match Journal::read(&dir) {
            Ok((_, read)) => read,
            Err(error) if keep_rest => {
                recovered.push(set_aside(state, &dir, &error)?);
                continue;
            }
            Err(error) => {
                let remedy =
                    "`agent rollback --keep-rest` sets the run aside: it can then no longer be taken back";
                return Err(error.context(remedy));
            }
        };
        let rules = match read {
            State::Closed => continue,
            State::Interrupted => Vec::new(),
            State::TakingBack(rules) => rules,
        };
        let undone = take_back(system, &dir, &rules)?;
        if !undone.failed.is_empty() && keep_rest {
            Journal::open(dir)?.record(&Record::Closed)?;
        } else if !undone.failed.is_empty() {
            bail!(
                "the interrupted run {} could not be taken back: {}; mend that, or let it stay as it is with \
                 `agent rollback --keep-rest`",
                undone.run,
                undone.failed.join("; ")
            );
        }
        recovered.push(undone);
    }
    Ok(recovered)
}

/// As [`recover`], by itself and under the lock, for a boot: nobody may be able to begin the run that would do it otherwise. Where
/// no run was cut, which is told fast, nothing is done.
///
/// # Errors
/// As [`recover`], and when another run is under way.
pub fn recover_at_boot(system: &mut System) -> Result<Vec<Undone>> {
    let state = state_dir(system)?;
    let mut cut = false;
    for dir in runs(&state)? {
        cut |= !Journal::is_closed(&dir)?;
    }
    if !cut {
        return Ok(Vec::new());
    }
    // What is to be confirmed may be being taken back by its timer.
    let (state, _lock) = super::lock_after(system, PATIENCE)?;
    let recovered = recover(system, &state, false)?;
    pending::taken_back(system, &recovered)?;
    Ok(recovered)
}

/// Puts a run whose journal makes no sense where nobody looks for runs.
fn set_aside(state: &Path, dir: &Path, error: &anyhow::Error) -> Result<Undone> {
    let run = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = state.join("damaged");
    std::fs::create_dir_all(&aside).with_context(|| format!("making {}", aside.display()))?;
    let to = aside.join(&run);
    std::fs::rename(dir, &to).with_context(|| format!("setting {} aside", dir.display()))?;
    let failed = vec![format!("{error:#}; what is left of it is in {}", to.display())];
    Ok(Undone { run, failed, ..Undone::default() })
}

/// Takes back the changes of a run, all of them or those for some rules, the last first.
///
/// # Errors
/// When the journal cannot be read or written, or a rule is named that the run did nothing for. A change that cannot be taken
/// back is told in [`Undone::failed`] and leaves the others alone.
pub fn take_back(system: &mut System, dir: &Path, rules: &[String]) -> Result<Undone> {
    let mut journal = Journal::open(dir.to_path_buf())?;
    let (entries, state) = Journal::read(dir)?;
    all_known(&entries, rules)?;
    // An interrupted run is open as it is; perhaps because the disk is full.
    if state != State::Interrupted {
        journal.record(&Record::TakingBack { rules: rules.to_vec() })?;
    }
    let (mut undone, mut effects) = take_back_of(system, &mut journal, rules)?;
    if state != State::Closed {
        // What was taken back before the interruption has perhaps not been told.
        let before = entries.iter().filter(|entry| entry.undone);
        effects.extend(before.flat_map(|entry| entry.effects.iter().cloned()));
    }
    undone.failed.extend(effect::perform_all(system, effects));
    // What failed is tried again by another rollback; only a run that was interrupted must not stay half done.
    if undone.failed.is_empty() || state != State::Interrupted {
        journal.record(&Record::Closed)?;
    }
    Ok(undone)
}

/// What [`take_back`] would take back, the last first. What somebody changed since is in it, and would be left as it is.
///
/// # Errors
/// When the journal cannot be read, or a rule is named that the run did nothing for.
pub fn foresee(dir: &Path, rules: &[String]) -> Result<Undone> {
    let (entries, _) = Journal::read(dir)?;
    all_known(&entries, rules)?;
    let wanted = |entry: &&Entry| !entry.undone && (rules.is_empty() || rules.contains(&entry.rule));
    let sentence = |entry: &Entry| format!("{}: would take back: {}", entry.rule, entry.change.sentence());
    let changes = entries.iter().rev().filter(wanted).map(sentence).collect();
    let run = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Undone { run, changes, ..Undone::default() })
}

/// What is left over of runs that were interrupted, and would be taken back before anything else, the last first.
///
/// # Errors
/// When a journal cannot be read.
pub fn foresee_recovery(state: &Path) -> Result<Vec<Undone>> {
    let mut found = Vec::new();
    for dir in runs(state)?.into_iter().rev() {
        match Journal::read(&dir)?.1 {
            State::Closed => {}
            State::Interrupted => found.push(foresee(&dir, &[])?),
            State::TakingBack(rules) => found.push(foresee(&dir, &rules)?),
        }
    }
    Ok(found)
}

/// Refuses rules that a run did nothing for.
fn all_known(entries: &[Entry], rules: &[String]) -> Result<()> {
    match rules.iter().find(|rule| entries.iter().all(|entry| entry.rule != **rule)) {
        Some(rule) => bail!("this run changed nothing for the rule '{rule}'"),
        None => Ok(()),
    }
}

/// As [`take_back`], within a run that goes on: programs are not told; what they must be told is returned.
///
/// # Errors
/// When the journal cannot be read or written.
pub fn take_back_of(
    system: &mut System,
    journal: &mut Journal,
    rules: &[String],
) -> Result<(Undone, Vec<Effect>)> {
    let (entries, _) = Journal::read(&journal.dir)?;
    let wanted = |entry: &&Entry| !entry.undone && (rules.is_empty() || rules.contains(&entry.rule));
    let chosen: Vec<&Entry> = entries.iter().filter(wanted).collect();
    let whole = entries.iter().filter(|entry| !entry.undone).count() == chosen.len();
    let undone = Undone { run: journal.id.clone(), ..Undone::default() };
    let (effects, again, settled, stuck) = (vec![], vec![], vec![], vec![]);
    let mut taking = Taking { journal, entries: &entries, whole, undone, effects, again, settled, stuck };
    for entry in chosen.iter().rev() {
        taking.entry(system, entry, &chosen)?;
    }
    if !whole {
        let stays = |entry: &&Entry| !entry.undone && !wanted(entry) && is_generated(entry);
        taking.again.extend(entries.iter().filter(stays));
    }
    taking.remove_empty(system)?;
    taking.run_again(system)?;
    taking.note_settled(system)?;
    Ok((taking.undone, taking.effects))
}

fn is_generated(entry: &Entry) -> bool {
    matches!(entry.change, Change::Generate { .. })
}

/// A run, or some rules of it, being taken back.
struct Taking<'a> {
    journal: &'a mut Journal,
    entries: &'a [Entry],
    /// Whether nothing of it is to stay.
    whole: bool,
    undone: Undone,
    effects: Vec<Effect>,
    /// What programs generated, to be generated again from what is left.
    again: Vec<&'a Entry>,
    /// Changes that were taken back and are not noted yet.
    settled: Vec<usize>,
    /// Where a change could not be taken back: those before it there must wait for that, and would be taken for somebody else's.
    stuck: Vec<PathBuf>,
}

impl<'a> Taking<'a> {
    /// Takes one of the `wanted` changes back.
    fn entry(&mut self, system: &mut System, entry: &'a Entry, wanted: &[&'a Entry]) -> Result<()> {
        if let Undo::Packages(part) = &entry.undo {
            let together: Vec<&Entry> =
                wanted.iter().copied().filter(|other| belongs(other, &part.transaction)).collect();
            // All parts of a transaction are taken back together, where its last is met.
            if together.last().is_some_and(|last| last.number == entry.number) {
                let taken = self.packages(system, &part.transaction, &together);
                system.refresh();
                return together.iter().rev().try_for_each(|part| self.settle(part, taken.as_ref()));
            }
            return Ok(());
        }
        // Rules that stay may have a share in what a program generated.
        if is_generated(entry) && entry.left.is_some() && !self.whole {
            self.again.push(entry);
            return Ok(());
        }
        if let Some(path) = entry.change.path().filter(|path| self.stuck.iter().any(|stuck| stuck == path)) {
            let first = anyhow!("a later change of {} must be taken back first", path.display());
            return self.settle(entry, Err(&first));
        }
        let earlier =
            self.entries.iter().filter(|other| self.whole && !other.undone && other.number < entry.number);
        let taken = restore::take_back(system, entry, &earlier.collect::<Vec<_>>(), &self.journal.blobs);
        system.changed(&entry.change);
        self.settle(entry, taken.as_ref())
    }

    fn packages(&self, system: &mut System, digest: &str, together: &[&Entry]) -> Result<Taken> {
        let blobs = &self.journal.blobs;
        let transaction = Transaction::load(digest, blobs)?;
        let all: Vec<&Entry> =
            self.entries.iter().filter(|entry| !entry.undone && belongs(entry, digest)).collect();
        // The first part keeps, for all, how the transaction left things.
        let first = self.entries.iter().find(|entry| belongs(entry, digest));
        let left = first.and_then(|entry| entry.left.as_deref());
        if together.len() == all.len() {
            transaction.take_back(system, left, blobs)?;
        } else {
            let parts = together.iter().filter_map(|entry| match &entry.undo {
                Undo::Packages(part) => Some(part),
                _ => None,
            });
            transaction.take_back_parts(system, &parts.collect::<Vec<_>>())?;
        }
        Ok(Taken::Back)
    }

    /// Notes what came of one change.
    fn settle(&mut self, entry: &'a Entry, taken: Result<&Taken, &anyhow::Error>) -> Result<()> {
        let sentence = entry.change.sentence();
        match taken {
            Err(error) => {
                self.stuck.extend(entry.change.path().map(Path::to_path_buf));
                self.undone.failed.push(format!("{}: {sentence}: {error:#}", entry.rule));
            }
            Ok(Taken::Again) => self.again.push(entry),
            Ok(Taken::Kept(why)) => {
                self.settled.push(entry.number);
                // Perhaps it was taken back before, by a run that was cut before it could tell anybody.
                self.effects.extend(entry.effects.iter().cloned());
                self.undone.kept.push(format!("{}: {sentence}: {why}", entry.rule));
            }
            Ok(Taken::Back) => {
                self.settled.push(entry.number);
                self.undone.changes.push(format!("{}: took back: {sentence}", entry.rule));
                self.effects.extend(entry.effects.iter().cloned());
                if matches!(entry.change, Change::Unit { .. }) {
                    self.effects.push(Effect::DaemonReload);
                }
            }
        }
        Ok(())
    }

    /// A file that rules of this run made between them, and of which nothing is left once the last of them is taken back, goes,
    /// and the directories made for it too.
    fn remove_empty(&mut self, system: &System) -> Result<()> {
        for entry in self.entries {
            let Undo::Files { files, directories, .. } = &entry.undo else { continue };
            let Some((path, Was::Absent)) = files.first() else { continue };
            let writes = |other: &&Entry| other.change.path() == entry.change.path();
            let settled = |other: &Entry| other.undone || self.settled.contains(&other.number);
            if !self.entries.iter().filter(writes).all(settled) {
                continue;
            }
            let left = system.read_text(path);
            if left.is_ok_and(|left| left.is_none_or(|text| merge::is_bare(&text))) {
                file::remove(system, path)?;
                directories.iter().rev().try_for_each(|dir| file::remove_directory(system, dir))?;
            }
        }
        Ok(())
    }

    /// Notes what was taken back, once all of it is on disk. Whoever is interrupted before takes it back once more, which does no
    /// harm.
    fn note_settled(&mut self, system: &System) -> Result<()> {
        if self.settled.is_empty() {
            return Ok(());
        }
        disk::wait(system, self.entries)?;
        let undone: Vec<Record> = self.settled.drain(..).map(|number| Record::Undone { number }).collect();
        self.journal.record_all(&undone)
    }

    fn run_again(&mut self, system: &System) -> Result<()> {
        let mut run: Vec<&Change> = Vec::new();
        for entry in std::mem::take(&mut self.again) {
            if !run.contains(&&entry.change) {
                run.push(&entry.change);
                if let Err(error) = perform::perform(system, &entry.change) {
                    self.undone.failed.push(format!("{}: {error:#}", entry.rule));
                    continue;
                }
            }
            // With other rules' changes still there, it stays to be taken back with the last of them.
            if self.whole {
                self.settle(entry, Ok(&Taken::Back))?;
            }
        }
        Ok(())
    }
}

fn belongs(entry: &Entry, transaction: &str) -> bool {
    matches!(&entry.undo, Undo::Packages(part) if part.transaction == transaction)
}

/// The directory of a run by its id, or of the last run that changed something.
///
/// # Errors
/// When there is no such run; the message names those there are.
pub fn find(state: &Path, id: Option<&str>) -> Result<PathBuf> {
    let all = runs(state)?;
    let name = |dir: &PathBuf| dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(id) = id else {
        let changed =
            |dir: &&PathBuf| Journal::read(dir).is_ok_and(|(entries, _)| entries.iter().any(|e| !e.undone));
        return all.iter().rev().find(changed).cloned().context("there is no run to take back");
    };
    let known: Vec<String> = all.iter().map(name).collect();
    let found = all.into_iter().find(|dir| name(dir) == id);
    found.with_context(|| format!("there is no run '{id}'; there are: {}", known.join(", ")))
}

#[cfg(test)]
mod tests;
