//! Changing lines of PAM files: through Debian's or Red Hat's generator where that manages the file, in place elsewhere.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::authselect::{self, Selection};
use super::debian::{Common, STACKS};
use super::line::Line;
use super::stack;
use crate::change::Change;
use crate::system::System;

/// A line, the file it is in, and the arguments it shall have.
#[derive(Debug, Clone)]
pub struct NewArguments {
    /// The file.
    pub path: PathBuf,
    /// The line as it is.
    pub line: Line,
    /// What it shall have.
    pub arguments: Vec<String>,
}

/// The name by which `pam-auth-update` knows a file.
pub fn common_name(path: &Path) -> Option<&'static str> {
    STACKS.into_iter().find(|name| path == stack::path(&format!("common-{name}")))
}

/// The changes that give lines their new arguments.
///
/// # Errors
/// When a file cannot be read, or authselect would not write it as it is.
pub fn change_arguments(system: &System, edits: Vec<NewArguments>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut in_place = Vec::new();
    let generated = edits.iter().any(|edit| common_name(&edit.path).is_some());
    let mut common = if generated { Common::read(system)?.ok() } else { None };
    let mut selection = None;
    for edit in edits {
        if let Some(name) = authselect::stack_of(system, &edit.path)? {
            let read = || match Selection::read(system)? {
                Ok(selection) => Ok(selection),
                Err(reason) => bail!("{reason}"),
            };
            let own = match selection.take() {
                Some(selection) => selection,
                None => read()?,
            };
            let own = selection.insert(own);
            if !own.set_arguments(name, &edit.line, &edit.arguments) {
                bail!("no template of authselect has '{}'", edit.line.sentence());
            }
            continue;
        }
        let known = common_name(&edit.path).zip(common.as_mut()).is_some_and(|(name, common)| {
            common.set_arguments(name, &edit.line.control, &edit.line.module, &edit.arguments)
        });
        if !known {
            in_place.push(edit);
        }
    }
    if let Some(common) = common {
        changes.extend(common.changes(system)?);
    }
    if let Some(selection) = selection {
        changes.extend(selection.changes(system)?);
    }
    // From the end, so that the places of lines before stay true.
    in_place.sort_by(|a, b| (&a.path, b.line.number).cmp(&(&b.path, a.line.number)));
    let mut open: Option<(PathBuf, String)> = None;
    for edit in in_place {
        let text = match open.take() {
            Some((path, text)) if path == edit.path => text,
            other => {
                changes.extend(other.map(|(path, text)| Change::write(path, text)));
                system.read_text(&edit.path)?.unwrap_or_default()
            }
        };
        let text = edit.line.with_arguments(&text, &edit.arguments);
        open = Some((edit.path, text));
    }
    changes.extend(open.map(|(path, text)| Change::write(path, text)));
    Ok(changes)
}

/// The text of a file with one more line for a facility: behind the line of a module, else before the first of the facility,
/// else at the end.
pub fn insert(text: &str, lines: &[(&Path, &Line)], behind: Option<&str>, new: &str) -> String {
    let behind = behind.and_then(|module| lines.iter().find(|(_, line)| line.module_name() == module));
    let at = match (behind, lines.first()) {
        (Some((_, line)), _) => line.number,
        (None, Some((_, line))) => line.number - 1,
        (None, None) => text.lines().count(),
    };
    let mut all: Vec<&str> = text.split_inclusive('\n').collect();
    let new = format!("{new}\n");
    all.insert(at.min(all.len()), &new);
    all.concat()
}
