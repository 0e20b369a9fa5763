//! Definitions and their criteria.

use super::word::{Class, Operator};
use super::{Read, flag, required, text, version, word};
use xccdf::Element;

/// A definition: what is true of a system that meets its criteria.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What it is about.
    pub class: Class,
    /// Its title; empty when it has none.
    pub title: String,
    /// What must be so; a definition without criteria is not evaluated.
    pub criteria: Option<Criteria>,
}

/// What must be so.
#[derive(Debug, Clone, PartialEq)]
pub enum Criteria {
    /// Several criteria, made one by an operator.
    All {
        /// How.
        operator: Operator,
        /// Whether true and false change places.
        negate: bool,
        /// The criteria.
        members: Vec<Criteria>,
    },
    /// A test.
    Test {
        /// Its id.
        id: String,
        /// Whether true and false change places.
        negate: bool,
    },
    /// Another definition.
    Definition {
        /// Its id.
        id: String,
        /// Whether true and false change places.
        negate: bool,
    },
}

impl Definition {
    pub(crate) fn read(element: &Element) -> Read<Self> {
        let child = |name: &str| element.elements().find(|child| child.name == name);
        let title = child("metadata").and_then(|meta| meta.elements().find(|child| child.name == "title"));
        Ok(Definition {
            id: required(element, "id")?,
            version: version(element),
            class: word(element, "class", Class::named, Class::Miscellaneous)?,
            title: title.map(|title| text(title).trim().to_owned()).unwrap_or_default(),
            criteria: child("criteria").map(Criteria::read).transpose()?,
        })
    }
}

impl Criteria {
    /// Reads one node. How deep criteria nest is limited by how deep a document may nest.
    fn read(element: &Element) -> Read<Self> {
        let negate = flag(element, "negate")?;
        match element.name.as_str() {
            "criteria" => Ok(Criteria::All {
                operator: word(element, "operator", Operator::named, Operator::And)?,
                negate,
                members: element.elements().map(Criteria::read).collect::<Read<_>>()?,
            }),
            "criterion" => Ok(Criteria::Test { id: required(element, "test_ref")?, negate }),
            "extend_definition" => {
                Ok(Criteria::Definition { id: required(element, "definition_ref")?, negate })
            }
            other => Err(format!("<{other}> in criteria")),
        }
    }
}
