//! Versions of packages: rpm's and Debian's ways to order them.

use std::cmp::Ordering;

/// A version taken apart as oscap does for both: epoch before the first `:` if only digits precede it, release behind the last `-`.
struct Evr<'a> {
    epoch: Option<&'a str>,
    version: &'a str,
    release: Option<&'a str>,
}

impl<'a> Evr<'a> {
    fn parse(text: &'a str) -> Self {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (epoch, rest) = match text.get(digits..).and_then(|rest| rest.strip_prefix(':')) {
            Some(rest) => (Some(text.get(..digits).filter(|epoch| !epoch.is_empty()).unwrap_or("0")), rest),
            None => (None, text),
        };
        // The last `-` is looked for behind the digits the text starts with.
        match rest.rsplit_once('-') {
            Some((version, release)) => Evr { epoch, version, release: Some(release) },
            None => Evr { epoch, version: rest, release: None },
        }
    }
}

/// The order of two rpm versions; one with an epoch or release is newer than one without.
pub(super) fn rpm(a: &str, b: &str) -> Ordering {
    let (a, b) = (Evr::parse(a), Evr::parse(b));
    let part = |a: Option<&str>, b: Option<&str>| match (a, b) {
        (Some(a), Some(b)) => rpm_part(a.as_bytes(), b.as_bytes()),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    part(a.epoch, b.epoch)
        .then_with(|| rpm_part(a.version.as_bytes(), b.version.as_bytes()))
        .then_with(|| part(a.release, b.release))
}

/// The order of two parts, as `rpmvercmp` of rpm 4.18 has it: runs of digits or letters, `~` before everything, `^` after the end.
fn rpm_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        (a, b) = (without_separators(a), without_separators(b));
        let (skip_a, skip_b) = match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => (1, 1),
            (Some(b'~'), _) | (None, Some(b'^')) => return Ordering::Less,
            (_, Some(b'~')) | (Some(b'^'), None) => return Ordering::Greater,
            (None, _) | (_, None) => return a.is_empty().cmp(&b.is_empty()).reverse(),
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (Some(first), Some(_)) => {
                let digits = first.is_ascii_digit();
                let (left, right) = (run(a, digits), run(b, digits));
                if right.is_empty() {
                    return if digits { Ordering::Greater } else { Ordering::Less };
                }
                let order = segment(left, right, digits);
                if order.is_ne() {
                    return order;
                }
                (left.len(), right.len())
            }
        };
        a = a.get(skip_a..).unwrap_or_default();
        b = b.get(skip_b..).unwrap_or_default();
    }
}

fn without_separators(text: &[u8]) -> &[u8] {
    let separator = |byte: &&u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    text.get(text.iter().take_while(separator).count()..).unwrap_or_default()
}

/// The run of digits, or of letters, that a text starts with.
fn run(text: &[u8], digits: bool) -> &[u8] {
    let same = |byte: &&u8| if digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
    text.get(..text.iter().take_while(same).count()).unwrap_or_default()
}

fn segment(a: &[u8], b: &[u8], digits: bool) -> Ordering {
    if !digits {
        return a.cmp(b);
    }
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn without_zeros(text: &[u8]) -> &[u8] {
    text.get(text.iter().take_while(|byte| **byte == b'0').count()..).unwrap_or_default()
}

/// The order of two Debian versions; `None` when an epoch is no number that fits.
pub(super) fn debian(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Evr::parse(a), Evr::parse(b));
    let epoch = |evr: &Evr<'_>| evr.epoch.unwrap_or("0").parse::<i32>().ok();
    let (left, right) = (epoch(&a)?, epoch(&b)?);
    let part = |a: &str, b: &str| debian_part(a.as_bytes(), b.as_bytes());
    Some(
        left.cmp(&right)
            .then_with(|| part(a.version, b.version))
            .then_with(|| part(a.release.unwrap_or_default(), b.release.unwrap_or_default())),
    )
}

/// The order of two parts, as Debian policy 5.6.12 has it: turns of non-digits and digits, `~` before the end, letters first.
fn debian_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    while !(a.is_empty() && b.is_empty()) {
        while a.first().is_some_and(|byte| !byte.is_ascii_digit())
            || b.first().is_some_and(|byte| !byte.is_ascii_digit())
        {
            let order = weight(a.first()).cmp(&weight(b.first()));
            if order.is_ne() {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (left, right) = (a.split_at(digits(a)), b.split_at(digits(b)));
        let order = segment(left.0, right.0, true);
        if order.is_ne() {
            return order;
        }
        (a, b) = (left.1, right.1);
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    /// Expected values from `rpm --eval '%{lua: print(rpm.vercmp(a, b))}'` of rpm 4.18.
    #[test]
    fn rpm_versions_are_ordered() {
        for (a, b, expected) in [
            ("0:1.0-1", "0:1.0-1", Equal),
            ("0:1.10-1", "0:1.9-1", Greater),
            ("1.0-1", "0:1.0-1", Less),
            ("0:1.0", "0:1.0-1", Less),
            ("0:1.0~rc1-1", "0:1.0-1", Less),
            ("0:1.0^git1-1", "0:1.0-1", Greater),
            ("0:1.0^git1-1", "0:1.0.1-1", Less),
            ("0:1.0a-1", "0:1.0-1", Greater),
            ("0:1.a-1", "0:1.0-1", Less),
            ("0:001-1", "0:1-1", Equal),
            ("0:1_0-1", "0:1.0-1", Equal),
            ("2:1-1", "10:1-1", Less),
        ] {
            assert_eq!(rpm(a, b), expected, "{a} {b}");
        }
    }

    /// Expected values from `dpkg --compare-versions`.
    #[test]
    fn debian_versions_are_ordered() {
        for (a, b, expected) in [
            ("1.0-1", "0:1.0-1", Equal),
            ("1.10-1", "1.9-1", Greater),
            ("1:1-1", "2-1", Greater),
            ("1.0~rc1-1", "1.0-1", Less),
            ("1.0+b1-1", "1.0-1", Greater),
            ("1.0a-1", "1.0+-1", Less),
            ("1.0-1", "1.0-1+b1", Less),
            ("1.0", "1.0-0", Equal),
        ] {
            assert_eq!(debian(a, b), Some(expected), "{a} {b}");
        }
        assert_eq!(debian("99999999999:1", "1"), None);
    }
}
