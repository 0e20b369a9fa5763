//! Stage 2, policy: content, a tier and tailoring become the ordered rules of this machine, with their values bound.
//!
//! Pure: nothing here looks at a machine beyond the name of its operating system.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::content::{Applies, Catalogue, Condition, Severity, substitute, xccdf_id};
use crate::setting::Kind;
use crate::system::System;

/// What a rule of the policy is checked with. Foreign content adds a variant.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A setting of the catalogue.
    Setting {
        /// When it applies.
        applies: Vec<Condition>,
        /// What is ensured, values bound.
        ensure: Kind,
        /// What is ensured instead elsewhere.
        instead: Vec<(Condition, Kind)>,
    },
}

impl Check {
    /// The kind that counts on a system.
    ///
    /// # Errors
    /// When a condition cannot be decided.
    pub fn kind(&self, system: &System) -> Result<&Kind> {
        let Check::Setting { ensure, instead, .. } = self;
        for (condition, kind) in instead {
            if condition.holds(system)? == Applies::Yes {
                return Ok(kind);
            }
        }
        Ok(ensure)
    }
}

/// A rule excepted on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, `YYYY-MM-DD`; `None` without an end.
    pub until: Option<String>,
    /// Whether that day is over.
    pub expired: bool,
    /// The tailoring file it is written in.
    pub source: String,
}

/// A rule of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRule {
    /// Short id.
    pub id: String,
    /// Full XCCDF id.
    pub xccdf_id: String,
    /// Title.
    pub title: String,
    /// Severity, refined.
    pub severity: Severity,
    /// Why it matters.
    pub rationale: String,
    /// What making it true may break.
    pub risk: String,
    /// Whether it decides who gets in.
    pub access: bool,
    /// Why the agent checks it and does not mend it; empty when it does.
    pub check_only: String,
    /// CIS section numbers for this machine's benchmark.
    pub cis: Vec<String>,
    /// ANSSI-BP-028 numbers.
    pub anssi: Vec<String>,
    /// How it is checked.
    pub check: Check,
    /// Why it is not asked for, when it is not.
    pub not_selected: Option<String>,
    /// The exception that speaks of it.
    pub exception: Option<Exception>,
}

/// What is asked of a machine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// The tier, when one was named.
    pub tier: String,
    /// Full id of the profile.
    pub profile: String,
    /// The tailoring files, in the order they were laid over each other.
    pub tailoring: Vec<String>,
    /// Every rule of the content that is about this operating system, in catalogue order.
    pub rules: Vec<PolicyRule>,
    /// Digest of all the above, in hexadecimal: two machines with the same digest were asked the same.
    pub sha256: String,
}

/// What a user asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The tier.
    pub tier: Option<String>,
    /// The profile, instead of a tier.
    pub profile: Option<String>,
    /// Tailoring files, each laid over the ones before.
    pub tailoring: Vec<PathBuf>,
    /// Only these rules.
    pub rules: Vec<String>,
}

/// Resolves a request to the policy of a machine with this operating system (`debian12`).
///
/// # Errors
/// When tier, profile, tailoring file or rule are not understood.
pub fn resolve(catalogue: &Catalogue, request: &Request, product: &str) -> Result<Policy> {
    let values: BTreeMap<String, String> =
        catalogue.values().map(|value| (value.id.clone(), value.default.0.clone())).collect();
    let mut rules = Vec::new();
    for rule in catalogue.rules() {
        let binding = || format!("binding the values of {}", rule.id);
        let instead =
            rule.instead.iter().map(|other| Ok((bind(&other.when, &values)?, bind(&other.ensure, &values)?)));
        let asked = request.rules.is_empty() || request.rules.contains(&rule.id);
        rules.push(PolicyRule {
            id: rule.id.clone(),
            xccdf_id: xccdf_id(xccdf::Kind::Rule, &rule.id),
            title: rule.title.clone(),
            severity: rule.severity,
            rationale: rule.rationale.clone(),
            risk: rule.risk.clone(),
            access: rule.access,
            check_only: rule.check_only.clone(),
            cis: rule
                .cis
                .get(product)
                .map(|numbers| numbers.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            anssi: rule.anssi.clone(),
            check: Check::Setting {
                applies: bind(&rule.applies, &values).with_context(binding)?,
                ensure: bind(&rule.ensure, &values).with_context(binding)?,
                instead: instead.collect::<Result<_>>().with_context(binding)?,
            },
            not_selected: (!asked).then(|| "not among the rules asked for".to_owned()),
            exception: None,
        });
    }
    Ok(Policy { tier: request.tier.clone().unwrap_or_default(), rules, ..Policy::default() })
}

/// Puts the bound values into the texts of a setting or a condition.
fn bind<T: Serialize + DeserializeOwned>(unbound: &T, values: &BTreeMap<String, String>) -> Result<T> {
    let mut json = serde_json::to_value(unbound)?;
    substitute(&mut json, values)?;
    Ok(serde_json::from_value(json)?)
}
