//! What groups, rules, values and profiles have in common: titles, versions, references …

use super::cursor::{Cursor, Read};
use super::tag::Tag;
use crate::benchmark::{Head, Status, Version};
use crate::id::Kind;
use crate::rule::{Reference, Warning};
use crate::text::Text;

/// Chooses among the languages of a text.
#[derive(Default)]
pub(super) struct Localized {
    text: Text,
    rank: u8,
}

impl Localized {
    /// Reads one more language of the text and keeps the better one.
    pub fn read(&mut self, cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<()> {
        tag.ignore(&["override"]);
        let rank = match tag.language() {
            Some(language) if !language.starts_with("en") => 1,
            _ => 2,
        };
        let text = cursor.prose(&tag)?;
        if rank > self.rank {
            *self = Localized { text, rank };
        }
        Ok(())
    }

    /// Whether there was one at all, if only an empty one.
    pub fn seen(&self) -> bool {
        self.rank > 0
    }

    pub fn text(self) -> Text {
        self.text
    }
}

/// The texts of an item while it is read.
#[derive(Default)]
pub(super) struct Texts {
    pub title: Localized,
    pub description: Localized,
    pub rationale: Localized,
}

/// Takes the attributes all items share.
pub(super) fn attributes(cursor: &mut Cursor<'_>, tag: &mut Tag, kind: Kind) -> Head {
    tag.ignore(&["Id"]);
    Head {
        id: cursor.define(tag, kind),
        position: tag.position,
        cluster_id: tag.take("cluster-id"),
        extends: tag.take("extends"),
        is_abstract: cursor.boolean(tag, "abstract").unwrap_or_default(),
        hidden: cursor.boolean(tag, "hidden"),
        prohibit_changes: cursor.boolean(tag, "prohibitChanges"),
        ..Head::default()
    }
}

/// Reads a child that all items share; hands back any other.
pub(super) fn child(
    cursor: &mut Cursor<'_>,
    head: &mut Head,
    texts: &mut Texts,
    tag: Tag,
) -> Read<Option<Tag>> {
    match tag.xccdf_name() {
        "status" => head.status.push(status(cursor, tag)?),
        "version" => head.version = Some(version(cursor, tag)?),
        "title" => texts.title.read(cursor, tag)?,
        "description" => texts.description.read(cursor, tag)?,
        "warning" => head.warnings.push(warning(cursor, tag)?),
        "reference" => head.references.push(reference(cursor, tag)?),
        "metadata" => head.metadata.extend(cursor.elements(&tag)?),
        "dc-status" | "question" | "signature" => cursor.skip()?,
        _ => return Ok(Some(tag)),
    }
    Ok(None)
}

pub(super) fn status(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Status> {
    const NAMES: [&str; 5] = ["accepted", "deprecated", "draft", "incomplete", "interim"];
    let date = tag.take("date");
    let name = cursor.text(&tag)?.trim().to_owned();
    if !NAMES.contains(&name.as_str()) {
        let remedy = format!("expected one of: {}", NAMES.join(", "));
        cursor.mistake(&tag, format!("unknown status {name:?}"), remedy);
    }
    Ok(Status { name, date })
}

pub(super) fn version(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Version> {
    let (time, update) = (tag.take("time"), tag.take("update"));
    Ok(Version { name: cursor.text(&tag)?, time, update })
}

pub(super) fn reference(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Reference> {
    tag.ignore(&["override"]);
    let href = tag.take("href").map(|href| cursor.shared(&href));
    let text = cursor.inner_text(&tag)?;
    Ok(Reference { href, text })
}

fn warning(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Warning> {
    tag.ignore(&["override"]);
    let category = tag.take("category");
    Ok(Warning { category, text: cursor.prose(&tag)? })
}

/// Reads an element that only points at something: the attribute `idref`, no content.
pub(super) fn idref(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<String> {
    tag.ignore(&["override"]);
    let idref = cursor.required(&mut tag, "idref");
    cursor.children(&tag, |cursor, child| cursor.unexpected(&child, "an empty element"))?;
    Ok(idref)
}

/// As [`idref`], for a list of ids of which any will do.
pub(super) fn idrefs(cursor: &mut Cursor<'_>, tag: Tag) -> Read<Vec<String>> {
    Ok(idref(cursor, tag)?.split_whitespace().map(str::to_owned).collect())
}
