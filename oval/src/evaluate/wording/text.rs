//! Values and patterns as people read them.

use crate::secret::masked;

/// The most characters told of one value.
const MAX_TEXT: usize = 200;

/// The most values told of one variable or field.
const MAX_VALUES: usize = 8;

/// The name of a field as people write it.
pub(super) fn spelt(name: &str) -> String {
    match name {
        "user_id" => "user".to_owned(),
        "group_id" => "group".to_owned(),
        "evr" => "version".to_owned(),
        other => other.replace('_', " "),
    }
}

pub(super) fn listed(values: &[String]) -> String {
    let shown: Vec<&str> = values.iter().take(MAX_VALUES).map(String::as_str).collect();
    let more = values.len().saturating_sub(MAX_VALUES);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// A value as it is when it is one plain word, else between quotes.
pub(super) fn shown(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:=@+%,~#".contains(c);
    if !text.is_empty() && text.chars().all(plain) { shortened(text) } else { quoted(text) }
}

/// Between quotes, on one line; backslashes stay single, as in the pattern or file they are from.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in shortened(text).chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// No more of a text than people read, and no hash of a password.
pub(super) fn shortened(text: &str) -> String {
    let text = masked(text);
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

/// The text that a pattern stands for, when it stands for one but for blanks and a comment at the end.
pub(super) fn readable(pattern: &str) -> Option<String> {
    let mut text = pattern.to_owned();
    for (idiom, plain) in [
        ("(?i)", ""),
        ("(?:#.*)?$", ""),
        ("(?:$|#)", ""),
        ("[\\s]*", ""),
        ("\\s*", ""),
        ("[ \\t]*", ""),
        ("[[:space:]]*", ""),
        ("[\\s]+", " "),
        ("\\s+", " "),
        ("[ \\t]+", " "),
        ("[[:space:]]+", " "),
        ("[\\s]", " "),
        ("\\s", " "),
    ] {
        text = text.replace(idiom, plain);
    }
    let text = text.strip_prefix('^').unwrap_or(&text);
    let text = text.strip_suffix('$').unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.push(characters.next().filter(|c| !c.is_alphanumeric())?),
            '^' | '$' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '|' => return None,
            // A full stop that nobody quoted means one most often.
            c => plain.push(c),
        }
    }
    let plain = plain.trim().to_owned();
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_stand_for_a_text_are_told_as_one() {
        for (pattern, expected) in [
            ("^\\s*PermitRootLogin\\s+no\\s*$", Some("PermitRootLogin no")),
            ("^[\\s]*net\\.ipv4\\.ip_forward[\\s]*=[\\s]*0[\\s]*$", Some("net.ipv4.ip_forward=0")),
            ("^/etc/issue\\.net$", Some("/etc/issue.net")),
            ("^Storage=(.+?)$", None),
            ("a\\b", None),
            ("^$", None),
        ] {
            assert_eq!(readable(pattern).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn values_are_quoted_only_when_they_need_it() {
        for (text, expected) in
            [("0640", "0640"), ("", "\"\""), ("a b", "\"a b\""), ("^\\s+$\n", "\"^\\s+$\\n\"")]
        {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"x".repeat(300)).chars().count(), MAX_TEXT + 1);
    }
}
