//! Verdicts, and how several become one: the truth tables of OVAL 5.11 as oscap 1.3.7 applies them.
//!
//! Source: `src/OVAL/results/oval_resultTest.c` of OpenSCAP 1.3.7, whose tables differ from the specification's where noted.

use crate::model::{Check, Existence, Operator};

/// The result of a definition, a test or a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// It cannot be told.
    Unknown,
    /// It could not be looked at.
    Error,
    /// It was not looked at.
    NotEvaluated,
    /// It has no meaning on this system.
    NotApplicable,
}

impl Verdict {
    /// The word that OVAL results use.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::False => "false",
            Verdict::Unknown => "unknown",
            Verdict::Error => "error",
            Verdict::NotEvaluated => "not evaluated",
            Verdict::NotApplicable => "not applicable",
        }
    }

    /// True and false change places, the others stay.
    #[must_use]
    pub fn negate(self) -> Verdict {
        match self {
            Verdict::True => Verdict::False,
            Verdict::False => Verdict::True,
            other => other,
        }
    }
}

impl From<bool> for Verdict {
    fn from(so: bool) -> Verdict {
        if so { Verdict::True } else { Verdict::False }
    }
}

/// A count of verdicts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    yes: usize,
    no: usize,
    unknown: usize,
    error: usize,
    not_evaluated: usize,
    not_applicable: usize,
}

impl Extend<Verdict> for Tally {
    fn extend<I: IntoIterator<Item = Verdict>>(&mut self, verdicts: I) {
        verdicts.into_iter().for_each(|verdict| self.add(verdict));
    }
}

impl FromIterator<Verdict> for Tally {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut tally = Tally::default();
        tally.extend(verdicts);
        tally
    }
}

impl Tally {
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::True => self.yes += 1,
            Verdict::False => self.no += 1,
            Verdict::Unknown => self.unknown += 1,
            Verdict::Error => self.error += 1,
            Verdict::NotEvaluated => self.not_evaluated += 1,
            Verdict::NotApplicable => self.not_applicable += 1,
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.decided() && self.yes == 0 && self.no == 0 && self.not_applicable == 0
    }

    /// Whether nothing but true, false and not applicable was counted.
    fn decided(&self) -> bool {
        self.error == 0 && self.unknown == 0 && self.not_evaluated == 0
    }

    /// What is the same in all tables: nothing is unknown, only not applicable is that.
    fn trivial(&self) -> Option<Verdict> {
        if !self.decided() || self.yes > 0 || self.no > 0 {
            return None;
        }
        Some(if self.not_applicable > 0 { Verdict::NotApplicable } else { Verdict::Unknown })
    }

    /// The first of error, unknown and not evaluated that was counted, or else this verdict.
    fn doubt_or(&self, verdict: Verdict) -> Verdict {
        if self.error > 0 {
            Verdict::Error
        } else if self.unknown > 0 {
            Verdict::Unknown
        } else if self.not_evaluated > 0 {
            Verdict::NotEvaluated
        } else {
            verdict
        }
    }

    /// All of these become one by an operator.
    pub fn by_operator(&self, operator: Operator) -> Verdict {
        if let Some(verdict) = self.trivial() {
            return verdict;
        }
        match operator {
            Operator::And if self.no > 0 => Verdict::False,
            Operator::And => self.doubt_or(Verdict::True),
            Operator::Or if self.yes > 0 => Verdict::True,
            Operator::Or => self.doubt_or(Verdict::False),
            Operator::One if self.yes >= 2 => Verdict::False,
            Operator::One => self.doubt_or((self.yes == 1).into()),
            Operator::Xor => self.doubt_or((self.yes % 2 == 1).into()),
        }
    }

    /// How many of these must be true. `mixed` is what "at least one" is when nothing is true, something false, something
    /// unknown and nothing an error, a case that oscap's table forgets: error among results, unknown inside probes.
    pub fn by_check(&self, check: Check, mixed: Verdict) -> Verdict {
        if let Some(verdict) = self.trivial() {
            return verdict;
        }
        match check {
            Check::All if self.no > 0 => Verdict::False,
            Check::All => self.doubt_or(Verdict::True),
            Check::AtLeastOne if self.yes > 0 => Verdict::True,
            Check::AtLeastOne if self.no > 0 && self.error == 0 && !self.decided() => mixed,
            Check::AtLeastOne => self.doubt_or(Verdict::False),
            Check::NoneExist | Check::NoneSatisfy if self.yes > 0 => Verdict::False,
            Check::NoneExist | Check::NoneSatisfy => self.doubt_or(Verdict::True),
            Check::OnlyOne if self.yes >= 2 => Verdict::False,
            Check::OnlyOne => self.doubt_or((self.yes == 1).into()),
        }
    }
}

/// Whether as many items exist as a test wants; `exist` of them do, `failed` could not be looked at.
pub(crate) fn by_existence(existence: Existence, exist: usize, failed: usize) -> Verdict {
    match (existence, exist, failed) {
        (Existence::AllExist, _, 1..) => Verdict::Error,
        (Existence::AllExist, exist, 0) => (exist > 0).into(),
        (Existence::AnyExist | Existence::AtLeastOneExists, 0, 1..) => Verdict::Error,
        (Existence::AnyExist, ..) => Verdict::True,
        (Existence::AtLeastOneExists, exist, _) => (exist > 0).into(),
        (Existence::NoneExist, _, 1..) => Verdict::Error,
        (Existence::NoneExist, exist, 0) => (exist == 0).into(),
        (Existence::OnlyOneExists, 2.., _) => Verdict::False,
        (Existence::OnlyOneExists, _, 1..) => Verdict::Error,
        (Existence::OnlyOneExists, exist, 0) => (exist == 1).into(),
    }
}

/// Whether as many fields of an item exist as an entity of a state wants (`oval_status_counter_get_result`): a table of its own, by
/// which fields that do not exist count too.
pub(crate) fn by_field_existence(
    existence: Existence,
    exist: usize,
    failed: usize,
    missing: usize,
) -> Verdict {
    match (existence, exist, failed) {
        (Existence::AllExist, ..) if missing > 0 => Verdict::False,
        (Existence::AllExist, _, 1..) => Verdict::Error,
        (Existence::AllExist, exist, 0) => (exist > 0).into(),
        (Existence::AnyExist, 0, 1..) => Verdict::Error,
        (Existence::AnyExist, ..) => Verdict::True,
        (Existence::AtLeastOneExists, 1.., _) => Verdict::True,
        (Existence::AtLeastOneExists, 0, 1..) => Verdict::Error,
        (Existence::AtLeastOneExists, 0, 0) => Verdict::Unknown,
        (Existence::NoneExist, 1.., _) => Verdict::False,
        (Existence::NoneExist, 0, 1..) => Verdict::Error,
        (Existence::NoneExist, 0, 0) => Verdict::True,
        (Existence::OnlyOneExists, 2.., _) => Verdict::False,
        (Existence::OnlyOneExists, _, 1..) => Verdict::Error,
        (Existence::OnlyOneExists, 1, 0) => Verdict::True,
        (Existence::OnlyOneExists, 0, 0) => Verdict::Unknown,
    }
}
