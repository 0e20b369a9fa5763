//! A template of `authselect-profiles(5)`: lines with operators in braces, which say what enabled features make of them.
//!
//! | operator | what it does |
//! |---|---|
//! | `{include if "f"}`, `{exclude if "f"}` | keeps or drops its line |
//! | `{if "f":yes\|no}` | stands for a text |
//! | `{imply "a" if "b"}` | enables a feature, and drops its line |
//! | `{continue if "f"}`, `{stop if "f"}` | goes on with the text, or ends it |
//!
//! Expressions have `not`, `and`, `or` and parentheses.

use std::collections::BTreeSet;
use std::iter::Peekable;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// An operator, as written, braces included.
    Operator(String, Operator),
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// The line is there when the expression holds.
    Include(String),
    /// The line is there when it does not.
    Exclude(String),
    /// One of two texts.
    If {
        /// The expression.
        when: String,
        /// The text when it holds.
        yes: String,
        /// The text when it does not.
        no: String,
    },
    /// A feature is enabled with another.
    Imply(String, String),
    /// The text ends here unless the expression holds.
    Continue(String),
    /// The text ends here when the expression holds.
    Stop(String),
}

/// The parts of a line. Braces that are no operator are text.
pub fn parts(line: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let Some(end) = from.find('}') else {
            rest = from;
            break;
        };
        let (whole, after) = from.split_at(end + 1);
        match operator(whole.trim_start_matches('{').trim_end_matches('}')) {
            Some(operator) => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Operator(whole.to_owned(), operator));
            }
            None => text.push_str(whole),
        }
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

fn operator(inner: &str) -> Option<Operator> {
    let after = |word: &str| inner.strip_prefix(word).map(|rest| rest.trim().to_owned());
    if let Some(when) = after("include if ") {
        return Some(Operator::Include(when));
    }
    if let Some(when) = after("exclude if ") {
        return Some(Operator::Exclude(when));
    }
    if let Some(when) = after("continue if ") {
        return Some(Operator::Continue(when));
    }
    if let Some(when) = after("stop if ") {
        return Some(Operator::Stop(when));
    }
    if let Some(rest) = after("imply ") {
        let (feature, when) = rest.split_once(" if ")?;
        return Some(Operator::Imply(feature.trim().trim_matches('"').to_owned(), when.trim().to_owned()));
    }
    let rest = after("if ")?;
    let (when, values) = rest.split_once(':')?;
    let (yes, no) = values.split_once('|').unwrap_or((values, ""));
    Some(Operator::If { when: when.trim().to_owned(), yes: yes.to_owned(), no: no.to_owned() })
}

/// What a template is with these features.
pub fn generate(template: &str, features: &[String]) -> String {
    let mut enabled: BTreeSet<String> = features.iter().cloned().collect();
    let mut lines = Vec::new();
    for line in template.split('\n') {
        let (text, end) = rendered(line, &mut enabled);
        if let Some(text) = text {
            lines.push(text.trim_end().to_owned());
        }
        if end {
            break;
        }
    }
    lines.join("\n")
}

/// What features make of one line (`None`: nothing), and whether the text ends with it.
fn rendered(line: &str, enabled: &mut BTreeSet<String>) -> (Option<String>, bool) {
    let mut text = String::new();
    for part in parts(line) {
        let operator = match part {
            Part::Text(part) => {
                text.push_str(&part);
                continue;
            }
            Part::Operator(_, operator) => operator,
        };
        match operator {
            Operator::Include(when) if !holds(&when, enabled) => return (None, false),
            Operator::Exclude(when) if holds(&when, enabled) => return (None, false),
            Operator::Include(_) | Operator::Exclude(_) => {}
            Operator::If { when, yes, no } => text.push_str(if holds(&when, enabled) { &yes } else { &no }),
            Operator::Imply(feature, when) => {
                if holds(&when, enabled) {
                    enabled.insert(feature);
                }
                return (None, false);
            }
            Operator::Continue(when) if holds(&when, enabled) => return (None, false),
            Operator::Stop(when) if !holds(&when, enabled) => return (None, false),
            Operator::Continue(_) | Operator::Stop(_) => return (Some(text), true),
        }
    }
    (Some(text), false)
}

