//! Stage 6, report: a finished value, and one writer for each format.
//!
//! A writer takes a [`Report`] and knows nothing of rules or systems. To add a format, see [`format`](mod@format).

pub mod clean;
pub mod csv;
pub mod file;
pub mod format;
pub mod html;
mod json;
mod junit;
mod markdown;
pub mod plan;
mod prometheus;
mod sarif;
pub mod text;
mod view;
pub mod xccdf;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::finding::Evidence;
use crate::inspect::{Outcome, Verdict};
use crate::plan::{Plan, Step};
use crate::policy::{Exception, Policy, PolicyRule};
use crate::system::System;
pub use format::{Format, Standard, Wanted};
pub use view::severity_rank;

/// The [`ContentInfo::source`] of the rules that the agent brings itself.
pub const CATALOGUE: &str = "catalogue";
/// The version of the report's structure.
pub const SCHEMA: u32 = 1;

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// `ID` of os-release.
    pub os: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Release of the running kernel; empty with `--root`.
    pub kernel: String,
    /// `/etc/machine-id`.
    pub machine_id: String,
}

/// Where the rules came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentInfo {
    /// Id of the benchmark.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub sha256: String,
    /// `catalogue`, or a file.
    pub source: String,
}

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// Tier.
    pub tier: String,
    /// Full id of the profile.
    pub profile: String,
    /// Tailoring files.
    pub tailoring: Vec<String>,
    /// Digest of the resolved policy.
    pub sha256: String,
}

/// A score as XCCDF's default model computes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The model.
    pub system: String,
    /// What was reached.
    pub value: f64,
    /// What could be.
    pub maximum: f64,
}

/// How many rules ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // The names are the verdicts.
pub struct Summary {
    pub pass: usize,
    pub fail: usize,
    pub fixed: usize,
    pub error: usize,
    pub unknown: usize,
    pub notapplicable: usize,
    pub notchecked: usize,
    pub notselected: usize,
}

/// The numbers by which others know a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// Sections of the CIS benchmark of this system.
    pub cis: Vec<String>,
    /// ANSSI-BP-028 recommendations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anssi: Vec<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Short id.
    pub id: String,
    /// Full XCCDF id.
    pub xccdf_id: String,
    /// Title.
    pub title: String,
    /// Severity.
    pub severity: String,
    /// Verdict.
    pub result: Verdict,
    /// Numbers.
    pub references: References,
    /// Why, for the verdicts that evidence does not explain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was looked at.
    pub evidence: Vec<Evidence>,
    /// What would be, or was, changed, in sentences.
    pub changes: Vec<String>,
    /// What was changed in files, as unified diffs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<String>,
    /// The exception that speaks of it.
    pub exception: Option<Exception>,
    /// How long it took.
    pub seconds: f64,
}

/// Everything a run has to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // The contract is the one of docs/report.md.
pub struct Report {
    pub schema: u32,
    pub agent: String,
    pub host: Host,
    pub content: ContentInfo,
    pub policy: PolicyInfo,
    pub started: String,
    pub finished: String,
    pub action: String,
    /// The run that changed the machine, of an apply; empty when nothing had to be changed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    pub score: Score,
    pub summary: Summary,
    pub rules: Vec<Row>,
    /// What would be done, of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What the run as a whole ran into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What else is to be known of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    /// Puts a report together, `outcomes` in the order of the policy.
    pub fn new(
        policy: &Policy,
        content: ContentInfo,
        host: Host,
        outcomes: Vec<Outcome>,
        action: &str,
        started: String,
    ) -> Report {
        let rows: Vec<Row> =
            policy.rules.iter().zip(outcomes).map(|(rule, outcome)| row(rule, outcome)).collect();
        let info = PolicyInfo {
            tier: policy.tier.clone(),
            profile: policy.profile.clone(),
            tailoring: policy.tailoring.clone(),
            sha256: policy.sha256.clone(),
        };
        let score = score(&rows);
        Report::of_rows(rows, info, content, host, score, action, started)
    }

