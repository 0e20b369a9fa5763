//! A machine while it is at hand, and how bad it is.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::path::Path;

use crate::inspect::Verdict;
use crate::report::clean::bounded;
use crate::report::{Report, Row};

/// How many problems of each machine are told.
const PROBLEMS: usize = 3;
/// How much of each, in characters.
const LONGEST: usize = 300;

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
    /// What its run as a whole ran into.
    pub problems: u32,
}

impl Badness {
    /// Sorts the worst first.
    pub fn order(&self) -> Reverse<(u32, u32, u32)> {
        Reverse((self.high, self.fail + self.error + self.problems, self.overdue))
    }

    /// Whether its own audit would not have ended well: a rule is not met or could not be judged, an exception is over, or the run as a whole
    /// ran into something.
    pub fn deviates(&self) -> bool {
        self.fail + self.error + self.overdue + self.problems > 0
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
            problems: u32::try_from(report.problems.len()).unwrap_or(u32::MAX),
        };
        Machine { path, report, letters, badness }
    }

    /// What tells it from every other machine: its id and its name, as far as the results have them. Neither alone is enough: clones of an
    /// image that was not sealed share an id, and many a machine is called `localhost`.
    pub fn identity(&self) -> [&str; 2] {
        let host = &self.report.host;
        [&host.machine_id, &host.name]
    }

    /// Whether nobody can say which machine it is.
    pub fn is_nameless(&self) -> bool {
        self.identity().iter().all(|part| part.is_empty())
    }

    /// Whether its results say which id it has; XCCDF and ARF have no place for that.
    pub fn has_id(&self) -> bool {
        !self.report.host.machine_id.is_empty()
    }

    /// The first things that its run as a whole ran into, of each as much as a line of a table bears.
    pub fn problems(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.report.problems.iter().take(PROBLEMS).map(|problem| bounded(problem, LONGEST))
    }

    /// What to call it.
    pub fn name(&self) -> &str {
        let host = &self.report.host;
        if host.name.is_empty() { &host.machine_id } else { &host.name }
    }
}

/// The moment when results were finished, as they say it. The agent writes UTC and oscap the local time with its offset, so it is the moment
/// that is compared, and the letters only where one of them is none.
#[derive(Debug, Clone)]
pub struct Finished(String);

impl Finished {
    /// That of these results.
    pub fn of(report: &Report) -> Finished {
        Finished(report.finished.clone())
    }

    /// Whether this is later.
    pub fn is_after(&self, other: &Finished) -> bool {
        let moment = |own: &Finished| own.0.parse::<jiff::Timestamp>();
        match (moment(self), moment(other)) {
            (Ok(own), Ok(other)) => own > other,
            _ => self.0 > other.0,
        }
    }
}
