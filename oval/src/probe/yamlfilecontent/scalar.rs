//! What a scalar of a YAML file is: by its tag, or by how it is written when it has none (`yaml_scalar_event_to_sexp` of OpenSCAP 1.3.7, after
//! the core schema of YAML 1.2, section 10.3.2).

use crate::item::Part;
use crate::model::Datatype;

const TAGS: &str = "tag:yaml.org,2002:";

/// A field of a record with the value that a scalar has. `None`: its tag asks for what it is not.
pub(super) fn part(name: &str, text: &str, tag: Option<&str>, plain: bool) -> Option<Part> {
    let core = tag.map(|tag| tag.strip_prefix(TAGS).unwrap_or_default());
    // Without a tag a plain scalar is what it looks like, any other one a text.
    let open = core.is_none() && plain;
    let typed = |datatype, text: String| Some(Part { name: name.to_owned(), datatype, text });
    let asked = |kind| core == Some(kind);
    // Patterns of PCRE: an end is before a last line feed too.
    let word = text.strip_suffix('\n').unwrap_or(text);
    if open || asked("bool") {
        match word {
            "true" | "True" | "TRUE" => return typed(Datatype::Boolean, "true".to_owned()),
            "false" | "False" | "FALSE" => return typed(Datatype::Boolean, "false".to_owned()),
            _ if open => {}
            _ => return None,
        }
    }
    if open || asked("int") {
        match whole(word) {
            Some(number) => return typed(Datatype::Int, number.to_string()),
            None if open => {}
            None => return None,
        }
    }
    if open || asked("float") {
        match real(word) {
            Some(number) => return typed(Datatype::Float, number),
            None if open => {}
            None => return None,
        }
    }
    if open || asked("null") {
        match word {
            "null" | "Null" | "NULL" | "~" | "" => return typed(Datatype::String, "(null)".to_owned()),
            _ if open => {}
            _ => return None,
        }
    }
    typed(Datatype::String, text.to_owned())
}

/// A whole number, of which there are 32 bits there.
fn whole(word: &str) -> Option<i32> {
    let digits = |text: &str, base: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    // What is too large is the largest.
    let number = |text: &str, base: u32| i64::from_str_radix(text, base).unwrap_or(i64::MAX);
    let (negative, unsigned) = match word.strip_prefix(['+', '-']) {
        Some(rest) => (word.starts_with('-'), rest),
        None => (false, word),
    };
    let long = if digits(unsigned, 10) {
        let size = number(unsigned, 10);
        match negative {
            true if size == i64::MAX && unsigned.trim_start_matches('0') != "9223372036854775807" => i64::MIN,
            true => -size,
            false => size,
        }
    } else if let Some(octal) = word.strip_prefix("0o").filter(|text| digits(text, 8)) {
        number(octal, 8)
    } else {
        number(word.strip_prefix("0x").filter(|text| digits(text, 16))?, 16)
    };
    Some(long as i32)
}

/// A number with a point or exponent, written as `printf(3)` writes `%f`.
fn real(word: &str) -> Option<String> {
    let (negative, unsigned) = match word.strip_prefix(['+', '-']) {
        Some(rest) => (word.starts_with('-'), rest),
        None => (false, word),
    };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(if negative { "-inf" } else { "inf" }.to_owned()),
        ".nan" | ".NaN" | ".NAN" if unsigned == word => return Some("nan".to_owned()),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let all = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let some = !whole.is_empty() || (!fraction.is_empty() && mantissa.contains('.'));
    let right =
        some && all(whole) && all(fraction) && exponent.is_none_or(|text| !text.is_empty() && all(text));
    // What has 300 digits is cut off there at 63.
    right
        .then(|| word.parse::<f64>().ok())
        .flatten()
        .map(|number| format!("{number:.6}").chars().take(63).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What oscap 1.3.7 wrote for these into its results.
    #[test]
    fn scalars_are_what_they_look_like() {
        for (text, tag, plain, expected) in [
            ("true", None, true, Some("boolean true")),
            ("yes", None, true, Some("string yes")),
            ("true", None, false, Some("string true")),
            ("017", None, true, Some("int 17")),
            ("0o17", None, true, Some("int 15")),
            ("0x1F", None, true, Some("int 31")),
            ("-3", None, true, Some("int -3")),
            ("4294967297", None, true, Some("int 1")),
            ("99999999999999999999", None, true, Some("int -1")),
            ("-99999999999999999999", None, true, Some("int 0")),
            ("1.5", None, true, Some("float 1.500000")),
            (".5e1", None, true, Some("float 5.000000")),
            ("1.", None, true, Some("float 1.000000")),
            (".", None, true, Some("string .")),
            ("-.inf", None, true, Some("float -inf")),
            (".NaN", None, true, Some("float nan")),
            ("~", None, true, Some("string (null)")),
            ("", None, true, Some("string (null)")),
            ("", None, false, Some("string ")),
            ("12", Some("tag:yaml.org,2002:str"), true, Some("string 12")),
            ("12", Some("tag:yaml.org,2002:int"), false, Some("int 12")),
            ("x", Some("tag:yaml.org,2002:int"), true, None),
            ("12", Some("tag:yaml.org,2002:bool"), true, None),
            ("x", Some("tag:yaml.org,2002:null"), true, None),
            ("12", Some("!own"), true, Some("string 12")),
            ("12", Some("!"), true, Some("string 12")),
            ("1e400", None, true, Some("float inf")),
            (
                "123456789012345678901234567890e40",
                None,
                true,
                Some("float 123456789012345673767359382584055482116276935915050123786652785"),
            ),
            ("0x", None, true, Some("string 0x")),
            ("-0x1", None, true, Some("string -0x1")),
            ("0xFFFFFFFFFFFFFFFFFF", None, true, Some("int -1")),
            ("-9223372036854775808", None, true, Some("int 0")),
            ("1:30", None, true, Some("string 1:30")),
        ] {
            let found =
                part("#", text, tag, plain).map(|part| format!("{} {}", part.datatype.word(), part.text));
            assert_eq!(found.as_deref(), expected, "{text} {tag:?} {plain}");
        }
    }
}
