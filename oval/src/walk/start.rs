//! Where a search starts, and which directories can lead to what it looks for.
//!
//! For a pattern that is the longest directory that it starts with literally; from there only directories are entered that PCRE calls a
//! partial match of the pattern, bound to the start of the path.

use crate::model::Operation;
use crate::pattern::{Partial, Patterns, Reach};
use crate::probe::Asked;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A directory that no content has in mind.
const ELSEWHERE: &str = "/elsewhere";

/// Where a search starts.
pub(super) struct Start<'a> {
    path: PathBuf,
    /// The pattern, bound to the start of the path.
    pattern: Option<Partial>,
    patterns: &'a Patterns,
}

impl<'a> Start<'a> {
    /// `None` when no path can compare.
    pub fn of(entity: &Asked, patterns: &'a Patterns) -> Option<Start<'a>> {
        let value = entity.value();
        match entity.operation {
            Operation::Equals => Some(Start { path: PathBuf::from(value), pattern: None, patterns }),
            Operation::PatternMatch => Start::of_pattern(value, patterns),
            _ => Some(Start { path: PathBuf::from("/"), pattern: None, patterns }),
        }
    }

    fn of_pattern(pattern: &str, patterns: &'a Patterns) -> Option<Start<'a>> {
        let bound = if pattern.starts_with('^') { pattern.to_owned() } else { format!("^{pattern}") };
        let partial = patterns.partial(&bound)?;
        if patterns.reach(&partial, b"/") == Reach::None {
            return None;
        }
        Some(Start { path: PathBuf::from(fixed_directory(pattern)), pattern: Some(partial), patterns })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a pattern is about this directory of the root, and not about all directories alike.
    pub fn singles_out(&self, directory: &str) -> bool {
        let reaches =
            |pattern: &Partial, path: &str| self.patterns.reach(pattern, path.as_bytes()) != Reach::None;
        self.path == Path::new("/")
            && self
                .pattern
                .as_ref()
                .is_some_and(|pattern| reaches(pattern, directory) && !reaches(pattern, ELSEWHERE))
    }

    /// Whether what is looked for can be this directory, only below it, or neither.
    pub fn reach(&self, directory: &Path) -> Reach {
        let reach = |pattern| self.patterns.reach(pattern, directory.as_os_str().as_bytes());
        self.pattern.as_ref().map_or(Reach::Match, reach)
    }
}

/// The longest directory that a pattern starts with literally (`extract_fixed_path_prefix` of oscap).
fn fixed_directory(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let end = first_special(pattern);
    let literal = match end {
        None => pattern,
        Some(end) => {
            let before = pattern.get(..end).unwrap_or_default();
            before.rfind('/').and_then(|slash| before.get(..slash)).unwrap_or_default()
        }
    };
    match unescape(literal) {
        Some(directory) if literal.len() > 1 && directory.starts_with('/') => directory,
        _ => "/".to_owned(),
    }
}

/// Where the first character stands that means something in a pattern.
fn first_special(pattern: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in pattern.char_indices() {
        if c == '\\' {
            escaped = !escaped;
        } else if "^*?$.([".contains(c) {
            if !escaped {
                return Some(at);
            }
            escaped = false;
        }
    }
    None
}

/// The text without the backslashes that quote; `None` when one quotes nothing.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        out.push(if c == '\\' { characters.next()? } else { c });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_starts_at_the_directory_that_is_fixed() {
        for (pattern, expected) in [
            ("^/etc/ssh/sshd_config.d/.*\\.conf$", "/etc/ssh"),
            ("^/etc/profile\\.d/[\\w-]+\\.sh$", "/etc/profile.d"),
            ("/etc/(ssh|ssh/sshd_config.d)", "/etc"),
            ("^\\/(|s)bin|^\\/usr", "/"),
            ("/etc/passwd", "/etc/passwd"),
            ("^/etc/issue\\.net$", "/etc"),
            (".*", "/"),
        ] {
            assert_eq!(fixed_directory(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_is_about_some_directories_or_all() {
        let patterns = Patterns::default();
        for (pattern, expected) in [
            ("^/(proc|sys)/x$", true),
            ("^/proc/[0-9]+$", false),
            ("^/(dev|etc)/.*$", false),
            ("^/.*$", false),
            ("^/[^/]+/x$", false),
            ("^/(usr|etc)/x$", false),
        ] {
            let start = Start::of_pattern(pattern, &patterns).unwrap();
            assert_eq!(start.singles_out("/proc"), expected, "{pattern}");
        }
        assert!(Start::of_pattern("^/(dev|etc)/.*$", &patterns).unwrap().singles_out("/dev"));
    }

    #[test]
    fn a_pattern_that_no_path_starts_with_finds_nothing() {
        let patterns = Patterns::default();
        for (pattern, finds) in
            [("etc/passwd", false), ("^$", false), ("(", false), ("^.*$", true), ("/etc/x", true)]
        {
            assert_eq!(Start::of_pattern(pattern, &patterns).is_some(), finds, "{pattern}");
        }
    }
}
