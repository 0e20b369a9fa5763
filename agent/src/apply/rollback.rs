//! Taking back: a whole run, some rules of it, or a run that was interrupted.
//!
//! Changes are taken back the last first. A file that somebody changed since, another rule or a person, keeps those changes:
//! only the lines of the change in question are taken out ([`super::merge`]); where that is not possible the file is left and
//! the failure told.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::journal::{Blobs, Entry, Journal, Record, runs};
use super::merge::take_out;
use super::undo::{self, Undo, Was};
use super::{effect, file, package, perform};
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
/// When the journal cannot be read or written, or a rule is named that the run did nothing for. A change that cannot be taken
/// back is told in [`Undone::failed`] and leaves the others alone.
pub fn take_back(system: &mut System, dir: &Path, rules: &[String]) -> Result<Undone> {
    let (entries, _) = Journal::read(dir)?;
    if let Some(rule) = rules.iter().find(|rule| entries.iter().all(|entry| entry.rule != **rule)) {
        bail!("this run changed nothing for the rule '{rule}'");
    }
    let mut journal = Journal::open(dir.to_path_buf())?;
    let mut undone = Undone { run: journal.id.clone(), ..Undone::default() };
    let mut effects: Vec<Effect> = Vec::new();
    let wanted = |entry: &&Entry| !entry.undone && (rules.is_empty() || rules.contains(&entry.rule));
    for entry in entries.iter().rev().filter(wanted) {
        let taken = take_back_entry(system, entry, &journal.blobs);
        system.refresh();
        match taken {
            Ok(()) => {
                journal.record(&Record::Undone { number: entry.number })?;
                undone.changes.push(format!("{}: took back: {}", entry.rule, entry.change.sentence()));
                effects.extend(entry.effects.iter().cloned());
                if matches!(entry.change, Change::Unit { .. }) {
                    effects.push(Effect::DaemonReload);
                }
            }
            Err(error) => {
                undone.failed.push(format!("{}: {}: {error:#}", entry.rule, entry.change.sentence()))
            }
        }
    }
    if !rules.is_empty() {
        undone.failed.extend(generate_again(system, &entries, rules));
    }
    undone.failed.extend(effect::perform_all(system, effects));
    if undone.failed.is_empty() {
        journal.record(&Record::Closed)?;
    }
    Ok(undone)
}

/// What programs generated for the rules that stay is generated again from the sources that are left.
fn generate_again(system: &System, entries: &[Entry], rules: &[String]) -> Vec<String> {
    let stays = |entry: &&Entry| !entry.undone && matches!(entry.change, Change::Generate { .. });
    let kept = entries.iter().filter(stays).filter(|entry| !rules.contains(&entry.rule));
    kept.filter_map(|entry| perform::perform(system, &entry.change).err().map(|error| format!("{error:#}")))
        .collect()
}

/// Takes one change back.
///
/// # Errors
/// When the former state cannot be made again, or somebody changed the same lines since.
pub fn take_back_entry(system: &mut System, entry: &Entry, blobs: &Blobs) -> Result<()> {
    match &entry.undo {
        Undo::Files { files, directories } => {
            for (path, was) in files {
                take_back_file(system, &entry.change, path, was, blobs)?;
            }
            directories.iter().rev().try_for_each(|dir| file::remove_directory(system, dir))
        }
        Undo::Packages(before) => package::bring_back(system, before, &entry.touched, blobs),
        other => other.perform(system, blobs),
    }
}

fn take_back_file(system: &System, change: &Change, path: &Path, was: &Was, blobs: &Blobs) -> Result<()> {
    let now = undo::save(system, path, blobs)?;
    let after = match change {
        Change::WriteFile { content, .. } => content,
        // What a program wrote, or what was removed, is not merged: it becomes what it was.
        _ => return undo::restore(system, path, was, blobs),
    };
    let text = |was: &Was| match was {
        Was::File { blob, .. } => String::from_utf8(blobs.load(blob)?).context("the content is not text"),
        _ => Ok(String::new()),
    };
    let untouched = now == *was || matches!(now, Was::Absent | Was::File { .. }) && text(&now)? == *after;
    if untouched {
        return undo::restore(system, path, was, blobs);
    }
    let Some(merged) = take_out(&text(was)?, after, &text(&now)?) else {
        bail!("the same lines of {} were changed since", path.display());
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
