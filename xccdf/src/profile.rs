//! A profile: a choice among the rules of a benchmark and the settings of its values.

use crate::benchmark::{Status, Version};
use crate::element::Element;
use crate::error::Position;
use crate::rule::{Reference, Role, Severity};
use crate::text::Text;
use crate::value::{Content, Operator};

/// A profile, of a benchmark or of a tailoring.
///
/// Of several settings for one item the last counts; a `set-value` outdoes a `refine-value` of the
/// same profile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Full id.
    pub id: String,
    /// Where it is written.
    pub position: Position,
    /// The profile it builds on.
    pub extends: Option<String>,
    /// There to be extended only.
    pub is_abstract: bool,
    /// Not to be changed by tailoring: a word to editors, resolution does not enforce it.
    pub prohibit_changes: bool,
    /// States.
    pub status: Vec<Status>,
    /// Version.
    pub version: Option<Version>,
    /// Title; XCCDF wants one.
    pub title: Text,
    /// What it is for.
    pub description: Text,
    /// Other documents that speak of it.
    pub references: Vec<Reference>,
    /// Platforms it is for.
    pub platforms: Vec<String>,
    /// Rules, groups and clusters taken or left out.
    pub selects: Vec<Select>,
    /// Values set outright.
    pub set_values: Vec<SetValue>,
    /// Values picked by selector, or compared otherwise.
    pub refine_values: Vec<RefineValue>,
    /// Rules judged otherwise.
    pub refine_rules: Vec<RefineRule>,
    /// Elements of other namespaces: where a caller keeps records of its own.
    pub metadata: Vec<Element>,
}

/// Takes a rule, a group or a cluster, or leaves it out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    /// Id of the rule, group or cluster, full or short.
    pub idref: String,
    /// Taken, or left out.
    pub selected: bool,
    /// Why.
    pub remarks: Vec<String>,
    /// Where it is written.
    pub position: Position,
}

/// Sets a value outright.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetValue {
    /// Id of the value, full or short.
    pub idref: String,
    /// What it is to be.
    pub content: Content,
    /// Where it is written.
    pub position: Position,
}

/// Picks a value by selector, or compares it otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefineValue {
    /// Id of the value, full or short.
    pub idref: String,
    /// The selector.
    pub selector: Option<String>,
    /// The comparison.
    pub operator: Option<Operator>,
    /// Why.
    pub remarks: Vec<String>,
    /// Where it is written.
    pub position: Position,
}

/// Judges a rule otherwise, or weighs a group otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RefineRule {
    /// Id of the rule, group or cluster, full or short.
    pub idref: String,
    /// The weight.
    pub weight: Option<f64>,
    /// The severity.
    pub severity: Option<Severity>,
    /// The role.
    pub role: Option<Role>,
    /// The selector of the check to use.
    pub selector: Option<String>,
    /// Why.
    pub remarks: Vec<String>,
    /// Where it is written.
    pub position: Position,
}
