//! The report for people: what matters first, calm, within 80 columns.

use std::io::Write;

use anyhow::Result;

use super::{Report, Row};
use crate::finding::State;
use crate::inspect::Verdict;

/// How to write.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// All rules, not only those that want attention.
    pub verbose: bool,
}

impl Style {
    /// Text in an ANSI colour, where colours are wanted.
    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A verdict in its colour.
    pub fn verdict(&self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass | Verdict::Fixed => "32",
            Verdict::Fail => "31",
            Verdict::Error | Verdict::Unknown => "35",
            _ => "2",
        };
        self.paint(code, verdict.as_str())
    }
}

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    head(report, out, style)?;
    let wanted = |row: &&Row| style.verbose || wants_attention(row);
    for row in report.rules.iter().filter(wanted) {
        rule(row, out, style)?;
    }
    for problem in &report.problems {
        writeln!(out, "{} {problem}", style.paint("35", "problem"))?;
    }
    foot(report, out, style)
}

fn wants_attention(row: &Row) -> bool {
    matches!(row.result, Verdict::Fail | Verdict::Error | Verdict::Unknown | Verdict::Fixed)
        || row.exception.is_some()
}

fn head(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    let host = &report.host;
    let asked = if report.policy.tier.is_empty() { &report.policy.profile } else { &report.policy.tier };
    let name = if host.name.is_empty() { "this machine" } else { &host.name };
    let line = format!("{} of {name} ({} {}) against {asked}", report.action, host.os, host.os_version);
    writeln!(out, "{}", style.paint("1", &line))?;
    for file in &report.policy.tailoring {
        writeln!(out, "  tailored by {file}")?;
    }
    writeln!(out)?;
    Ok(())
}

fn rule(row: &Row, out: &mut dyn Write, style: &Style) -> Result<()> {
    let cis = row.references.cis.join(" ");
    let cis = if cis.is_empty() { String::new() } else { format!("  CIS {cis}") };
    writeln!(out, "{} {}  {}{cis}", style.verdict(row.result), style.paint("1", &row.id), row.severity)?;
    writeln!(out, "     {}", row.title)?;
    for evidence in row.evidence.iter().filter(|evidence| style.verbose || !evidence.holds) {
        let when = if evidence.state == State::Running { "now" } else { "at boot" };
        writeln!(out, "     found  {}  ({when}, {})", evidence.found, evidence.place)?;
        writeln!(out, "     wanted {}", evidence.wanted)?;
    }
    if let Some(reason) = &row.reason {
        writeln!(out, "     because {reason}")?;
    }
    if let Some(exception) = &row.exception {
        let until =
            exception.until.as_deref().map_or("without end".to_owned(), |date| format!("until {date}"));
        let word =
            if exception.expired { style.paint("31", "EXPIRED exception") } else { "exception".to_owned() };
        writeln!(out, "     {word} {until}, {}: {}", exception.owner, exception.reason)?;
    }
    Ok(())
}

fn foot(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    let summary = &report.summary;
    let counts = [
        (Verdict::Pass, summary.pass),
        (Verdict::Fixed, summary.fixed),
        (Verdict::Fail, summary.fail),
        (Verdict::Error, summary.error),
        (Verdict::Unknown, summary.unknown),
        (Verdict::NotApplicable, summary.notapplicable),
        (Verdict::NotChecked, summary.notchecked),
    ];
    let shown = counts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> =
        shown.map(|(verdict, count)| format!("{count} {}", style.verdict(*verdict))).collect();
    writeln!(out, "{}   score {:.2} of 100", parts.join("  "), report.score.value)?;
    Ok(())
}
