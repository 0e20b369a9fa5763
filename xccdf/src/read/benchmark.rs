//! Reads `<Benchmark>`.

use super::cursor::{Cursor, Read};
use super::head::{self, Localized};
use super::tag::Tag;
use super::{group, profile, value};
use crate::benchmark::{Benchmark, PlainText};
use crate::id::Kind;

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag, source: &str) -> Read<Benchmark> {
    tag.ignore(&["Id", "style-href"]);
    let mut benchmark = Benchmark {
        source: source.to_owned(),
        id: cursor.define(&mut tag, Kind::Benchmark),
        resolved: cursor.boolean(&mut tag, "resolved").unwrap_or_default(),
        style: tag.take("style"),
        language: tag.language().map(str::to_owned),
        ..Benchmark::default()
    };
    let mut version = None;
    let (mut title, mut description) = (Localized::default(), Localized::default());
    cursor.children(&tag, |cursor, tag| {
        match tag.xccdf_name() {
            "status" => benchmark.status.push(head::status(cursor, tag)?),
            "title" => title.read(cursor, tag)?,
            "description" => description.read(cursor, tag)?,
            "plain-text" => benchmark.plain_texts.push(plain_text(cursor, tag)?),
            "platform" => benchmark.platforms.push(head::idref(cursor, tag)?),
            "version" => version = Some(head::version(cursor, tag)?),
            "metadata" => benchmark.metadata.extend(cursor.elements(&tag)?),
            "model" => benchmark.models.push(model(cursor, tag)?),
            "Profile" => benchmark.profiles.push(profile::read(cursor, tag)?),
            "Value" => benchmark.values.push(value::read(cursor, tag)?),
            "Group" | "Rule" => benchmark.items.push(group::item(cursor, tag)?),
            "dc-status" | "notice" | "front-matter" | "rear-matter" | "reference" | "TestResult"
            | "signature" => cursor.skip()?,
            _ if tag.name == "platform-specification" && tag.namespace == crate::cpe::LANGUAGE => {
                cursor.skip()?;
            }
            _ => cursor.unexpected(&tag, "Benchmark")?,
        }
        Ok(())
    })?;
    benchmark.title = title.text();
    benchmark.description = description.text();
    if benchmark.status.is_empty() {
        cursor.mistake(&tag, "no <status> in it", "add <status>draft</status> or the like");
    }
    if version.is_none() {
        cursor.mistake(&tag, "no <version> in it", "add <version>1</version> or the like");
    }
    benchmark.version = version.unwrap_or_default();
    Ok(benchmark)
}

/// Reads a scoring model, its parameters passed over: no model that is known has any.
fn model(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<String> {
    let system = cursor.required(&mut tag, "system");
    cursor.unknown_attributes(&tag);
    cursor.skip()?;
    Ok(system)
}

fn plain_text(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<PlainText> {
    let id = cursor.required(&mut tag, "id");
    cursor.define_any(&tag, &id);
    Ok(PlainText { id, text: cursor.text(&tag)? })
}
