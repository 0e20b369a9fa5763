//! Reads `<TestResult>`, wherever it is: alone, inside its benchmark, or in an ARF with the whole content beside it.
//!
//! Results are other tools' and read with indulgence: what is not known is passed over. What decides is not: a rule without
//! an id or with a result that XCCDF does not have is a mistake.

use super::cursor::{Cursor, Read, Step};
use super::tag::Tag;
use crate::result::{BenchmarkUsed, Outcome, Recorded, RuleResult, TailoringUsed, TargetFact, TestResult};
use crate::rule::{Ident, Role, Severity};
use crate::score::Score;
use crate::words::Words;

/// Reads a document to its end.
pub(super) fn document(cursor: &mut Cursor<'_>) -> Read<Recorded> {
    let mut recorded = Recorded::default();
    let (mut text, mut depth) = (String::new(), 0usize);
    loop {
        match cursor.step(&mut text)? {
            Step::Open(tag) => match tag.xccdf_name() {
                "Rule" => title(cursor, tag, &mut recorded)?,
                "TestResult" => recorded.results.push(test_result(cursor, tag)?),
                _ => {
                    depth += 1;
                    continue;
                }
            },
            Step::Close => depth = depth.saturating_sub(1),
            Step::Text => {
                text.clear();
                continue;
            }
        }
        // The root has ended, or was read as a whole.
        if depth == 0 {
            break;
        }
    }
    cursor.end()?;
    let told =
        |id: &String| recorded.results.iter().any(|own| own.results.iter().any(|rule| rule.rule == *id));
    let titles = std::mem::take(&mut recorded.titles);
    recorded.titles = titles.into_iter().filter(|(id, _)| told(id)).collect();
    Ok(recorded)
}

/// Calls `each` for every child, which must read it whole; text between them is passed over.
fn children(cursor: &mut Cursor<'_>, mut each: impl FnMut(&mut Cursor<'_>, Tag) -> Read<()>) -> Read<()> {
    let mut text = String::new();
    loop {
        match cursor.step(&mut text)? {
            Step::Open(tag) => each(cursor, tag)?,
            Step::Close => return Ok(()),
            Step::Text => text.clear(),
        }
    }
}

fn text(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<String> {
    tag.attributes.clear();
    Ok(cursor.inner_text(&tag)?.trim().to_owned())
}

/// The title of a rule of the benchmark.
fn title(cursor: &mut Cursor<'_>, mut tag: Tag, recorded: &mut Recorded) -> Read<()> {
    let id = tag.take("id").unwrap_or_default();
    let mut title = None;
    children(cursor, |cursor, tag| match tag.xccdf_name() {
        "title" if title.is_none() => {
            title = Some(text(cursor, tag)?);
            Ok(())
        }
        _ => cursor.skip(),
    })?;
    if let Some(title) = title {
        recorded.titles.insert(id, title.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

fn test_result(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<TestResult> {
    let mut take = |name: &str| tag.take(name);
    let mut result = TestResult {
        id: take("id").unwrap_or_default(),
        start: take("start-time"),
        end: take("end-time").unwrap_or_default(),
        test_system: take("test-system"),
        ..TestResult::default()
    };
    result.benchmark.version = take("version").unwrap_or_default();
    children(cursor, |cursor, mut tag| {
        match tag.xccdf_name() {
            "benchmark" => {
                let version = std::mem::take(&mut result.benchmark.version);
                let mut take = |name: &str| tag.take(name).unwrap_or_default();
                result.benchmark = BenchmarkUsed { href: take("href"), id: take("id"), version };
                cursor.skip()?;
            }
            "tailoring-file" => {
                let mut take = |name: &str| tag.take(name).unwrap_or_default();
                let (href, id) = (take("href"), take("id"));
                result.tailoring =
                    Some(TailoringUsed { href, id, version: take("version"), time: take("time") });
                cursor.skip()?;
            }
            "title" => result.title = text(cursor, tag)?,
            "profile" => {
                result.profile = tag.take("idref");
                cursor.skip()?;
            }
            "target" => result.targets.push(text(cursor, tag)?),
            "target-address" => result.addresses.push(text(cursor, tag)?),
            "target-facts" => facts(cursor, &mut result)?,
            "rule-result" => result.results.extend(rule_result(cursor, tag)?),
            "score" => score(cursor, tag, &mut result)?,
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    Ok(result)
}

fn facts(cursor: &mut Cursor<'_>, result: &mut TestResult) -> Read<()> {
    children(cursor, |cursor, mut tag| {
        let (name, kind) = (tag.take("name").unwrap_or_default(), tag.take("type").unwrap_or_default());
        result.facts.push(TargetFact { name, kind, value: text(cursor, tag)? });
        Ok(())
    })
}

fn score(cursor: &mut Cursor<'_>, mut tag: Tag, result: &mut TestResult) -> Read<()> {
    let (system, maximum) = (tag.take("system").unwrap_or_default(), tag.take("maximum"));
    let number = |text: &str| text.trim().parse::<f32>().ok().filter(|number| number.is_finite());
    let maximum = maximum.and_then(|maximum| number(&maximum)).unwrap_or(100.0);
    if let Some(value) = number(&text(cursor, tag)?) {
        result.scores.push(Score { system, value, maximum });
    }
    Ok(())
}

/// A rule's result; `None` when it cannot be understood, which is a mistake.
fn rule_result(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Option<RuleResult>> {
    let rule = cursor.required(&mut tag, "idref");
    let mut own = RuleResult {
        rule,
        outcome: Outcome::Unknown,
        role: word(&mut tag, "role").unwrap_or(Role::Full),
        severity: word(&mut tag, "severity").unwrap_or(Severity::Unknown),
        weight: tag.take("weight").and_then(|weight| crate::value::decimal(&weight)).unwrap_or(1.0),
        version: tag.take("version"),
        time: tag.take("time"),
        idents: Vec::new(),
        messages: Vec::new(),
        check: None,
    };
    let mut said = None;
    children(cursor, |cursor, mut tag| {
        match tag.xccdf_name() {
            "result" => said = Some(text(cursor, tag)?),
            "ident" => {
                let system = tag.take("system").unwrap_or_default();
                own.idents.push(Ident { system, name: text(cursor, tag)? });
            }
            "message" => own.messages.push(text(cursor, tag)?),
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    let said = said.unwrap_or_default();
    match Outcome::from_word(&said) {
        Some(outcome) => own.outcome = outcome,
        None => {
            let remedy = format!("expected one of: {}", Outcome::WORDS.join(", "));
            cursor.mistake(&tag, format!("the result of {} is {said:?}", own.rule), remedy);
            return Ok(None);
        }
    }
    Ok(Some(own))
}

/// An attribute that is one of the standard's words.
fn word<T: Words>(tag: &mut Tag, name: &str) -> Option<T> {
    T::from_word(tag.take(name)?.trim())
}