    /// Puts a report together from rules that were judged otherwise.
    pub fn of_rows(
        rows: Vec<Row>,
        policy: PolicyInfo,
        content: ContentInfo,
        host: Host,
        score: Score,
        action: &str,
        started: String,
    ) -> Report {
        Report {
            schema: SCHEMA,
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            host,
            content,
            policy,
            started,
            finished: now(),
            action: action.to_owned(),
            run: String::new(),
            score,
            summary: summary(&rows),
            rules: rows,
            plan: None,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes over the steps that were, or would be, carried out: each rule's changes are those made for it.
    pub fn set_changes(&mut self, steps: &[Step]) {
        for row in &mut self.rules {
            let own = steps.iter().filter(|step| step.rule == row.id);
            row.changes = own.map(|step| step.sentence.clone()).collect();
        }
    }

    /// Takes over what the steps that were carried out did to files.
    pub fn set_diffs(&mut self, steps: &[Step]) {
        for row in &mut self.rules {
            let own = steps.iter().filter(|step| step.rule == row.id && !step.diff.is_empty());
            row.diffs = own.map(|step| step.diff.clone()).collect();
        }
    }

    /// Counts anew, after verdicts were changed.
    pub fn count(&mut self) {
        self.summary = summary(&self.rules);
    }

    /// The exit code that the results call for.
    pub fn exit(&self) -> Exit {
        let expired =
            self.rules.iter().any(|row| row.exception.as_ref().is_some_and(|exception| exception.expired));
        if self.summary.error > 0 || !self.problems.is_empty() {
            Exit::Trouble
        } else if let Some(plan) = &self.plan {
            if plan.changes_nothing() { Exit::Good } else { Exit::Deviates }
        } else if self.summary.fail > 0 || self.summary.unknown > 0 || expired {
            Exit::Deviates
        } else {
            Exit::Good
        }
    }
}

impl Host {
    /// Who the machine says it is.
    pub fn of(system: &System) -> Host {
        let text = |path: &str| system.read_text(path).ok().flatten().unwrap_or_default().trim().to_owned();
        let (os, os_version) = system.os().map(|os| (os.id.clone(), os.version.clone())).unwrap_or_default();
        let kernel = if system.is_running() { system.kernel_release() } else { String::new() };
        Host { name: text("/etc/hostname"), os, os_version, kernel, machine_id: text("/etc/machine-id") }
    }
}

/// The present time as RFC 3339.
pub fn now() -> String {
    let seconds = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

fn row(rule: &PolicyRule, outcome: Outcome) -> Row {
    Row {
        id: rule.id.clone(),
        xccdf_id: rule.xccdf_id.clone(),
        title: rule.title.clone(),
        severity: rule.severity.as_str().to_owned(),
        result: outcome.verdict,
        references: References { cis: rule.cis.clone(), anssi: rule.anssi.clone() },
        reason: outcome.reason,
        changes: outcome.finding.changes.iter().map(crate::change::Change::sentence).collect(),
        evidence: outcome.finding.evidence,
        diffs: Vec::new(),
        exception: rule.exception.clone(),
        seconds: outcome.seconds,
    }
}

fn summary(rows: &[Row]) -> Summary {
    let mut summary = Summary::default();
    for row in rows {
        match row.result {
            Verdict::Pass => summary.pass += 1,
            Verdict::Fail => summary.fail += 1,
            Verdict::Fixed => summary.fixed += 1,
            Verdict::Error => summary.error += 1,
            Verdict::Unknown => summary.unknown += 1,
            Verdict::NotApplicable => summary.notapplicable += 1,
            Verdict::NotChecked | Verdict::Informational => summary.notchecked += 1,
            Verdict::NotSelected => summary.notselected += 1,
        }
    }
    summary
}

/// The default model with all weights 1 and no groups: the share of judged rules that are met.
fn score(rows: &[Row]) -> Score {
    let met = |row: &&Row| matches!(row.result, Verdict::Pass | Verdict::Fixed);
    let judged =
        |row: &&Row| met(row) || matches!(row.result, Verdict::Fail | Verdict::Error | Verdict::Unknown);
    let total = rows.iter().filter(judged).count();
    let value = if total == 0 { 0.0 } else { 100.0 * rows.iter().filter(met).count() as f64 / total as f64 };
    Score {
        system: "urn:xccdf:scoring:default".to_owned(),
        value: (value * 100.0).round() / 100.0,
        maximum: 100.0,
    }
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
