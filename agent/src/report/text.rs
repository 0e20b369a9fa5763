//! The report for people: the summary first and last, in between what matters most first, within 80 columns.

use std::io::Write;

use anyhow::Result;

use super::clean::{bounded, clean};
use super::{Report, Row, Summary};
use crate::finding::{Evidence, State};
use crate::inspect::Verdict;
use crate::policy::Exception;

/// The columns that text is wrapped to.
const COLUMNS: usize = 80;
/// The most characters of one text.
const LONGEST: usize = 1_000;
/// The most pieces of evidence of one rule, where not all is asked for.
const PIECES: usize = 10;

/// How to write.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// All rules, not only those that want attention.
    pub verbose: bool,
    /// The width of the terminal that a plan is wrapped to; `None` where nobody watches, and lines stay whole for programs.
    pub columns: Option<usize>,
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
    if let Some(plan) = &report.plan {
        return super::plan::write(plan, out, style);
    }
    summary(report, out, style)?;
    let mut rows = report.worst_first();
    rows.retain(|row| is_shown(row, style));
    for row in &rows {
        rule(row, out, style)?;
    }
    exceptions(report, out, style)?;
    for problem in &report.problems {
        write!(out, "\n{} {}", style.paint("35", "problem"), wrapped(problem, "", "  "))?;
    }
    for note in &report.notes {
        write!(out, "\n{} {}", style.paint("36", "note"), wrapped(note, "", "  "))?;
    }
    if !rows.is_empty() {
        writeln!(out)?;
        summary(report, out, style)?;
    }
    Ok(())
}

fn is_shown(row: &Row, style: &Style) -> bool {
    match row.result {
        Verdict::Fail | Verdict::Error | Verdict::Unknown | Verdict::Fixed => true,
        Verdict::NotSelected => false,
        _ => style.verbose,
    }
}

fn head(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    let (host, name, asked) = (&report.host, report.host_name(), report.policy.asked());
    let line = format!("{} of {name} ({} {}) against {asked}", report.action, host.os, host.os_version);
    writeln!(out, "{}", style.paint("1", wrapped(&line, "", "  ").trim_end()))?;
    report
        .policy
        .tailoring
        .iter()
        .try_for_each(|file| write!(out, "{}", wrapped(file, "  tailored by ", "    ")))?;
    Ok(())
}

fn summary(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    let score = format!("score {:.2} of 100", report.score.value);
    let (mut line, mut wide) = (String::new(), 0);
    let told = told(&report.summary);
    let counts = told.iter().map(|(verdict, count)| {
        (format!("{count} {}", style.verdict(*verdict)), format!("{count} {}", verdict.as_str()).len(), "  ")
    });
    let counts: Vec<(String, usize, &str)> = counts.collect();
    let none = counts.is_empty().then(|| (NOTHING.to_owned(), NOTHING.len(), "  "));
    for (painted, width, between) in
        counts.into_iter().chain(none).chain([(score.clone(), score.len(), "   ")])
    {
        if wide > 0 && wide + between.len() + width > COLUMNS {
            writeln!(out, "{line}")?;
            (line, wide) = (String::new(), 0);
        } else if wide > 0 {
            line.push_str(between);
            wide += between.len();
        }
        line.push_str(&painted);
        wide += width;
    }
    writeln!(out, "{line}")?;
    Ok(())
}

/// What is said when nobody asked for anything.
const NOTHING: &str = "no rule was asked for";

/// The counts that are told.
fn told(summary: &Summary) -> Vec<(Verdict, usize)> {
    let counts = summary.counts().into_iter();
    counts.filter(|(verdict, count)| *count > 0 && *verdict != Verdict::NotSelected).collect()
}

/// The counts of a summary that are not zero, in one line.
pub fn counts(summary: &Summary, style: &Style) -> String {
    let told = told(summary);
    let parts: Vec<String> =
        told.iter().map(|(verdict, count)| format!("{count} {}", style.verdict(*verdict))).collect();
    if parts.is_empty() { NOTHING.to_owned() } else { parts.join("  ") }
}

