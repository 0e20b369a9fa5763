//! Regular expressions: PCRE, compiled once, matched within limits.
//!
//! The only place that knows the engine. A search that needs more than PCRE2's match limit (ten million steps) or a JIT stack of
//! [`JIT_STACK`] is an error, so no pattern takes for ever; nor do many together, whose time is limited ([`PATIENCE`]). Text that is not
//! UTF-8 is an error too, as in oscap.

mod partial;

pub(crate) use partial::{Partial, Reach};

use crate::verdict::Verdict;
use nix::time::{ClockId, clock_gettime};
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// The most processor time that all searches together may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a search that is given up counts for at least.
const GIVEN_UP: Duration = Duration::from_millis(10);

/// Searches in shorter texts are not timed: to ask for the time would take as long as they do.
const LONG: usize = 256;

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

/// Compiled patterns by text, and the time that is left to search with them.
pub(crate) struct Patterns {
    compiled: RefCell<HashMap<Flags, HashMap<String, Compiled>>>,
    kept: Cell<usize>,
    left: Cell<Duration>,
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns { compiled: RefCell::default(), kept: Cell::new(0), left: Cell::new(PATIENCE) }
    }
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

impl Patterns {
    /// Counts the time since a moment; the error says that too much of it was spent.
    fn charge(&self, since: Duration, least: Duration) -> Result<(), String> {
        let spent = processor_time().saturating_sub(since).max(least);
        self.left.set(self.left.get().saturating_sub(spent));
        self.is_left()
    }

    fn is_left(&self) -> Result<(), String> {
        if self.left.get().is_zero() {
            return Err(format!("all searches together took longer than {} s", PATIENCE.as_secs()));
        }
        Ok(())
    }

    /// Does a search in a text of this length and counts its time.
    fn timed<T>(&self, length: usize, search: impl FnOnce() -> Result<T, pcre2::Error>) -> Result<T, String> {
        self.is_left()?;
        let since = if length < LONG { None } else { Some(processor_time()) };
        let found = search().map_err(|error| error.to_string());
        let least = if found.is_err() { GIVEN_UP } else { Duration::ZERO };
        if since.is_some() || found.is_err() {
            // What was found before the time was over counts.
            let _ = self.charge(since.unwrap_or_else(processor_time), least);
        }
        found
    }

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
        self.timed(value.len(), || regex.is_match(value)).map_or(Verdict::Error, Verdict::from)
    }

    /// What the first group captures; empty when it or the whole does not match. The error says what went wrong.
    pub fn capture(&self, pattern: &str, value: &str) -> Result<String, String> {
        let regex = self.compile(pattern, Flags::default())?;
        let mut groups = regex.capture_locations();
        let found = self.timed(value.len(), || regex.captures_read(&mut groups, value.as_bytes()));
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
    patterns: &'a Patterns,
    /// Up to when the time was counted, and the searches since then.
    counted: Duration,
    searches: u32,
}

/// After how many searches in one text their time is counted.
const COUNTED: u32 = 64;

/// The most bytes that PCRE looks through for UTF-8, over all searches in one text that is not ASCII.
const CHECKED: usize = 1 << 35;

impl<'a> Matches<'a> {
    pub fn new(patterns: &'a Patterns, regex: &'a Regex, text: &'a str) -> Self {
        let (groups, counted) = (regex.capture_locations(), processor_time());
        Matches { regex, text, at: 0, groups, done: false, left: CHECKED, patterns, counted, searches: 0 }
    }

    /// Counts the time since it was counted last.
    fn charge(&mut self, least: Duration) -> Result<(), String> {
        let charged = self.patterns.charge(self.counted, least);
        (self.counted, self.searches) = (processor_time(), 0);
        self.done |= charged.is_err();
        charged
    }

    /// Where the next match is; the error says why the search failed.
    pub fn next(&mut self) -> Result<Option<(usize, usize)>, String> {
        self.patterns.is_left()?;
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
        self.searches += 1;
        if self.searches > COUNTED {
            self.charge(Duration::ZERO)?;
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
                let _ = self.charge(GIVEN_UP);
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

impl Drop for Matches<'_> {
    fn drop(&mut self) {
        if self.searches > 0 && self.text.len() >= LONG {
            let _ = self.charge(Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_searches_that_take_long_come_to_an_end() {
        let patterns = Patterns { left: Cell::new(Duration::from_millis(50)), ..Patterns::default() };
        let text = "a".repeat(500) + "b";
        let mut verdicts = (0..1000).map(|_| patterns.matches("^(?:a|aa)+$", text.as_bytes()));
        assert!(verdicts.any(|_| patterns.left.get().is_zero()));
        assert_eq!(patterns.matches("a", b"a"), Verdict::Error);
        let regex = patterns.compile("a", Flags::default()).unwrap();
        assert!(Matches::new(&patterns, &regex, "a").next().unwrap_err().contains("all searches"));
    }
}
