//! The parts of an OVAL document as values: what the content asks, before anything is looked at.
//!
//! Each type reads itself from an [`xccdf::Element`]; the error is a sentence that says what is wrong. Names of families,
//! probes and entities are kept as words: which of them are supported, the probes know.

mod criteria;
mod entity;
mod object;
mod schema;
mod state;
mod test;
mod variable;
mod word;

pub use criteria::{Criteria, Definition};
pub(crate) use entity::{Entity, Source};
pub(crate) use object::{Behaviors, Filter, Object, Set};
pub(crate) use schema::Schema;
pub(crate) use state::State;
pub(crate) use test::Test;
pub(crate) use variable::{Arithmetic, Component, Function, TimeFormat, Variable};
pub use word::{Check, Class, Datatype, Existence, FilterAction, Operation, Operator, SetOperator};

use xccdf::Element;

/// The outcome of reading an element: an error says what is wrong with it.
type Read<T> = std::result::Result<T, String>;

/// An attribute that must be there.
fn required(element: &Element, name: &str) -> Read<String> {
    let value = element.attribute(name).map(str::trim).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or_else(|| format!("<{}>: attribute {name} is missing", element.name))
}

/// An attribute that is a word of the standard, or what stands for its absence.
fn word<T>(element: &Element, name: &str, named: fn(&str) -> Option<T>, absent: T) -> Read<T> {
    match element.attribute(name) {
        None => Ok(absent),
        Some(value) => named(value.trim())
            .ok_or_else(|| format!("<{}>: {name}={value:?} is no word of OVAL 5.11", element.name)),
    }
}

/// An attribute that is true or false; false when absent.
fn flag(element: &Element, name: &str) -> Read<bool> {
    match element.attribute(name).map(str::trim) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(format!("<{}>: {name}={other:?}, expected true or false", element.name)),
    }
}

/// The version of a part; 0 when it has none.
fn version(element: &Element) -> u64 {
    element.attribute("version").and_then(|version| version.trim().parse().ok()).unwrap_or_default()
}

/// The text of an element as libxml2's reader hands it to oscap: white space alone is no text.
fn text(element: &Element) -> String {
    let text = element.inner_text();
    if text.trim_matches([' ', '\t', '\n', '\r']).is_empty() { String::new() } else { text }
}

/// The schema an element is from: `unix`, `linux`, `independent`, or that of another family; empty when its namespace names none.
fn family(element: &Element) -> &str {
    element.namespace.rsplit_once('#').map_or("", |(_, family)| family)
}

/// A kind of tests or objects as people know it: `unix file_object`.
pub(crate) fn named(family: &str, kind: &str, what: &str) -> String {
    format!("{family} {kind}_{what}").trim_start().to_owned()
}

/// The kind a test, object or state element is of: `file` of `file_test`.
fn kind(element: &Element, suffix: &str) -> Read<String> {
    let kind = element.name.strip_suffix(suffix);
    kind.map(str::to_owned).ok_or_else(|| format!("<{}>: not the name of a {}", element.name, &suffix[1..]))
}
