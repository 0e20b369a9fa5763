//! Takes what a probe finds: leaves out what the object's filters leave out, keeps every item once and not without bound.

use crate::collection::{Collection, Flag};
use crate::item::{Field, Item};
use crate::pattern::Patterns;
use crate::sieve::Sieve;
use crate::walk::sweep::Granted;
use std::collections::HashSet;
use std::rc::Rc;

/// The most items kept of one object. With more, oscap runs out of memory and calls the object incomplete.
pub(crate) const MAX_ITEMS: usize = 100_000;

/// The most bytes of the items kept of one object. A search that captures the rest of a file at each of its lines has more than memory.
const MAX_BYTES: usize = 256 << 20;

/// The most messages kept of one object.
pub(crate) const MAX_MESSAGES: usize = 20;

/// Something that may become an item: what a filter asks it for.
pub(crate) trait Candidate {
    /// Calls `with` for every field of a name.
    fn each_field(&self, name: &str, with: &mut dyn FnMut(&Field));
}

impl Candidate for Item {
    fn each_field(&self, name: &str, with: &mut dyn FnMut(&Field)) {
        self.fields(name).for_each(with);
    }
}

/// What was found so far.
pub(crate) struct Collector<'a> {
    sieve: &'a Sieve,
    patterns: &'a Patterns,
    flag: Option<Flag>,
    items: Vec<Rc<Item>>,
    known: HashSet<u64>,
    messages: Vec<String>,
    /// How much memory the items take.
    bytes: usize,
    /// Whether an item was left out because there were too many.
    overflowed: bool,
}

impl<'a> Collector<'a> {
    /// An empty one, with an object's filters.
    pub fn new(sieve: &'a Sieve, patterns: &'a Patterns) -> Self {
        let (items, known, messages) = (Vec::new(), HashSet::new(), Vec::new());
        Collector { sieve, patterns, flag: None, items, known, messages, bytes: 0, overflowed: false }
    }

    /// Whether a candidate passes the filters: asked before an item is made, when that is dear.
    pub fn wants(&self, candidate: &dyn Candidate) -> bool {
        self.sieve.passes(self.patterns, candidate)
    }

    /// Takes an item, if it passes the filters.
    pub fn add(&mut self, item: Item) {
        if self.sieve.passes(self.patterns, &item) {
            self.keep(item);
        }
    }

    /// Takes an item that has passed the filters.
    pub fn keep(&mut self, item: Item) {
        let digest = item.digest();
        if self.known.contains(&digest) {
            return;
        }
        if self.items.len() >= MAX_ITEMS {
            return self.leave_out(format!("more than {MAX_ITEMS} items"));
        }
        let bytes = self.bytes + item.bytes();
        if bytes > MAX_BYTES {
            return self.leave_out(format!("items of more than {} MiB", MAX_BYTES >> 20));
        }
        self.bytes = bytes;
        self.known.insert(digest);
        self.items.push(Rc::new(item));
    }

    /// Takes what a sweep found: its items have passed the filters.
    pub fn take(&mut self, granted: Granted) {
        granted.items.into_iter().for_each(|item| self.keep(item));
        granted.failures.into_iter().for_each(|why| self.fail(why));
        if granted.truncated {
            self.leave_out(format!("more than {MAX_ITEMS} items"));
        }
    }

    /// Whether looking for more is in vain: an item was left out because there are too many, or the collecting failed.
    pub fn is_over(&self) -> bool {
        self.overflowed || self.flag == Some(Flag::Error)
    }

    /// The collecting failed, and why. What was found stays.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.flag = Some(Flag::Error);
        self.tell(why.into());
    }

    /// Nothing could be collected, and why.
    pub fn end(&mut self, flag: Flag, why: impl Into<String>) {
        self.flag = Some(flag);
        self.tell(why.into());
    }

    /// There is more than what was found, and why it was not looked for.
    pub fn leave_out(&mut self, why: impl AsRef<str>) {
        self.overflowed = true;
        self.flag.get_or_insert(Flag::Incomplete);
        self.tell(format!("{}: the others are left out", why.as_ref()));
    }

    fn tell(&mut self, message: String) {
        if self.messages.len() < MAX_MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// What was collected.
    pub fn finish(self) -> Collection {
        let flag = self.flag.unwrap_or_else(|| Collection::flag_of(self.items.iter().map(Rc::as_ref)));
        Collection { flag, items: self.items, messages: self.messages }
    }
}
