//! What sudo reads: `sudoers(5)`.
//!
//! A backslash at the end joins lines; `#` begins a comment except before a number (a user id) and in `#include`. The files of an
//! included directory are read in the order of their names, without those that end in `~` or contain a dot. Of settings
//! that contradict each other, the last one counts.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::system::System;

/// The file sudo starts with.
pub const MAIN: &str = "/etc/sudoers";
/// How deep sudo lets files include each other.
const MAX_DEPTH: usize = 128;
/// More files than this are no configuration but a loop.
const MAX_FILES: usize = 1024;

/// What a `Defaults` line sets: one of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Users, hosts, commands or run-as users it is limited to, with the sign that says which; `None` for everyone.
    pub scope: Option<String>,
    /// The name.
    pub name: String,
    /// The value; `None` for a switch.
    pub value: Option<String>,
    /// Whether a `!` switches it off.
    pub negated: bool,
    /// Where it stands in the text of its file.
    pub range: Range<usize>,
}

/// Who may run what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The users, groups and aliases, as written.
    pub who: Vec<String>,
    /// Where tags that waive the password stand in the text of the file.
    pub waivers: Vec<Range<usize>>,
}

/// What a line says, as far as the settings need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// `Defaults`.
    Defaults(Vec<Parameter>),
    /// Who may run what.
    Grant(Grant),
    /// A name for users: `User_Alias NAME = MEMBERS`.
    UserAlias(String, Vec<String>),
    /// Other names.
    OtherAlias,
    /// `@include FILE`.
    Include(String),
    /// `@includedir DIR`.
    IncludeDir(String),
}

/// A line with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub entry: Entry,
    /// The file.
    pub file: PathBuf,
    /// Its first line, counted from 1.
    pub number: usize,
    /// All of it in the text of the file, the last line's end included.
    pub range: Range<usize>,
    /// Its text, joined.
    pub text: String,
}

impl Line {
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.number)
    }
}

/// Every line of every file that sudo reads, in the order in which it reads them; none when there is no main file.
///
/// # Errors
/// When a file cannot be read or understood; names file and line.
pub fn lines(system: &System) -> Result<Vec<Line>> {
    let mut reading = Reading { system, found: Vec::new(), count: 0 };
    if system.exists(MAIN)? {
        reading.file(Path::new(MAIN), 0)?;
    }
    Ok(reading.found)
}

