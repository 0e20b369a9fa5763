//! The ssh daemon's configuration as the daemon reads it: `sshd_config(5)`.
//!
//! Keywords are in any case, may be followed by `=`, and their arguments may be quoted. `Include` reads further files at
//! that place, in the order of their names; a `Match` block lasts until the next one or the end of its file, and an included
//! file cannot end a block of the file that includes it. Of a keyword that is set more than once, the first one counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::system::System;

/// The file the daemon starts with.
pub const MAIN: &str = "/etc/ssh/sshd_config";
/// Where relative `Include` patterns start.
const BASE: &str = "/etc/ssh";
/// How deep the daemon lets files include each other.
const MAX_DEPTH: usize = 16;
/// More files than this are no configuration but a loop.
const MAX_FILES: usize = 1024;

/// A keyword with its arguments, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The keyword as written.
    pub keyword: String,
    /// Its arguments, unquoted.
    pub args: Vec<String>,
    /// The condition of the `Match` block around it; `None` outside of all blocks.
    pub condition: Option<String>,
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl Directive {
    /// Whether it is this keyword.
    pub fn is(&self, keyword: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(keyword)
    }

    /// The arguments as one text.
    pub fn value(&self) -> String {
        self.args.join(" ")
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    /// The directive as a person would write it, with the condition it stands under.
    pub fn sentence(&self) -> String {
        let condition = self.condition.as_ref().map(|condition| format!(" (Match {condition})"));
        format!("{} {}{}", self.keyword, self.value(), condition.unwrap_or_default())
    }
}

/// The configuration files of a machine, some of them with other texts than they have now.
pub struct Files<'a> {
    system: &'a System,
    /// The new text of files that are to be written.
    pub edited: BTreeMap<PathBuf, String>,
}

impl<'a> Files<'a> {
    /// The files as they are.
    pub fn new(system: &'a System) -> Files<'a> {
        Files { system, edited: BTreeMap::new() }
    }

    /// The text of a file, edited or not; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn text(&self, path: &Path) -> Result<Option<String>> {
        match self.edited.get(path) {
            Some(text) => Ok(Some(text.clone())),
            None => self.system.read_text(path),
        }
    }

    /// Every directive, in the order in which the daemon meets them.
    ///
    /// # Errors
    /// When there is no main file, or one of the files cannot be read or understood; names file and line.
    pub fn directives(&self) -> Result<Vec<Directive>> {
        Ok(self.read()?.found)
    }

    /// Every file that the daemon reads, with its text.
    ///
    /// # Errors
    /// As [`Files::directives`].
    pub fn texts(&self) -> Result<BTreeMap<PathBuf, String>> {
        Ok(self.read()?.texts)
    }

    fn read(&self) -> Result<Reading<'_>> {
        let Some(text) = self.text(Path::new(MAIN))? else {
            bail!("reading {MAIN}: no such file; the ssh daemon does not start without it");
        };
        let mut reading = Reading { files: self, found: Vec::new(), texts: BTreeMap::new(), count: 0 };
        reading.file(Path::new(MAIN), &text, None, 0)?;
        Ok(reading)
    }

    /// The files that an `Include` pattern stands for, in the order in which they are read.
    fn included(&self, pattern: &str) -> Result<Vec<PathBuf>> {
        let full = Path::new(BASE).join(pattern);
        let parts: Vec<String> =
            full.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let mut paths = vec![PathBuf::from("/")];
        for part in &parts {
            if !part.contains(['*', '?', '[']) {
                paths.iter_mut().for_each(|path| path.push(part));
                continue;
            }
            let mut matching = Vec::new();
            for dir in &paths {
                matching.extend(self.matching(dir, part)?);
            }
            paths = matching;
        }
        Ok(paths)
    }

    /// The entries of a directory whose names a pattern matches, sorted.
    fn matching(&self, dir: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
        let Ok(matcher) = glob::Pattern::new(pattern) else {
            bail!("'{pattern}' is not a file name pattern")
        };
        let options =
            glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
        let mut names = self.system.list(dir)?;
        let edited = self.edited.keys().filter(|path| path.parent() == Some(dir));
        names.extend(edited.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())));
        names.sort();
        names.dedup();
        Ok(names
            .iter()
            .filter(|name| matcher.matches_with(name, options))
            .map(|name| dir.join(name))
            .collect())
    }

    /// Whether a file would be read if it were there, wherever an `Include` outside of `Match` blocks names it.
    ///
    /// # Errors
    /// When the main file cannot be understood.
    pub fn includes(&self, path: &Path) -> Result<bool> {
        let text = self.text(Path::new(MAIN))?.unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, args)) = split(line, Path::new(MAIN), index + 1)? else { continue };
            if keyword.eq_ignore_ascii_case("Match") {
                break;
            }
            let names = |pattern: &String| {
                let full = Path::new(BASE).join(pattern);
                glob::Pattern::new(&full.to_string_lossy()).is_ok_and(|pattern| pattern.matches_path(path))
            };
            if keyword.eq_ignore_ascii_case("Include") && args.iter().any(names) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// One reading of all files.
