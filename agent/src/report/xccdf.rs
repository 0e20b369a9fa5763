//! The report as XCCDF 1.2 results and as ARF 1.1, by the `xccdf` library: for OpenSCAP and what else reads its results.
//!
//! Results stand inside their benchmark. Of the catalogue that is what `agent export` writes; content of others is in the hands of
//! who judged by it (`scap`), which says how results come about there.

use std::io::Write;

use anyhow::Result;
use xccdf::arf::{Arf, CheckReport};
use xccdf::result::{BenchmarkUsed, FQDN, HOST_NAME, Identity, TailoringUsed, TargetFact};
use xccdf::score::Score;
use xccdf::{
    Checklist, Choice, Kind, Limits, Outcome, Role, RuleResult, Severity, SourceContent, Tailoring,
    TestResult, short_id,
};

use super::clean::{PIECES, shown};
use super::{Format, Host, Report, Row};
use crate::content::{Catalogue, benchmark};

/// Results with the benchmark they are about.
pub struct Results<'a> {
    /// The benchmark in its content.
    pub checklist: &'a Checklist<'a>,
    /// What came of it.
    pub result: &'a TestResult,
    /// The tailoring that guided the choice.
    pub tailoring: Option<&'a Tailoring>,
    /// What the checks found, for ARF.
    pub reports: &'a [CheckReport<'a>],
}

impl Results<'_> {
    /// Writes them as ARF, or as XCCDF inside the benchmark.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> Result<()> {
        match format {
            Format::Arf => {
                let (checklist, result, tailoring) = (self.checklist, self.result, self.tailoring);
                Arf { checklist, result, tailoring, reports: self.reports }.write(out)?;
            }
            _ => self.result.write_within(self.checklist, out)?,
        }
        Ok(())
    }
}

/// What the results of every run on this machine begin with.
pub fn run_on(host: &Host, started: &str, finished: &str) -> TestResult {
    let name = if host.name.is_empty() { "localhost" } else { &host.name };
    let name = shown(name);
    let root = nix::unistd::geteuid().is_root();
    TestResult {
        title: "Audit".to_owned(),
        start: Some(started.to_owned()),
        end: finished.to_owned(),
        test_system: Some(format!("cpe:/a:trempe:agent:{}", env!("CARGO_PKG_VERSION"))),
        identity: Some(Identity {
            name: if root { "root" } else { "user" }.to_owned(),
            authenticated: false,
            privileged: root,
        }),
        facts: [FQDN, HOST_NAME].map(|fact| TargetFact::new(fact, &host_word(&name))).to_vec(),
        targets: vec![name],
        ..TestResult::default()
    }
}

/// A host name as asset identification knows them: letters, digits, `-` and `_`, in parts with dots between. The target has the name
/// as it is.
fn host_word(name: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let parts = name.split('.').filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(|part| part.chars().take(63).map(known).collect()).collect();
    if parts.is_empty() { "localhost".to_owned() } else { parts.join(".") }
}

/// Writes a report about the catalogue.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    report: &Report,
    tailoring: Option<&Tailoring>,
    format: Format,
    out: &mut dyn Write,
) -> Result<()> {
    let benchmark = benchmark(&Catalogue::embedded()?)?.to_xml()?;
    let content = SourceContent::new(benchmark, "catalogue", &Limits::default())?;
    let checklist = content.checklist(Choice::default())?;
    let result = test_result(report, tailoring, checklist.href());
    Results { checklist: &checklist, result: &result, tailoring, reports: &[] }.write(format, out)
}

fn test_result(report: &Report, tailoring: Option<&Tailoring>, href: &str) -> TestResult {
    let Report { content, policy, score, .. } = report;
    let name = if policy.profile.is_empty() { "default" } else { short_id(&policy.profile) };
    TestResult {
        id: Kind::TestResult.id("org.trempe", name),
        benchmark: BenchmarkUsed {
            href: href.to_owned(),
            id: content.id.clone(),
            version: content.version.clone(),
        },
        tailoring: tailoring.map(|own| TailoringUsed::new(own, &own.source)),
        profile: Some(policy.profile.clone()).filter(|profile| !profile.is_empty()),
        results: report.rules.iter().map(|row| rule_result(row, report)).collect(),
        scores: vec![Score {
            system: score.system.clone(),
            value: single(score.value),
            maximum: single(score.maximum),
        }],
        ..run_on(&report.host, &report.started, &report.finished)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "XCCDF's scores are small numbers")]
fn single(number: f64) -> f32 {
    number as f32
}

fn rule_result(row: &Row, report: &Report) -> RuleResult {
    let mut messages: Vec<String> = row.reason.iter().cloned().collect();
    messages.extend(row.evidence.iter().take(PIECES).map(crate::finding::Evidence::sentence));
    messages.extend(row.exception.iter().map(|own| {
        let until = own.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        let over = if own.expired { ", which is over" } else { "" };
        format!("exception{until}{over}: {} (owner: {})", own.reason, own.owner)
    }));
    RuleResult {
        rule: row.xccdf_id.clone(),
        outcome: Outcome::from_word(row.result.as_str()).unwrap_or(Outcome::Unknown),
        role: Role::Full,
        severity: Severity::from_word(&row.severity).unwrap_or(Severity::Unknown),
        weight: 1.0,
        version: None,
        time: Some(report.finished.clone()),
        idents: Vec::new(),
        messages: messages.iter().map(|message| shown(message)).collect(),
        check: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_that_asset_identification_knows() {
        for (name, expected) in [
            ("web1.example.org", "web1.example.org"),
            ("<b>.x..", "-b-.x"),
            ("", "localhost"),
            ("..", "localhost"),
        ] {
            assert_eq!(host_word(name), expected, "{name:?}");
        }
    }
}
