//! Seconds between two times.
//!
//! Source: `_oval_component_evaluate_TIMEDIF` of OpenSCAP 1.3.7, its oddities included. Times are those of the zone this process is in,
//! and where daylight saving applies to one, an hour is taken off it. A date (but for CIM's) is made years since 1900 and months since
//! January twice over, so that it comes out some 1900 years and a month too early: two dates are about as far apart as they should be,
//! a date and the present are not.

use super::date::{Fields, read, read_cim};
use super::variable::{Computed, MAX_VALUES};
use crate::compare::leading_int;
use crate::model::{Datatype, TimeFormat};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::time::{SystemTime, UNIX_EPOCH};

/// How dates may be written: see [`read`].
const YEAR_MONTH_DAY: &[&str] = &["YMD", "Y/M/D", "Y-M-D", "YMDThms", "Y/M/D h:m:s", "Y-M-D h:m:s"];
const MONTH_DAY_YEAR: &[&str] = &["M/D/Y", "M-D-Y", "B, D Y", "M/D/Y h:m:s", "M-D-Y h:m:s", "B, D Y h:m:s"];
const DAY_MONTH_YEAR: &[&str] = &["D/M/Y", "D-M-Y", "D/M/Y h:m:s", "D-M-Y h:m:s"];

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
    let zone = TimeZone::system();
    let seconds = |(part, format): &(Computed, TimeFormat)| -> Vec<i64> {
        part.values.iter().map(|(_, text)| seconds(text, *format, &zone)).collect()
    };
    let (later, earlier) = (seconds(&first), seconds(&second));
    if later.len().saturating_mul(earlier.len()) > MAX_VALUES {
        return Computed::beyond("a time difference of too many values");
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
fn seconds(text: &str, format: TimeFormat, zone: &TimeZone) -> i64 {
    let date = |layouts| {
        read(text, layouts).map(|[year, month, day, hour, minute, second]| {
            [year - 1900, month - 1, day, hour, minute, second]
        })
    };
    let fields = match format {
        TimeFormat::SecondsSinceEpoch => return standard(leading_int(text), zone),
        TimeFormat::YearMonthDay => date(YEAR_MONTH_DAY),
        TimeFormat::MonthDayYear => date(MONTH_DAY_YEAR),
        TimeFormat::DayMonthYear => date(DAY_MONTH_YEAR),
        TimeFormat::CimDatetime => read_cim(text),
        TimeFormat::WinFiletime => None,
    };
    fields.map_or(0, |fields| moment(fields, zone))
}

/// What a clock in the zone shows as seconds since 1970, with an hour less where daylight saving applies. Fields that are too large or
/// too small carry over, as with `mktime(3)`.
fn moment([year, month, day, hour, minute, second]: Fields, zone: &TimeZone) -> i64 {
    let shown = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let here = || {
        let shown = Offset::UTC.to_datetime(Timestamp::from_second(shown).ok()?);
        Some(zone.to_timestamp(shown).ok()?.as_second())
    };
    standard(here().unwrap_or(shown), zone)
}

/// A time with an hour less where daylight saving applies to it.
fn standard(second: i64, zone: &TimeZone) -> i64 {
    let saving = Timestamp::from_second(second).is_ok_and(|at| zone.to_offset_info(at).dst().is_dst());
    if saving { second - 3600 } else { second }
}

/// Days from 1970 to a date of the Gregorian calendar; months beyond a year's end are of other years.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March, so that the leap day is their last.
    let (year, month) = (year + (month - 3).div_euclid(12), (month - 3).rem_euclid(12));
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimeFormat::{CimDatetime, DayMonthYear, MonthDayYear, SecondsSinceEpoch, YearMonthDay};

    /// What oscap 1.3.7 takes texts for, with `TZ=UTC`.
    const IN_UTC: [(TimeFormat, &str, i64); 34] = [
        (SecondsSinceEpoch, "1700000000", 1_700_000_000),
        (SecondsSinceEpoch, " 12x", 12),
        (YearMonthDay, "20240229", -58_251_744_000),
        (YearMonthDay, "2024/2/9", -58_253_472_000),
        (YearMonthDay, "2026-01-01", -58_193_683_200),
        (YearMonthDay, "2026-03-31", -58_185_734_400),
        (YearMonthDay, "2024-03-01 00:00:01", -58_251_484_799),
        (YearMonthDay, "2024-03-01\t00:00:01", -58_251_484_799),
        (YearMonthDay, "20240301T101112", -58_251_448_128),
        (YearMonthDay, "2024/03/01 1:2:3", -58_251_481_077),
        (YearMonthDay, "2024-03-0100:00:01", -58_251_484_799),
        (YearMonthDay, "20241301", 0),
        (YearMonthDay, " 2024-03-01", -58_251_484_800),
        (YearMonthDay, "2024- 3-\t1", -58_251_484_800),
        (YearMonthDay, "2024-03-01 ", 0),
        (YearMonthDay, "2024-003-01", 0),
        (YearMonthDay, "2024-03-01 24:00:00", 0),
        (YearMonthDay, "+2024-03-01", 0),
        (YearMonthDay, "x", 0),
        (YearMonthDay, "99-03-01", -118_998_547_200),
        (MonthDayYear, "12/31/1999", -59_014_137_600),
        (MonthDayYear, "12-31-1999 23:59:60", -59_014_051_200),
        (MonthDayYear, "jan, 5 2026", -58_193_337_600),
        (MonthDayYear, "SEPTEMBER, 5 2026", -58_172_342_400),
        (MonthDayYear, "December,5 2026 10:11:12", -58_164_356_928),
        (MonthDayYear, "Sept, 5 2026", 0),
        (MonthDayYear, "Jan,52026", -58_193_337_600),
        (DayMonthYear, "31-12-1999", -59_014_137_600),
        (DayMonthYear, "31/1/1999 01:00:00", -59_043_078_000),
        (DayMonthYear, "32/1/1999", 0),
        (CimDatetime, "2026-07-15 10:11:12:123", 1_784_110_272),
        (CimDatetime, "00-15-2026 10:11:12:123", 1_765_793_472),
        (CimDatetime, "20269999999999.000000+000", 2_033_613_639),
        (CimDatetime, "20260115101112", 0),
    ];

    /// The same with `TZ=CET-1CEST,M3.5.0,M10.5.0/3`.
    const WITH_SUMMER: [(TimeFormat, &str, i64); 5] = [
        (SecondsSinceEpoch, "1700000000", 1_700_000_000),
        (SecondsSinceEpoch, "1720000000", 1_719_996_400),
        (YearMonthDay, "2026-01-01", -58_193_686_800),
        (CimDatetime, "20260115101112.000000+060", 1_768_468_272),
        (CimDatetime, "20260715101112.000000-060", 1_784_099_472),
    ];

    #[test]
    fn times_are_read_as_oscap_reads_them() {
        let summer = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (zone, rows) in [(TimeZone::UTC, IN_UTC.as_slice()), (summer, &WITH_SUMMER)] {
            for (format, text, expected) in rows {
                assert_eq!(seconds(text, *format, &zone), *expected, "{format:?} {text:?} {zone:?}");
            }
        }
    }
}
