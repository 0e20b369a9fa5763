//! `builder check FILE…`: what makes builds fail or images useless. Exit code 2 for errors and warnings, 0 for notes alone.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::{Check, Format};
use crate::exit::Exit;
use crate::lint::{self, Finding, Kind, Severity};

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or is of no kind that is known.
pub fn run(args: &Check) -> Result<Exit> {
    if args.list {
        super::say(&list(args.format)?)?;
        return Ok(Exit::Good);
    }
    let mut checked = Vec::new();
    for path in &args.files {
        let (kind, findings) = lint::check(path)?;
        checked.push((path.display().to_string(), kind, findings));
    }
    let text = match args.format {
        Format::Text => checked.iter().map(|(file, kind, findings)| text(file, *kind, findings)).collect(),
        Format::Json => {
            let files = checked
                .iter()
                .map(|(file, kind, findings)| json!({"file": file, "kind": kind, "findings": findings}));
            pretty(&json!({"schema": 1, "files": files.collect::<Vec<_>>()}))?
        }
    };
    super::say(&text)?;
    let bad = |(_, _, findings): &(String, Kind, Vec<Finding>)| {
        findings.iter().any(|finding| finding.severity < Severity::Note)
    };
    Ok(if checked.iter().any(bad) { Exit::Deviates } else { Exit::Good })
}

/// What is said of a file.
fn text(file: &str, kind: Kind, findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let Finding { line, column, severity, lint, found, why, remedy, .. } = finding;
        let place = match (line, column) {
            (0, _) => file.to_owned(),
            (_, 0) => format!("{file}:{line}"),
            _ => format!("{file}:{line}:{column}"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(out, "{place}: {} [{lint}] {found}", severity.word());
        for (word, text) in [("why", why), ("do", remedy)] {
            if !text.is_empty() {
                let _ = writeln!(out, "    {word:>3}: {text}");
            }
        }
    }
    if findings.is_empty() {
        let _ = writeln!(out, "{file}: good, {}", kind.title());
    }
    out
}

/// Everything that is looked for.
fn list(format: Format) -> Result<String> {
    let all = lint::lints();
    if format == Format::Json {
        let entry = |lint: &lint::Lint| json!({"lint": lint.id, "severity": lint.severity, "kinds": lint.kinds, "why": lint.why, "remedy": lint.remedy});
        return pretty(&Value::from(all.map(entry).collect::<Vec<_>>()));
    }
    let entry = |lint: &lint::Lint| {
        format!("{} ({})\n    why: {}\n     do: {}\n", lint.id, lint.severity.word(), lint.why, lint.remedy)
    };
    Ok(all.map(entry).collect())
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
