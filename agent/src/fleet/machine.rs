//! A machine while it is at hand, and how bad it is.

use std::cmp::Reverse;
use std::path::Path;

use crate::inspect::Verdict;
use crate::report::{Report, Row};

/// A machine's results.
pub struct Machine<'a> {
    /// The file they are in.
    pub path: &'a Path,
    /// The results.
    pub report: &'a Report,
    /// Its verdicts, one letter for each rule of the fleet.
    pub letters: &'a str,
    /// How bad it is.
    pub badness: Badness,
}

/// How bad a machine is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Badness {
    /// Failing rules of high severity.
    pub high: u32,
    /// Failing rules.
    pub fail: u32,
    /// Rules that could not be judged.
    pub error: u32,
    /// Exceptions that are over.
    pub overdue: u32,
}

impl Badness {
    /// Sorts the worst first.
    pub fn order(&self) -> Reverse<(u32, u32, u32)> {
        Reverse((self.high, self.fail + self.error, self.overdue))
    }

    /// Whether a rule is not met or could not be judged.
    pub fn deviates(&self) -> bool {
        self.fail + self.error > 0
    }
}

impl<'a> Machine<'a> {
    /// A machine.
    pub fn new(path: &'a Path, report: &'a Report, letters: &'a str) -> Machine<'a> {
        let count = |like: &dyn Fn(&Row) -> bool| {
            u32::try_from(report.rules.iter().filter(|row| like(row)).count()).unwrap_or(u32::MAX)
        };
        let badness = Badness {
            high: count(&|row| row.result == Verdict::Fail && row.severity == "high"),
            fail: count(&|row| row.result == Verdict::Fail),
            error: count(&|row| matches!(row.result, Verdict::Error | Verdict::Unknown)),
            overdue: count(&Row::is_overdue),
        };
        Machine { path, report, letters, badness }
    }

    /// What tells it from every other machine: its id, or its name where results have none.
    pub fn identity(&self) -> &str {
        let host = &self.report.host;
        if host.machine_id.is_empty() { &host.name } else { &host.machine_id }
    }

    /// What to call it.
    pub fn name(&self) -> &str {
        let host = &self.report.host;
        if host.name.is_empty() { self.identity() } else { &host.name }
    }
}
