//! Regular expressions: PCRE, compiled once, matched within limits.
//!
//! The only place that knows the engine. A search that needs more than PCRE2's match limit (ten million steps) or a JIT stack of
//! [`JIT_STACK`] is an error, so no pattern takes for ever. Text that is not UTF-8 is an error too, as in oscap.

mod partial;

pub(crate) use partial::{Partial, Reach};

use crate::verdict::Verdict;
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The most stack that matching may take, in bytes.
const JIT_STACK: usize = 8 << 20;

/// The most patterns kept compiled. Data streams have at most some 2000 different ones; what is beyond is compiled anew.
const KEPT: usize = 4096;

/// The most groups whose text oscap keeps, the whole match included.
pub(crate) const GROUPS: usize = 20;

/// How a pattern is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Flags {
    /// `^` and `$` match at line breaks.
    pub multiline: bool,
    /// `.` matches line breaks.
    pub singleline: bool,
    /// Case does not matter.
    pub ignore_case: bool,
    /// The text is ASCII, and so is the pattern: characters are bytes, and the text need not be looked through for UTF-8 at each search.
    pub ascii: bool,
}

/// A compiled pattern, or what is wrong with it.
type Compiled = Result<Rc<Regex>, String>;

/// Compiled patterns by text.
#[derive(Default)]
pub(crate) struct Patterns {
    compiled: RefCell<HashMap<Flags, HashMap<String, Compiled>>>,
    kept: Cell<usize>,
}

impl Patterns {
    /// A compiled pattern; the error says what is wrong with it.
    pub fn compile(&self, pattern: &str, flags: Flags) -> Compiled {
        if let Some(known) = self.compiled.borrow().get(&flags).and_then(|of_flags| of_flags.get(pattern)) {
            return known.clone();
        }
        let compiled = RegexBuilder::new()
            .utf(!flags.ascii)
            .multi_line(flags.multiline)
            .dotall(flags.singleline)
            .caseless(flags.ignore_case)
            .jit_if_available(true)
            .max_jit_stack_size(Some(JIT_STACK))
            .build(pattern)
            .map(Rc::new)
            .map_err(|error| format!("the pattern {pattern:?} is no regular expression: {error}"));
        if self.kept.get() < KEPT {
            self.kept.set(self.kept.get() + 1);
            let mut known = self.compiled.borrow_mut();
            known.entry(flags).or_default().insert(pattern.to_owned(), compiled.clone());
        }
        compiled
    }

    /// Whether a pattern finds something in a value.
    pub fn matches(&self, pattern: &str, value: &[u8]) -> Verdict {
        let Ok(regex) = self.compile(pattern, Flags::default()) else { return Verdict::Error };
        if std::str::from_utf8(value).is_err() {
            return Verdict::Error;
        }
        regex.is_match(value).map_or(Verdict::Error, Verdict::from)
    }

    /// What the first group captures; empty when it or the whole does not match. The error says what went wrong.
    pub fn capture(&self, pattern: &str, value: &str) -> Result<String, String> {
        let regex = self.compile(pattern, Flags::default())?;
        let mut groups = regex.capture_locations();
        let found = regex.captures_read(&mut groups, value.as_bytes());
        let found = found.map_err(|error| format!("matching {pattern:?} failed: {error}"))?;
        let group = found.and_then(|_| groups.get(1)).and_then(|(start, end)| value.get(start..end));
        Ok(group.unwrap_or_default().to_owned())
    }
}

/// The matches of a pattern in a text, as oscap's textfilecontent54 probe finds them: the next search starts where the last match
/// ended, one byte later when that is where the last search started.
pub(crate) struct Matches<'a> {
    regex: &'a Regex,
    text: &'a str,
    at: usize,
    groups: CaptureLocations,
    done: bool,
    /// Bytes that PCRE may still look through for UTF-8.
    left: usize,
}

/// The most bytes that PCRE looks through for UTF-8, over all searches in one text that is not ASCII.
const CHECKED: usize = 1 << 35;

impl<'a> Matches<'a> {
    pub fn new(regex: &'a Regex, text: &'a str) -> Self {
        Matches { regex, text, at: 0, groups: regex.capture_locations(), done: false, left: CHECKED }
    }

    /// Where the next match is; the error says why the search failed.
    pub fn next(&mut self) -> Result<Option<(usize, usize)>, String> {
        if self.done || self.at > self.text.len() {
            return Ok(None);
        }
        match self.left.checked_sub(self.text.len()) {
            Some(left) => self.left = left,
            None if self.text.is_ascii() => self.left = CHECKED,
            None => {
                self.done = true;
                return Err("too many matches for a text of this size".to_owned());
            }
        }
        if !self.text.is_char_boundary(self.at) {
            self.done = true;
            return Err("the search would go on inside a character".to_owned());
        }
        let found = self.regex.captures_read_at(&mut self.groups, self.text.as_bytes(), self.at);
        match found.map_err(|error| error.to_string()) {
            Ok(Some(found)) => {
                self.at = if self.at == found.end() { found.end() + 1 } else { found.end() };
                Ok(Some((found.start(), found.end())))
            }
            Ok(None) => {
                self.done = true;
                Ok(None)
            }
            Err(error) => {
                self.done = true;
                Err(error)
            }
        }
    }

    /// The texts of the groups of the last match that took part in it, the whole match left out.
    pub fn groups(&self) -> Vec<&'a str> {
        let group = |n| self.groups.get(n).and_then(|(start, end)| self.text.get(start..end));
        (1..self.groups.len().min(GROUPS)).filter_map(group).collect()
    }
}
