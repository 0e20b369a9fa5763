//! Start files of shells, read as commands and words: `/etc/profile`, `/etc/profile.d/*.sh`, `/etc/bash.bashrc`.
//!
//! Enough of the language to find simple commands wherever they stand, also behind `then` or `&&`: quotes, comments,
//! continuation lines and separators are understood, nothing is run or expanded.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;

use super::OWNED_HEADER;
use crate::system::System;

/// Our own part of what login shells read: sorts behind what others are likely to write.
pub const DROP_IN: &str = "/etc/profile.d/zz-trempe.sh";

/// What login shells read.
pub const LOGIN_FILES: [&str; 3] = ["/etc/profile", "/etc/profile.d/*.sh", "/etc/profile.d/sh.local"];

/// Words that stand before a command and are none.
const RESERVED: [&str; 11] =
    ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "command"];

/// A word and where it stands, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word without its quotes.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line it starts on, counted from 1.
    pub line: usize,
    /// The program or builtin, and its arguments.
    pub words: Vec<Word>,
}

/// Every simple command of a script, in the order of its text.
pub fn commands(text: &str) -> Vec<Command> {
    let mut scanner = Scanner { commands: Vec::new(), words: Vec::new(), word: None, line: 1 };
    let mut quote = None;
    let mut escaped = false;
    let mut comment = false;
    for (at, c) in text.char_indices() {
        if comment && c != '\n' {
            continue;
        }
        comment = false;
        match (c, quote) {
            _ if escaped => {
                escaped = false;
                if c != '\n' {
                    scanner.add(at, c);
                }
            }
            ('\\', None | Some('"')) => escaped = true,
            (c, Some(open)) if c == open => {
                quote = None;
                scanner.stretch(at, c);
            }
            (_, Some(_)) => scanner.add(at, c),
            ('"' | '\'', None) => {
                quote = Some(c);
                scanner.stretch(at, c);
            }
            ('#', None) if scanner.word.is_none() => comment = true,
            (c, None) if c.is_whitespace() || ";&|()`".contains(c) => {
                scanner.end_word();
                if !matches!(c, ' ' | '\t') {
                    scanner.end_command();
                }
            }
            _ => scanner.add(at, c),
        }
        scanner.line += usize::from(c == '\n');
    }
    scanner.end_word();
    scanner.end_command();
    scanner.commands
}

struct Scanner {
    commands: Vec<Command>,
    words: Vec<(usize, Word)>,
    word: Option<(usize, Word)>,
    line: usize,
}

impl Scanner {
    /// Makes the word under way, or a new one, reach over this character.
    fn stretch(&mut self, at: usize, c: char) -> &mut Word {
        let line = self.line;
        let (_, word) = self.word.get_or_insert_with(|| (line, Word { text: String::new(), span: at..at }));
        word.span.end = at + c.len_utf8();
        word
    }

    fn add(&mut self, at: usize, c: char) {
        self.stretch(at, c).text.push(c);
    }

    fn end_word(&mut self) {
        let reserved = |word: &Word| self.words.is_empty() && RESERVED.contains(&word.text.as_str());
        if let Some((line, word)) = self.word.take()
            && !reserved(&word)
        {
            self.words.push((line, word));
        }
    }

    fn end_command(&mut self) {
        if let Some((line, _)) = self.words.first() {
            let line = *line;
            let words = std::mem::take(&mut self.words).into_iter().map(|(_, word)| word).collect();
            self.commands.push(Command { line, words });
        }
    }
}

/// The files that names stand for: `DIR/*.SUFFIX` for all of a directory.
///
/// # Errors
/// When a directory cannot be listed.
pub fn files<S: AsRef<str>>(system: &System, names: &[S]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for name in names.iter().map(AsRef::as_ref) {
        match name.rsplit_once("/*") {
            Some((dir, suffix)) => found.extend(system.drop_ins(dir, suffix)?),
            None => found.push(PathBuf::from(name)),
        }
    }
    Ok(found)
}

/// The text of a start file with a command added as its last line.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn with_line(system: &System, path: &str, line: &str) -> Result<String> {
    let fresh = if path == DROP_IN { OWNED_HEADER } else { "" };
    let mut text = system.read_text(path)?.unwrap_or_else(|| fresh.to_owned());
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(format!("{text}{line}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(usize, Vec<String>)> {
        let words = |command: Command| command.words.into_iter().map(|word| word.text).collect();
        commands(text).into_iter().map(|command| (command.line, words(command))).collect()
    }

    #[test]
    fn commands_are_found_wherever_they_stand() {
        for (text, line, words) in [
            ("# umask 1\numask 022\n", 2, vec!["umask", "022"]),
            ("if [ x ]; then umask 027; fi", 1, vec!["umask", "027"]),
            ("test -e x && umask 027 # why", 1, vec!["umask", "027"]),
            ("umask \\\n  \"027\"", 1, vec!["umask", "027"]),
            ("case x in\n y) umask 077;;\nesac", 2, vec!["umask", "077"]),
            ("\n\numask u=rwx,g=,o=", 3, vec!["umask", "u=rwx,g=,o="]),
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert!(read(text).contains(&(line, words)), "{text}: {:?}", read(text));
        }
        for text in ["echo 'umask 022'", "echo \"a; umask 022\"", "#umask 022", "echo umask 022"] {
            assert!(!read(text).iter().any(|(_, words)| words[0] == "umask"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_words_stand_where_they_say(text in "(?s).{0,120}") {
            for command in commands(&text) {
                prop_assert!(command.words.iter().all(|word| text.get(word.span.clone()).is_some()));
            }
        }
    }
}
