//! The report as CSV (RFC 4180), a line for each rule that is asked for or excepted, for spreadsheets and databases.
//!
//! Spreadsheets run what begins with `=`, `+`, `-`, `@`: such a cell gets an apostrophe before it, which spreadsheets take for «this
//! is text».

use std::io::{self, Write};

use super::clean::{bounded, clean};
use super::{Report, Row};
use crate::finding::Evidence;
use crate::inspect::Verdict;

/// The most characters in a cell; spreadsheets refuse more than 32 767.
const CELL: usize = 32_000;

/// The columns.
pub const COLUMNS: [&str; 20] = [
    "host",
    "machine_id",
    "os",
    "os_version",
    "asked",
    "policy_sha256",
    "finished",
    "rule",
    "title",
    "severity",
    "result",
    "cis",
    "anssi",
    "evidence",
    "reason",
    "changes",
    "exception",
    "exception_owner",
    "exception_until",
    "exception_expired",
];

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    head(out)?;
    rows(report, out)
}

/// Writes the line with the names of the columns.
///
/// # Errors
/// When it cannot be written.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    line(out, COLUMNS)
}

/// Writes the lines of the rules.
///
/// # Errors
/// When it cannot be written.
pub fn rows(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    report.rules.iter().filter(|row| row.is_told()).try_for_each(|own| row(report, own, out))
}

fn row(report: &Report, row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let host = &report.host;
    let exception = row.exception.as_ref();
    // What is met needs no proof in a table of this width.
    let unmet = |one: &&Evidence| row.result != Verdict::Pass && (!one.holds || row.result != Verdict::Fail);
    let evidence: Vec<String> = row.evidence.iter().filter(unmet).map(Evidence::sentence).collect();
    line(
        out,
        [
            host.name.as_str(),
            &host.machine_id,
            &host.os,
            &host.os_version,
            report.policy.asked(),
            &report.policy.sha256,
            &report.finished,
            &row.id,
            &row.title,
            &row.severity,
            row.result.as_str(),
            &row.references.cis.join(" "),
            &row.references.anssi.join(" "),
            &evidence.join("\n"),
            row.reason.as_deref().unwrap_or_default(),
            &row.changes.join("\n"),
            exception.map_or("", |own| &own.reason),
            exception.map_or("", |own| &own.owner),
            exception.and_then(|own| own.until.as_deref()).unwrap_or_default(),
            exception.map_or("", |own| if own.expired { "yes" } else { "no" }),
        ],
    )
}

/// Writes a line of cells.
///
/// # Errors
/// When it cannot be written.
pub fn line<'a>(out: &mut dyn Write, cells: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    let line: Vec<String> = cells.into_iter().map(cell).collect();
    write!(out, "{}\r\n", line.join(","))
}

/// A cell: no formula, and between quotes where a reader could take it for several.
fn cell(text: &str) -> String {
    let bounded = bounded(text, CELL);
    let text = clean(&bounded);
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\n', '\u{fffd}']);
    let text = if formula { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_neither_torn_nor_run() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-w /etc/passwd", "'-w /etc/passwd"),
            ("+1", "'+1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\u{fffd}=1"),
            ("5.1.20", "5.1.20"),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
        assert!(cell(&"x".repeat(1 << 20)).chars().count() < 32_767);
    }
}
