//! From XCCDF results to the agent's report.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use sha2::{Digest, Sha256};
use xccdf::evaluate::Evaluation;
use xccdf::{
    Benchmark, CheckPart, Checklist, Kind, Origin, Outcome, Policy, PolicyRule, Reason, Reference, Remark,
    RuleResult, SourceContent, Tailoring, short_id,
};

use super::Request;
use super::engine::Decided;
use crate::finding::{Evidence, State};
use crate::inspect::Verdict;
use crate::policy::{Exception, NOT_ASKED_FOR, Record};
use crate::report::{ContentInfo, Host, PolicyInfo, References, Report, Row, Score};
use crate::system::System;

/// A machine judged by content.
pub struct Judged<'a> {
    /// The content.
    pub content: &'a SourceContent,
    /// What was chosen of it.
    pub checklist: &'a Checklist<'a>,
    /// The benchmark.
    pub benchmark: &'a Benchmark,
    /// What was asked.
    pub policy: &'a Policy,
    /// The tailorings.
    pub tailoring: &'a [Tailoring],
    /// The records of exceptions in them.
    pub records: &'a [Record],
    /// What came of it.
    pub evaluation: &'a Evaluation,
    /// What decided each rule, by full id.
    pub decided: BTreeMap<String, Vec<Decided>>,
}

impl Judged<'_> {
    /// The report.
    ///
    /// # Errors
    /// When a rule cannot be read.
    pub fn report(mut self, system: &System, request: &Request, started: String) -> Result<Report> {
        let mut decided: BTreeMap<String, VecDeque<Decided>> =
            std::mem::take(&mut self.decided).into_iter().map(|(rule, all)| (rule, all.into())).collect();
        let row = |result: &RuleResult| {
            let own = decided.get_mut(&result.rule).map(|all| of_result(all, result)).unwrap_or_default();
            self.row(result, own.into_iter().flat_map(|one| one.evidence).collect())
        };
        let rows: Vec<Row> = self.evaluation.results.iter().map(row).collect::<Result<_>>()?;
        let score = xccdf::score::score(self.benchmark, &self.evaluation.results, xccdf::score::DEFAULT);
        let score = score.unwrap_or_default();
        let content = ContentInfo {
            id: self.benchmark.id.clone(),
            version: self.benchmark.version.name.clone(),
            sha256: hex(&Sha256::digest(self.content.text().as_bytes())),
            source: self.content.source().to_owned(),
        };
        let policy = PolicyInfo {
            tier: request.tier.clone().unwrap_or_default(),
            profile: self.policy.applied.last().map(|own| own.id.clone()).unwrap_or_default(),
            tailoring: self.tailoring.iter().map(|own| own.source.clone()).collect(),
            sha256: digest(&content.sha256, self.policy),
        };
        let score = Score {
            system: score.system,
            value: (f64::from(score.value) * 100.0).round() / 100.0,
            maximum: f64::from(score.maximum),
        };
        Ok(Report::of_rows(rows, policy, content, Host::of(system), score, "audit", started))
    }

    fn row(&self, result: &RuleResult, evidence: Vec<oval::Evidence>) -> Result<Row> {
        let id = short_id(&result.rule);
        let decided = self.policy.rule(&result.rule);
        let asked = result.outcome != Outcome::NotSelected;
        // What evaluation has no use for is read for the rules that are told.
        let references = if asked { self.checklist.references(&result.rule)? } else { Vec::new() };
        let known = self.benchmark.rule(&result.rule);
        let title = known.map(|rule| rule.head.title.plain()).unwrap_or_default();
        let mut reasons: Vec<String> = result.messages.clone();
        if let Some(decided) = decided.filter(|_| !asked) {
            reasons.push(left_out(&decided.decision.reason, decided.decision.selected));
        }
        let holds = result.outcome == Outcome::Pass;
        // What could not be looked at is no evidence but the reason.
        let (evidence, why) = match result.outcome {
            Outcome::NotChecked => (Vec::new(), evidence),
            _ => (evidence, Vec::new()),
        };
        if !why.is_empty() {
            reasons = why.into_iter().map(|own| own.found).collect();
            reasons.dedup();
        }
        Ok(Row {
            id: id.to_owned(),
            xccdf_id: result.rule.clone(),
            title,
            severity: result.severity.word().to_owned(),
            result: verdict(result.outcome),
            references: numbers(&references),
            reason: Some(reasons.join("; ")).filter(|reason| !reason.is_empty()),
            evidence: evidence.into_iter().map(|own| told(own, holds)).collect(),
            changes: Vec::new(),
            diffs: Vec::new(),
            exception: self.exception(id, decided),
            seconds: 0.0,
        })
    }

    /// The exception that speaks of a rule: recorded, or only written as a `select` with a remark.
    fn exception(&self, id: &str, decided: Option<&PolicyRule>) -> Option<Exception> {
        let about = |record: &&Record| record.kind == Kind::Rule && record.id == id;
        let selected = decided.is_some_and(|rule| rule.decision.selected);
        if let Some(record) = self.records.iter().rev().find(about) {
            return (record.exception.expired || !selected).then(|| record.exception.clone());
        }
        let decided = decided.filter(|rule| !rule.decision.selected)?;
        let ours = |remark: &&Remark| self.tailoring.iter().any(|own| own.source == remark.origin.source);
        let remark = decided.remarks.iter().rev().find(ours)?;
        let (reason, source) = (remark.text.trim().to_owned(), remark.origin.source.clone());
        Some(Exception { reason, owner: String::new(), until: None, expired: false, source })
    }
}

