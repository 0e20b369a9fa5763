//! Reads `<Group>`.

use super::cursor::{Cursor, Read};
use super::head::{self, Texts};
use super::tag::Tag;
use super::{rule, value};
use crate::benchmark::{Group, Item};
use crate::id::Kind;

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Group> {
    let mut group = Group {
        head: head::attributes(cursor, &mut tag, Kind::Group),
        selected: cursor.boolean(&mut tag, "selected"),
        weight: cursor.weight(&mut tag),
        ..Group::default()
    };
    let mut texts = Texts::default();
    cursor.children(&tag, |cursor, tag| {
        let Some(tag) = head::child(cursor, &mut group.head, &mut texts, tag)? else { return Ok(()) };
        match tag.xccdf_name() {
            "rationale" => texts.rationale.read(cursor, tag)?,
            "platform" => group.platforms.push(head::idref(cursor, tag)?),
            "requires" => group.requires.push(head::idrefs(cursor, tag)?),
            "conflicts" => group.conflicts.push(head::idref(cursor, tag)?),
            "Value" => group.values.push(value::read(cursor, tag)?),
            "Group" | "Rule" => group.items.push(item(cursor, tag)?),
            _ => cursor.unexpected(&tag, "Group")?,
        }
        Ok(())
    })?;
    group.head.title = texts.title.text();
    group.head.description = texts.description.text();
    group.rationale = texts.rationale.text();
    Ok(group)
}

/// Reads a group or a rule.
pub(super) fn item(cursor: &mut Cursor<'_>, tag: Tag) -> Read<Item> {
    Ok(if tag.name == "Group" {
        Item::Group(Box::new(read(cursor, tag)?))
    } else {
        Item::Rule(Box::new(rule::read(cursor, tag)?))
    })
}
