//! Tests: an object, and the states its items should be in.

use super::word::{Check, Existence, Operator};
use super::{Read, family, kind, required, version, word};
use xccdf::Element;

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    /// The schema it is from, as for its object.
    pub family: String,
    /// Which probe: `file` of a `file_test`.
    pub kind: String,
    /// Its version.
    pub version: u64,
    /// What its author says it is about.
    pub comment: String,
    /// How many items must be in the states.
    pub check: Check,
    /// How many items must exist.
    pub existence: Existence,
    /// How several states become one.
    pub operator: Operator,
    /// The object's id; a test of an unknown kind has none.
    pub object: Option<String>,
    /// The states' ids.
    pub states: Vec<String>,
}

impl Test {
    pub fn read(element: &Element) -> Read<Self> {
        let mut test = Test {
            family: family(element).to_owned(),
            kind: kind(element, "_test")?,
            version: version(element),
            comment: element.attribute("comment").unwrap_or_default().to_owned(),
            check: word(element, "check", Check::named, Check::All)?,
            existence: word(element, "check_existence", Existence::named, Existence::AtLeastOneExists)?,
            operator: word(element, "state_operator", Operator::named, Operator::And)?,
            object: None,
            states: Vec::new(),
        };
        for child in element.elements() {
            match child.name.as_str() {
                "object" => test.object = Some(required(child, "object_ref")?),
                "state" => test.states.push(required(child, "state_ref")?),
                _ => {}
            }
        }
        Ok(test)
    }
}
