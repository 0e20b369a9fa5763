//! Numbers as C's `strtoimax` and `strtod` read them.

use std::cmp::Ordering;

/// White space as `isspace` of the C locale sees it.
pub(crate) const SPACE: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

/// A decimal number that is the whole text, blanks before it allowed; `None` when it is not or does not fit.
pub(crate) fn whole_int(text: &str) -> Option<i64> {
    text.trim_start_matches(SPACE).parse().ok()
}

/// The decimal number a text starts with; 0 when it starts with none, the nearest that fits when it is too large.
pub(crate) fn leading_int(text: &str) -> i64 {
    let text = text.trim_start_matches(SPACE);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    let value =
        digits.fold(0i128, |value, digit| (value * 10 + i128::from(digit - b'0')).min(i128::from(u64::MAX)));
    i64::try_from(sign * value).unwrap_or(if sign < 0 { i64::MIN } else { i64::MAX })
}

/// A number that is the whole text; `None` when it is not.
pub(crate) fn double(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(SPACE);
    (double_length(text) == text.len()).then(|| text.parse().ok()).flatten()
}

/// The number a text starts with; 0 when it starts with none.
pub(crate) fn leading_double(text: &str) -> f64 {
    let text = text.trim_start_matches(SPACE);
    text.get(..double_length(text)).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// How many bytes at the start of a text are a decimal number.
fn double_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let mut at = usize::from(matches!(byte(0), b'+' | b'-'));
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    if byte(at) == b'.' {
        fraction = digits(at + 1);
        if whole + fraction > 0 {
            at += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(byte(at), b'e' | b'E') {
        let sign = usize::from(matches!(byte(at + 1), b'+' | b'-'));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

/// The order of two numbers; those that differ by a billionth of the larger are the same.
pub(crate) fn compare(a: f64, b: f64) -> Ordering {
    let larger = if a.abs() > b.abs() { a } else { b };
    if a == b || ((a - b) / larger).abs() <= 1e-9 {
        return Ordering::Equal;
    }
    if a > b { Ordering::Greater } else { Ordering::Less }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_c_reads_them() {
        for (text, whole, leading) in [
            ("0640", Some(640), 640),
            (" 7", Some(7), 7),
            ("-3", Some(-3), -3),
            ("+3", Some(3), 3),
            ("7 ", None, 7),
            ("7x", None, 7),
            ("0x10", None, 0),
            ("", None, 0),
            ("99999999999999999999", None, i64::MAX),
        ] {
            assert_eq!((whole_int(text), leading_int(text)), (whole, leading), "{text:?}");
        }
    }

    #[test]
    fn floats_are_read_as_c_reads_them() {
        for (text, whole, leading) in [
            ("1.5", Some(1.5), 1.5),
            (" .5", Some(0.5), 0.5),
            ("5.", Some(5.0), 5.0),
            ("1e3", Some(1000.0), 1000.0),
            ("1ex", None, 1.0),
            ("x", None, 0.0),
        ] {
            assert_eq!((double(text), leading_double(text)), (whole, leading), "{text:?}");
        }
        assert_eq!(compare(1.0, 1.000_000_000_1), Ordering::Equal);
        assert_eq!(compare(1.0, 1.001), Ordering::Less);
    }
}
