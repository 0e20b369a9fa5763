//! The settings of `grub-mkconfig`: `/etc/default/grub`, then `/etc/default/grub.d/*.cfg`, which it reads as shell scripts.
//!
//! Assignments are understood, with quotes and the variables in them. Other shell code is left alone, but for code about the
//! kernel's arguments: what it does to them cannot be told without running it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::system::System;

/// The main file.
pub const MAIN: &str = "/etc/default/grub";
/// The directory that is read after it.
pub const DIR: &str = "/etc/default/grub.d";
/// The arguments of every menu entry.
pub const ALWAYS: &str = "GRUB_CMDLINE_LINUX";
/// The further arguments of entries that are not for recovery.
pub const NORMAL: &str = "GRUB_CMDLINE_LINUX_DEFAULT";

/// A variable after all files were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// The last file that set it.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// Every variable after all files were read.
pub type Variables = BTreeMap<String, Variable>;

/// Reads the files.
///
/// # Errors
/// When one cannot be read, or does more to the kernel's arguments than to assign them; names file and line.
pub fn variables(system: &System) -> Result<Variables> {
    let mut variables = Variables::new();
    let mut files = vec![PathBuf::from(MAIN)];
    files.extend(system.drop_ins(DIR, ".cfg")?);
    for file in files {
        if let Some(text) = system.read_text(&file)? {
            read(&file, &text, &mut variables)?;
        }
    }
    Ok(variables)
}

/// Reads the text of one file on top of those before it.
///
/// # Errors
/// As [`variables`].
pub fn read(file: &Path, text: &str, variables: &mut Variables) -> Result<()> {
    let mut scanner = Scanner { rest: text, line: 1 };
    while let Some(line) = scanner.statement() {
        match scanner.name() {
            Some(name) => {
                let Some(value) = scanner.value(variables) else {
                    bail!("{}:{line}: a quote is not closed", file.display());
                };
                variables.insert(name.to_owned(), Variable { value, file: file.to_owned(), line });
            }
            None => {
                let code = scanner.skip_line();
                if code.contains(ALWAYS) {
                    bail!(
                        "{}:{line}: '{code}' does more than assign; write {ALWAYS}=\"…\" so that it can be read",
                        file.display()
                    );
                }
            }
        }
    }
    Ok(())
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Scanner<'a> {
    /// Goes to the next statement and tells its line; `None` at the end.
    fn statement(&mut self) -> Option<usize> {
        loop {
            match self.rest.chars().next()? {
                c if c.is_whitespace() || c == ';' => drop(self.next()),
                '#' => drop(self.skip_line()),
                _ => return Some(self.line),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn skip_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_at(self.rest.find('\n').unwrap_or(self.rest.len()));
        self.rest = rest;
        line
    }

    /// The name of an assignment, which is passed with its `=`.
    fn name(&mut self) -> Option<&'a str> {
        let bare = self.rest.strip_prefix("export ").map_or(self.rest, str::trim_start);
        let (name, rest) = bare.split_at(bare.find('=')?);
        let is_name = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.rest = if is_name { rest.get(1..)? } else { return None };
        Some(name)
    }

    /// A value, quotes taken off and variables filled in; `None` when a quote is not closed.
    fn value(&mut self, variables: &Variables) -> Option<String> {
        let mut value = String::new();
        let mut quote = None;
        while let Some(c) = self.rest.chars().next() {
            if quote.is_none() && (c.is_whitespace() || c == ';') {
                break;
            }
            self.next();
            match (quote, c) {
                (None, '"' | '\'' | '`') => {
                    quote = Some(c);
                    // What a command would print is not known; its text stands for it.
                    value.extend((c == '`').then_some(c));
                }
                (Some(open), _) if open == c => {
                    quote = None;
                    value.extend((c == '`').then_some(c));
                }
                (Some('\''), _) => value.push(c),
                (_, '\\') => value.extend(self.next().filter(|next| *next != '\n')),
                (_, '$') => value.push_str(&self.variable(variables)),
                _ => value.push(c),
            }
        }
        quote.is_none().then_some(value)
    }

    /// What stands for `$NAME` or `${NAME}`; anything else after the sign stays as it is.
    fn variable(&mut self, variables: &Variables) -> String {
        let (inner, braced) = self.rest.strip_prefix('{').map_or((self.rest, false), |inner| (inner, true));
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        let after = if braced { after.strip_prefix('}') } else { Some(after) };
        match after {
            Some(after) if !name.is_empty() => {
                self.rest = after;
                variables.get(name).map(|variable| variable.value.clone()).unwrap_or_default()
            }
            _ => "$".to_owned(),
        }
    }
}
