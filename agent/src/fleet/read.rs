//! A file with results becomes a report: the agent's own JSON, or XCCDF results, alone, in their benchmark or in an ARF, whoever made them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use xccdf::result::{HOST_NAME, Recorded};
use xccdf::{Limits, RuleResult, TestResult, short_id};

use crate::inspect::Verdict;
use crate::report::{ContentInfo, Host, PolicyInfo, References, Report, Row, SCHEMA, Score};

/// The largest file that is read, in bytes: an ARF with everything that oscap puts into one has a tenth of it.
const LARGEST: u64 = 512 << 20;

/// The report in a file.
///
/// # Errors
/// When it cannot be read or is not understood, with the file and, where there is one, the line.
pub fn report(path: &Path) -> Result<Report> {
    let name = path.display().to_string();
    // Nobody may ever write to a pipe.
    if !fs::metadata(path).with_context(|| name.clone())?.is_file() {
        bail!("{name}: not a regular file");
    }
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).with_context(|| name.clone())?);
    let first = loop {
        let piece = file.fill_buf().with_context(|| name.clone())?;
        let blank = |byte: &&u8| byte.is_ascii_whitespace() || [0xef, 0xbb, 0xbf].contains(*byte);
        match (piece.iter().find(|byte| !blank(byte)), piece.len()) {
            (Some(byte), _) => break *byte,
            (None, 0) => bail!("{name}: the file is empty"),
            (None, read) => file.consume(read),
        }
    };
    match first {
        b'{' => ours(file, &name),
        b'<' => standard(file, &name),
        _ => bail!("{name}: neither a report of the agent (JSON) nor XCCDF results or an ARF"),
    }
}

fn ours(file: impl Read, name: &str) -> Result<Report> {
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).with_context(|| name.to_owned())?;
    if text.len() as u64 > LARGEST {
        bail!("{name}: larger than {} MiB, which no report is", LARGEST >> 20);
    }
    let report: Report = serde_json::from_slice(&text).with_context(|| {
        format!("{name}: not a report of the agent, as 'agent audit --format json' writes it")
    })?;
    match report.schema {
        SCHEMA => Ok(report),
        other => bail!("{name}: schema {other}, and this agent knows {SCHEMA}: use a newer one"),
    }
}

fn standard(file: impl BufRead, name: &str) -> Result<Report> {
    let limits = Limits { max_bytes: LARGEST, ..Limits::default() };
    let mut recorded = Recorded::read(file, name, &limits)?;
    // An evaluation adds its results to those that a file has already.
    let Some(result) = recorded.results.pop() else {
        bail!("{name}: no XCCDF 1.2 results in it");
    };
    Ok(of_result(result, &recorded))
}

fn of_result(result: TestResult, recorded: &Recorded) -> Report {
    let fact = || result.facts.iter().find(|fact| fact.name == HOST_NAME).map(|fact| fact.value.clone());
    let name = result.targets.first().cloned().or_else(fact).unwrap_or_default();
    let score = result.scores.first();
    let score = Score {
        system: score.map(|score| score.system.clone()).unwrap_or_default(),
        // Single precision has no more digits than these.
        value: score.map_or(0.0, |score| (f64::from(score.value) * 100.0).round() / 100.0),
        maximum: score.map_or(100.0, |score| f64::from(score.maximum)),
    };
    let policy = PolicyInfo {
        profile: result.profile.unwrap_or_default(),
        tailoring: result.tailoring.into_iter().map(|own| own.href).collect(),
        ..PolicyInfo::default()
    };
    let content = ContentInfo {
        id: result.benchmark.id,
        version: result.benchmark.version,
        source: result.benchmark.href,
        sha256: String::new(),
    };
    let rows = result.results.into_iter().map(|own| row(own, recorded)).collect();
    let host = Host { name, ..Host::default() };
    let mut report =
        Report::of_rows(rows, policy, content, host, score, "audit", result.start.unwrap_or_default());
    report.finished = result.end;
    report.agent = result.test_system.unwrap_or_default();
    report
}

fn row(result: RuleResult, recorded: &Recorded) -> Row {
    Row {
        id: short_id(&result.rule).to_owned(),
        title: recorded.titles.get(&result.rule).cloned().unwrap_or_default(),
        severity: result.severity.word().to_owned(),
        result: Verdict::from_word(result.outcome.word()),
        references: References::default(),
        reason: Some(result.messages.join("; ")).filter(|reason| !reason.is_empty()),
        xccdf_id: result.rule,
        evidence: Vec::new(),
        changes: Vec::new(),
        diffs: Vec::new(),
        exception: None,
        seconds: 0.0,
    }
}
