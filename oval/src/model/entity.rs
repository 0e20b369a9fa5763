//! Entities: a named value of an object or state, wanted or asked for.

use super::word::{Check, Datatype, Existence, Operation};
use super::{Read, flag, required, text, word};
use xccdf::Element;

/// The namespace of `xsi:nil`.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An entity of an object or state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    /// Its name.
    pub name: String,
    /// How its values are understood.
    pub datatype: Datatype,
    /// How they are compared.
    pub operation: Operation,
    /// Whether what is found is a secret.
    pub mask: bool,
    /// Whether it is there to say that it has no value (`xsi:nil`).
    pub nil: bool,
    /// Where its values come from.
    pub source: Source,
    /// How many of a variable's values must compare; `None` when the content does not say, which means all.
    pub var_check: Option<Check>,
    /// How many of an item's entities of this name must compare.
    pub entity_check: Check,
    /// How many of an item's fields must exist, for a state (`check_existence`, since OVAL 5.11.1).
    pub existence: Existence,
    /// What a record's fields should be.
    pub fields: Vec<Entity>,
}

/// Where the values of an entity come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// Written there.
    Literal(String),
    /// A variable of this id.
    Variable(String),
}

impl Entity {
    pub fn read(element: &Element) -> Read<Self> {
        let nil = element.attributes.iter().find(|a| a.namespace == INSTANCE && a.name == "nil");
        let datatype = word(element, "datatype", Datatype::named, Datatype::String)?;
        let fields = match datatype {
            Datatype::Record => element.elements().map(Entity::field).collect::<Read<_>>()?,
            _ => Vec::new(),
        };
        let source = match element.attribute("var_ref") {
            Some(id) => Source::Variable(id.trim().to_owned()),
            None => Source::Literal(text(element)),
        };
        Ok(Entity {
            name: element.name.clone(),
            datatype,
            operation: word(element, "operation", Operation::named, Operation::Equals)?,
            mask: flag(element, "mask")?,
            nil: nil.is_some_and(|a| matches!(a.value.trim(), "true" | "1")),
            source,
            var_check: element
                .attribute("var_check")
                .map(|_| word(element, "var_check", Check::named, Check::All))
                .transpose()?,
            entity_check: word(element, "entity_check", Check::named, Check::All)?,
            existence: word(element, "check_existence", Existence::named, Existence::AtLeastOneExists)?,
            fields,
        })
    }

    /// A field of a record, by the name it asks for.
    fn field(element: &Element) -> Read<Self> {
        let name = required(element, "name")?;
        match word(element, "datatype", Datatype::named, Datatype::String)? {
            Datatype::Record => Err(format!("the field {name} of a record is a record")),
            _ => Ok(Entity { name, ..Entity::read(element)? }),
        }
    }
}
