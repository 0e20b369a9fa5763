//! `agent status --config`: what configures this machine.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::Notation;
use crate::command::print;
use crate::config::key::{Counting, counting, said};
use crate::config::source::{Said, Source};
use crate::config::{Gathered, gather};
use crate::exit::Exit;
use crate::system::System;

/// What configures a machine.
#[derive(Debug, Serialize)]
struct Configuration {
    /// The sources, the weakest first.
    sources: Vec<Told>,
    /// Every key, with what counts and who said it.
    configuration: Vec<Counting>,
    /// What is wrong; while anything is, not all that was said counts.
    problems: Vec<String>,
}

/// A source.
#[derive(Debug, Serialize)]
struct Told {
    source: String,
    /// Whether what it says counts.
    counts: bool,
    /// What it says, key by key.
    says: Map<String, Value>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Tells it. Ends with 1 when something is wrong.
///
/// # Errors
/// When it cannot be written.
pub fn run(system: &System, format: Notation) -> Result<Exit> {
    let gathered = gather(system);
    let told = Configuration {
        sources: gathered.sources.iter().map(|source| told(source, &gathered)).collect(),
        configuration: counting(&gathered),
        problems: gathered.problems,
    };
    print(format, &sentences(&told)?, &told)?;
    Ok(if told.problems.is_empty() { Exit::Good } else { Exit::Trouble })
}

fn told(source: &Source, gathered: &Gathered) -> Told {
    let (says, problem) = match &source.said {
        Said::Written(written) => (said(written).map(|(key, value)| (key.to_owned(), value)).collect(), None),
        Said::Bad(why) => (Map::new(), Some(why.clone())),
        Said::Unseen => (Map::new(), Some("only root can read it; run this as root".to_owned())),
    };
    Told { source: source.name.clone(), counts: problem.is_none() && gathered.counts(source), says, problem }
}

fn sentences(told: &Configuration) -> Result<String> {
    let mut out = String::new();
    let said = |own: &Counting| !own.from.is_empty();
    if told.sources.is_empty() && !told.configuration.iter().any(said) {
        writeln!(out, "nothing configures this machine")?;
    }
    for source in &told.sources {
        let note = if source.counts || source.problem.is_some() { "" } else { " (does not count now)" };
        writeln!(out, "{}{note}", source.source)?;
        for (key, value) in &source.says {
            writeln!(out, "    {key}: {}", words(value))?;
        }
        if let Some(problem) = &source.problem {
            writeln!(out, "    not used: {problem}")?;
        }
    }
    writeln!(out, "\nwhat counts, and who said it")?;
    for Counting { key, value, from } in &told.configuration {
        let from = match (value.is_null(), from.is_empty()) {
            (_, false) => format!(" [{}]", from.join(", ")),
            (true, true) => String::new(),
            (false, true) => " [default]".to_owned(),
        };
        writeln!(out, "    {key}: {}{from}", words(value))?;
    }
    if !told.problems.is_empty() {
        writeln!(out, "\nwrong, so that not all of it counts")?;
    }
    for problem in &told.problems {
        writeln!(out, "    {}", problem.replace('\n', "\n    "))?;
    }
    Ok(out)
}

/// A value as people read it.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(exception) => exception_words(exception),
        other => other.to_string(),
    }
}

/// An exception: what it is about, then why, by whom and until when.
fn exception_words(exception: &Map<String, Value>) -> String {
    let get = |key: &str| exception.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let about = match (get("rule"), get("value"), get("set")) {
        (Some(rule), ..) => rule.to_owned(),
        (_, Some(value), Some(set)) => format!("{value}={set}"),
        _ => String::new(),
    };
    let until = get("until").map(|until| format!("until {until}"));
    let why = [get("reason").map(str::to_owned), get("owner").map(str::to_owned), until];
    format!("{about} ({})", why.into_iter().flatten().collect::<Vec<_>>().join("; "))
}
