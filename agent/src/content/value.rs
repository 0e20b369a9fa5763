//! Values: the numbers and words of rules that a tailoring may set. They carry the ids that existing tailoring files use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Text;

/// The type of a value, in XCCDF's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// A number.
    Number,
    /// Any text.
    String,
    /// `true` or `false`.
    Boolean,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The id, as existing tailoring files write it after `_value_`.
    pub id: String,
    /// What it is, in a few words.
    pub title: String,
    /// What it decides, and in which unit.
    #[serde(default)]
    pub description: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// What holds when nobody chose.
    pub default: Text,
    /// The named choices (XCCDF selectors).
    #[serde(default)]
    pub selectors: BTreeMap<String, Text>,
    /// Whether only the named choices are allowed.
    #[serde(default)]
    pub closed: bool,
    /// The smallest number allowed.
    #[serde(default)]
    pub minimum: Option<i64>,
    /// The largest number allowed.
    #[serde(default)]
    pub maximum: Option<i64>,
}
