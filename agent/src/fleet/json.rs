//! A fleet as JSON (`docs/report.md`): machines with what fails on them, and rules with how many machines ended how.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::machine::Machine;
use super::rules::LETTERS;
use super::{Table, Totals};
use crate::inspect::Verdict;
use crate::report::Row;

/// The version of the structure.
const SCHEMA: u32 = 1;

pub struct Json;

impl Table for Json {
    fn begin(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let summary = json!({
            "machines": totals.machines,
            "deviating": totals.deviating,
            "overdue": totals.overdue,
            "troubled": totals.troubled,
            "older_results_left_out": totals.older,
            "score": (totals.score() * 100.0).round() / 100.0,
        });
        writeln!(out, "{{\"schema\":{SCHEMA},\"fleet\":{summary},\"machines\":[")
    }

    fn machine(&self, machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()> {
        let report = machine.report;
        let of = |like: &dyn Fn(&Row) -> bool| -> Vec<&str> {
            report.rules.iter().filter(|row| like(row)).map(|row| row.id.as_str()).collect()
        };
        let exceptions = report.rules.iter().filter_map(|row| {
            let exception = row.exception.as_ref()?;
            Some(json!({"rule": row.id, "result": row.result, "exception": exception}))
        });
        let told = json!({
            "file": machine.path.to_string_lossy(),
            "host": report.host,
            "agent": report.agent,
            "content": report.content,
            "policy": report.policy,
            "action": report.action,
            "finished": report.finished,
            "score": report.score,
            "summary": report.summary,
            "fail": of(&|row| row.result == Verdict::Fail),
            "error": of(&|row| matches!(row.result, Verdict::Error | Verdict::Unknown)),
            "exceptions": exceptions.collect::<Vec<Value>>(),
            "problems": report.problems,
        });
        Ok(serde_json::to_writer(out, &told)?)
    }

    fn between(&self) -> &'static str {
        ",\n"
    }

    fn end(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n],\"rules\":[")?;
        for (n, (_, rule)) in totals.rules.worst_first().into_iter().enumerate() {
            let counts = LETTERS.iter().zip(rule.counts).filter(|((letter, _), _)| *letter != '.');
            let counts: Map<String, Value> =
                counts.map(|((_, word), count)| ((*word).to_owned(), json!(count))).collect();
            let rule = json!({"id": rule.id, "title": rule.title, "severity": rule.severity, "cis": rule.cis, "machines": counts});
            write!(out, "{}{rule}", if n > 0 { ",\n" } else { "" })?;
        }
        writeln!(out, "\n],\"problems\":{}}}", json!(totals.problems))
    }
}
