//! Reads `<Profile>`.

use super::cursor::{Cursor, Read};
use super::head::{self, Localized};
use super::tag::Tag;
use super::value;
use crate::id::Kind;
use crate::profile::{Profile, RefineRule, RefineValue, Select, SetValue};

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Profile> {
    tag.ignore(&["Id", "note-tag"]);
    let mut profile = Profile {
        id: cursor.define(&mut tag, Kind::Profile),
        position: tag.position,
        extends: tag.take("extends"),
        is_abstract: cursor.boolean(&mut tag, "abstract").unwrap_or_default(),
        prohibit_changes: cursor.boolean(&mut tag, "prohibitChanges").unwrap_or_default(),
        ..Profile::default()
    };
    let (mut title, mut description) = (Localized::default(), Localized::default());
    cursor.children(&tag, |cursor, tag| {
        match tag.xccdf_name() {
            "status" => profile.status.push(head::status(cursor, tag)?),
            "version" => profile.version = Some(head::version(cursor, tag)?),
            "title" => title.read(cursor, tag)?,
            "description" => description.read(cursor, tag)?,
            "reference" => profile.references.push(head::reference(cursor, tag)?),
            "platform" => profile.platforms.push(head::idref(cursor, tag)?),
            "select" => profile.selects.push(select(cursor, tag)?),
            "set-value" | "set-complex-value" => profile.set_values.push(set_value(cursor, tag)?),
            "refine-value" => profile.refine_values.push(refine_value(cursor, tag)?),
            "refine-rule" => profile.refine_rules.push(refine_rule(cursor, tag)?),
            "metadata" => profile.metadata.extend(cursor.elements(&tag)?),
            "dc-status" | "signature" => cursor.skip()?,
            _ => cursor.unexpected(&tag, "Profile")?,
        }
        Ok(())
    })?;
    if !title.seen() {
        cursor.mistake(&tag, "no <title> in it", "give it a title");
    }
    profile.title = title.text();
    profile.description = description.text();
    Ok(profile)
}

fn select(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Select> {
    let idref = cursor.required(&mut tag, "idref");
    let said = tag.attributes.iter().any(|attribute| attribute.name == "selected");
    let selected = cursor.boolean(&mut tag, "selected");
    if !said {
        cursor.mistake(&tag, "attribute selected is missing", "expected true or false");
    }
    let (position, remarks) = (tag.position, remarks(cursor, &tag)?);
    Ok(Select { idref, selected: selected.unwrap_or_default(), remarks, position })
}

fn set_value(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<SetValue> {
    let idref = cursor.required(&mut tag, "idref");
    let content = value::content(cursor, &tag)?;
    Ok(SetValue { idref, content, position: tag.position })
}

fn refine_value(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<RefineValue> {
    let idref = cursor.required(&mut tag, "idref");
    let selector = tag.take("selector");
    let operator = cursor.word(&mut tag, "operator");
    let (position, remarks) = (tag.position, remarks(cursor, &tag)?);
    Ok(RefineValue { idref, selector, operator, remarks, position })
}

fn refine_rule(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<RefineRule> {
    let idref = cursor.required(&mut tag, "idref");
    let weight = cursor.weight(&mut tag);
    let severity = cursor.word(&mut tag, "severity");
    let role = cursor.word(&mut tag, "role");
    let selector = tag.take("selector");
    let (position, remarks) = (tag.position, remarks(cursor, &tag)?);
    Ok(RefineRule { idref, weight, severity, role, selector, remarks, position })
}

/// Reads an element that holds nothing but remarks.
fn remarks(cursor: &mut Cursor<'_>, tag: &Tag) -> Read<Vec<String>> {
    let mut remarks = Vec::new();
    cursor.children(tag, |cursor, mut child| {
        if child.xccdf_name() != "remark" {
            return cursor.unexpected(&child, &tag.name);
        }
        child.ignore(&["override"]);
        remarks.push(cursor.text(&child)?);
        Ok(())
    })?;
    Ok(remarks)
}
