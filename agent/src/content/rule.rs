//! Rules: one thing to be true, with why, how much it matters and what it may break.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use crate::setting::Kind;

/// How much a rule matters, in XCCDF's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not rated by the benchmark.
    Unknown,
    /// Only informs.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

impl Severity {
    /// The word XCCDF and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Unknown => "unknown",
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

/// The group that the rules of one catalogue file form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupInfo {
    /// The id; existing tailoring files use the same where they deselect a group.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What its rules have in common.
    #[serde(default)]
    pub description: String,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The stable short id, as existing tailoring files write it after `_rule_`.
    pub id: String,
    /// What is true when the rule is met, in a few words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Why it matters.
    pub rationale: String,
    /// What making it true may break; empty when nothing is known.
    #[serde(default)]
    pub risk: String,
    /// Whether it decides who gets in: such rules are applied last, and never by the light tier.
    #[serde(default)]
    pub access: bool,
    /// Whether it takes effect only after a reboot.
    #[serde(default)]
    pub reboot: bool,
    /// Section numbers of the CIS benchmark of each product: `debian12: "5.1.20"`, several separated by a blank.
    #[serde(default)]
    pub cis: BTreeMap<String, String>,
    /// Recommendation numbers of ANSSI-BP-028: `R33`.
    #[serde(default)]
    pub anssi: Vec<String>,
    /// When it applies at all; all must hold.
    #[serde(default)]
    pub applies: Vec<Condition>,
    /// What it ensures.
    pub ensure: Kind,
    /// What it ensures instead on other systems; the first whose condition holds counts.
    #[serde(default)]
    pub instead: Vec<Instead>,
    /// Why the agent checks it and does not mend it; empty when it does.
    #[serde(default)]
    pub check_only: String,
}

/// Another setting for another system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instead {
    /// When it counts.
    pub when: Condition,
    /// What is ensured then.
    pub ensure: Kind,
}