struct Reading<'a> {
    files: &'a Files<'a>,
    found: Vec<Directive>,
    texts: BTreeMap<PathBuf, String>,
    count: usize,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, text: &str, around: Option<&str>, depth: usize) -> Result<()> {
        self.count += 1;
        if depth > MAX_DEPTH || self.count > MAX_FILES {
            bail!("reading {}: files include each other too deeply; take a loop out", path.display());
        }
        self.texts.insert(path.to_owned(), text.to_owned());
        let mut condition = around.map(str::to_owned);
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, args)) = split(line, path, index + 1)? else { continue };
            if keyword.eq_ignore_ascii_case("Match") {
                let own = args.join(" ");
                condition = Some(around.map_or(own.clone(), |around| format!("{around} and {own}")));
            } else if keyword.eq_ignore_ascii_case("Include") {
                for pattern in &args {
                    self.include(pattern, condition.as_deref(), depth)?;
                }
            } else {
                let (file, line, condition) = (path.to_owned(), index + 1, condition.clone());
                self.found.push(Directive { keyword, args, condition, file, line });
            }
        }
        Ok(())
    }

    fn include(&mut self, pattern: &str, condition: Option<&str>, depth: usize) -> Result<()> {
        for path in self.files.included(pattern)? {
            if let Some(text) = self.files.text(&path)? {
                self.file(&path, &text, condition, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// A text whose `Include` lines name the copies of the files that they name, which `copy_of` knows.
///
/// # Errors
/// When a line cannot be understood; names `file` and line.
pub fn redirected(file: &Path, text: &str, copy_of: impl Fn(&Path) -> PathBuf) -> Result<String> {
    let mut lines = String::new();
    for (index, line) in text.lines().enumerate() {
        match split(line, file, index + 1)? {
            Some((keyword, args)) if keyword.eq_ignore_ascii_case("Include") => {
                let copies = args.iter().map(|pattern| copy_of(&Path::new(BASE).join(pattern)));
                let quoted: Vec<String> = copies.map(|copy| format!("\"{}\"", copy.display())).collect();
                lines.push_str(&format!("Include {}", quoted.join(" ")));
            }
            _ => lines.push_str(line),
        }
        lines.push('\n');
    }
    Ok(lines)
}

/// Keyword and arguments of a line; `None` for a blank line or a comment.
fn split(line: &str, file: &Path, number: usize) -> Result<Option<(String, Vec<String>)>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let Some((keyword, rest)) = keyword(line) else {
        bail!("{}:{number}: '{line}' has no value; expected 'Keyword value'", file.display());
    };
    match arguments(rest) {
        Some(args) if !args.is_empty() => Ok(Some((keyword.to_owned(), args))),
        Some(_) => bail!("{}:{number}: '{keyword}' has no value; expected 'Keyword value'", file.display()),
        None => bail!("{}:{number}: a quote is not closed: '{line}'", file.display()),
    }
}

/// The keyword of a line, and what follows it and an optional `=`.
fn keyword(line: &str) -> Option<(&str, &str)> {
    let ends = |c: char| c.is_whitespace() || c == '=';
    let (keyword, rest) = line.split_at(line.find(ends)?);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    Some((keyword.trim_matches('"'), rest))
}

/// Arguments, unquoted, up to a comment; `None` when a quote is not closed.
fn arguments(text: &str) -> Option<Vec<String>> {
    let mut args = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(args),
            Some(_) => args.push(argument(&mut chars)?),
        }
    }
}

fn argument(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut arg = String::new();
    let mut quote = None;
    while let Some(c) = chars.peek().copied() {
        if quote.is_none() && c.is_whitespace() {
            break;
        }
        chars.next();
        match c {
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '\\' if chars.peek().is_some_and(|next| matches!(next, '"' | '\'' | '\\')) => {
                arg.extend(chars.next());
            }
            _ => arg.push(c),
        }
    }
    quote.is_none().then_some(arg)
}

/// A text with the value of the directive on one line replaced; indentation, keyword and comment stay.
pub fn with_value(text: &str, number: usize, value: &str) -> String {
    let changed = |(index, line): (usize, &str)| {
        if index + 1 != number {
            return line.to_owned();
        }
        let start = line.len() - line.trim_start().len();
        let end =
            line[start..].find(|c: char| c.is_whitespace() || c == '=').map_or(line.len(), |at| start + at);
        let comment = line.find(" #").filter(|at| *at >= end).map_or("", |at| &line[at..]);
        let ending = if comment.is_empty() && line.ends_with('\n') { "\n" } else { "" };
        format!("{} {value}{comment}{ending}", &line[..end])
    };
    text.split_inclusive('\n').enumerate().map(changed).collect()
}

/// A text with a directive added outside of all `Match` blocks: below the commented-out example that the distribution gives, or
/// before everything else.
pub fn with_directive(text: &str, keyword: &str, value: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let first_word = |line: &str| line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let end = lines.iter().position(|line| first_word(line) == "match").unwrap_or(lines.len());
    let example = format!("#{}", keyword.to_ascii_lowercase());
    let first = lines.iter().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let at = lines
        .iter()
        .take(end)
        .position(|line| first_word(line) == example)
        .map_or(first.unwrap_or(lines.len()).min(end), |found| found + 1);
    let before = at.checked_sub(1).and_then(|before| lines.get(before));
    let closed = before.is_none_or(|line| line.ends_with('\n'));
    let new = format!("{}{keyword} {value}\n", if closed { "" } else { "\n" });
    lines.insert(at, &new);
    lines.concat()
}
