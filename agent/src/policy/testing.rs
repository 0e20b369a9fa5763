//! Policies for the tests of the stages that use them.

use super::{Check, Policy, PolicyRule};
use crate::content::{Condition, Severity};
use crate::setting::Kind;
use crate::setting::sysctl::Sysctl;

/// A policy of these rules.
pub fn policy(rules: Vec<PolicyRule>) -> Policy {
    Policy { rules, ..Policy::default() }
}

/// A rule that ensures a setting where the conditions hold.
pub fn rule(id: &str, applies: Vec<Condition>, ensure: Kind) -> PolicyRule {
    PolicyRule {
        id: id.to_owned(),
        xccdf_id: String::new(),
        title: String::new(),
        severity: Severity::Medium,
        rationale: String::new(),
        risk: String::new(),
        access: false,
        check_only: String::new(),
        cis: vec![],
        anssi: vec![],
        check: Check::Setting { applies, ensure, instead: vec![] },
        not_selected: None,
        values: std::collections::BTreeMap::new(),
        exception: None,
    }
}

/// A rule for a kernel parameter that must be 0.
pub fn zero(key: &str) -> PolicyRule {
    rule(key, vec![], Kind::Sysctl(Sysctl { key: key.to_owned(), value: "0".into(), also: vec![] }))
}
