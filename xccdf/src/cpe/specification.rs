//! The CPE applicability language: platforms as tests joined by AND and OR.

use super::{Fact, LANGUAGE, Name};
use crate::element::Element;
use std::collections::BTreeMap;

/// The tests of a `platform-specification`, by id.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Specification {
    /// The test of each platform.
    pub platforms: BTreeMap<String, Test>,
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// All must hold.
    All(Vec<Test>),
    /// One must hold.
    Any(Vec<Test>),
    /// The test inside must not hold.
    Not(Box<Test>),
    /// A platform of this name is here, by the dictionaries.
    Name(Name),
    /// A check holds.
    Fact(Fact),
    /// Never holds: a name that is none.
    Never,
}

impl Specification {
    /// Reads a `<platform-specification>`.
    ///
    /// # Errors
    /// Ids of platforms whose test cannot be understood: no `logical-test`, or an operator other than AND and OR.
    pub fn new(specification: &Element) -> Result<Self, Vec<String>> {
        let mut platforms = BTreeMap::new();
        let mut lost = Vec::new();
        for platform in specification.elements().filter(|element| element.is(LANGUAGE, "platform")) {
            let id = platform.attribute("id").unwrap_or_default().to_owned();
            let logical = platform.elements().find(|element| element.is(LANGUAGE, "logical-test"));
            match logical.and_then(test) {
                // The first of one id counts.
                Some(test) => {
                    platforms.entry(id).or_insert(test);
                }
                None => lost.push(id),
            }
        }
        if lost.is_empty() { Ok(Specification { platforms }) } else { Err(lost) }
    }
}

/// The test an element stands for. Elements nest no deeper than [`crate::Limits`] lets them.
fn test(element: &Element) -> Option<Test> {
    let attribute = |name| element.attribute(name).unwrap_or_default().to_owned();
    match element.name.as_str() {
        "logical-test" => {
            let known = |child: &&Element| child.namespace == LANGUAGE;
            let parts: Option<Vec<Test>> = element.elements().filter(known).map(test).collect();
            let joined = match element.attribute("operator")? {
                "AND" => Test::All(parts?),
                "OR" => Test::Any(parts?),
                _ => return None,
            };
            let negated = matches!(element.attribute("negate"), Some("true" | "1"));
            Some(if negated { Test::Not(Box::new(joined)) } else { joined })
        }
        "fact-ref" => Some(Name::parse(element.attribute("name")?).map_or(Test::Never, Test::Name)),
        "check-fact-ref" => {
            let (system, href, name) = (attribute("system"), attribute("href"), attribute("id-ref"));
            Some(Test::Fact(Fact { system, href, name }))
        }
        _ => None,
    }
}
