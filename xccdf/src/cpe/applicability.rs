//! Whether platforms are here.
//!
//! Two-valued as in OpenSCAP, but for facts that this engine has no way to look at ([`Holds`]): what depends on them is not known.

use super::specification::Test;
use super::{Fact, Name, Platforms};
use std::collections::HashMap;

/// Answers whether platforms are here, and remembers: each fact is asked once.
pub struct Applicability<'a> {
    platforms: &'a Platforms,
    known: HashMap<String, Option<bool>>,
    facts: HashMap<&'a Fact, Option<bool>>,
    /// Platforms found to be here, as they were asked for, in the order found.
    here: Vec<String>,
}

/// Tells whether a fact holds; `false` too for what was looked at and could not be found out. `None` when only a running system could tell
/// and there is none.
pub type Holds<'h> = &'h mut dyn FnMut(&Fact) -> Option<bool>;

impl<'a> Applicability<'a> {
    /// Nothing asked so far.
    pub fn new(platforms: &'a Platforms) -> Self {
        Applicability { platforms, known: HashMap::new(), facts: HashMap::new(), here: Vec::new() }
    }

    /// The platforms found to be here, as they were asked for, in the order found.
    pub fn here(&self) -> &[String] {
        &self.here
    }

    /// Whether any of these platforms is here; `true` for none at all. A platform is `#id` or `id` of a
    /// test, or a CPE name; one that nothing is known of is not here. `None` when it hinges on facts that nobody can look at.
    pub fn any(&mut self, platforms: &[String], holds: Holds<'_>) -> Option<bool> {
        let mut any = Some(platforms.is_empty());
        // All are looked at, so that the result can tell all that are here.
        for platform in platforms {
            any = or(any, self.one(platform, holds));
        }
        any
    }

    fn one(&mut self, platform: &str, holds: Holds<'_>) -> Option<bool> {
        if let Some(known) = self.known.get(platform) {
            return *known;
        }
        let platforms = self.platforms;
        let id = platform.strip_prefix('#').unwrap_or(platform);
        let tests = platforms.specifications.iter().filter_map(|spec| spec.platforms.get(id));
        let tests = any_of(tests, |test| self.test(test, holds));
        let found = match Name::parse(platform) {
            Some(name) if tests != Some(true) => or(tests, self.named(&name, holds)),
            _ => tests,
        };
        if found == Some(true) {
            self.here.push(platform.to_owned());
        }
        self.known.insert(platform.to_owned(), found);
        found
    }

    fn test(&mut self, test: &'a Test, holds: Holds<'_>) -> Option<bool> {
        let not = |found: Option<bool>| found.map(|found| !found);
        match test {
            Test::All(tests) => not(any_of(tests, |test| not(self.test(test, holds)))),
            Test::Any(tests) => any_of(tests, |test| self.test(test, holds)),
            Test::Not(test) => not(self.test(test, holds)),
            Test::Name(name) => self.named(name, holds),
            Test::Fact(fact) => self.fact(fact, holds),
            Test::Never => Some(false),
        }
    }

    fn named(&mut self, name: &Name, holds: Holds<'_>) -> Option<bool> {
        let platforms = self.platforms;
        let facts = platforms.dictionaries.iter().flat_map(|dictionary| dictionary.facts(name));
        any_of(facts, |fact| self.fact(fact, holds))
    }

    fn fact(&mut self, fact: &'a Fact, holds: Holds<'_>) -> Option<bool> {
        *self.facts.entry(fact).or_insert_with(|| holds(fact))
    }
}

/// Whether one of two holds; what is not known may.
fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), other) => other,
        (None, _) => None,
    }
}

/// Whether one of several holds; looked at up to the first that does.
fn any_of<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Option<bool>) -> Option<bool> {
    let mut any = Some(false);
    for one in all {
        any = or(any, holds(one));
        if any == Some(true) {
            break;
        }
    }
    any
}

impl Platforms {
    /// Every fact that [`Applicability::any`] may ask for these platforms, each once.
    pub fn facts(&self, platforms: &[String]) -> Vec<&Fact> {
        let mut found = Vec::new();
        for platform in platforms {
            let id = platform.strip_prefix('#').unwrap_or(platform);
            for test in self.specifications.iter().filter_map(|spec| spec.platforms.get(id)) {
                self.gather(test, &mut found);
            }
            if let Some(name) = Name::parse(platform) {
                self.gather_named(&name, &mut found);
            }
        }
        let mut once = Vec::new();
        for fact in found {
            if !once.contains(&fact) {
                once.push(fact);
            }
        }
        once
    }

    fn gather<'a>(&'a self, test: &'a Test, found: &mut Vec<&'a Fact>) {
        match test {
            Test::All(tests) | Test::Any(tests) => tests.iter().for_each(|test| self.gather(test, found)),
            Test::Not(test) => self.gather(test, found),
            Test::Name(name) => self.gather_named(name, found),
            Test::Fact(fact) => found.push(fact),
            Test::Never => {}
        }
    }

    fn gather_named<'a>(&'a self, name: &Name, found: &mut Vec<&'a Fact>) {
        found.extend(self.dictionaries.iter().flat_map(|dictionary| dictionary.facts(name)));
    }
}
