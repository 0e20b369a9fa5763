//! `agent history`: the runs that changed this machine.

use anyhow::Result;
use serde::Serialize;

use crate::apply;
use crate::apply::journal::{self, Journal, State};
use crate::cli::History;
use crate::exit::Exit;
use crate::system::System;

/// A run, in short.
#[derive(Debug, Serialize)]
struct Line {
    run: String,
    rules: usize,
    changes: usize,
    taken_back: usize,
    interrupted: bool,
    under_way: bool,
}

/// Runs the command.
///
/// # Errors
/// When a journal cannot be read.
pub fn run(args: &History) -> Result<Exit> {
    let system = System::open(&args.root)?;
    let mut lines = Vec::new();
    for dir in journal::runs(&journal::state_dir(&system)?)? {
        let (entries, state) = Journal::read(&dir)?;
        let rules: std::collections::BTreeSet<&str> =
            entries.iter().map(|entry| entry.rule.as_str()).collect();
        lines.push(Line {
            run: dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            rules: rules.len(),
            changes: entries.len(),
            taken_back: entries.iter().filter(|entry| entry.undone).count(),
            interrupted: state != State::Closed,
            under_way: false,
        });
    }
    if apply::under_way(&system)
        && let Some(now) = lines.iter_mut().rfind(|line| line.interrupted)
    {
        (now.under_way, now.interrupted) = (true, false);
    }
    let mut text: String = lines.iter().map(sentence).collect();
    if lines.is_empty() {
        text = "no run has changed this machine\n".to_owned();
    }
    super::print(args.format, &text, &lines)?;
    Ok(Exit::Good)
}

fn sentence(line: &Line) -> String {
    let state = match line {
        Line { under_way: true, .. } => "  under way",
        Line { interrupted: true, .. } => "  interrupted",
        Line { taken_back, changes, .. } if taken_back == changes => "  taken back",
        Line { taken_back: 1.., .. } => "  partly taken back",
        _ => "",
    };
    format!("{}  {} changes for {} rules{state}\n", line.run, line.changes, line.rules)
}
