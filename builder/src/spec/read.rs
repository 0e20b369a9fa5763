//! Reading a specification: every mistake with its file, line, column and remedy.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_saphyr::{Location, Spanned};

use super::{Spec, possible};

/// The largest specification, in bytes.
const LARGEST: u64 = 1 << 20;

/// Something wrong at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The column, from 1; 0 for the line as a whole.
    pub column: u64,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// Something wrong with a value.
    pub fn at<T>(file: &str, value: &Spanned<T>, message: impl Into<String>) -> Problem {
        Problem::located(file, value.referenced, message)
    }

    fn located(file: &str, place: Location, message: impl Into<String>) -> Problem {
        Problem { file: file.to_owned(), line: place.line(), column: place.column(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, column, message } = self;
        match (line, column) {
            (0, _) => write!(f, "{file}: {message}"),
            (_, 0) => write!(f, "{file}:{line}: {message}"),
            _ => write!(f, "{file}:{line}:{column}: {message}"),
        }
    }
}

impl std::error::Error for Problem {}

impl Spec {
    /// Reads a specification from its text. `file` is what messages call it.
    ///
    /// # Errors
    /// When it is not understood, or asks for what cannot be, with the place of each mistake.
    pub fn parse(text: &str, file: &str) -> Result<Spec, Vec<Problem>> {
        let spec: Spec = document(text, file).map_err(|problem| vec![problem])?;
        let problems = possible::problems(&spec, file);
        if problems.is_empty() { Ok(spec) } else { Err(problems) }
    }

    /// Reads a specification from its file.
    ///
    /// # Errors
    /// When the file cannot be read; otherwise as [`Spec::parse`].
    pub fn read(path: &Path) -> Result<Spec> {
        let text = text(path)?;
        Spec::parse(&text, &path.display().to_string()).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        })
    }
}

/// The text of a file that is small enough to be one of ours.
///
/// # Errors
/// When it cannot be read, is no text or too large.
pub fn text(path: &Path) -> Result<String> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("reading {shown}"))?.len();
    if size > LARGEST {
        bail!("{shown}: larger than 1 MiB, which no specification, kickstart or template is");
    }
    std::fs::read_to_string(path).with_context(|| format!("reading {shown}"))
}

/// Reads a YAML document.
///
/// # Errors
/// For the first thing that is not understood.
pub fn document<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Problem> {
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.without_snippet().to_string();
        let Some(place) = error.location() else {
            return Problem { file: file.to_owned(), line: 0, column: 0, message };
        };
        let suffix = format!(" at line {}, column {}", place.line(), place.column());
        Problem::located(file, place, message.strip_suffix(&suffix).unwrap_or(&message))
    })
}
