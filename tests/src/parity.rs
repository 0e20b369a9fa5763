//! Parity: the agent and oscap judge one machine by the same SCAP content; each rule's two verdicts are laid side by side.
//!
//! A [`Difference`]'s scenario says content and machine: `rhel9 cis on rhel9`, `debian12 cis_level2_server on debian12/applied`.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use xccdf::short_id;

use crate::agreement::{Agreement, Difference, side_by_side};
use crate::content::Content;
use crate::machine::Machine;
use crate::triage::Line;
use crate::{agent, judge, oscap};

/// What profiles that auditors ask for are called: each begins with one of these.
const ASKED_FOR: [&str; 5] = ["cis", "anssi", "stig", "standard", "pci"];

/// A data stream and a profile of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The operating system's name in the content's file name.
    pub product: String,
    /// The profile, the last part of its id.
    pub profile: String,
}

impl Choice {
    /// This profile of this data stream.
    pub fn of(product: &str, profile: &str) -> Self {
        Self { product: product.to_owned(), profile: profile.to_owned() }
    }

    /// Every profile that auditors ask for, of every data stream there is.
    pub fn all() -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for product in Content::products()? {
            let benchmark = Content::find(&product)?.benchmark()?;
            let profiles = benchmark.profiles.iter().map(|own| short_id(&own.id));
            let asked = profiles.filter(|name| ASKED_FOR.iter().any(|begin| name.starts_with(begin)));
            all.extend(asked.map(|profile| Self::of(&product, profile)));
        }
        Ok(all)
    }
}

/// One comparison.
#[derive(Debug)]
pub struct Row {
    /// What was asked.
    pub choice: Choice,
    /// The machine's name.
    pub machine: String,
    /// What came of it.
    pub agreement: Agreement,
    /// How long the agent took.
    pub agent: Duration,
    /// How long oscap took, when it was run.
    pub oscap: Duration,
    /// Rules whose verdict changed between two audits, one before oscap and one after: nobody can tell what oscap should have said.
    pub moved: Vec<String>,
}

/// Has both judge a machine. `state` stands for all of it in cache keys: what oscap says of a state is kept.
pub fn compare(machine: &dyn Machine, name: &str, state: Option<&str>, choice: &Choice) -> Result<Row> {
    let content = Content::find(&choice.product)?;
    let judge = || {
        let words = judge::lend(machine)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        oscap::evaluate_by(&words, machine, &content, &choice.profile, &[])
    };
    let state = state.map(|state| format!("{} {state}", judge::recipe()));
    let theirs = oscap::kept(name, state.as_deref(), &content, &choice.profile, judge)?;
    let begun = Instant::now();
    let audit = audit(machine, &content, choice)?;
    let agent = begun.elapsed();
    let asked = format!("{} {} on {name}", choice.product, choice.profile);
    let agreement = side_by_side(&asked, &[], &theirs.verdicts, audit);
    eprintln!("{asked}: {} agree, {} differ", agreement.agreed, agreement.differences.len());
    Ok(Row {
        choice: choice.clone(),
        machine: name.to_owned(),
        agreement,
        agent,
        oscap: theirs.took,
        moved: Vec::new(),
    })
}

/// As [`compare`], of a machine that does not stand still: an audit before and one after.
pub fn compare_moving(machine: &dyn Machine, name: &str, choice: &Choice) -> Result<Row> {
    let content = Content::find(&choice.product)?;
    let before = audit(machine, &content, choice)?.by_id();
    let mut row = compare(machine, name, None, choice)?;
    let moved = |difference: &Difference| {
        before.get(&difference.rule).is_some_and(|rule| rule.result != difference.agent)
    };
    let all = std::mem::take(&mut row.agreement.differences);
    let (moved, differ): (Vec<Difference>, Vec<Difference>) = all.into_iter().partition(moved);
    row.agreement.differences = differ;
    row.moved = moved.into_iter().map(|difference| difference.rule).collect();
    Ok(row)
}

fn audit(machine: &dyn Machine, content: &Content, choice: &Choice) -> Result<agent::Audit> {
    let lent = machine.lend(&content.path, "content.xml")?;
    agent::audit(machine, &["--content", &lent, "--profile", &choice.profile].map(str::to_owned))
}

/// The comparisons as a table, with the differences that no line explains below it.
pub fn table(rows: &[Row], triage: &[Line]) -> String {
    let mut table = format!(
        "{:12} {:28} {:18} {:>5} {:>5} {:>9} {:>6} {:>8} {:>8}\n",
        "stream", "profile", "machine", "rules", "agree", "explained", "differ", "agent s", "oscap s"
    );
    let mut sum = [0; 4];
    for Row { choice, machine, agreement, agent, oscap, .. } in rows {
        let differ = agreement.unexplained(triage).len();
        let explained = agreement.differences.len() - differ;
        let counts = [agreement.agreed + explained + differ, agreement.agreed, explained, differ];
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let [rules, agree, explained, differ] = counts;
        let (agent, oscap) = (agent.as_secs_f64(), oscap.as_secs_f64());
        let Choice { product, profile } = choice;
        let _ = writeln!(
            table,
            "{product:12} {profile:28} {machine:18} {rules:5} {agree:5} {explained:9} {differ:6} {agent:8.2} {oscap:8.2}"
        );
    }
    let [rules, agree, explained, differ] = sum;
    let _ = writeln!(table, "{:60} {rules:5} {agree:5} {explained:9} {differ:6}", "all");
    for row in rows.iter().filter(|row| !row.moved.is_empty()) {
        let Choice { product, profile } = &row.choice;
        let _ =
            writeln!(table, "{product} {profile}: changed while it was looked at: {}", row.moved.join(" "));
    }
    for Difference { rule, scenario, oscap, agent, evidence } in unexplained(rows, triage) {
        let _ = writeln!(table, "{scenario}: {rule}: oscap {oscap}, agent {agent}: {}", evidence.join("; "));
    }
    table
}

/// The differences that no line explains.
pub fn unexplained<'r>(rows: &'r [Row], triage: &[Line]) -> Vec<&'r Difference> {
    rows.iter().flat_map(|row| row.agreement.unexplained(triage)).collect()
}
