//! Lint: what makes builds fail, or images useless, said before the hour-long build and not after.
//!
//! Each lint is one entry of a table with why it matters and what to do; it sees a [`Document`] and gives the lines it objects to. It
//! knows nothing of the other lints. To add one, add an entry to the table of its subject ([`kickstart`], [`hcl`], [`cloud`],
//! [`script`], [`image`]) and a line to the table of its test.

mod cloud;
mod document;
mod hcl;
mod image;
mod kickstart;
mod script;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::spec::{Problem, Spec};
pub use document::{Document, Kind, Line};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build fails, or the image is of no use.
    Error,
    /// It works on some machines, or until something else changes.
    Warning,
    /// It works, and somebody will ask why.
    Note,
}

impl Severity {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Something to look for.
pub struct Lint {
    /// Its name.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Which files it looks at.
    pub kinds: &'static [Kind],
    /// What happens.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The lines it objects to.
    find: fn(&Document) -> Vec<Hit>,
}

/// A line that a lint objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What was found there.
    pub found: String,
}

impl Hit {
    fn of(line: &Line) -> Hit {
        Hit { line: line.number, found: line.text.trim().to_owned() }
    }

    fn whole(found: impl Into<String>) -> Hit {
        Hit { line: 0, found: found.into() }
    }

    fn at(line: u64, found: impl Into<String>) -> Hit {
        Hit { line, found: found.into() }
    }
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The column, from 1; 0 where the line as a whole is meant.
    pub column: u64,
    /// How much it matters.
    pub severity: Severity,
    /// The lint; `spec` for what is no good specification.
    pub lint: &'static str,
    /// What was found.
    pub found: String,
    /// What happens.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Every lint, by subject.
pub fn lints() -> impl Iterator<Item = &'static Lint> {
    [image::LINTS, kickstart::LINTS, hcl::LINTS, cloud::LINTS, script::LINTS].into_iter().flatten()
}

/// Looks through a file of any kind that is known.
///
/// # Errors
/// When it cannot be read, or is of no kind that is known.
pub fn check(path: &Path) -> Result<(Kind, Vec<Finding>)> {
    let text = crate::spec::text(path)?;
    let file = path.display().to_string();
    let document = Document::new(&file, &text)?;
    Ok((document.kind, findings(&file, &document)))
}

/// Everything that the lints object to, in the order of the file.
pub fn findings(file: &str, document: &Document) -> Vec<Finding> {
    let mut found = Vec::new();
    if document.kind == Kind::Spec
        && let Err(problems) = Spec::parse(document.text, file)
    {
        return problems.into_iter().map(wrong).collect();
    }
    for lint in lints().filter(|lint| lint.kinds.contains(&document.kind)) {
        found.extend((lint.find)(document).into_iter().map(|hit| Finding {
            file: file.to_owned(),
            line: hit.line,
            column: 0,
            severity: lint.severity,
            lint: lint.id,
            found: hit.found,
            why: lint.why.to_owned(),
            remedy: lint.remedy.to_owned(),
        }));
    }
    found.sort();
    found
}

/// What is no good specification.
fn wrong(problem: Problem) -> Finding {
    let Problem { file, line, column, message } = problem;
    // What is wrong, a colon, and what to do; a colon inside brackets belongs to an aside.
    let colon = message.match_indices(": ").map(|(at, _)| at).find(|at| {
        let before = message.get(..*at).unwrap_or_default();
        before.matches('(').count() == before.matches(')').count()
    });
    let (found, remedy) = match colon.and_then(|at| Some((message.get(..at)?, message.get(at + 2..)?))) {
        Some((found, remedy)) if line > 0 => (found.to_owned(), remedy.to_owned()),
        _ => (message, String::new()),
    };
    Finding { file, line, column, severity: Severity::Error, lint: "spec", found, why: String::new(), remedy }
}

#[cfg(test)]
mod tests;
