//! Whether platforms are here.

use super::specification::Test;
use super::{Fact, Name, Platforms};
use std::collections::HashMap;

/// Answers whether platforms are here, and remembers: each fact is asked once.
pub struct Applicability<'a> {
    platforms: &'a Platforms,
    known: HashMap<String, bool>,
    facts: HashMap<&'a Fact, bool>,
    /// Platforms found to be here, as they were asked for, in the order found.
    here: Vec<String>,
}

/// Tells whether a fact holds; `false` too for what cannot be found out.
pub type Holds<'h> = &'h mut dyn FnMut(&Fact) -> bool;

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
    /// test, or a CPE name; one that nothing is known of is not here.
    pub fn any(&mut self, platforms: &[String], holds: Holds<'_>) -> bool {
        let mut any = platforms.is_empty();
        // All are looked at, so that the result can tell all that are here.
        for platform in platforms {
            any |= self.one(platform, holds);
        }
        any
    }

    fn one(&mut self, platform: &str, holds: Holds<'_>) -> bool {
        if let Some(known) = self.known.get(platform) {
            return *known;
        }
        let platforms = self.platforms;
        let id = platform.strip_prefix('#').unwrap_or(platform);
        let mut tests = platforms.specifications.iter().filter_map(|spec| spec.platforms.get(id));
        let found = tests.any(|test| self.test(test, holds))
            || Name::parse(platform).is_some_and(|name| self.named(&name, holds));
        if found {
            self.here.push(platform.to_owned());
        }
        self.known.insert(platform.to_owned(), found);
        found
    }

    fn test(&mut self, test: &'a Test, holds: Holds<'_>) -> bool {
        match test {
            Test::All(tests) => tests.iter().all(|test| self.test(test, holds)),
            Test::Any(tests) => tests.iter().any(|test| self.test(test, holds)),
            Test::Not(test) => !self.test(test, holds),
            Test::Name(name) => self.named(name, holds),
            Test::Fact(fact) => self.fact(fact, holds),
            Test::Never => false,
        }
    }

    fn named(&mut self, name: &Name, holds: Holds<'_>) -> bool {
        let platforms = self.platforms;
        let mut facts = platforms.dictionaries.iter().flat_map(|dictionary| dictionary.facts(name));
        facts.any(|fact| self.fact(fact, holds))
    }

    fn fact(&mut self, fact: &'a Fact, holds: Holds<'_>) -> bool {
        *self.facts.entry(fact).or_insert_with(|| holds(fact))
    }
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
