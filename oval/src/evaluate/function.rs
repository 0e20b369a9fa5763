//! Components of local variables: literals, fields of items, other variables, and functions of these.
//!
//! Source: `src/OVAL/oval_component.c` of OpenSCAP 1.3.7, its oddities included: a component's flag is not always handed on.

use super::Evaluator;
use super::glob::glob_to_regex;
use super::time;
use super::variable::{Computed, MAX_BYTES, MAX_VALUES, MAX_WORKING};
use crate::collection::Flag;
use crate::compare::{double, leading_double, leading_int};
use crate::item::{Field, Value};
use crate::model::{Arithmetic, Component, Datatype, Function};
use std::collections::BTreeSet;

/// The most messages that a component hands on.
const MAX_MESSAGES: usize = 20;

/// What means something in a regular expression.
const SPECIAL: &str = "^$\\.[](){}*+?|";

/// What stands for a byte that is no character: this and the byte.
const CUT: u32 = 0x0010_FF00;

impl Evaluator<'_> {
    pub(super) fn component(&self, component: &Component) -> Computed {
        match component {
            Component::Literal(datatype, text) => {
                Computed::new(Flag::Complete, vec![(*datatype, text.clone())])
            }
            Component::Variable(id) => {
                let variable = self.variable(id);
                let values = if variable.flag.has_values() { variable.values.clone() } else { Vec::new() };
                Computed::new(variable.flag, values).with_messages(variable.messages.clone())
            }
            Component::Object { id, field, record_field } => self.items(id, field, record_field.as_deref()),
            Component::Function(function, members) => {
                let parts = match self.deeper(|| self.parts(members)) {
                    Ok(Ok(parts)) => parts,
                    Ok(Err(why)) | Err(why) => return Computed::beyond(why),
                };
                if let Some(part) = parts.iter().find(|part| part.flag.is_unknowable()) {
                    return Computed::new(part.flag, Vec::new()).with_messages(part.messages.clone());
                }
                // A message that came by several ways is told once: else every level of a chain would double them.
                let mut messages: Vec<String> = Vec::new();
                for message in parts.iter().flat_map(|part| &part.messages) {
                    if messages.len() < MAX_MESSAGES && !messages.contains(message) {
                        messages.push(message.clone());
                    }
                }
                let mut computed = self.function(function, parts).bounded();
                computed.messages.extend(messages);
                computed.messages.truncate(MAX_MESSAGES);
                computed
            }
        }
    }

    /// What the components of a function come to; an error when all that functions are working on is too much.
    fn parts(&self, members: &[Component]) -> Result<Vec<Computed>, String> {
        let before = self.working.get();
        let mut parts = Vec::with_capacity(members.len());
        for member in members {
            let part = self.component(member);
            self.working.set(self.working.get() + part.bytes());
            parts.push(part);
            if self.working.get() > MAX_WORKING {
                self.working.set(before);
                return Err(format!("functions of more than {} MiB of values", MAX_WORKING >> 20));
            }
        }
        self.working.set(before);
        Ok(parts)
    }

    /// A field of every item of an object; an item without it is an error.
    fn items(&self, id: &str, name: &str, record_field: Option<&str>) -> Computed {
        let collection = self.object(id);
        let mut values = Vec::new();
        for item in &collection.items {
            let before = values.len();
            for field in item.fields(name) {
                match values_of(field, record_field) {
                    Some(own) => values.extend(own),
                    None => {
                        return Computed::failed(format!(
                            "a {name} of {id} has no such field, or is no record"
                        ));
                    }
                }
            }
            if values.len() == before {
                return Computed::failed(format!("an item of {id} has no {name}"));
            }
        }
        Computed::new(collection.flag, values).with_messages(collection.messages.clone()).bounded()
    }

    fn function(&self, function: &Function, parts: Vec<Computed>) -> Computed {
        match function {
            Function::Concat => concat(parts),
            Function::Count => count(parts),
            Function::Unique => unique(parts),
            Function::Arithmetic(operation) => arithmetic(*operation, &parts),
            Function::TimeDifference(one, two) => time::difference(*one, *two, parts),
            _ => match parts.into_iter().next() {
                Some(first) => self.of_one(function, first),
                None => Computed::failed("a function without a component"),
            },
        }
    }

    /// A function that looks at its first component only, value by value.
    fn of_one(&self, function: &Function, of: Computed) -> Computed {
        let mut out = Computed::new(of.flag, Vec::new()).with_messages(of.messages);
        let mut bytes = 0;
        for (_, text) in of.values {
            match self.of_text(function, &text) {
                Ok(values) => {
                    bytes += values.iter().map(String::len).sum::<usize>();
                    out.values.extend(values.into_iter().map(|value| (Datatype::String, value)));
                    if bytes > MAX_BYTES || out.values.len() > MAX_VALUES {
                        // Whoever bounds it says what is wrong.
                        break;
                    }
                }
                Err(why) => {
                    out.flag = Flag::Error;
                    out.messages.push(why);
                    if !matches!(function, Function::Substring(..)) {
                        break;
                    }
                }
            }
            if let (Function::RegexCapture(_), true) = (function, out.flag != Flag::Error) {
                out.flag = Flag::Complete;
            }
        }
        out
    }

    fn of_text(&self, function: &Function, text: &str) -> Result<Vec<String>, String> {
        let one = |text: String| Ok(vec![text]);
        match function {
            Function::Begin(prefix) if text.starts_with(prefix) => one(text.to_owned()),
            Function::Begin(prefix) => one(format!("{prefix}{text}")),
            Function::End(suffix) if text.ends_with(suffix) => one(text.to_owned()),
            Function::End(suffix) => one(format!("{text}{suffix}")),
            Function::EscapeRegex => one(text.chars().flat_map(escaped).collect()),
            Function::GlobToRegex(no_escape) => glob_to_regex(text, *no_escape)
                .map(|regex| vec![regex])
                .ok_or_else(|| format!("{text:?} is no shell pattern")),
            Function::RegexCapture(pattern) => one(self.patterns.capture(pattern, text)?),
            Function::Split(delimiter) if delimiter.is_empty() => {
                Ok(text.bytes().map(|byte| cut(&[byte])).take(MAX_VALUES + 1).collect())
            }
            Function::Split(delimiter) => {
                Ok(text.split(delimiter.as_str()).map(str::to_owned).take(MAX_VALUES + 1).collect())
            }
            Function::Substring(start, length) => one(substring(text, *start, *length)?),
            _ => Err("not a function of one text".to_owned()),
        }
    }
}

