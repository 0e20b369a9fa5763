//! Compares what was found with what was wanted, by datatype and operation.
//!
//! Two comparers use this: results, where what was found is text that is understood as the wanted value's datatype
//! (`oval_str_cmp_str` of oscap), and probes, whose values have a type of their own ([`typed`], `probe_ent_cmp_single`). To add a
//! datatype, add a file with a `compare` function and a line to [`text`].

mod address;
mod evr;
mod number;
mod version;

use crate::item::Value;
use crate::model::{Datatype, Operation};
use crate::pattern::Patterns;
use crate::verdict::Verdict;
use std::cmp::Ordering;

pub(crate) use number::{SPACE, double, leading_double, leading_int, whole_int};

/// Compares as results do: both as text.
pub(crate) fn text(
    patterns: &Patterns,
    datatype: Datatype,
    operation: Operation,
    wanted: &str,
    found: &str,
) -> Verdict {
    match datatype {
        Datatype::String => string(patterns, operation, wanted, found.as_bytes()),
        Datatype::Int => match (whole_int(wanted), whole_int(found)) {
            (Some(wanted), Some(found)) => int(operation, wanted, found),
            _ => Verdict::Error,
        },
        Datatype::Float => match (double(wanted), double(found)) {
            (Some(wanted), Some(found)) => ordered(operation, number::compare(found, wanted)),
            _ => Verdict::Error,
        },
        Datatype::Boolean => boolean(operation, truth(wanted), truth(found)),
        Datatype::Binary => equality(operation, wanted.eq_ignore_ascii_case(found)),
        Datatype::Version => version::compare(operation, wanted, found),
        Datatype::EvrString => ordered(operation, evr::rpm(found, wanted)),
        Datatype::DebianEvrString => match evr::debian(found, wanted) {
            Some(order) => ordered(operation, order),
            None => Verdict::Error,
        },
        Datatype::Ipv4Address | Datatype::Ipv6Address => {
            address::compare(operation, wanted, found, datatype == Datatype::Ipv6Address)
        }
        Datatype::FilesetRevision | Datatype::IosVersion => Verdict::NotEvaluated,
        Datatype::Record => Verdict::Error,
    }
}

/// Compares as probes do: a value that has a type, with text that is made one of that type. What cannot be compared is an error.
pub(crate) fn typed(
    patterns: &Patterns,
    datatype: Datatype,
    operation: Operation,
    wanted: &str,
    found: &Value,
) -> Verdict {
    match (datatype, found) {
        (Datatype::Int, Value::Int(found)) => int(operation, leading_int(wanted), *found),
        (Datatype::Boolean, Value::Bool(found)) => boolean(operation, truth(wanted), *found),
        (Datatype::Int | Datatype::Boolean | Datatype::Float | Datatype::Record, _) => Verdict::Error,
        (_, Value::Text(found)) => text(patterns, datatype, operation, wanted, found),
        _ => Verdict::Error,
    }
}

/// Compares strings; what was found need not be UTF-8.
pub(crate) fn string(patterns: &Patterns, operation: Operation, wanted: &str, found: &[u8]) -> Verdict {
    let same = wanted.as_bytes() == found;
    let alike = wanted.as_bytes().eq_ignore_ascii_case(found);
    match operation {
        Operation::Equals => same.into(),
        Operation::NotEqual => (!same).into(),
        Operation::CaseInsensitiveEquals => alike.into(),
        Operation::CaseInsensitiveNotEqual => (!alike).into(),
        Operation::PatternMatch => patterns.matches(wanted, found),
        _ => Verdict::Error,
    }
}

/// Compares whole numbers.
pub(crate) fn int(operation: Operation, wanted: i64, found: i64) -> Verdict {
    match operation {
        Operation::BitwiseAnd => (found & wanted == wanted).into(),
        Operation::BitwiseOr => (found | wanted == wanted).into(),
        _ => ordered(operation, found.cmp(&wanted)),
    }
}

fn boolean(operation: Operation, wanted: bool, found: bool) -> Verdict {
    equality(operation, wanted == found)
}

/// The text of a boolean; anything but the two words for true is false.
fn truth(text: &str) -> bool {
    matches!(text, "true" | "1")
}

fn equality(operation: Operation, same: bool) -> Verdict {
    match operation {
        Operation::Equals => same.into(),
        Operation::NotEqual => (!same).into(),
        _ => Verdict::Error,
    }
}

/// The verdict when what was found stands in this order to what was wanted.
fn ordered(operation: Operation, order: Ordering) -> Verdict {
    match operation {
        Operation::Equals => order.is_eq().into(),
        Operation::NotEqual => order.is_ne().into(),
        Operation::GreaterThan => order.is_gt().into(),
        Operation::GreaterThanOrEqual => order.is_ge().into(),
        Operation::LessThan => order.is_lt().into(),
        Operation::LessThanOrEqual => order.is_le().into(),
        _ => Verdict::Error,
    }
}
