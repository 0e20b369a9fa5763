//! Items: what probes find, one value of many named fields each.

use crate::model::Datatype;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// What digests are made with: other keys in each process, so that nobody can look for items that have the same.
static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Status {
    /// It is.
    #[default]
    Exists,
    /// It is not.
    DoesNotExist,
    /// It could not be looked at.
    Error,
}

/// A value with a type of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// Characters; those that are not UTF-8 are replaced.
    Text(String),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Named values.
    Record(Vec<Part>),
}

/// A named value of a record; several may have one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Part {
    /// Its name, in small letters.
    pub name: String,
    /// How it is understood.
    pub datatype: Datatype,
    /// It.
    pub text: String,
}

impl Value {
    /// The value as text, as results write it; a record for people.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(number) => Cow::Owned(number.to_string()),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            Value::Record(parts) => {
                let told = |part: &Part| match part.name.as_str() {
                    "#" => part.text.clone(),
                    name => format!("{name}: {}", part.text),
                };
                Cow::Owned(parts.iter().map(told).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A named value of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    /// Its name.
    pub name: &'static str,
    /// How it is understood.
    pub datatype: Datatype,
    /// Whether there is such a value.
    pub status: Status,
    /// The value; meaningless when there is none.
    pub value: Value,
}

impl Field {
    /// A text.
    pub fn text(name: &'static str, value: impl Into<String>) -> Field {
        Field { name, datatype: Datatype::String, status: Status::Exists, value: Value::Text(value.into()) }
    }

    /// A text of another datatype.
    pub fn typed(name: &'static str, datatype: Datatype, value: impl Into<String>) -> Field {
        Field { datatype, ..Field::text(name, value) }
    }

    /// A whole number.
    pub fn int(name: &'static str, value: impl Into<i64>) -> Field {
        Field { name, datatype: Datatype::Int, status: Status::Exists, value: Value::Int(value.into()) }
    }

    /// True or false.
    pub fn bool(name: &'static str, value: bool) -> Field {
        Field { name, datatype: Datatype::Boolean, status: Status::Exists, value: Value::Bool(value) }
    }

    /// Named values.
    pub fn record(name: &'static str, parts: Vec<Part>) -> Field {
        Field { name, datatype: Datatype::Record, status: Status::Exists, value: Value::Record(parts) }
    }

    /// A text that is not there.
    pub fn absent(name: &'static str) -> Field {
        Field { status: Status::DoesNotExist, ..Field::text(name, "") }
    }
}

/// Where an item was found, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, or what else was asked.
    pub path: String,
    /// The line in it, from 1.
    pub line: Option<usize>,
}

/// What a probe found: fields in the order of the probe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    /// Whether it is there.
    pub status: Status,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Where it was found; no part of what the item is.
    pub place: Option<Place>,
    /// Its digest, once it was asked for.
    digest: OnceCell<u64>,
}

impl Item {
    /// An item with these fields.
    pub fn new(fields: Vec<Field>) -> Item {
        Item { fields, ..Item::default() }
    }

    /// Something that could not be looked at, as far as it is known.
    pub fn failed(fields: Vec<Field>) -> Item {
        Item { status: Status::Error, ..Item::new(fields) }
    }

    /// The same item, found at a place.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>, line: Option<usize>) -> Item {
        self.place = Some(Place { path: path.into(), line });
        self
    }

    /// The fields of a name.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        let text = |field: &Field| match &field.value {
            Value::Text(text) => text.len(),
            Value::Int(_) | Value::Bool(_) => 0,
            Value::Record(parts) => {
                parts.iter().map(|part| size_of::<Part>() + part.name.len() + part.text.len()).sum()
            }
        };
        let fields: usize = self.fields.iter().map(|field| size_of::<Field>() + text(field)).sum();
        size_of::<Item>() + fields + self.place.as_ref().map_or(0, |place| place.path.len())
    }

    /// The same for items that say the same. An item is not changed once it was asked for.
    pub fn digest(&self) -> u64 {
        *self.digest.get_or_init(|| DIGESTS.hash_one((self.status, &self.fields)))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status && self.fields == other.fields
    }
}
