//! The report as JUnit XML, for what runs builds: a test case for each rule, by the schema of Ant's JUnit task, which is the one that
//! most readers know.

use std::io::{self, Write};

use super::clean::{Escaped, PIECES};
use super::{Report, Row};
use crate::inspect::Verdict;
use crate::policy::Exception;

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<&Row> = report.rules.iter().filter(|row| row.is_told()).collect();
    let count = |kind: Kind| rows.iter().filter(|row| Kind::of(row) == kind).count();
    let seconds: f64 = rows.iter().map(|row| row.seconds).sum();
    let host = if report.host.name.is_empty() { "localhost" } else { &report.host.name };
    let of_run = usize::from(!report.problems.is_empty());
    // The schema knows no time zone.
    let started = report.started.get(..19).unwrap_or("1970-01-01T00:00:00");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
    writeln!(
        out,
        "<testsuite name=\"{} {}\" package=\"trempe\" id=\"0\" timestamp=\"{}\" hostname=\"{}\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\">",
        report.action,
        Escaped(report.policy.asked()),
        Escaped(started),
        Escaped(host),
        rows.len() + of_run,
        count(Kind::Failure),
        count(Kind::Error) + of_run,
        count(Kind::Skipped),
    )?;
    writeln!(out, "<properties>")?;
    for (name, value) in [
        ("os", format!("{} {}", report.host.os, report.host.os_version)),
        ("content", format!("{} {}", report.content.id, report.content.version)),
        ("policy.sha256", report.policy.sha256.clone()),
        ("score", format!("{:.2}", report.score.value)),
    ] {
        writeln!(out, "<property name=\"{name}\" value=\"{}\"/>", Escaped(&value))?;
    }
    for (row, own) in rows.iter().filter_map(|row| Some((row, row.exception.as_ref()?))) {
        let (name, value) = (format!("exception.{}", row.id), sentence(own));
        writeln!(out, "<property name=\"{}\" value=\"{}\"/>", Escaped(&name), Escaped(&value))?;
    }
    writeln!(out, "</properties>")?;
    rows.iter().try_for_each(|row| case(row, out))?;
    if let Some(first) = report.problems.first() {
        // Who reads nothing but the cases must not take it for settled.
        writeln!(
            out,
            "<testcase classname=\"trempe\" name=\"run as a whole\" time=\"0\">\n<error type=\"problem\" message=\"{}\">{}</error>\n</testcase>",
            Escaped(first),
            Escaped(&report.problems.join("\n"))
        )?;
    }
    let notes = report.notes.join("\n");
    let problems = report.problems.join("\n");
    writeln!(out, "<system-out>{}</system-out>", Escaped(&notes))?;
    writeln!(out, "<system-err>{}</system-err>", Escaped(&problems))?;
    writeln!(out, "</testsuite>\n</testsuites>")
}

/// What JUnit makes of a verdict.
#[derive(PartialEq)]
enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    fn of(row: &Row) -> Kind {
        match row.result {
            // An exception that is over must not look as if nothing were to be done.
            _ if row.is_overdue() => Kind::Failure,
            Verdict::Pass | Verdict::Fixed => Kind::Passed,
            Verdict::Fail => Kind::Failure,
            Verdict::Error | Verdict::Unknown => Kind::Error,
            _ => Kind::Skipped,
        }
    }
}

fn case(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let name = format!("{} {}", row.id, row.title);
    write!(
        out,
        "<testcase classname=\"trempe.{}\" name=\"{}\" time=\"{:.3}\"",
        Escaped(&row.severity),
        Escaped(&name),
        row.seconds
    )?;
    let kind = Kind::of(row);
    let element = match kind {
        Kind::Passed => return writeln!(out, "/>"),
        Kind::Skipped => {
            let why = row.exception.as_ref().map_or_else(|| row.why(), sentence);
            return writeln!(out, "><skipped>{}</skipped></testcase>", Escaped(&why));
        }
        Kind::Failure => "failure",
        Kind::Error => "error",
    };
    let message = row.why();
    writeln!(
        out,
        ">\n<{element} type=\"{}\" message=\"{}\">{}</{element}>\n</testcase>",
        row.result.as_str(),
        Escaped(&message),
        Escaped(&details(row))
    )
}

/// Everything there is to say of a rule, a line each.
fn details(row: &Row) -> String {
    let mut lines: Vec<String> = row.reason.iter().cloned().collect();
    lines.extend(row.evidence.iter().take(PIECES).map(|one| {
        let met = if one.holds { "met" } else { "NOT met" };
        format!("{met}: {}", one.sentence())
    }));
    lines.extend(row.changes.iter().map(|change| format!("change: {change}")));
    if !row.references.cis.is_empty() {
        lines.push(format!("CIS {}", row.references.cis.join(", ")));
    }
    lines.extend(row.exception.iter().map(sentence));
    lines.join("\n")
}

/// An exception: since when it is over or until when it holds, whose it is, and why.
fn sentence(own: &Exception) -> String {
    let state = if own.expired { "exception over since" } else { "exception until" };
    let until = own.until.as_deref().unwrap_or("no end");
    let owner = if own.owner.is_empty() { "nobody" } else { &own.owner };
    format!("{state} {until}, by {owner}: {}", own.reason)
}
