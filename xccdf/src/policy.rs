//! What a choice comes to: every rule selected or not and why, every value bound and from where.

use crate::element::Element;
use crate::error::Position;
use crate::id::Kind;
use crate::rule::{Role, Severity};
use crate::text::Text;
use crate::value::{Content, Operator, ValueType};

/// A benchmark resolved: plain data, no longer tied to the documents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// Id of the benchmark.
    pub benchmark: String,
    /// The profiles applied, the one built upon first. Empty when the benchmark's own defaults stand.
    pub applied: Vec<Applied>,
    /// Every rule of the benchmark that is not abstract, in document order.
    pub rules: Vec<PolicyRule>,
    /// Every group of the benchmark that is not abstract, in document order.
    pub groups: Vec<PolicyGroup>,
    /// Every value of the benchmark that is not abstract, in the order of
    /// [`crate::Benchmark::values`].
    pub values: Vec<BoundValue>,
}

/// A profile that took part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// Full id.
    pub id: String,
    /// Title.
    pub title: Text,
    /// The document it is written in.
    pub source: String,
    /// Its elements of other namespaces.
    pub metadata: Vec<Element>,
}

/// A rule as chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRule {
    /// Full id.
    pub id: String,
    /// Whether it is to be checked, and what decided it.
    pub decision: Decision,
    /// What the profiles say about it where they select or refine it, or deselect a group around it;
    /// in the order applied.
    pub remarks: Vec<Remark>,
    /// Severity, refined.
    pub severity: Severity,
    /// Weight, refined.
    pub weight: f64,
    /// Role, refined.
    pub role: Role,
    /// The selector of the check to use; empty for none.
    pub check_selector: String,
}

/// A group as chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyGroup {
    /// Full id.
    pub id: String,
    /// Whether what is in it may be selected, and what decided it.
    pub decision: Decision,
    /// Weight, refined.
    pub weight: f64,
}

/// Whether a rule or group is selected, and what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is selected; a rule that is will be checked.
    pub selected: bool,
    /// What decided it.
    pub reason: Reason,
}

/// What decided whether a rule or group is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The benchmark's own word: no profile speaks of the rule.
    Benchmark,
    /// A profile's `select`.
    Profile(Origin),
    /// A group around it is not selected.
    Group {
        /// Full id of the outermost such group.
        group: String,
        /// What decided that.
        reason: Box<Reason>,
    },
    /// None of the items it requires is selected.
    Requires(Vec<String>),
    /// An item it conflicts with is selected.
    Conflicts(String),
}

/// A place in a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Full id of the profile.
    pub profile: String,
    /// The document it is written in.
    pub source: String,
    /// Where in the document.
    pub position: Position,
}

/// What a profile says about a rule or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The text.
    pub text: String,
    /// Where it is said.
    pub origin: Origin,
}

/// A value as chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundValue {
    /// Full id.
    pub id: String,
    /// What it is.
    pub content: Content,
    /// What decided it.
    pub binding: Binding,
    /// What the profiles that refined it say about it, in the order applied.
    pub remarks: Vec<Remark>,
    /// Type of the content.
    pub value_type: ValueType,
    /// How the content is compared.
    pub operator: Operator,
}

/// What decided a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// The value's own default: no profile speaks of it.
    Default,
    /// A selector.
    Selector {
        /// The selector; empty for the default, asked for by name.
        selector: String,
        /// Where it is picked.
        origin: Origin,
    },
    /// Set outright.
    Set(Origin),
}

impl Policy {
    /// The rule with this full or short id.
    pub fn rule(&self, id: &str) -> Option<&PolicyRule> {
        crate::benchmark::find(self.rules.iter(), id, Kind::Rule, |rule| &rule.id)
    }

    /// The value with this full or short id.
    pub fn value(&self, id: &str) -> Option<&BoundValue> {
        crate::benchmark::find(self.values.iter(), id, Kind::Value, |value| &value.id)
    }

    /// The rules to be checked, in document order.
    pub fn selected(&self) -> impl Iterator<Item = &PolicyRule> {
        self.rules.iter().filter(|rule| rule.decision.selected)
    }
}
