//! States: what an item should be like.

use super::entity::Entity;
use super::word::Operator;
use super::{Read, kind, required, word};
use xccdf::Element;

/// A state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    /// Its id.
    pub id: String,
    /// Which probe's items it is about.
    pub kind: String,
    /// How its entities become one.
    pub operator: Operator,
    /// What the item's entities should be.
    pub entities: Vec<Entity>,
}

impl State {
    pub fn read(element: &Element) -> Read<Self> {
        Ok(State {
            id: required(element, "id")?,
            kind: kind(element, "_state")?,
            operator: word(element, "operator", Operator::named, Operator::And)?,
            entities: element
                .elements()
                .filter(|child| !is_note(child))
                .map(Entity::read)
                .collect::<Read<_>>()?,
        })
    }
}

/// Whether a child says something about the state and not about items.
fn is_note(child: &Element) -> bool {
    matches!(child.name.as_str(), "notes" | "Signature")
}