/// The values of an item's field, or of a field of the record it is; `None` when it is no record, or one without that field.
fn values_of(field: &Field, record_field: Option<&str>) -> Option<Vec<(Datatype, String)>> {
    match (&field.value, record_field) {
        (Value::Record(parts), Some(name)) => {
            let named = parts.iter().filter(|part| part.name == name);
            let values: Vec<_> = named.map(|part| (part.datatype, part.text.clone())).collect();
            (!values.is_empty()).then_some(values)
        }
        (Value::Record(_), None) | (_, Some(_)) => None,
        (value, None) => Some(vec![(field.datatype, value.text().into_owned())]),
    }
}

fn joined(parts: &[Computed]) -> Flag {
    parts.iter().map(|part| part.flag).reduce(Flag::join).unwrap_or(Flag::Error)
}

/// Joins every combination of values, the first component's first; components without values are passed over.
fn concat(parts: Vec<Computed>) -> Computed {
    let flag = joined(&parts);
    if !flag.has_values() {
        return Computed::new(flag, Vec::new());
    }
    let mut texts = vec![String::new()];
    let mut some = false;
    for part in parts.iter().filter(|part| !part.values.is_empty()) {
        some = true;
        let longest = |values: &mut dyn Iterator<Item = usize>| values.max().unwrap_or(0);
        let length =
            longest(&mut texts.iter().map(String::len)) + longest(&mut part.values.iter().map(|v| v.1.len()));
        let count = texts.len().saturating_mul(part.values.len());
        if count > MAX_VALUES || count.saturating_mul(length) > 4 * MAX_BYTES {
            return Computed::beyond(format!("a concat of {count} combinations"));
        }
        texts = part
            .values
            .iter()
            .flat_map(|(_, tail)| texts.iter().map(move |head| format!("{head}{tail}")))
            .collect();
    }
    let values = texts.into_iter().filter(|_| some).map(|text| (Datatype::String, text)).collect();
    Computed::new(flag, values)
}

