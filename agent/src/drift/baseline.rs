//! What a machine was after it was last hardened: the reports of its runs, put together.
//!
//! The report of one run does not say it all. A run with `--rule` judges these rules and no others, what was taken back since is no
//! longer as its run left it, and a run by content of others says nothing of the catalogue. So of each rule counts what the newest run says
//! that speaks of it.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::{Context, Result};

use crate::apply::journal::{self, Entry, Journal};
use crate::inspect::Verdict;
use crate::policy::NOT_ASKED_FOR;
use crate::report::{CATALOGUE, Report, Row};
use crate::system::System;

/// What the last runs left behind.
#[derive(Debug, Default, PartialEq)]
pub struct Baseline {
    /// As one report; `None` when there is none. Rules that no run speaks of are not in it. What was asked is that of the newest run that asked
    /// for everything.
    pub report: Option<Report>,
    /// Rules of which the last that was done was taken back, by somebody or because nobody confirmed it. No run after that says that they
    /// are met.
    pub taken_back: BTreeSet<String>,
    /// Reports that cannot be read, a sentence each: what their runs left behind is not known, and the machine is looked at all the same.
    pub problems: Vec<String>,
}

/// Puts together what the last runs left behind.
///
/// # Errors
/// When a journal cannot be read.
pub fn baseline(system: &System) -> Result<Baseline> {
    let (mut baseline, mut taken_back) = (None::<Report>, BTreeSet::new());
    let mut problems = Vec::new();
    let mut later: HashSet<String> = HashSet::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut whole = false;
    for dir in journal::runs(&journal::state_dir(system)?)?.into_iter().rev() {
        let (entries, _) = Journal::read(&dir)?;
        let undone = entries.iter().filter(|entry| entry.undone && !later.contains(&entry.rule));
        taken_back.extend(undone.map(|entry| entry.rule.clone()));
        later.extend(entries.iter().map(|entry| entry.rule.clone()));
        if !entries.is_empty() && entries.iter().all(|entry| entry.undone) {
            continue;
        }
        let report = match report(&dir) {
            Ok(Some(report)) => report,
            Ok(None) => continue,
            Err(error) => {
                problems.push(format!("{error:#}: what this run left behind is not known"));
                continue;
            }
        };
        let asked_for_all = !report.rules.iter().any(limited);
        let complete = asked_for_all && !entries.iter().any(|entry| entry.undone);
        let Report { finished, policy, rules, .. } = &report;
        let rows: Vec<Row> =
            rules.iter().filter(|row| says(row, &entries) && !known.contains(&row.id)).cloned().collect();
        known.extend(rows.iter().map(|row| row.id.clone()));
        let met = rows.iter().filter(|row| matches!(row.result, Verdict::Pass | Verdict::Fixed));
        later.extend(met.map(|row| row.id.clone()));
        match &mut baseline {
            Some(baseline) => {
                if asked_for_all && !whole {
                    baseline.policy = policy.clone();
                }
                baseline.rules.extend(rows);
            }
            None => baseline = Some(Report { rules: rows, finished: finished.clone(), ..report.clone() }),
        }
        whole |= asked_for_all;
        if complete {
            break;
        }
    }
    if let Some(baseline) = &mut baseline {
        baseline.count();
    }
    Ok(Baseline { report: baseline, taken_back, problems })
}

/// The report that a run by the catalogue left; `None` for other runs.
fn report(dir: &Path) -> Result<Option<Report>> {
    let path = dir.join("result.json");
    let reading = || format!("reading {}", path.display());
    let json = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        json => json.with_context(reading)?,
    };
    let report: Report = serde_json::from_slice(&json).with_context(reading)?;
    Ok((report.content.source == CATALOGUE).then_some(report))
}

fn limited(row: &Row) -> bool {
    row.reason.as_deref() == Some(NOT_ASKED_FOR)
}

