//! A value: a setting that profiles may change, with what it may be.

use crate::benchmark::Head;
use crate::words::words;
use std::fmt;

/// A value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Value {
    /// Id, title, description and so on.
    pub head: Head,
    /// The type of its content; `string` unless said.
    pub value_type: Option<ValueType>,
    /// How the content is compared; `equals` unless said.
    pub operator: Option<Operator>,
    /// Whether the user is to be asked.
    pub interactive: Option<bool>,
    /// How the user is to be asked: `choice`, `textline`, `text`, `date` or `datetime`.
    pub interface_hint: Option<String>,
    /// What it can be, by selector. Without one that has no selector, the first is the default.
    pub instances: Vec<Keyed<Content>>,
    /// What to propose to the user, by selector.
    pub defaults: Vec<Keyed<Content>>,
    /// Regular expression the content must match, by selector.
    pub matches: Vec<Keyed<String>>,
    /// Least number, by selector.
    pub lower_bounds: Vec<Keyed<f64>>,
    /// Greatest number, by selector.
    pub upper_bounds: Vec<Keyed<f64>>,
    /// Lists to choose from, by selector.
    pub choices: Vec<Choices>,
    /// Where the content may be found, URIs.
    pub sources: Vec<String>,
}

/// Something that holds for one selector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyed<T> {
    /// The selector; empty for none.
    pub selector: String,
    /// What holds.
    pub content: T,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One text.
    One(String),
    /// A list, written with the `complex-` elements.
    List(Vec<String>),
}

impl Default for Content {
    fn default() -> Self {
        Content::One(String::new())
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::One(text) => f.write_str(text),
            Content::List(items) => f.write_str(&items.join(", ")),
        }
    }
}

/// A list to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    /// The selector; empty for none.
    pub selector: String,
    /// Whether nothing else may be chosen; `false` unless said.
    pub must_match: Option<bool>,
    /// The list.
    pub choices: Vec<Content>,
}

/// A number as XML Schema writes decimals: no exponent, no infinity. White space around it is
/// dropped.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if plain { text.parse().ok() } else { None }
}

words! {
    /// The type of a value's content.
    ValueType {
        /// A decimal number.
        Number = "number",
        /// Any text.
        String = "string",
        /// `true`, `false`, `1` or `0`.
        Boolean = "boolean",
    }
}

words! {
    /// How content is compared with what is found.
    Operator {
        /// Equal.
        Equals = "equals",
        /// Not equal.
        NotEqual = "not equal",
        /// Greater.
        Greater = "greater than",
        /// Less.
        Less = "less than",
        /// Greater or equal.
        GreaterOrEqual = "greater than or equal",
        /// Less or equal.
        LessOrEqual = "less than or equal",
        /// Matches as a regular expression.
        PatternMatch = "pattern match",
    }
}

impl Value {
    /// What the value is for a selector; for the empty selector the one without, else the first
    ///.
    pub fn instance(&self, selector: &str) -> Option<&Content> {
        let exact = self.instances.iter().find(|instance| instance.selector == selector);
        let fallback = if selector.is_empty() { self.instances.first() } else { None };
        exact.or(fallback).map(|instance| &instance.content)
    }

    /// The selectors there are, in document order; the empty one left out.
    pub fn selectors(&self) -> impl Iterator<Item = &str> {
        self.instances.iter().map(|instance| instance.selector.as_str()).filter(|s| !s.is_empty())
    }
}