/// What one line is with these features; `None` when it is not there.
pub fn line(template: &str, features: &[String]) -> Option<String> {
    rendered(template, &mut features.iter().cloned().collect()).0.filter(|text| !text.trim().is_empty())
}

/// Whether an expression holds. One that makes no sense does not.
pub fn holds(expression: &str, enabled: &BTreeSet<String>) -> bool {
    let mut words = words(expression).into_iter().peekable();
    either(&mut words, enabled)
}

/// The one feature an expression is about, and whether it asks for it or against it; `None` for anything longer.
pub fn feature(expression: &str) -> Option<(String, bool)> {
    match words(expression).as_slice() {
        [name] => Some((name.strip_prefix('"')?.to_owned(), true)),
        [not, name] if not == "not" => Some((name.strip_prefix('"')?.to_owned(), false)),
        _ => None,
    }
}

/// The words of an expression; a feature's name comes with one quote before it.
fn words(expression: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in expression.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(format!("\"{piece}"));
            continue;
        }
        let spaced = piece.replace('(', " ( ").replace(')', " ) ");
        words.extend(spaced.split_whitespace().map(str::to_owned));
    }
    words
}

type Words = Peekable<std::vec::IntoIter<String>>;

fn either(words: &mut Words, enabled: &BTreeSet<String>) -> bool {
    let mut value = both(words, enabled);
    while words.next_if(|word| word == "or").is_some() {
        value |= both(words, enabled);
    }
    value
}

fn both(words: &mut Words, enabled: &BTreeSet<String>) -> bool {
    let mut value = single(words, enabled);
    while words.next_if(|word| word == "and").is_some() {
        value &= single(words, enabled);
    }
    value
}

fn single(words: &mut Words, enabled: &BTreeSet<String>) -> bool {
    let mut wanted = true;
    while words.next_if(|word| word == "not").is_some() {
        wanted = !wanted;
    }
    let value = match words.next() {
        Some(word) if word == "(" => {
            let value = either(words, enabled);
            words.next_if(|word| word == ")");
            value
        }
        Some(word) => word.strip_prefix('"').is_some_and(|name| enabled.contains(name)),
        None => false,
    };
    value == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEMPLATE: &str = "{imply \"a\" if \"z\"}\nauth x.so preauth   {include if \"a\"}\n\
        auth y.so {if not \"b\":nullok} c {exclude if \"c\" and \"a\"}\nauth {plain} z.so {if \"a\":one|two}\n";

    #[test]
    fn features_make_lines_come_and_go() {
        for (features, expected) in [
            (vec![], "auth y.so nullok c\nauth {plain} z.so two\n"),
            (vec!["a"], "auth x.so preauth\nauth y.so nullok c\nauth {plain} z.so one\n"),
            (vec!["z", "b"], "auth x.so preauth\nauth y.so  c\nauth {plain} z.so one\n"),
            (vec!["a", "c"], "auth x.so preauth\nauth {plain} z.so one\n"),
        ] {
            let features: Vec<String> = features.into_iter().map(str::to_owned).collect();
            assert_eq!(generate(TEMPLATE, &features), expected, "{features:?}");
        }
        assert_eq!(generate("a\nb {stop if \"x\"}\nc", &["x".to_owned()]), "a\nb");
        assert_eq!(generate("a\n{stop if \"x\"}\nc", &[]), "a\nc");
    }

    #[test]
    fn expressions() {
        let enabled: BTreeSet<String> = ["a".to_owned(), "b".to_owned()].into();
        for (expression, expected) in [
            ("\"a\"", true),
            ("not \"a\"", false),
            ("\"c\" or \"a\" and \"b\"", true),
            ("(\"c\" or \"a\") and not \"b\"", false),
            ("not (\"c\" and \"a\")", true),
            ("", false),
            ("\"a", true),
        ] {
            assert_eq!(holds(expression, &enabled), expected, "{expression}");
        }
        assert_eq!(feature("not \"without-nullok\""), Some(("without-nullok".to_owned(), false)));
        assert_eq!(feature("\"a\" and \"b\""), None);
    }

    proptest! {
        #[test]
        fn any_text_can_be_generated(text in "(?s)[{}a-z\" |:()\n]{0,80}") {
            drop(generate(&text, &["a".to_owned()]));
        }
    }
}
