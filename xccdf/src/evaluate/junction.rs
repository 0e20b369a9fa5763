//! How results are joined and turned: the truth tables of complex checks (NISTIR 7275r4 section 7.2.3.5).
//!
//! OpenSCAP's tables differ from the standard's where an error or an unknown is joined with what decides
//! nothing: which of the two comes out depends on their order. The verdict has to be the same as OpenSCAP's,
//! so ours do too.

use crate::check::Junction;
use crate::result::Outcome::{self, Error, Fail, Pass, Unknown};

/// What two results come to, in their order.
pub(crate) fn join(operator: Junction, a: Outcome, b: Outcome) -> Outcome {
    let (strong, weak) = match operator {
        Junction::And => (Fail, Pass),
        Junction::Or => (Pass, Fail),
    };
    let decided = |outcome: Outcome| outcome == weak || matches!(outcome, Error | Unknown);
    if a == strong || b == strong {
        strong
    } else if a == weak {
        if decided(b) { b } else { weak }
    } else if a == Error || (a == Unknown && b == Unknown) {
        Unknown
    } else if a == Unknown {
        Error
    } else {
        // Neither pass, fail, error nor unknown: the second counts if it says more.
        a.min(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Outcome::{Informational, NotApplicable, NotChecked, NotSelected};

    /// What oscap 1.3.7 holds two results to come to, a row for the first, a column for the second.
    const ORDER: [Outcome; 8] =
        [Pass, Fail, Error, Unknown, NotApplicable, NotChecked, NotSelected, Informational];
    const AND: [&str; 8] =
        ["PFEUPPPP", "FFFFFFFF", "UFUUUUUU", "EFEUEEEE", "PFEUNNNN", "PFEUNKKK", "PFEUNKSS", "PFEUNKSI"];
    const OR: [&str; 8] =
        ["PPPPPPPP", "PFEUFFFF", "PUUUUUUU", "PEEUEEEE", "PFEUNNNN", "PFEUNKKK", "PFEUNKSS", "PFEUNKSI"];

    #[test]
    fn joins_as_oscap_does() {
        for (operator, table) in [(Junction::And, AND), (Junction::Or, OR)] {
            for (a, row) in ORDER.into_iter().zip(table) {
                for (b, letter) in ORDER.into_iter().zip(row.chars()) {
                    let place = "PFEUNKSI".find(letter).unwrap();
                    assert_eq!(join(operator, a, b), ORDER[place], "{a} {operator} {b}");
                }
            }
        }
    }
}
