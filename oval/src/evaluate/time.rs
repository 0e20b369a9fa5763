//! Seconds between two times.
//!
//! Source: `_oval_component_evaluate_TIMEDIF` of OpenSCAP 1.3.7. There, times are local and an hour is taken off those that
//! daylight saving applies to; here they are UTC, so a difference across a change of the clock is an hour off.

use super::variable::{Computed, MAX_VALUES};
use crate::compare::leading_int;
use crate::model::{Datatype, TimeFormat};
use std::time::{SystemTime, UNIX_EPOCH};

/// The difference of every pair of values; of one component, now less its values. A negative one comes out as the unsigned number that C
/// prints.
pub(super) fn difference(one: TimeFormat, two: TimeFormat, parts: Vec<Computed>) -> Computed {
    let mut parts = parts.into_iter();
    let (first, second) = match (parts.next(), parts.next(), parts.next()) {
        (Some(only), None, None) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
            let now = Computed::new(only.flag, vec![(Datatype::Int, now.to_string())]);
            ((now, TimeFormat::SecondsSinceEpoch), (only, two))
        }
        (Some(first), Some(second), None) => ((first, one), (second, two)),
        _ => return Computed::failed("a time difference is of one or two components"),
    };
    let seconds = |(part, format): &(Computed, TimeFormat)| -> Vec<i64> {
        part.values.iter().map(|(_, text)| seconds(text, *format)).collect()
    };
    let (later, earlier) = (seconds(&first), seconds(&second));
    if later.len().saturating_mul(earlier.len()) > MAX_VALUES {
        return Computed::failed("a time difference of too many values");
    }
    let difference = |later: &i64, earlier: &i64| {
        // oscap's buffer holds fifteen characters.
        let text = (later.wrapping_sub(*earlier) as u64).to_string();
        (Datatype::Int, text.chars().take(15).collect())
    };
    let values = later
        .iter()
        .flat_map(|later| earlier.iter().map(move |earlier| difference(later, earlier)))
        .collect();
    Computed::new(second.0.flag, values)
}

/// Seconds since 1970; 0 for what cannot be read.
fn seconds(text: &str, format: TimeFormat) -> i64 {
    let parts = |layout: &str| read(text, layout);
    let any = |layouts: &[&str]| layouts.iter().find_map(|layout| parts(layout)).unwrap_or(0);
    match format {
        TimeFormat::SecondsSinceEpoch => leading_int(text),
        TimeFormat::YearMonthDay => any(&[
            "YYYYMMDD",
            "YYYY/MM/DD",
            "YYYY-MM-DD",
            "YYYYMMDDThhmmss",
            "YYYY/MM/DD hh:mm:ss",
            "YYYY-MM-DD hh:mm:ss",
        ]),
        TimeFormat::MonthDayYear => {
            any(&["MM/DD/YYYY", "MM-DD-YYYY", "MM/DD/YYYY hh:mm:ss", "MM-DD-YYYY hh:mm:ss"])
        }
        TimeFormat::DayMonthYear => {
            any(&["DD/MM/YYYY", "DD-MM-YYYY", "DD/MM/YYYY hh:mm:ss", "DD-MM-YYYY hh:mm:ss"])
        }
        TimeFormat::CimDatetime => text.get(..14).and_then(|text| read(text, "YYYYMMDDhhmmss")).unwrap_or(0),
        TimeFormat::WinFiletime => 0,
    }
}

/// A time in a layout of letters for digits.
fn read(text: &str, layout: &str) -> Option<i64> {
    if text.len() != layout.len() {
        return None;
    }
    let mut fields = [0i64; 6];
    for (found, wanted) in text.chars().zip(layout.chars()) {
        match "YMDhms".find(wanted).and_then(|n| fields.get_mut(n)) {
            Some(field) => *field = *field * 10 + i64::from(found.to_digit(10)?),
            None if found == wanted => {}
            None => return None,
        }
    }
    let [year, month, day, hour, minute, second] = fields;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 61 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days from 1970 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_formats() {
        for (text, format, expected) in [
            ("1700000000", TimeFormat::SecondsSinceEpoch, 1_700_000_000),
            ("20240229", TimeFormat::YearMonthDay, 1_709_164_800),
            ("2024-03-01 00:00:01", TimeFormat::YearMonthDay, 1_709_251_201),
            ("12/31/1999", TimeFormat::MonthDayYear, 946_598_400),
            ("31-12-1999", TimeFormat::DayMonthYear, 946_598_400),
            ("x", TimeFormat::YearMonthDay, 0),
            ("20241301", TimeFormat::YearMonthDay, 0),
        ] {
            assert_eq!(seconds(text, format), expected, "{text}");
        }
    }
}