struct Reading<'a> {
    system: &'a System,
    found: Vec<Line>,
    count: usize,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<()> {
        self.count += 1;
        if depth > MAX_DEPTH || self.count > MAX_FILES {
            bail!("reading {}: files include each other too deeply; take a loop out", path.display());
        }
        let Some(text) = self.system.read_text(path)? else {
            bail!("reading {}: no such file, and sudo is told to include it", path.display());
        };
        for line in parse(path, &text)? {
            let from = path.parent().unwrap_or(Path::new("/"));
            match &line.entry {
                Entry::Include(to) => self.file(&from.join(to), depth + 1)?,
                Entry::IncludeDir(to) => self.directory(&from.join(to), depth)?,
                _ => self.found.push(line),
            }
        }
        Ok(())
    }

    fn directory(&mut self, dir: &Path, depth: usize) -> Result<()> {
        for name in self.system.list(dir)? {
            let path = dir.join(&name);
            let regular =
                self.system.meta_followed(&path)?.is_some_and(|m| m.kind == crate::system::FileKind::Regular);
            if regular && !name.contains('.') && !name.ends_with('~') {
                self.file(&path, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Whether the main file includes the drop-in directory.
///
/// # Errors
/// When it cannot be read or understood.
pub fn includes(system: &System, dir: &str) -> Result<bool> {
    let text = system.read_text(MAIN)?.unwrap_or_default();
    let found = parse(Path::new(MAIN), &text)?;
    Ok(found
        .iter()
        .any(|line| matches!(&line.entry, Entry::IncludeDir(to) if to.trim_end_matches('/') == dir)))
}

/// Reads the text of one file.
///
/// # Errors
/// When a line cannot be understood.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Line>> {
    let mut found = Vec::new();
    let (mut start, mut number) = (0, 1);
    while start < text.len() {
        let end = logical_end(text, start);
        let raw = text.get(start..end).unwrap_or_default();
        // Two blanks for a backslash and a line's end, so that places stay what they are.
        let joined = raw.replace("\\\n", "  ");
        let shown = uncommented(joined.trim_end());
        if !shown.trim().is_empty() {
            match entry(shown, start) {
                Some(entry) => {
                    let text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                    found.push(Line { entry, file: file.to_owned(), number, range: start..end, text });
                }
                None => bail!(
                    "{}:{number}: '{}' is not understood; visudo -c tells more",
                    file.display(),
                    shown.trim()
                ),
            }
        }
        number += raw.matches('\n').count();
        start = end;
    }
    Ok(found)
}

/// Where the logical line that begins at `start` ends.
fn logical_end(text: &str, start: usize) -> usize {
    let mut from = start;
    loop {
        let rest = text.get(from..).unwrap_or_default();
        match rest.find('\n') {
            None => return text.len(),
            Some(at) if rest.get(..at).is_some_and(|line| line.ends_with('\\')) => from += at + 1,
            Some(at) => return from + at + 1,
        }
    }
}

/// A joined line without its comment.
fn uncommented(line: &str) -> &str {
    let trimmed = line.trim_start();
    if ["#include ", "#includedir ", "#include\t", "#includedir\t"]
        .iter()
        .any(|word| trimmed.starts_with(word))
    {
        return line;
    }
    let mut quoted = false;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => quoted = !quoted,
            '#' if !quoted && !chars.peek().is_some_and(|(_, next)| next.is_ascii_digit()) => {
                return line.get(..at).unwrap_or_default();
            }
            _ => {}
        }
    }
    line
}

fn entry(line: &str, start: usize) -> Option<Entry> {
    let indent = line.len() - line.trim_start().len();
    let text = line.trim();
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    match word {
        "@includedir" | "#includedir" => Some(Entry::IncludeDir(path(rest)?)),
        "@include" | "#include" => Some(Entry::Include(path(rest)?)),
        "User_Alias" => {
            // Several are separated by colons; only what the first names matters when there is one.
            let (name, members) = rest.split_once('=')?;
            Some(Entry::UserAlias(name.trim().to_owned(), list(members)))
        }
        "Host_Alias" | "Cmnd_Alias" | "Cmd_Alias" | "Runas_Alias" => Some(Entry::OtherAlias),
        _ if word.starts_with("Defaults") => defaults(text, start + indent),
        _ => grant(text, start + indent),
    }
}

/// The path after an include; escapes in it are for names nobody uses.
fn path(rest: &str) -> Option<String> {
    let path = rest.trim().trim_matches('"');
    (!path.is_empty() && !path.contains(['\\', '%'])).then(|| path.to_owned())
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|member| member.trim().trim_matches('"').to_owned())
        .filter(|m| !m.is_empty())
        .collect()
}

fn defaults(text: &str, start: usize) -> Option<Entry> {
    let rest = text.strip_prefix("Defaults")?;
    let mut at = "Defaults".len();
    let mut scope = None;
    if let Some(sign) = rest.chars().next().filter(|c| "@:!>".contains(*c)) {
        let len = scope_length(rest.get(1..)?);
        scope = Some(format!("{sign}{}", rest.get(1..1 + len)?.trim()));
        at += 1 + len;
    } else if !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let parameters = pieces(text.get(at..)?, ',')
        .into_iter()
        .map(|range| parameter(text, at + range.start..at + range.end, start, scope.clone()))
        .collect::<Option<Vec<_>>>()?;
    (!parameters.is_empty()).then_some(Entry::Defaults(parameters))
}

