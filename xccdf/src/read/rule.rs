//! Reads `<Rule>` and its fixes.

use super::check;
use super::cursor::{Cursor, Read};
use super::head::{self, Texts};
use super::tag::Tag;
use crate::id::Kind;
use crate::rule::{Fix, Ident, Rule};

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Rule> {
    let mut rule = Rule {
        head: head::attributes(cursor, &mut tag, Kind::Rule),
        selected: cursor.boolean(&mut tag, "selected"),
        weight: cursor.weight(&mut tag),
        severity: cursor.word(&mut tag, "severity"),
        role: cursor.word(&mut tag, "role"),
        multiple: cursor.boolean(&mut tag, "multiple"),
        ..Rule::default()
    };
    let mut texts = Texts::default();
    cursor.children(&tag, |cursor, tag| {
        let Some(tag) = head::child(cursor, &mut rule.head, &mut texts, tag)? else { return Ok(()) };
        match tag.xccdf_name() {
            "rationale" => texts.rationale.read(cursor, tag)?,
            "platform" => rule.platforms.push(head::idref(cursor, tag)?),
            "requires" => rule.requires.push(head::idrefs(cursor, tag)?),
            "conflicts" => rule.conflicts.push(head::idref(cursor, tag)?),
            "ident" => rule.idents.push(ident(cursor, tag)?),
            "fix" => rule.fixes.push(fix(cursor, tag)?),
            "check" => rule.checks.push(check::read(cursor, tag)?),
            "complex-check" => rule.complex_check = Some(check::complex(cursor, tag)?),
            "impact-metric" | "profile-note" | "fixtext" => cursor.skip()?,
            _ => cursor.unexpected(&tag, "Rule")?,
        }
        Ok(())
    })?;
    rule.head.title = texts.title.text();
    rule.head.description = texts.description.text();
    rule.rationale = texts.rationale.text();
    Ok(rule)
}

fn ident(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Ident> {
    let system = cursor.required(&mut tag, "system");
    Ok(Ident { system, name: cursor.text(&tag)? })
}

fn fix(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Fix> {
    Ok(Fix {
        id: tag.take("id"),
        system: tag.take("system"),
        platform: tag.take("platform"),
        reboot: cursor.boolean(&mut tag, "reboot"),
        strategy: cursor.word(&mut tag, "strategy"),
        disruption: cursor.word(&mut tag, "disruption"),
        complexity: cursor.word(&mut tag, "complexity"),
        script: cursor.prose(&tag)?,
    })
}