/// Whether a run speaks of a rule: it was among those asked for, and nothing that was done for it was taken back.
fn says(row: &Row, entries: &[Entry]) -> bool {
    !limited(row) && !entries.iter().any(|entry| entry.undone && entry.rule == row.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Record;
    use crate::apply::undo::Undo;
    use crate::change::Change;
    use crate::drift::Drift;
    use crate::inspect::Verdict::{Fail, Fixed, NotApplicable, NotSelected, Pass};
    use crate::report::testing;
    use crate::setting::testing::Tree;

    /// Keeps a run that changed `fixed` and took `undone` of them back.
    fn keep(system: &System, day: &str, rows: Vec<Row>, fixed: &[&str], undone: &[&str], source: &str) {
        let state = journal::state_dir(system).unwrap();
        let mut journal = Journal::begin(&state, day).unwrap();
        for (number, rule) in fixed.iter().enumerate() {
            let change = Change::write("/etc/x", "new");
            let undo = Undo::Nothing;
            let rule = (*rule).to_owned();
            journal.record(&Record::Intent { number, rule, change, undo, effects: vec![] }).unwrap();
        }
        for (number, _) in fixed.iter().enumerate().filter(|(_, rule)| undone.contains(rule)) {
            journal.record(&Record::Undone { number }).unwrap();
        }
        journal.record(&Record::Closed).unwrap();
        let mut report = testing::report("m", day, rows);
        source.clone_into(&mut report.content.source);
        std::fs::write(journal.dir.join("result.json"), serde_json::to_vec(&report).unwrap()).unwrap();
    }

    fn rows(of: &[(&str, Verdict)]) -> Vec<Row> {
        let row = |(id, result): &(&str, Verdict)| match result {
            NotSelected => Row { reason: Some(NOT_ASKED_FOR.to_owned()), ..testing::row(id, NotSelected) },
            result => testing::row(id, *result),
        };
        of.iter().map(row).collect()
    }

    /// What has drifted of rules of which none is met now.
    fn drifted(system: &System, rules: &[&str]) -> (Vec<String>, String) {
        let now = rules.iter().map(|id| testing::row(id, Fail)).collect();
        let Baseline { report, problems, .. } = baseline(system).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let drift = Drift::new(&testing::report("m", "2026-02-01", now), report.as_ref());
        (drift.drifted, drift.since)
    }

    #[test]
    fn a_run_for_some_rules_speaks_of_these_alone() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        assert_eq!(baseline(&system).unwrap(), Baseline::default());
        keep(&system, "1", rows(&[("a", Fixed), ("b", Fixed), ("c", Fail)]), &["a", "b"], &[], CATALOGUE);
        keep(
            &system,
            "2",
            rows(&[("a", NotSelected), ("b", NotSelected), ("c", Fixed)]),
            &["c"],
            &[],
            CATALOGUE,
        );
        let (drifted, since) = drifted(&system, &["a", "b", "c", "d"]);
        assert_eq!((drifted.join(" "), since.as_str()), ("a b c".to_owned(), "2"));
    }

    #[test]
    fn a_report_that_is_spoilt_is_told_and_the_others_count() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        keep(&system, "1", rows(&[("a", Fixed)]), &["a"], &[], CATALOGUE);
        keep(&system, "2", rows(&[("b", Fixed)]), &["b"], &[], CATALOGUE);
        let newest = journal::runs(&journal::state_dir(&system).unwrap()).unwrap().pop().unwrap();
        std::fs::write(newest.join("result.json"), "{\"schema\": 1").unwrap();
        let Baseline { report, problems, .. } = baseline(&system).unwrap();
        let rules: Vec<String> = report.unwrap().rules.into_iter().map(|row| row.id).collect();
        assert_eq!(rules, ["a"]);
        assert!(matches!(&problems[..], [told] if told.contains("result.json")), "{problems:?}");
    }

    #[test]
    fn what_was_taken_back_is_as_the_run_before_left_it() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        keep(&system, "1", rows(&[("a", Pass), ("b", Fail), ("c", Pass)]), &["c"], &[], CATALOGUE);
        keep(
            &system,
            "2",
            rows(&[("a", Fixed), ("b", Fixed), ("c", Pass)]),
            &["a", "b"],
            &["a", "b"],
            CATALOGUE,
        );
        keep(
            &system,
            "3",
            rows(&[("a", Fixed), ("b", Fixed), ("c", Pass)]),
            &["a", "b", "c"],
            &["a", "b"],
            CATALOGUE,
        );
        assert_eq!(drifted(&system, &["a", "b", "c"]).0, ["a", "c"], "b was never met");
    }

    #[test]
    fn what_was_taken_back_last_is_known_until_a_run_says_that_it_is_met() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        let taken_back = || baseline(&system).unwrap().taken_back.into_iter().collect::<Vec<_>>().join(" ");
        keep(&system, "1", rows(&[("a", Fixed), ("b", Fixed)]), &["a", "b"], &[], CATALOGUE);
        assert_eq!(taken_back(), "");
        // What drift did again, and somebody took back.
        keep(&system, "2", rows(&[("a", Fixed), ("b", NotSelected)]), &["a"], &["a"], CATALOGUE);
        keep(&system, "3", rows(&[("a", NotSelected), ("b", Fixed)]), &["b"], &["b"], CATALOGUE);
        assert_eq!(taken_back(), "a b");
        keep(&system, "4", rows(&[("a", Pass), ("b", Fixed)]), &["b"], &[], CATALOGUE);
        assert_eq!(taken_back(), "");
    }

    #[test]
    fn what_was_not_for_this_machine_has_not_drifted() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        keep(&system, "1", rows(&[("a", Fixed), ("b", NotApplicable), ("c", Fail)]), &["a"], &[], CATALOGUE);
        assert_eq!(drifted(&system, &["a", "b", "c"]).0, ["a"]);
    }

    #[test]
    fn a_run_by_content_of_others_says_nothing_of_the_catalogue() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700);
        let system = tree.system();
        keep(&system, "1", rows(&[("a", Fixed), ("b", Fail)]), &["a"], &[], CATALOGUE);
        keep(&system, "2", rows(&[("b", Fixed)]), &["b"], &[], "/usr/share/xml/ssg-debian12-ds.xml");
        let (drifted, since) = drifted(&system, &["a", "b"]);
        assert_eq!((drifted.join(" "), since.as_str()), ("a".to_owned(), "1"));
    }
}
