//! Reports for the tests of what reads them.

use super::{ContentInfo, Host, PolicyInfo, References, Report, Row, Score};
use crate::inspect::Verdict;

/// A rule of medium severity.
pub fn row(id: &str, result: Verdict) -> Row {
    Row {
        id: id.to_owned(),
        xccdf_id: format!("xccdf_trempe_rule_{id}"),
        title: String::new(),
        severity: "medium".to_owned(),
        result,
        references: References::default(),
        reason: None,
        evidence: Vec::new(),
        changes: Vec::new(),
        diffs: Vec::new(),
        exception: None,
        seconds: 0.0,
    }
}

/// An audit against `standard`, finished at a time.
pub fn report(host: &str, finished: &str, rules: Vec<Row>) -> Report {
    let policy = PolicyInfo { tier: "standard".into(), sha256: "a".into(), ..PolicyInfo::default() };
    let score = Score { system: String::new(), value: 50.0, maximum: 100.0 };
    let host = Host { name: host.to_owned(), ..Host::default() };
    let mut report =
        Report::of_rows(rules, policy, ContentInfo::default(), host, score, "audit", String::new());
    finished.clone_into(&mut report.finished);
    report
}
