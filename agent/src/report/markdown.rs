//! The report as a summary in Markdown, for comments on merge requests, the summary page of a build and tickets.

use std::io::{self, Write};

use super::clean::shown;
use super::{Report, Row};

/// The most rules in a table.
const MOST: usize = 50;
/// The most characters of a text in a table.
const CELL: usize = 300;

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let host = &report.host;
    writeln!(
        out,
        "# {} of {} against {}\n",
        capital(&report.action),
        text(report.host_name()),
        text(report.policy.asked())
    )?;
    let counts = report.summary.counts();
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("**{count}** {}", verdict.as_str()))
        .collect();
    writeln!(out, "Score **{:.2}** of 100 · {}\n", report.score.value, counts.join(" · "))?;
    writeln!(
        out,
        "{} {} · {} · policy `{}`\n",
        text(&host.os),
        text(&host.os_version),
        text(&report.finished),
        report.policy.sha256.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>()
    )?;
    for problem in &report.problems {
        writeln!(out, "> **Problem:** {}\n", text(problem))?;
    }
    for note in &report.notes {
        writeln!(out, "> {}\n", text(note))?;
    }
    let rows = report.worst_first();
    let deviating: Vec<&&Row> = rows.iter().filter(|row| row.deviates()).collect();
    if !deviating.is_empty() {
        writeln!(
            out,
            "## What is not met\n\n| rule | severity | result | CIS | why |\n|---|---|---|---|---|"
        )?;
        for row in deviating.iter().take(MOST) {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                text(&row.id),
                text(&row.severity),
                row.result.as_str(),
                text(&row.references.cis.join(", ")),
                text(&row.why())
            )?;
        }
        let more = deviating.len().saturating_sub(MOST);
        writeln!(out, "{}", if more > 0 { format!("\nand {more} more\n") } else { String::new() })?;
    }
    exceptions(report, out)
}

fn exceptions(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut head = "## Exceptions\n\n| rule | until | owner | reason |\n|---|---|---|---|\n";
    for (row, own) in report.rules.iter().filter_map(|row| Some((row, row.exception.as_ref()?))) {
        let until = own.until.as_deref().unwrap_or("no end");
        let until = if own.expired { format!("**expired** {}", text(until)) } else { text(until) };
        writeln!(
            out,
            "{head}| {} | {until} | {} | {} |",
            text(&row.id),
            text(&own.owner),
            text(&own.reason)
        )?;
        head = "";
    }
    Ok(())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Text that Markdown reads as text, on one line.
fn text(text: &str) -> String {
    let words = shown(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(words.len());
    for c in super::clean::bounded(&words, CELL).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A name that is spoken to would be told.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.extend(['\\', c]);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (said, expected) in [
            ("a|b\nc", "a\\|b c"),
            ("<script>", "&lt;script&gt;"),
            ("[x](javascript:1)", "\\[x\\]\\(javascript:1\\)"),
            ("@everyone `x`", "&#64;everyone \\`x\\`"),
        ] {
            assert_eq!(text(said), expected, "{said:?}");
        }
    }
}