/// How much of a text is the list after `Defaults:`: it goes on after each comma.
fn scope_length(text: &str) -> usize {
    let mut started = false;
    let mut after_comma = true;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && started && !after_comma {
            let next = text.get(at..).unwrap_or_default().trim_start();
            if !next.starts_with(',') {
                return at;
            }
        } else if !c.is_whitespace() {
            started = true;
            after_comma = c == ',';
        }
    }
    text.len()
}

fn parameter(text: &str, range: Range<usize>, start: usize, scope: Option<String>) -> Option<Parameter> {
    let piece = text.get(range.clone())?.trim();
    let bare = piece.trim_start_matches(|c: char| c == '!' || c.is_whitespace());
    let negated = piece.matches('!').count() > bare.matches('!').count()
        && (piece.matches('!').count() - bare.matches('!').count()) % 2 == 1;
    let (name, value) = match bare.split_once('=') {
        Some((name, value)) => {
            let name = name.trim_end_matches(['+', '-']).trim();
            (name, Some(value.trim().trim_matches('"').to_owned()))
        }
        None => (bare.trim(), None),
    };
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| Parameter {
        scope,
        name: name.to_owned(),
        value,
        negated,
        range: start + range.start..start + range.end,
    })
}

/// The ranges between separators that are not quoted or escaped.
fn pieces(text: &str, separator: char) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut begin, mut quoted) = (0, false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                found.push(begin..at);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(begin..text.len());
    found.retain(|range| text.get(range.clone()).is_some_and(|piece| !piece.trim().is_empty()));
    found
}

fn grant(text: &str, start: usize) -> Option<Entry> {
    let equals = pieces(text, '=').first().map(|first| first.end).filter(|end| *end < text.len())?;
    let before = text.get(..equals)?;
    let (who, _hosts) = who_and_hosts(before)?;
    let waivers = waivers(text.get(equals + 1..)?).into_iter();
    let base = start + equals + 1;
    let waivers = waivers.map(|range| base + range.start..base + range.end).collect();
    Some(Entry::Grant(Grant { who: list(who), waivers }))
}

/// Splits `users hosts`: the list of users goes on after each comma, and may be quoted.
fn who_and_hosts(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('"') {
        let end = rest.find('"')? + 2;
        return text.split_at_checked(end);
    }
    text.split_at_checked(scope_length(text))
        .filter(|(who, hosts)| !who.is_empty() && !hosts.trim().is_empty())
}

/// Where `NOPASSWD:` stands outside of quotes, with the blanks after it.
fn waivers(text: &str) -> Vec<Range<usize>> {
    const TAG: &str = "NOPASSWD";
    let mut found = Vec::new();
    let mut quoted = false;
    let mut before = ' ';
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => quoted = !quoted,
            'N' if !quoted && (before.is_whitespace() || ",:)=".contains(before)) => {
                if let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(TAG))
                    && let Some(after) = rest.trim_start().strip_prefix(':')
                {
                    found.push(at..text.len() - after.trim_start().len());
                }
            }
            _ => {}
        }
        before = c;
    }
    found
}

/// A text without one of the parameters of a `Defaults` line; the line goes when it says nothing else.
pub fn without_parameter(text: &str, line: &Line, parameter: &Parameter) -> Option<String> {
    let Entry::Defaults(all) = &line.entry else { return None };
    let cut = match all.iter().position(|other| other == parameter)? {
        _ if all.len() == 1 => line.range.clone(),
        0 => parameter.range.start..all.get(1)?.range.start,
        at => all.get(at - 1)?.range.end..parameter.range.end,
    };
    let (kept, rest) = (text.get(..cut.start)?, text.get(cut.end..)?);
    let joined = !kept.is_empty()
        && !kept.ends_with(char::is_whitespace)
        && rest.starts_with(|c: char| c.is_alphanumeric() || c == '!');
    Some(format!("{kept}{}{rest}", if joined { " " } else { "" }))
}