fn rule(row: &Row, out: &mut dyn Write, style: &Style) -> Result<()> {
    let cis = row.references.cis.join(" ");
    let cis = if cis.is_empty() { String::new() } else { format!("  CIS {cis}") };
    // A long id stands alone in its line; what belongs together is not torn.
    let plain =
        row.result.as_str().len() + row.id.chars().count() + row.severity.len() + cis.chars().count() + 3;
    let between = if plain > COLUMNS { "\n " } else { " " };
    let id = style.paint("1", &clean(&row.id));
    writeln!(out, "\n{} {id}{between} {}{}", style.verdict(row.result), row.severity, clean(&cis))?;
    write!(out, "{}", wrapped(&row.title, "  ", "  "))?;
    let failing = row.result == Verdict::Fail;
    let told: Vec<&Evidence> =
        row.evidence.iter().filter(|one| style.verbose || (failing && !one.holds)).collect();
    let most = if style.verbose { usize::MAX } else { PIECES };
    for one in told.iter().take(most) {
        write!(out, "{}", evidence(one, style))?;
    }
    if told.len() > most {
        writeln!(out, "  and {} more (--verbose shows them all)", told.len() - most)?;
    }
    if let Some(reason) = &row.reason {
        write!(out, "{}", wrapped(reason, "  because ", "    "))?;
    }
    if row.result == Verdict::Fixed {
        for change in &row.changes {
            write!(out, "{}", wrapped(change, "  did     ", "          "))?;
        }
    }
    Ok(())
}

/// What was found and what was wanted.
pub fn evidence(evidence: &Evidence, style: &Style) -> String {
    let when = if evidence.state == State::Running { "now" } else { "at boot" };
    let found = format!("{}  ({when}, {})", evidence.found, evidence.place);
    let met = if evidence.holds && style.verbose { "  (met)" } else { "" };
    let rest = "          ";
    wrapped(&found, "  found   ", rest) + &wrapped(&format!("{}{met}", evidence.wanted), "  wanted  ", rest)
}

/// Every exception there is: none is hidden by a verdict.
fn exceptions(report: &Report, out: &mut dyn Write, style: &Style) -> Result<()> {
    let rows = report.rules.iter().filter_map(|row| Some((row, row.exception.as_ref()?)));
    for (number, (row, own)) in rows.enumerate() {
        if number == 0 {
            writeln!(out, "\n{}", style.paint("1", "Exceptions"))?;
        }
        write!(out, "  {} {}\n{}", style.verdict(row.result), row.id, exception(own, style))?;
    }
    Ok(())
}

/// An exception, with what makes it one.
pub fn exception(exception: &Exception, style: &Style) -> String {
    let until = match (&exception.until, exception.expired) {
        (Some(day), true) => format!("{} since {day}", style.paint("31", "EXPIRED")),
        (Some(day), false) => format!("until {day}"),
        (None, _) => "without end".to_owned(),
    };
    let owner = if exception.owner.is_empty() { String::new() } else { format!(" by {}", exception.owner) };
    let reason = if exception.reason.is_empty() { "no reason given" } else { &exception.reason };
    wrapped(&format!("{until}{owner}: {reason} ({})", exception.source), "    ", "    ")
}

/// Text in lines of at most 80 columns: see [`wrapped_to`].
pub fn wrapped(text: &str, first: &str, rest: &str) -> String {
    wrapped_to(COLUMNS, text, first, rest)
}

/// Text in lines of at most so many columns, the first after `first`, the others after `rest`. A word too long for a line
/// stays whole; what would steer the terminal, and more than anybody reads, is left out.
pub fn wrapped_to(columns: usize, text: &str, first: &str, rest: &str) -> String {
    let text = bounded(text, LONGEST);
    let text = clean(&text);
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push_str(&line);
            lines.push('\n');
            rest.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_and_words_stay_whole() {
        let long = "x".repeat(90);
        for (text, expected) in [
            ("a b", "> a b\n".to_owned()),
            ("", ">\n".to_owned()),
            (&"word ".repeat(20), format!("> {}\n  {}\n", ["word"; 15].join(" "), ["word"; 5].join(" "))),
            (&format!("a {long} b"), format!("> a\n  {long}\n  b\n")),
        ] {
            assert_eq!(wrapped(text, "> ", "  "), expected, "{text:?}");
        }
    }
}
