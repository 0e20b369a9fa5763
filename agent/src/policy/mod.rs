//! Stage 2, policy: content, a tier and tailoring become the ordered rules of this machine, with their values bound.
//!
//! Pure: nothing here looks at a machine beyond the name of its operating system.

mod digest;
mod exception;
pub mod make;
mod profile;
mod resolve;
mod tailoring;

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use xccdf::short_id;

use crate::content::{Applies, Condition, Severity};
use crate::setting::Kind;
use crate::system::System;

pub use exception::{Exception, RECORDS, Record, enforce};
pub use resolve::resolve;
pub use tailoring::{Target, parse as parse_tailoring, read as read_tailoring};

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
    /// The values it uses, as bound: id and content.
    pub values: BTreeMap<String, String>,
    /// Why it is not asked for, when it is not.
    pub not_selected: Option<String>,
    /// The exception that speaks of it.
    pub exception: Option<Exception>,
}

/// The reason of a rule that the policy selects and a run was not asked for by `--rule`.
pub const NOT_ASKED_FOR: &str = "not among the rules asked for";

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
    /// How many lines of the tailoring leave out what the catalogue does not have anyway.
    pub ignored: usize,
    /// Digest of all the above, in hexadecimal: two machines with the same digest were asked the same.
    pub sha256: String,
}

impl Policy {
    /// Refuses to ask for nothing, and rules of which it asks for none: a machine that was held to nothing must not look good.
    ///
    /// # Errors
    /// What is not asked for, and why.
    pub fn something_is_asked(&self, rules: &[String]) -> Result<()> {
        let left_out = |rule: &PolicyRule| rule.not_selected.is_some() && rule.exception.is_none();
        if rules.is_empty() && self.rules.iter().all(left_out) {
            bail!("{} asks for no rule: there is nothing to judge by", short_id(&self.profile));
        }
        let named = |rule: &&PolicyRule| rules.iter().any(|id| short_id(id) == rule.id);
        let mut named = self.rules.iter().filter(named).peekable();
        let Some(first) = named.peek().copied() else { return Ok(()) };
        if named.all(left_out) {
            let why = first.not_selected.as_deref().unwrap_or_default();
            bail!("{} does not ask for {}: {why}", short_id(&self.profile), first.id);
        }
        Ok(())
    }
}

/// What a user asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The tier.
    pub tier: Option<String>,
    /// The profile, instead of a tier.
    pub profile: Option<String>,
    /// Tailorings, each laid over the ones before.
    pub tailoring: Vec<xccdf::Tailoring>,
    /// Only these rules.
    pub rules: Vec<String>,
    /// The day, on which exceptions hold or are over.
    pub today: jiff::civil::Date,
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
