//! The lines of a configuration file: reading assignments, and setting one without touching the rest.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Style;

/// An assignment in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section it stands in; empty where there are none.
    pub section: String,
    /// The key, as written.
    pub key: String,
    /// The value.
    pub value: String,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub number: usize,
}

impl Style {
    /// Whether two keys are the same.
    pub fn same_key(self, one: &str, other: &str) -> bool {
        match self {
            Style::Spaced => one.eq_ignore_ascii_case(other),
            Style::Systemd => one == other,
        }
    }

    /// Whether two values mean the same.
    pub fn same(self, one: &str, other: &str) -> bool {
        match self {
            Style::Spaced => one.eq_ignore_ascii_case(other),
            Style::Systemd => one == other || boolean(one).is_some_and(|truth| boolean(other) == Some(truth)),
        }
    }

    /// A line that assigns.
    pub fn line(self, key: &str, value: &str) -> String {
        match self {
            Style::Spaced => format!("{key} = {value}"),
            Style::Systemd => format!("{key}={value}"),
        }
    }
}

/// A boolean in one of the spellings of `systemd.syntax(7)`.
fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Every assignment of a file, in order.
///
/// # Errors
/// When a line is one that the daemon refuses to start with, naming file and line.
pub fn parse(style: Style, file: &Path, text: &str) -> Result<Vec<Assignment>> {
    let mut found = Vec::new();
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        match read_line(style, line) {
            Line::Section(name) => section = name.to_owned(),
            Line::Assignment(key, value) => found.push(Assignment {
                section: section.clone(),
                key: key.to_owned(),
                value: value.to_owned(),
                file: file.to_owned(),
                number,
            }),
            Line::Refused => {
                bail!("{}:{number}: '{}' is not 'name = value', with blanks", file.display(), line.trim())
            }
            Line::Nothing => {}
        }
    }
    Ok(found)
}

/// What a line is.
enum Line<'a> {
    Section(&'a str),
    Assignment(&'a str, &'a str),
    Refused,
    /// Blank, a comment, or something its daemon passes over.
    Nothing,
}

fn read_line(style: Style, line: &str) -> Line<'_> {
    let line = line.trim();
    match style {
        Style::Spaced if line.is_empty() || line.starts_with('#') => Line::Nothing,
        Style::Spaced => {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(key), Some("="), Some(value)) => Line::Assignment(key, value),
                _ => Line::Refused,
            }
        }
        Style::Systemd if line.starts_with(['#', ';']) => Line::Nothing,
        Style::Systemd => match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(section) => Line::Section(section),
            None => match line.split_once('=') {
                Some((key, value)) => Line::Assignment(key.trim(), value.trim()),
                None => Line::Nothing,
            },
        },
    }
}

/// The text with one value set: in every line that assigns it, else behind a comment that shows its default, else at the
/// end of its section.
pub fn set(style: Style, text: &str, section: &str, key: &str, value: &str) -> String {
    let wanted = style.line(key, value);
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut assigned = false;
    // Where a new line goes: behind the comment that names the key, or behind the last line of the section.
    let (mut behind_comment, mut end) = (None, section.is_empty().then_some(0));
    for line in text.lines() {
        let kind = read_line(style, line);
        if let Line::Section(name) = kind {
            current = name.to_owned();
        }
        let here = current == section;
        match kind {
            Line::Assignment(found, _) if here && style.same_key(found, key) => {
                lines.push(wanted.clone());
                assigned = true;
            }
            _ => lines.push(line.to_owned()),
        }
        if here && !line.trim().is_empty() {
            end = Some(lines.len());
        }
        let comment = line.trim_start().strip_prefix('#').map(|shown| read_line(style, shown));
        if here && matches!(comment, Some(Line::Assignment(found, _)) if style.same_key(found, key)) {
            behind_comment = Some(lines.len());
        }
    }
    if !assigned {
        match behind_comment.or(end) {
            Some(at) => lines.insert(at.min(lines.len()), wanted),
            None => lines.extend([format!("[{section}]"), wanted]),
        }
    }
    lines.join("\n") + "\n"
}
