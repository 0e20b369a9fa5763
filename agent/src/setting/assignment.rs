//! Files of assignments, one a line: read, and one key set, everything else kept to the byte.
//!
//! Three dialects: `login.defs(5)` has a key, blanks and a value; `/etc/default/useradd` has `KEY=value`;
//! `pwquality.conf(5)` and `faillock.conf(5)` have a key alone, or a key and a value with blanks or an equals sign
//! between. In all of them `#` starts a comment and the last assignment of a key wins.

use std::ops::Range;

use anyhow::Result;

/// How keys and values are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `KEY value`, the comment a line of its own.
    Blanks,
    /// `KEY=value`, the comment a line of its own.
    Equals,
    /// `key`, `key value`, `key=value`, `key = value`; a comment may follow.
    Either,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The line, counted from 1.
    pub line: usize,
    /// The key.
    pub key: String,
    /// The value; empty for a key alone.
    pub value: String,
    /// The bytes of the line that are key, separator and value.
    span: Range<usize>,
}

/// Every assignment of a text, in order.
pub fn parse(text: &str, dialect: Dialect) -> Vec<Assignment> {
    text.lines().enumerate().filter_map(|(index, line)| parse_line(index + 1, line, dialect)).collect()
}

fn parse_line(number: usize, line: &str, dialect: Dialect) -> Option<Assignment> {
    let start = line.len() - line.trim_start().len();
    let whole = line.trim();
    if whole.is_empty() || whole.starts_with('#') {
        return None;
    }
    let body = match dialect {
        Dialect::Either => whole.split('#').next().unwrap_or_default().trim_end(),
        _ => whole,
    };
    let (key, value) = match dialect {
        Dialect::Equals => body.split_once('=')?,
        Dialect::Blanks => body.split_once([' ', '\t', '"'])?,
        Dialect::Either => {
            let end = body.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(body.len());
            let (key, rest) = body.split_at(end);
            let rest = rest.trim_start();
            (key, rest.strip_prefix('=').unwrap_or(rest))
        }
    };
    let value = value.trim().trim_matches('"');
    Some(Assignment {
        line: number,
        key: key.trim().to_owned(),
        value: value.to_owned(),
        span: start..start + body.len(),
    })
}

/// An assignment as it is written. No value writes the key alone.
fn written(key: &str, value: &str, dialect: Dialect) -> String {
    match dialect {
        _ if value.is_empty() => key.to_owned(),
        Dialect::Blanks => format!("{key}\t{value}"),
        Dialect::Equals => format!("{key}={value}"),
        Dialect::Either => format!("{key} = {value}"),
    }
}

/// The text with `key` set: every assignment of it that is not good becomes `value`; where there is none, one is added at
/// the end. Where all are good the text stays as it is.
///
/// # Errors
/// As `good` does.
pub fn set(
    text: &str,
    dialect: Dialect,
    key: &str,
    value: &str,
    good: impl Fn(&str) -> Result<bool>,
) -> Result<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut found = false;
    for assignment in parse(text, dialect).into_iter().filter(|assignment| assignment.key == key) {
        found = true;
        if !good(&assignment.value)?
            && let Some(line) = lines.get_mut(assignment.line - 1)
        {
            line.replace_range(assignment.span, &written(key, value, dialect));
        }
    }
    let mut text = lines.join("\n");
    if !found {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&written(key, value, dialect));
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_dialect_is_read() {
        let pairs = |text: &str, dialect| -> Vec<(usize, String, String)> {
            parse(text, dialect).into_iter().map(|a| (a.line, a.key, a.value)).collect()
        };
        let one = |line: usize, key: &str, value: &str| vec![(line, key.to_owned(), value.to_owned())];
        let login = "# UMASK 1\n\n UMASK\t\t 022\nALONE\n";
        assert_eq!(pairs(login, Dialect::Blanks), one(3, "UMASK", "022"));
        assert_eq!(pairs("#INACTIVE=-1\nINACTIVE = 30\n", Dialect::Equals), one(2, "INACTIVE", "30"));
        for text in ["minlen=8", "minlen = 8 # long", "  minlen 8", "minlen\t=8"] {
            assert_eq!(pairs(text, Dialect::Either), one(1, "minlen", "8"), "{text}");
        }
        assert_eq!(pairs("enforce_for_root # yes", Dialect::Either), one(1, "enforce_for_root", ""));
    }

    #[test]
    fn only_what_is_not_good_changes() {
        let good = |value: &str| Ok(value == "14");
        let set = |text: &str| set(text, Dialect::Either, "minlen", "14", good).unwrap();
        assert_eq!(
            set("# x\nminlen=8 # short\nminlen = 14\nother=1"),
            "# x\nminlen = 14 # short\nminlen = 14\nother=1"
        );
        assert_eq!(set("# minlen = 8"), "# minlen = 8\nminlen = 14\n");
        assert_eq!(set(""), "minlen = 14\n");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read_and_set(text in "(?s).{0,80}") {
            for dialect in [Dialect::Blanks, Dialect::Equals, Dialect::Either] {
                let after = set(&text, dialect, "k", "v", |value| Ok(value == "v")).unwrap();
                let values = parse(&after, dialect);
                prop_assert!(values.iter().any(|a| a.key == "k" && a.value == "v"), "{after:?}");
            }
        }
    }
}
