//! The `version` datatype: numbers, any one character that is no digit between them.

use super::leading_int;
use crate::model::Operation;
use crate::verdict::Verdict;
use std::cmp::Ordering;

/// Compares field by field; a missing field is 0.
///
/// A field starts one character after the last one's digits. As in oscap, the first character of a field is passed over whether
/// it is a digit or not.
pub(super) fn compare(operation: Operation, wanted: &str, found: &str) -> Verdict {
    let (mut wanted, mut found) = (wanted.as_bytes(), found.as_bytes());
    let mut order = Ordering::Equal;
    while order.is_eq() && !(wanted.is_empty() && found.is_empty()) {
        order = field(found).cmp(&field(wanted));
        wanted = after_field(wanted);
        found = after_field(found);
    }
    super::ordered(operation, order)
}

fn field(text: &[u8]) -> i32 {
    let text = String::from_utf8_lossy(text.get(..text.len().min(24)).unwrap_or_default());
    // `atoi` gives what is left of a long; numbers that large are no versions.
    leading_int(&text) as i32
}

fn after_field(text: &[u8]) -> &[u8] {
    let digits = text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits + 2..).unwrap_or_default()
}
