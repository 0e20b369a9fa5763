//! What writers ask of a finished report: what deviates, why, and what comes first.

use super::{PolicyInfo, Report, Row, Summary};
use crate::finding::{Evidence, State};
use crate::inspect::Verdict;

impl Report {
    /// What to call the machine.
    pub fn host_name(&self) -> &str {
        if self.host.name.is_empty() { "this machine" } else { &self.host.name }
    }

    /// The rules that are told, those that want attention first, of them the gravest; otherwise in their order.
    pub fn worst_first(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rules.iter().filter(|row| row.is_told()).collect();
        rows.sort_by_key(|row| (row.rank(), severity_rank(&row.severity)));
        rows
    }
}

impl PolicyInfo {
    /// What was asked, in a word: the tier, or the profile.
    pub fn asked(&self) -> &str {
        if self.tier.is_empty() { &self.profile } else { &self.tier }
    }
}

impl Row {
    /// Whether the rule was asked for, or is excepted: what nobody asked for is not told.
    pub fn is_told(&self) -> bool {
        self.result != Verdict::NotSelected || self.exception.is_some()
    }

    /// Whether an exception for it is over.
    pub fn is_overdue(&self) -> bool {
        self.exception.as_ref().is_some_and(|exception| exception.expired)
    }

    /// Whether it is for this rule that the machine is not as it should be.
    pub fn deviates(&self) -> bool {
        matches!(self.result, Verdict::Fail | Verdict::Error | Verdict::Unknown) || self.is_overdue()
    }

    /// Why it ended so, in a sentence.
    pub fn why(&self) -> String {
        let over = self.exception.as_ref().filter(|own| own.expired);
        let over = over.and_then(|own| Some(format!("its exception is over since {}", own.until.as_ref()?)));
        let unmet = self.evidence.iter().find(|one| !one.holds).map(Evidence::sentence);
        let said = match self.result {
            Verdict::Fail => unmet.or_else(|| self.reason.clone()),
            _ => self.reason.clone().or(unmet),
        };
        let all: Vec<String> = over.into_iter().chain(said).collect();
        if all.is_empty() { self.result.as_str().to_owned() } else { all.join("; ") }
    }

    /// What is to be looked at first has the lowest.
    fn rank(&self) -> usize {
        match self.result {
            Verdict::Fail => 0,
            Verdict::Error | Verdict::Unknown => 1,
            _ if self.is_overdue() => 2,
            Verdict::Fixed => 3,
            Verdict::NotChecked | Verdict::Informational => 4,
            Verdict::Pass => 5,
            Verdict::NotSelected => 6,
            Verdict::NotApplicable => 7,
        }
    }
}

/// The gravest has the lowest.
pub fn severity_rank(severity: &str) -> usize {
    let ranks = ["high", "medium", "low", "info"];
    ranks.iter().position(|rank| *rank == severity).unwrap_or(ranks.len())
}

impl Summary {
    /// The counts with their verdicts.
    pub fn counts(&self) -> [(Verdict, usize); 8] {
        [
            (Verdict::Pass, self.pass),
            (Verdict::Fixed, self.fixed),
            (Verdict::Fail, self.fail),
            (Verdict::Error, self.error),
            (Verdict::Unknown, self.unknown),
            (Verdict::NotApplicable, self.notapplicable),
            (Verdict::NotChecked, self.notchecked),
            (Verdict::NotSelected, self.notselected),
        ]
    }
}

impl Evidence {
    /// What was found, wanted and where, in a sentence.
    pub fn sentence(&self) -> String {
        let when = if self.state == State::Running { "now" } else { "at boot" };
        let wanted = if self.wanted.is_empty() { String::new() } else { format!(", wanted {}", self.wanted) };
        format!("found {}{wanted} ({when}, {})", self.found, self.place)
    }
}
