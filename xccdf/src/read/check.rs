//! Reads `<check>` and `<complex-check>`.

use super::cursor::{Cursor, Read};
use super::tag::Tag;
use crate::check::{Check, CheckPart, ComplexCheck, ContentRef, Export, Import, Junction};

pub(super) fn read(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Check> {
    let mut check = Check {
        system: cursor.required(&mut tag, "system"),
        selector: tag.take("selector").unwrap_or_default(),
        id: tag.take("id"),
        negate: cursor.boolean(&mut tag, "negate").unwrap_or_default(),
        multi_check: cursor.boolean(&mut tag, "multi-check").unwrap_or_default(),
        ..Check::default()
    };
    cursor.children(&tag, |cursor, mut tag| {
        match tag.xccdf_name() {
            "check-import" => check.imports.push(import(cursor, tag)?),
            "check-export" => {
                let value_id = cursor.required(&mut tag, "value-id");
                let name = cursor.required(&mut tag, "export-name");
                check.exports.push(Export { value_id, name });
                cursor.text(&tag)?;
            }
            "check-content-ref" => {
                let href = cursor.required(&mut tag, "href");
                check.content_refs.push(ContentRef { href, name: tag.take("name") });
                cursor.text(&tag)?;
            }
            "check-content" => check.content = Some(cursor.nodes()?),
            _ => cursor.unexpected(&tag, "check")?,
        }
        Ok(())
    })?;
    Ok(check)
}

fn import(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<Import> {
    let name = cursor.required(&mut tag, "import-name");
    let xpath = tag.take("import-xpath");
    cursor.unknown_attributes(&tag);
    cursor.skip()?;
    Ok(Import { name, xpath, content: String::new() })
}

pub(super) fn complex(cursor: &mut Cursor<'_>, mut tag: Tag) -> Read<ComplexCheck> {
    let operator = cursor.word::<Junction>(&mut tag, "operator");
    let negate = cursor.boolean(&mut tag, "negate").unwrap_or_default();
    let mut parts = Vec::new();
    cursor.children(&tag, |cursor, tag| {
        match tag.xccdf_name() {
            "check" => parts.push(CheckPart::Check(read(cursor, tag)?)),
            "complex-check" => parts.push(CheckPart::Complex(complex(cursor, tag)?)),
            _ => cursor.unexpected(&tag, "complex-check")?,
        }
        Ok(())
    })?;
    if operator.is_none() {
        cursor.mistake(&tag, "no operator that can be used", "write operator=\"AND\" or \"OR\"");
    }
    if parts.is_empty() {
        cursor.mistake(&tag, "joins no checks", "put a check in it");
    }
    Ok(ComplexCheck { operator: operator.unwrap_or(Junction::And), negate, parts })
}
