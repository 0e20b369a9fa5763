//! Regular expressions: PCRE, compiled once, matched within limits.
//!
//! The only place that knows the engine. A search that needs more than PCRE2's match limit (ten million steps) or a JIT stack of
//! [`JIT_STACK`] is an error, so no pattern takes for ever; nor do many together, whose time is limited ([`Patience`]): what is searched
//! for after that is refused, and whoever asked is told ([`Patterns::watched`]). Text that is not UTF-8 is an error too, as in oscap.

mod partial;
mod patience;

pub(crate) use partial::{Partial, Reach};
pub(crate) use patience::Patience;

use crate::verdict::Verdict;
use patience::{processor_time, refusal};
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// What a search that is given up counts for besides its time.
const GIVEN_UP: Duration = Duration::from_millis(10);

/// To ask for the time takes as long as a search in a shorter text. So one of several of those is timed, from the first on, and counts
/// for all.
const LONG: usize = 256;
const SEVERAL: u32 = 64;

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
#[derive(Default)]
pub(crate) struct Patterns {
    compiled: RefCell<HashMap<Flags, HashMap<String, Compiled>>>,
    kept: Cell<usize>,
    patience: Patience,
    /// How many searches in short texts there were.
    short: Cell<u32>,
    /// Whether a search was refused since somebody began to watch.
    refused: Cell<bool>,
}

impl Patterns {
    /// None yet, for searches that this patience is for too.
    pub fn with(patience: Patience) -> Patterns {
        Patterns { patience, ..Patterns::default() }
    }

    /// How long all searches together may go on.
    pub fn patience(&self) -> Patience {
        self.patience.clone()
    }

    /// Does something; tells too why searches were refused on the way, when any were.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> (T, Option<String>) {
        let before = self.refused.replace(false);
        let done = work();
        let refused = self.refused.get();
        self.refused.set(before || refused);
        (done, refused.then(refusal))
    }

    /// Whether a search was refused since somebody began to watch: to look for more is in vain.
    pub fn have_refused(&self) -> bool {
        self.refused.get()
    }

    /// Whether a search may be made; the error says why not.
    fn may_search(&self) -> Result<(), String> {
        self.patience.is_left().inspect_err(|_| self.refused.set(true))
    }

    /// Does something and counts its time so many times.
    fn counted<T>(&self, times: u32, work: impl FnOnce() -> T) -> T {
        let since = processor_time();
        let done = work();
        self.patience.spend(processor_time().saturating_sub(since) * times);
        done
    }

    /// Does a search in a text of this length and counts its time.
    fn timed<T>(&self, length: usize, search: impl FnOnce() -> Result<T, pcre2::Error>) -> Result<T, String> {
        self.may_search()?;
        let found = if length >= LONG {
            self.counted(1, search)
        } else {
            let before = self.short.get();
            self.short.set(before.wrapping_add(1));
            if before.is_multiple_of(SEVERAL) { self.counted(SEVERAL, search) } else { search() }
        };
        found.map_err(|error| {
            self.patience.spend(GIVEN_UP);
            error.to_string()
        })
    }

    /// A pattern compiled for the question what a text is the beginning of. `None` when it is none.
    pub fn partial(&self, pattern: &str) -> Option<Partial> {
        self.may_search().ok()?;
        self.counted(1, || Partial::compile(pattern))
    }

    /// What a pattern makes of a text; searches that are given up or refused reach nothing.
    pub fn reach(&self, pattern: &Partial, text: &[u8]) -> Reach {
        match self.may_search() {
            Ok(()) => self.counted(1, || pattern.reach(text)),
            Err(_) => Reach::None,
        }
    }

    /// A compiled pattern; the error says what is wrong with it.
    pub fn compile(&self, pattern: &str, flags: Flags) -> Compiled {
        if let Some(known) = self.compiled.borrow().get(&flags).and_then(|of_flags| of_flags.get(pattern)) {
            return known.clone();
        }
        self.may_search()?;
        let build = || {
            RegexBuilder::new()
                .utf(!flags.ascii)
                .multi_line(flags.multiline)
                .dotall(flags.singleline)
                .caseless(flags.ignore_case)
                .jit_if_available(true)
                .max_jit_stack_size(Some(JIT_STACK))
                .build(pattern)
        };
        let compiled = self
            .counted(1, build)
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
    fn charge(&mut self) {
        let now = processor_time();
        self.patterns.patience.spend(now.saturating_sub(self.counted));
        (self.counted, self.searches) = (now, 0);
    }

    /// Where the next match is; the error says why the search failed.
    pub fn next(&mut self) -> Result<Option<(usize, usize)>, String> {
        if self.searches > COUNTED {
            self.charge();
        }
        self.patterns.may_search()?;
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
                self.patterns.patience.spend(GIVEN_UP);
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
        if self.searches > 0 {
            self.charge();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_searches_that_take_long_come_to_an_end() {
        for length in [25, 500] {
            let patterns = Patterns::with(Patience::of(Duration::from_millis(50)));
            let text = "a".repeat(length) + "b";
            let search = || patterns.matches("^(?:a|aa)+$", text.as_bytes());
            assert!((0..1000).any(|_| patterns.watched(search).1.is_some()), "{length}");
            assert_eq!(patterns.matches("a", b"a"), Verdict::Error);
            assert!(patterns.compile("b", Flags::default()).unwrap_err().contains("all searches"));
            let beside = Patterns::with(patterns.patience());
            assert!(beside.may_search().is_err());
        }
    }

    #[test]
    fn matches_and_beginnings_count_too() {
        let patterns = Patterns::with(Patience::of(Duration::from_millis(50)));
        let partial = patterns.partial("^/(a+)+(/x)?[!]z$").unwrap();
        let reach = || patterns.reach(&partial, format!("/{}", "a".repeat(18)).as_bytes());
        assert!((0..1000).any(|_| patterns.watched(reach).1.is_some()));
        assert!(patterns.partial("a").is_none());
        let patterns = Patterns::with(Patience::of(Duration::from_millis(50)));
        let regex = patterns.compile("^(?:a|aa)+$", Flags::default()).unwrap();
        let text = "a".repeat(25) + "b";
        assert!((0..1000).any(|_| Matches::new(&patterns, &regex, &text).next().is_err()));
        assert!(Matches::new(&patterns, &regex, "a").next().unwrap_err().contains("all searches"));
    }
}
