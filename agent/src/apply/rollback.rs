//! Taking back: a whole run, some rules of it, or a run that was interrupted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::effect;
use super::file;
use super::journal::{Blobs, Entry, Journal, Record, runs};
use super::undo::Was;
use crate::change::{Change, Effect};
use crate::system::System;

/// What came of taking back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// The run.
    pub run: String,
    /// What was taken back, in sentences.
    pub changes: Vec<String>,
    /// What could not be, and why.
    pub failed: Vec<String>,
}

/// Takes back every run that was interrupted: afterwards the machine is as it was before it.
///
/// # Errors
/// When a journal cannot be read, or a change cannot be taken back: nothing else may be changed then.
pub fn recover(system: &mut System, state: &Path) -> Result<Vec<Undone>> {
    let mut recovered = Vec::new();
    for dir in runs(state)? {
        let (_, closed) = Journal::read(&dir)?;
        if closed {
            continue;
        }
        let undone = take_back(system, &dir, &[])?;
        if !undone.failed.is_empty() {
            bail!("the interrupted run {} could not be taken back: {}", undone.run, undone.failed.join("; "));
        }
        recovered.push(undone);
    }
    Ok(recovered)
}

/// Takes back the changes of a run, all of them or those for some rules, the last first.
///
/// # Errors
/// When the journal cannot be read or written. A change that cannot be taken back is told in [`Undone::failed`] and leaves the
/// others alone.
pub fn take_back(system: &mut System, dir: &Path, rules: &[String]) -> Result<Undone> {
    let (entries, _) = Journal::read(dir)?;
    let mut journal = Journal::open(dir.to_path_buf())?;
    let mut undone = Undone { run: journal.id.clone(), ..Undone::default() };
    let mut effects: Vec<Effect> = Vec::new();
    let wanted = |entry: &&Entry| !entry.undone && (rules.is_empty() || rules.contains(&entry.rule));
    for entry in entries.iter().rev().filter(wanted) {
        let later: Vec<&Entry> =
            entries.iter().filter(|other| other.number > entry.number && !other.undone).collect();
        let shared = !rules.is_empty() && later.iter().any(|other| touches_same(other, entry));
        let taken = if shared {
            take_out(system, entry, &later, &journal.blobs)
        } else {
            entry.undo.perform(system, &journal.blobs)
        };
        system.refresh();
        match taken {
            Ok(()) => {
                journal.record(&Record::Undone { number: entry.number })?;
                undone.changes.push(format!("{}: took back: {}", entry.rule, entry.change.sentence()));
                effects.extend(entry.effects.iter().cloned());
            }
            Err(error) => {
                undone.failed.push(format!("{}: {}: {error:#}", entry.rule, entry.change.sentence()))
            }
        }
    }
    undone.failed.extend(effect::perform_all(system, effects));
    if undone.failed.is_empty() {
        journal.record(&Record::Closed)?;
    }
    Ok(undone)
}

fn touches_same(one: &Entry, other: &Entry) -> bool {
    one.undo.files().iter().any(|(path, _)| other.undo.files().iter().any(|(same, _)| same == path))
}

/// Takes one rule's part out of a file that later rules changed too: a three-way merge.
fn take_out(system: &System, entry: &Entry, later: &[&Entry], blobs: &Blobs) -> Result<()> {
    let Change::WriteFile { content: after, .. } = &entry.change else {
        bail!("later changes of this run touched the same file: roll back the whole run");
    };
    let Some((path, was)) = entry.undo.files().first() else { return entry.undo.perform(system, blobs) };
    let before = match was {
        Was::File { blob, .. } => {
            String::from_utf8(blobs.load(blob)?).context("the former content is not text")?
        }
        _ => String::new(),
    };
    let now = system.read_text(path)?.unwrap_or_default();
    let merged = diffy::merge(after, &now, &before);
    let Ok(merged) = merged else {
        let rules: Vec<&str> = later.iter().map(|entry| entry.rule.as_str()).collect();
        bail!(
            "the lines of {} were changed since (by {}): roll back the whole run",
            path.display(),
            rules.join(", ")
        );
    };
    let Some(mut whole) = file::read(system, path)? else { bail!("{} is gone", path.display()) };
    whole.content = merged.into_bytes();
    file::write(system, path, &whole)
}

/// The directory of a run by its id, or of the last run that changed something.
///
/// # Errors
/// When there is no such run; the message names those there are.
pub fn find(state: &Path, id: Option<&str>) -> Result<PathBuf> {
    let all = runs(state)?;
    let name = |dir: &PathBuf| dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(id) = id else {
        let last = all.iter().rev().find(|dir| {
            Journal::read(dir).is_ok_and(|(entries, _)| entries.iter().any(|entry| !entry.undone))
        });
        return last.cloned().context("there is no run to take back");
    };
    let known: Vec<String> = all.iter().map(name).collect();
    let found = all.into_iter().find(|dir| name(dir) == id);
    found.with_context(|| format!("there is no run '{id}'; there are: {}", known.join(", ")))
}
