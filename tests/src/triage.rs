//! The differences that are understood: the tables of `docs/triage.md`.
//!
//! | rule | scenario | oscap | agent | reason and proof |
//!
//! Tables whose second column is `content and machine` speak of audits by the same content instead ([`crate::parity`]). `rule` and `scenario` may hold `*` for any characters, and a scenario stands for those that start from it; `agent` and `oscap` may list verdicts with `/`. Where
//! oscap decides (pass or fail), the line must name one rule: those differences are explained one by one.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::agreement::Difference;
use crate::cache;
use crate::verdict::Verdict;

/// One explained difference, or one class of them.
#[derive(Debug)]
pub struct Line {
    rule: String,
    scenario: String,
    oscap: Vec<Verdict>,
    agent: Vec<Verdict>,
    /// Where it stands in the file.
    pub number: usize,
}

impl Line {
    /// Whether this line speaks of that difference.
    pub fn explains(&self, difference: &Difference) -> bool {
        matches(&self.rule, &difference.rule)
            && self.is_of(&difference.scenario)
            && self.oscap.contains(&difference.oscap)
            && self.agent.contains(&difference.agent)
    }

    /// A line about a root tree is about every scenario that starts from it.
    fn is_of(&self, scenario: &str) -> bool {
        let place = scenario.split('/').next().unwrap_or(scenario);
        matches(&self.scenario, scenario) || matches(&self.scenario, place)
    }

    /// Whether this line speaks of booted machines alone.
    pub fn is_of_booted_machines(&self) -> bool {
        self.scenario.contains("@booted")
    }
}

/// Heads of the second column: what a table compares.
const CATALOGUE: &str = "scenario";
const CONTENT: &str = "content and machine";

/// The lines of this checkout's `docs/triage.md` on the agent's own rules.
pub fn read() -> Result<Vec<Line>> {
    read_tables(CATALOGUE)
}

/// Its lines on audits by SCAP content.
pub fn read_parity() -> Result<Vec<Line>> {
    read_tables(CONTENT)
}

fn read_tables(head: &str) -> Result<Vec<Line>> {
    let path = cache::checkout().join("docs/triage.md");
    parse(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?, head)
}

/// Reads every row of the tables whose header starts with `rule | HEAD`.
fn parse(markdown: &str, head: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut in_table = false;
    for (index, text) in markdown.lines().enumerate() {
        let cells: Vec<&str> = text.trim().trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            ["rule", second, ..] => in_table = second == head,
            _ if !text.trim_start().starts_with('|') => in_table = false,
            [first, ..] if !in_table || first.starts_with("--") => {}
            _ => lines.push(row(&cells, index + 1).with_context(|| format!("docs/triage.md:{}", index + 1))?),
        }
    }
    Ok(lines)
}

fn row(cells: &[&str], number: usize) -> Result<Line> {
    let [rule, scenario, oscap, agent, reason] = cells else {
        anyhow::bail!("{} cells, expected rule, scenario, oscap, agent, reason and proof", cells.len());
    };
    let verdicts =
        |cell: &str| cell.split('/').map(|name| Verdict::named(name.trim())).collect::<Result<Vec<_>>>();
    let name = |cell: &str| cell.trim_matches('`').to_owned();
    let (rule, oscap) = (name(rule), verdicts(oscap)?);
    ensure!(!reason.is_empty(), "a difference without a reason");
    ensure!(
        !rule.contains('*') || !oscap.iter().any(|verdict| verdict.decides()),
        "`{rule}` stands for many rules, but where oscap says pass or fail each rule needs its own line"
    );
    Ok(Line { rule, scenario: name(scenario), oscap, agent: verdicts(agent)?, number })
}

/// `pattern` with `*` standing for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| matches(after, rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(rule: &str, oscap: Verdict, agent: Verdict) -> Difference {
        Difference { rule: rule.into(), scenario: "debian12/odd".into(), oscap, agent, evidence: Vec::new() }
    }

    const HEAD: &str = "# Text | with a bar\n\n| rule | scenario | oscap | agent | reason and proof |\n|---|---|---|---|---|\n";

    #[test]
    fn a_line_explains_what_it_names_and_nothing_else() {
        let lines = parse(
            &format!("{HEAD}| `service_*_disabled` | * | error/unknown | pass/fail | no bus |\n"),
            CATALOGUE,
        )
        .unwrap();
        let [line] = &lines[..] else { panic!("one line expected") };
        assert_eq!(line.number, 5);
        assert!(line.explains(&difference("service_cups_disabled", Verdict::Error, Verdict::Pass)));
        assert!(!line.explains(&difference("service_cups_enabled", Verdict::Error, Verdict::Pass)));
        assert!(!line.explains(&difference("service_cups_disabled", Verdict::Fail, Verdict::Pass)));
        assert!(!line.explains(&difference("service_cups_disabled", Verdict::Error, Verdict::Notchecked)));
    }

    #[test]
    fn lines_that_explain_too_much_or_too_little_are_refused() {
        for bad in [
            "| sshd_* | debian12 | fail | pass | all wrong |",
            "| sshd_x | debian12 | fail | pass | |",
            "| sshd_x | debian12 | good | pass | no such verdict |",
            "| sshd_x | debian12 | fail | pass |",
        ] {
            assert!(parse(&format!("{HEAD}{bad}\n"), CATALOGUE).is_err(), "{bad}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*b*", "abc", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
