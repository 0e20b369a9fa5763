//! Objects: which items to collect.

use super::entity::Entity;
use super::word::{FilterAction, SetOperator};
use super::{Read, family, kind, required, text, version, word};
use std::collections::BTreeMap;
use xccdf::Element;

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// The schema it is from: `unix`, `linux`, `independent`.
    pub family: String,
    /// Which probe collects it: `file` of a `file_object`.
    pub kind: String,
    /// How the probe should go about it.
    pub behaviors: Behaviors,
    /// What it is looking for.
    pub entities: Vec<Entity>,
    /// What is left out of what is found.
    pub filters: Vec<Filter>,
    /// Other objects it is made of, instead of entities.
    pub set: Option<Set>,
}

/// The attributes of a `behaviors` element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Behaviors(BTreeMap<String, String>);

/// A state whose items are left out or kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The state's id.
    pub state: String,
    /// Which.
    pub action: FilterAction,
}

/// A set of other objects' items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set {
    /// How two members become one.
    pub operator: SetOperator,
    /// Sets inside it.
    pub sets: Vec<Set>,
    /// Objects' ids.
    pub objects: Vec<String>,
    /// What is left out of each object's items.
    pub filters: Vec<Filter>,
}

impl Object {
    pub fn read(element: &Element) -> Read<Self> {
        let mut object = Object {
            id: required(element, "id")?,
            version: version(element),
            family: family(element).to_owned(),
            kind: kind(element, "_object")?,
            behaviors: Behaviors::default(),
            entities: Vec::new(),
            filters: Vec::new(),
            set: None,
        };
        for child in element.elements() {
            match child.name.as_str() {
                "behaviors" => object.behaviors = Behaviors::read(child),
                "filter" => object.filters.push(Filter::read(child)?),
                "set" => object.set = Some(Set::read(child)?),
                "notes" | "Signature" => {}
                _ => object.entities.push(Entity::read(child)?),
            }
        }
        Ok(object)
    }
}

impl Behaviors {
    fn read(element: &Element) -> Self {
        Behaviors(element.attributes.iter().map(|a| (a.name.clone(), a.value.trim().to_owned())).collect())
    }

    /// The value of an attribute, or the one that stands for its absence.
    pub fn get<'a>(&'a self, name: &str, absent: &'a str) -> &'a str {
        self.0.get(name).map_or(absent, String::as_str)
    }

    /// An attribute that is true or false.
    pub fn flag(&self, name: &str, absent: bool) -> bool {
        self.0.get(name).map_or(absent, |value| matches!(value.as_str(), "true" | "1"))
    }
}

impl Filter {
    fn read(element: &Element) -> Read<Self> {
        Ok(Filter {
            state: text(element).trim().to_owned(),
            action: word(element, "action", FilterAction::named, FilterAction::Exclude)?,
        })
    }
}

impl Set {
    fn read(element: &Element) -> Read<Self> {
        let operator = word(element, "set_operator", SetOperator::named, SetOperator::Union)?;
        let mut set = Set { operator, sets: Vec::new(), objects: Vec::new(), filters: Vec::new() };
        for child in element.elements() {
            match child.name.as_str() {
                "set" => set.sets.push(Set::read(child)?),
                "object_reference" => set.objects.push(text(child).trim().to_owned()),
                "filter" => set.filters.push(Filter::read(child)?),
                other => return Err(format!("<{other}> in a set")),
            }
        }
        let members = (set.sets.len(), set.objects.len());
        match members {
            (1..=2, 0) | (0, 1..=2) => Ok(set),
            _ => Err("a set has one or two sets, or one or two object references".to_owned()),
        }
    }
}