/// How many values there are. A flag that says there are none stays, beside the value 0.
fn count(parts: Vec<Computed>) -> Computed {
    let flag = joined(&parts);
    let count: usize = if flag.has_values() { parts.iter().map(|part| part.values.len()).sum() } else { 0 };
    Computed::new(flag, vec![(Datatype::Int, count.to_string())])
}

/// Every value once, by its text.
fn unique(parts: Vec<Computed>) -> Computed {
    let flag = joined(&parts);
    let texts: BTreeSet<String> = if flag.has_values() {
        parts.into_iter().flat_map(|part| part.values.into_iter().map(|(_, text)| text)).collect()
    } else {
        BTreeSet::new()
    };
    Computed::new(flag, texts.into_iter().map(|text| (Datatype::String, text)).collect())
}

/// Adds or multiplies every combination of values. Flags of components are not handed on: whatever the last component was, when it has a
/// value the result is complete.
fn arithmetic(operation: Arithmetic, parts: &[Computed]) -> Computed {
    let Some((last, before)) = parts.split_last() else {
        return Computed::failed("arithmetic without a component");
    };
    let mut sums: Vec<(Datatype, f64)> = Vec::new();
    for value in &last.values {
        match number(value) {
            Some(sum) => sums.push((value.0, sum)),
            None => return Computed::failed(format!("arithmetic with {:?}", value.1)),
        }
    }
    if sums.is_empty() {
        return Computed::new(last.flag, Vec::new());
    }
    for part in before.iter().rev() {
        if sums.len().saturating_mul(part.values.len()) > MAX_VALUES {
            return Computed::beyond("arithmetic with too many values");
        }
        let mut next = Vec::new();
        for (datatype, sum) in &sums {
            for value in &part.values {
                let Some(number) = number(value) else {
                    return Computed::failed(format!("arithmetic with {:?}", value.1));
                };
                let result = if operation == Arithmetic::Add { number + sum } else { number * sum };
                next.push((if *datatype == Datatype::Float { Datatype::Float } else { value.0 }, result));
            }
        }
        sums = next;
    }
    let text = |(datatype, sum): (Datatype, f64)| match datatype {
        Datatype::Int => (datatype, (sum as i64).to_string()),
        Datatype::Float => (datatype, format!("{sum:.6}")),
        // oscap prints nothing then.
        _ => (datatype, String::new()),
    };
    Computed::new(Flag::Complete, sums.into_iter().map(text).collect())
}

/// A value as a number; `None` for what is none.
fn number((datatype, text): &(Datatype, String)) -> Option<f64> {
    match datatype {
        Datatype::String => Some(double(text).unwrap_or_else(|| leading_double(text))),
        Datatype::Int => Some(leading_int(text) as f64),
        Datatype::Float => Some(leading_double(text)),
        _ => None,
    }
}

/// A part of a text, in bytes: from `start`, 1 and less being the first, `length` bytes or the rest.
fn substring(text: &str, start: i64, length: i64) -> Result<String, String> {
    let from = usize::try_from(start.max(1) - 1).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(from..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or_else(|| format!("{text:?} has no character {start}"))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
    Ok(cut(rest.get(..length).unwrap_or_default()))
}

/// A text of bytes that may have been cut out of characters: such a byte becomes a character that is in no text, of private use, so that it
/// equals nothing but itself.
fn cut(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(CUT + u32::from(*byte))));
    }
    text
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    SPECIAL.contains(c).then_some('\\').into_iter().chain([c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_are_cut_as_oscap_cuts_them() {
        for (text, start, length, expected) in [
            ("755", 1, 1, Some("7")),
            ("755", 2, -1, Some("55")),
            ("755", 0, 2, Some("75")),
            ("755", 4, 1, None),
            ("755", 3, 9, Some("5")),
        ] {
            assert_eq!(substring(text, start, length).ok().as_deref(), expected, "{text} {start} {length}");
        }
    }

    #[test]
    fn concat_varies_the_first_component_first() {
        let part = |texts: &[&str]| {
            Computed::new(Flag::Complete, texts.iter().map(|t| (Datatype::String, (*t).to_owned())).collect())
        };
        let joined = concat(vec![part(&["a", "b"]), part(&[]), part(&["1", "2"])]);
        let texts: Vec<&str> = joined.values.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["a1", "b1", "a2", "b2"]);
    }
}
