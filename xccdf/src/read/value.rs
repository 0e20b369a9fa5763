//! Reads `<Value>`.

use super::cursor::{Cursor, Read};
use super::head::{self, Texts};
use super::tag::Tag;
use crate::id::Kind;
use crate::value::{Choices, Content, Keyed, Value, decimal};

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Value> {
    let mut value = Value {
        head: head::attributes(cursor, &mut tag, Kind::Value),
        value_type: cursor.word(&mut tag, "type"),
        operator: cursor.word(&mut tag, "operator"),
        interactive: cursor.boolean(&mut tag, "interactive"),
        interface_hint: tag.take("interfaceHint"),
        ..Value::default()
    };
    let mut texts = Texts::default();
    cursor.children(&tag, |cursor, tag| {
        let Some(tag) = head::child(cursor, &mut value.head, &mut texts, tag)? else { return Ok(()) };
        match tag.xccdf_name() {
            "value" | "complex-value" => keyed(cursor, tag, &mut value.instances, content)?,
            "default" | "complex-default" => keyed(cursor, tag, &mut value.defaults, content)?,
            "match" => keyed(cursor, tag, &mut value.matches, |cursor, tag| cursor.text(tag))?,
            "lower-bound" => keyed(cursor, tag, &mut value.lower_bounds, number)?,
            "upper-bound" => keyed(cursor, tag, &mut value.upper_bounds, number)?,
            "choices" => value.choices.push(choices(cursor, tag)?),
            "source" => value.sources.push(source(cursor, tag)?),
            _ => cursor.unexpected(&tag, "Value")?,
        }
        Ok(())
    })?;
    value.head.title = texts.title.text();
    value.head.description = texts.description.text();
    if value.instances.is_empty() && value.head.extends.is_none() {
        cursor.mistake(&tag, "no <value> in it", "say what it is by default");
    }
    Ok(value)
}

/// Reads something that holds for one selector, which may be named once.
fn keyed<T>(
    cursor: &mut Cursor<'_>,
    mut tag: Tag,
    list: &mut Vec<Keyed<T>>,
    read: impl FnOnce(&mut Cursor<'_>, &Tag) -> Read<T>,
) -> Read<()> {
    let selector = tag.take("selector").unwrap_or_default();
    if list.iter().any(|other| other.selector == selector) {
        cursor.mistake(&tag, format!("selector {selector:?} is already taken"), "rename one of them");
    }
    let content = read(cursor, &tag)?;
    list.push(Keyed { selector, content });
    Ok(())
}

/// Reads text, or the list of a `complex-` element.
pub(super) fn content(cursor: &mut Cursor<'_>, tag: &Tag) -> Read<Content> {
    if !tag.name.contains("complex-") {
        return Ok(Content::One(cursor.text(tag)?));
    }
    let mut items = Vec::new();
    cursor.children(tag, |cursor, child| {
        match child.xccdf_name() {
            "item" => items.push(cursor.text(&child)?),
            _ => cursor.unexpected(&child, "a list")?,
        }
        Ok(())
    })?;
    Ok(Content::List(items))
}

fn number(cursor: &mut Cursor<'_>, tag: &Tag) -> Read<f64> {
    let text = cursor.text(tag)?;
    let number = decimal(&text);
    if number.is_none() {
        cursor.mistake(tag, format!("{text:?}"), "expected a number");
    }
    Ok(number.unwrap_or_default())
}

fn choices(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Choices> {
    let must_match = cursor.boolean(&mut tag, "mustMatch");
    let selector = tag.take("selector").unwrap_or_default();
    let mut choices = Vec::new();
    cursor.children(&tag, |cursor, child| {
        match child.xccdf_name() {
            "choice" | "complex-choice" => choices.push(content(cursor, &child)?),
            _ => cursor.unexpected(&child, "choices")?,
        }
        Ok(())
    })?;
    if choices.is_empty() {
        cursor.mistake(&tag, "nothing to choose from", "put a <choice> in it");
    }
    Ok(Choices { selector, must_match, choices })
}

fn source(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<String> {
    let uri = cursor.required(&mut tag, "uri");
    cursor.text(&tag)?;
    Ok(uri)
}
