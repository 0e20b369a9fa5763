//! The report as SARIF 2.1.0 (OASIS), for code scanning and what else collects findings: a result for each rule that is not met, could
//! not be judged or is excepted.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::clean::{PIECES, shown};
use super::{Report, Row};
use crate::inspect::Verdict;

/// The schema that the document is valid by.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    let told: Vec<&Row> = report.rules.iter().filter(|row| is_result(row)).collect();
    let places: HashMap<&str, usize> = told.iter().enumerate().map(|(n, row)| (row.id.as_str(), n)).collect();
    let results: Vec<Value> = told.iter().map(|row| result(row, places.get(row.id.as_str()))).collect();
    let rules: Vec<Value> = told.iter().map(|row| rule(row)).collect();
    let run = json!({
        "tool": {"driver": {"name": "Trempe", "version": report.agent, "rules": rules}},
        "automationDetails": {"id": format!("{}/{}/", shown(report.host_name()), shown(report.policy.asked()))},
        "invocations": [invocation(report)],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "host": cleaned(json!(report.host)),
            "policy": cleaned(json!(report.policy)),
            "content": cleaned(json!(report.content)),
            "score": report.score,
            "summary": report.summary,
        },
        "results": results,
    });
    serde_json::to_writer(&mut *out, &json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))?;
    writeln!(out)?;
    Ok(())
}

/// A value, its texts [`shown`].
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(shown(&text)),
        Value::Array(items) => items.into_iter().map(cleaned).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, cleaned(value))).collect(),
        other => other,
    }
}

fn is_result(row: &Row) -> bool {
    row.deviates() || row.exception.is_some()
}

/// How the run went: what could not be looked at is told here too, because readers may pass over results that are no failures.
fn invocation(report: &Report) -> Value {
    let errors = report.rules.iter().filter(|row| row.result == Verdict::Error);
    let notify = |text: &str| json!({"level": "error", "message": {"text": shown(text)}});
    let mut notifications: Vec<Value> =
        errors.map(|row| notify(&format!("{}: {}", row.id, row.why()))).collect();
    notifications.extend(report.problems.iter().map(|problem| notify(problem)));
    json!({
        "executionSuccessful": notifications.is_empty(),
        "startTimeUtc": report.started,
        "endTimeUtc": report.finished,
        "toolExecutionNotifications": notifications,
    })
}

/// SARIF's level of a severity.
fn level(row: &Row) -> &'static str {
    match row.severity.as_str() {
        "high" => "error",
        "low" | "info" => "note",
        _ => "warning",
    }
}

fn rule(row: &Row) -> Value {
    let cis = row.references.cis.iter().map(|number| format!("CIS {number}"));
    let anssi = row.references.anssi.iter().map(|number| format!("ANSSI-BP-028 {number}"));
    let tags: Vec<String> = cis.chain(anssi).map(|tag| shown(&tag)).collect();
    // The figures by which code scanning sorts.
    let severity = match row.severity.as_str() {
        "high" => "8.0",
        "low" => "3.0",
        "info" => "1.0",
        _ => "5.0",
    };
    let title = if row.title.is_empty() { &row.id } else { &row.title };
    json!({
        "id": shown(&row.id),
        "shortDescription": {"text": shown(title)},
        "defaultConfiguration": {"level": level(row)},
        "properties": {"tags": tags, "security-severity": severity, "severity": row.severity},
    })
}

fn result(row: &Row, place: Option<&usize>) -> Value {
    let (kind, level) = match row.result {
        Verdict::Fail => ("fail", level(row)),
        // An exception that is over must not look as if nothing were to be done.
        _ if row.is_overdue() => ("fail", level(row)),
        Verdict::Pass | Verdict::Fixed => ("pass", "none"),
        Verdict::Error | Verdict::Unknown => ("open", "none"),
        _ => ("notApplicable", "none"),
    };
    let locations: Vec<Value> =
        row.evidence.iter().filter(|one| !one.holds).take(PIECES).map(|one| location(&one.place)).collect();
    let mut result = json!({
        "ruleId": shown(&row.id),
        "kind": kind,
        "level": level,
        "message": {"text": shown(&row.why())},
        "locations": locations,
        "properties": {"result": row.result, "changes": row.changes.iter().map(|change| shown(change)).collect::<Vec<_>>()},
    });
    if let (Some(object), Some(place)) = (result.as_object_mut(), place) {
        object.insert("ruleIndex".to_owned(), json!(place));
        if let Some(own) = row.exception.as_ref().filter(|own| !own.expired) {
            let until = own.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
            let owner = if own.owner.is_empty() { String::new() } else { format!(", by {}", own.owner) };
            let why = shown(&format!("{}{owner}{until}", own.reason));
            let suppression = json!({"kind": "external", "status": "accepted", "justification": why});
            object.insert("suppressions".to_owned(), json!([suppression]));
        }
    }
    result
}

/// Where evidence was found: a file with its line, or a command.
fn location(place: &str) -> Value {
    let (path, line) = match place.rsplit_once(':') {
        Some((path, line)) => (path, line.parse::<u32>().ok().filter(|line| *line > 0)),
        None => (place, None),
    };
    let path = if line.is_some() { path } else { place };
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        return json!({"logicalLocations": [{"name": shown(place), "kind": "command"}]});
    }
    let mut physical = json!({"artifactLocation": {"uri": format!("file://{}", encoded(path))}});
    if let (Some(line), Some(object)) = (line, physical.as_object_mut()) {
        object.insert("region".to_owned(), json!({"startLine": line}));
    }
    json!({"physicalLocation": physical})
}

/// A path in a URI (RFC 3986).
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let byte = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().take(super::clean::SHOWN).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_with_its_line_or_a_command() {
        for (place, expected) in [
            (
                "/etc/a:3",
                json!({"physicalLocation": {"artifactLocation": {"uri": "file:///etc/a"}, "region": {"startLine": 3}}}),
            ),
            ("/etc/é#", json!({"physicalLocation": {"artifactLocation": {"uri": "file:///etc/%C3%A9%23"}}})),
            ("/etc/a:x", json!({"physicalLocation": {"artifactLocation": {"uri": "file:///etc/a%3Ax"}}})),
            ("sshd -T", json!({"logicalLocations": [{"name": "sshd -T", "kind": "command"}]})),
            ("", json!({"logicalLocations": [{"name": "", "kind": "command"}]})),
        ] {
            assert_eq!(location(place), expected, "{place}");
        }
    }
}