/// The answers that decided a result, taken from those of its rule, which come in the order of the results. Of several answers those that came
/// to the same as the rule decided it.
fn of_result(all: &mut VecDeque<Decided>, result: &RuleResult) -> Vec<Decided> {
    if let Some(CheckPart::Check(check)) = &result.check
        && let ([reference], true) = (check.content_refs.as_slice(), check.multi_check)
    {
        let same = |one: &Decided| reference.href == one.href && reference.name == one.name;
        return all.iter().position(same).and_then(|at| all.remove(at)).into_iter().collect();
    }
    let mut own: Vec<Decided> = std::mem::take(all).into();
    if own.iter().any(|one| one.outcome == result.outcome) {
        own.retain(|one| one.outcome == result.outcome);
    }
    own
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Pass => Verdict::Pass,
        Outcome::Fail => Verdict::Fail,
        Outcome::Error => Verdict::Error,
        Outcome::Unknown => Verdict::Unknown,
        Outcome::NotApplicable => Verdict::NotApplicable,
        Outcome::NotChecked => Verdict::NotChecked,
        Outcome::NotSelected => Verdict::NotSelected,
        Outcome::Informational => Verdict::Informational,
        Outcome::Fixed => Verdict::Fixed,
    }
}

/// Why a rule is not asked for.
fn left_out(reason: &Reason, selected: bool) -> String {
    let place = |origin: &Origin| format!("{}:{}", origin.source, origin.position.line);
    match reason {
        _ if selected => NOT_ASKED_FOR.to_owned(),
        Reason::Profile(origin) => format!("left out by {}", place(origin)),
        Reason::Group { group, .. } => format!("the group {} is left out", short_id(group)),
        Reason::Requires(ids) => format!("it requires one of {}", ids.join(", ")),
        Reason::Conflicts(id) => format!("it conflicts with {id}"),
        Reason::Benchmark => "no profile asks for it".to_owned(),
    }
}

/// The numbers by which others know a rule: references say by their address whose they are.
fn numbers(references: &[Reference]) -> References {
    let of = |whose: &str| -> Vec<String> {
        let own =
            references.iter().filter(|own| own.href.as_deref().is_some_and(|href| href.contains(whose)));
        own.map(|own| own.text.to_string()).collect()
    };
    References { cis: of("cisecurity.org/benchmark"), anssi: of("ssi.gouv.fr") }
}

fn told(evidence: oval::Evidence, holds: bool) -> Evidence {
    let oval::Evidence { place, found, wanted } = evidence;
    let file = place.starts_with('/') && !place.starts_with("/proc/") && !place.starts_with("/sys/");
    let state = if file { State::Persistent } else { State::Running };
    Evidence { found, wanted, place, state, holds }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest of content and choice: two machines with the same were asked the same.
fn digest(content: &str, policy: &Policy) -> String {
    let mut digest = Sha256::new();
    digest.update(content);
    for rule in policy.selected() {
        digest.update(format!("\0{}\0{:?}\0{}", rule.id, rule.role, rule.check_selector));
    }
    for value in &policy.values {
        digest.update(format!("\0{}\0{}", value.id, value.content));
    }
    hex(&digest.finalize())
}
