//! Reads `<Tailoring>`.

use super::cursor::{Cursor, Read};
use super::tag::Tag;
use super::{head, profile};
use crate::id::Kind;
use crate::tailoring::{BenchmarkRef, Tailoring};

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag, source: &str) -> Read<Tailoring> {
    tag.ignore(&["Id"]);
    let mut tailoring = Tailoring {
        source: source.to_owned(),
        id: cursor.define(&mut tag, Kind::Tailoring),
        ..Tailoring::default()
    };
    let mut version = None;
    cursor.children(&tag, |cursor, tag| {
        match tag.xccdf_name() {
            "benchmark" => tailoring.benchmark = Some(benchmark(cursor, tag)?),
            "status" => tailoring.status.push(head::status(cursor, tag)?),
            "version" => version = Some(head::version(cursor, tag)?),
            "metadata" => tailoring.metadata.extend(cursor.elements(&tag)?),
            "Profile" => tailoring.profiles.push(profile::read(cursor, tag)?),
            "dc-status" | "signature" => cursor.skip()?,
            _ => cursor.unexpected(&tag, "Tailoring")?,
        }
        Ok(())
    })?;
    if version.as_ref().is_none_or(|version| version.time.is_none()) {
        let remedy = "add <version time=\"2025-01-31T00:00:00\">1</version> or the like";
        cursor.mistake(&tag, "no <version> with a time in it", remedy);
    }
    if tailoring.profiles.is_empty() {
        cursor.mistake(&tag, "no <Profile> in it", "a tailoring without a profile changes nothing");
    }
    tailoring.version = version.unwrap_or_default();
    Ok(tailoring)
}

fn benchmark(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<BenchmarkRef> {
    let href = cursor.required(&mut tag, "href");
    let (id, version) = (tag.take("id"), tag.take("version"));
    cursor.text(&tag)?;
    Ok(BenchmarkRef { href, id, version })
}
