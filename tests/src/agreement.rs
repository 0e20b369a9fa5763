//! Agreement: the agent and oscap judge the same tree; each rule's two verdicts are laid side by side.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;

use crate::agent::{self, Audit};
use crate::content::Content;
use crate::judge;
use crate::machine::Machine;
use crate::oscap::{self, Verdicts};
use crate::scenario::Scenario;
use crate::triage::Line;
use crate::verdict::{Verdict, short_id};

/// What to compare.
#[derive(Debug, Clone)]
pub struct Question {
    /// The tier both tools judge by.
    pub tier: String,
    /// These rules alone; all of the tier's when empty.
    pub rules: Vec<String>,
}

/// A rule on which the two differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Its short id.
    pub rule: String,
    /// The scenario's name.
    pub scenario: String,
    /// What oscap says.
    pub oscap: Verdict,
    /// What the agent says.
    pub agent: Verdict,
    /// What the agent's verdict rests on.
    pub evidence: Vec<String>,
}

/// The answer to a [`Question`] about one scenario.
#[derive(Debug)]
pub struct Agreement {
    /// Rules of which both say the same.
    pub agreed: usize,
    /// All others, by rule id.
    pub differences: Vec<Difference>,
    /// What oscap finds bad, whatever the agent says: rules that fail, or of which it cannot say.
    pub found_bad: Vec<String>,
}

/// Has both tools judge a copy of the scenario's tree.
pub fn compare(scenario: &Scenario, question: &Question, machine: &dyn Machine) -> Result<Agreement> {
    let content = Content::find(scenario.root.os)?;
    let oscap = oscap_verdicts(scenario, question, machine, &content)?;
    let mut arguments = vec!["--tier".to_owned(), question.tier.clone()];
    for rule in &question.rules {
        arguments.extend(["--rule".to_owned(), rule.clone()]);
    }
    let audit = agent::audit(machine, &arguments)?;
    Ok(side_by_side(&scenario.name, &question.rules, &oscap, audit))
}

/// oscap's verdicts on a whole tier are cached: what it judges there is always the same.
fn oscap_verdicts(
    scenario: &Scenario,
    question: &Question,
    machine: &dyn Machine,
    content: &Content,
) -> Result<Verdicts> {
    let profile = oscap::profile(scenario.root.os, &question.tier);
    let evaluate = |rules: &[String]| match scenario.root.path.join("usr/bin/oscap").exists() {
        true => oscap::evaluate(machine, content, profile, rules),
        false => {
            let words = judge::lend(machine)?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            oscap::evaluate_by(&words, machine, content, profile, rules)
        }
    };
    let state = match scenario.hash()? {
        Some(state) if scenario.script.is_empty() || question.rules.is_empty() => state,
        _ => return evaluate(&question.rules),
    };
    let judge = || evaluate(&[]);
    Ok(oscap::kept(scenario.root.name, Some(&state), content, profile, judge)?.verdicts)
}

/// Lays the two side by side, rule by rule; all rules when `only` names none.
pub(crate) fn side_by_side(scenario: &str, only: &[String], oscap: &Verdicts, audit: Audit) -> Agreement {
    let mut agent = audit.by_id();
    agent.retain(|_, rule| rule.result != Verdict::Notselected);
    let rules: BTreeSet<String> = match only {
        [] => oscap.keys().chain(agent.keys()).cloned().collect(),
        only => only.iter().map(|rule| short_id(rule).to_owned()).collect(),
    };
    let mut agreement = Agreement { agreed: 0, differences: Vec::new(), found_bad: Vec::new() };
    for rule in rules {
        let theirs = oscap.get(&rule).copied().unwrap_or(Verdict::Absent);
        if matches!(theirs, Verdict::Fail | Verdict::Error | Verdict::Unknown) {
            agreement.found_bad.push(rule.clone());
        }
        let (ours, evidence) = match agent.remove(&rule) {
            Some(found) => (found.result, found.grounds()),
            None => (Verdict::Absent, Vec::new()),
        };
        if theirs.agrees(ours) {
            agreement.agreed += 1;
        } else {
            let scenario = scenario.to_owned();
            agreement.differences.push(Difference { rule, scenario, oscap: theirs, agent: ours, evidence });
        }
    }
    agreement
}

impl Agreement {
    /// The differences no triage line explains.
    pub fn unexplained(&self, triage: &[Line]) -> Vec<&Difference> {
        let explained = |difference: &&Difference| !triage.iter().any(|line| line.explains(difference));
        self.differences.iter().filter(explained).collect()
    }

    /// What oscap finds bad though no triage line explains why.
    pub fn unexplained_bad(&self, triage: &[Line]) -> Vec<&String> {
        let explained = |rule: &&String| {
            let lines = |own: &Difference| triage.iter().any(|line| line.explains(own));
            self.differences.iter().any(|own| own.rule == **rule && lines(own))
        };
        self.found_bad.iter().filter(|rule| !explained(rule)).collect()
    }

    /// A table of the differences, and the counts. Rules that the agent lacks are only named.
    pub fn table(&self, triage: &[Line]) -> String {
        let mut table = String::new();
        let (absent, differ): (Vec<_>, Vec<_>) =
            self.differences.iter().partition(|difference| difference.agent == Verdict::Absent);
        let width = differ.iter().map(|difference| difference.rule.len()).max().unwrap_or(4);
        for difference in differ {
            let explained = triage.iter().find(|line| line.explains(difference));
            let note = explained.map(|line| format!("  (triage.md:{})", line.number)).unwrap_or_default();
            let Difference { rule, oscap, agent, .. } = difference;
            let _ = writeln!(table, "{rule:width$}  oscap {oscap:13}  agent {agent:13}{note}");
            for line in difference.evidence.iter().take(3) {
                let _ = writeln!(table, "    {line}");
            }
        }
        if !absent.is_empty() {
            let names: Vec<&str> = absent.iter().map(|difference| difference.rule.as_str()).collect();
            let _ = writeln!(table, "the agent has no rule for: {}", names.join(" "));
        }
        let unexplained = self.unexplained(triage).len();
        let explained = self.differences.len() - unexplained;
        let _ = writeln!(
            table,
            "{} agree, {explained} differ and are explained, {unexplained} differ",
            self.agreed
        );
        table
    }
}

/// The triage lines that explain none of these differences.
pub fn outdated<'t>(triage: &'t [Line], differences: &[Difference]) -> Vec<&'t Line> {
    triage.iter().filter(|line| !differences.iter().any(|difference| line.explains(difference))).collect()
}
