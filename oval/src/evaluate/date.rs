//! Dates as texts: read as `strptime(3)` reads them in the C locale, and the CIM datetimes that OpenSCAP 1.3.7 knows.

use crate::compare::SPACE;

/// Year, month from 1, day, hour, minute and second, as they are written.
pub(super) type Fields = [i64; 6];

/// The names of the months. Three letters are enough.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// How a CIM datetime may be written, character by character: `0` is any digit, `+` either sign.
const CIM: [&str; 3] = ["YYYYMMDDhhmmss.000000+000", "YYYY-MM-DD hh:mm:ss:000", "MM-DD-YYYY hh:mm:ss:000"];

/// Reads a date by the first layout that fits. In a layout, `Y`, `M`, `D`, `h`, `m` and `s` are numbers, with as many zeros and blanks
/// before them as there is room for, `B` is the name of a month, a blank any number of them, and the rest is itself.
pub(super) fn read(text: &str, layouts: &[&str]) -> Option<Fields> {
    layouts.iter().find_map(|layout| by_layout(text, layout))
}

fn by_layout(text: &str, layout: &str) -> Option<Fields> {
    let mut fields = [0; 6];
    let mut rest = text;
    for letter in layout.chars() {
        let (place, least, most) = match letter {
            'Y' => (0, 0, 9999),
            'M' => (1, 1, 12),
            'D' => (2, 1, 31),
            'h' => (3, 0, 23),
            'm' => (4, 0, 59),
            's' => (5, 0, 61),
            'B' => {
                (fields[1], rest) = month(rest)?;
                continue;
            }
            ' ' => {
                rest = rest.trim_start_matches(SPACE);
                continue;
            }
            other => {
                rest = rest.strip_prefix(other)?;
                continue;
            }
        };
        (fields[place], rest) = number(rest, least, most)?;
    }
    rest.is_empty().then_some(fields)
}

/// A number within bounds, of no more digits than the largest, and what follows it.
fn number(text: &str, least: i64, most: i64) -> Option<(i64, &str)> {
    let text = text.trim_start_matches(SPACE);
    let most_digits = if most > 99 { 4 } else { 2 };
    let (mut value, mut length) = (0, 0);
    for digit in text.bytes().take(most_digits).take_while(u8::is_ascii_digit) {
        if value * 10 > most {
            break;
        }
        value = value * 10 + i64::from(digit - b'0');
        length += 1;
    }
    (length > 0 && (least..=most).contains(&value)).then(|| (value, text.get(length..).unwrap_or_default()))
}

/// The month that a text starts with, whole or by three letters, and what follows it.
fn month(text: &str) -> Option<(i64, &str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    (1..).zip(MONTHS).find_map(|(n, name)| {
        let name = [name, &name[..3]].into_iter().find(|name| begins(name))?;
        Some((n, text.get(name.len()..).unwrap_or_default()))
    })
}

/// Reads a CIM datetime. Its fields need not be those of a date there is.
pub(super) fn read_cim(text: &str) -> Option<Fields> {
    CIM.iter().find_map(|layout| by_place(text, layout))
}

fn by_place(text: &str, layout: &str) -> Option<Fields> {
    if text.len() != layout.len() {
        return None;
    }
    let mut fields = [0; 6];
    for (found, wanted) in text.chars().zip(layout.chars()) {
        match "YMDhms".find(wanted).and_then(|n| fields.get_mut(n)) {
            Some(field) => *field = *field * 10 + i64::from(found.to_digit(10)?),
            None if wanted == '0' && found.is_ascii_digit() => {}
            None if wanted == '+' && matches!(found, '+' | '-') => {}
            None if found == wanted && wanted != '0' => {}
            None => return None,
        }
    }
    Some(fields)
}
