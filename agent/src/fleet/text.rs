//! A fleet for people at a terminal: a line for each machine, the rules that the most machines do not meet, within 80 columns.

use std::io::{self, Write};

use anyhow::Result;

use super::machine::Machine;
use super::{Table, Totals};
use crate::report::clean::{bounded, clean};
use crate::report::text::wrapped;

/// How many rules are told.
const RULES: usize = 20;

pub struct Text;

impl Table for Text {
    fn begin(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let Totals { machines, deviating, overdue, .. } = totals;
        write!(
            out,
            "{}",
            wrapped(
                &format!(
                    "{machines} machines, {deviating} deviate, {overdue} with an exception that is over, \
                     mean score {:.2} of 100",
                    totals.score()
                ),
                "",
                "  "
            )
        )?;
        if totals.older > 0 {
            let older = format!(
                "{} older results of the same machines (same machine-id and name) are left out",
                totals.older
            );
            write!(out, "{}", wrapped(&older, "", "  "))?;
        }
        writeln!(
            out,
            "\n{:30} {:10} {:>5} {:>5} {:>5} {:>4}  {:>6}",
            "machine", "asked", "high", "fail", "error", "over", "score"
        )
    }

    fn machine(&self, machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()> {
        let bad = machine.badness;
        let asked = xccdf::short_id(machine.report.policy.asked());
        writeln!(
            out,
            "{:30} {:10} {:>5} {:>5} {:>5} {:>4}  {:>6.2}",
            cut(machine.name(), 30),
            cut(asked, 10),
            bad.high,
            bad.fail,
            bad.error,
            bad.overdue,
            machine.report.score.value
        )?;
        for problem in machine.problems() {
            write!(out, "{}", wrapped(&problem, "  problem: ", "    "))?;
        }
        Ok(())
    }

    fn end(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let rules = totals.rules.worst_first();
        let bad: Vec<_> = rules.iter().map(|(_, rule)| rule).filter(|rule| rule.count("feu") > 0).collect();
        if !bad.is_empty() {
            writeln!(out, "\n{:>6} {:>6} {:8} rule", "fail", "error", "severity")?;
        }
        for rule in bad.iter().take(RULES) {
            let line =
                format!("{:>6} {:>6} {:8} ", rule.count("f"), rule.count("eu"), cut(&rule.severity, 8));
            // A long id stands alone in its line.
            let long = line.chars().count() + rule.id.chars().count() > 80;
            let first = if long { format!("{}\n    ", line.trim_end()) } else { line };
            writeln!(out, "{first}{}", clean(&rule.id))?;
        }
        let more = bad.len().saturating_sub(RULES);
        if more > 0 {
            writeln!(out, "and {more} more rules that not all machines meet")?;
        }
        for problem in &totals.problems {
            write!(out, "\n{}", wrapped(problem, "problem ", "  "))?;
        }
        Ok(())
    }
}

/// The beginning of a word that fills a column.
fn cut(text: &str, columns: usize) -> String {
    let text = clean(text);
    match text.chars().count() > columns {
        true => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        false => bounded(&text, columns).into_owned(),
    }
}
