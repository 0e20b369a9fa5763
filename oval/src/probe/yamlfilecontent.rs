//! `yamlfilecontent`: what a path selects in YAML files, as records.
//!
//! Source: `src/OVAL/probes/independent/yamlfilecontent_probe.c` of OpenSCAP 1.3.7, its oddities included, and the language of paths it is built
//! with, see [`path`].

mod filter;
mod path;
mod query;
mod scalar;

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::walk;
use path::Path;
use query::Selected;

/// The largest file, in bytes: each event of it is put to each step of the path.
const MAX_FILE: usize = 16 << 20;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(entity) = request.entity("yamlpath") else { return out.fail("the object has no yamlpath") };
    let path = match Path::parse(entity.value()) {
        Ok(path) => path,
        // Said of every file, of which there may be none.
        Err(why) => {
            let why = format!("the path {:?}: {why}", entity.value());
            return each_text(request, context, out, &mut |_, _, _, out| out.fail(why.clone()));
        }
    };
    each_text(request, context, out, &mut |fields, place, text, out| match query::select(&path, text) {
        Ok(selected) if selected.records.is_empty() => {}
        Ok(selected) => out.add(item(fields, entity.value(), selected, place)),
        Err(why) => out.fail(format!("{place}: {why}")),
    });
}

/// Takes the fields of an item, the place, and the text.
type Each<'a> = &'a mut dyn FnMut(Vec<Field>, &str, &str, &mut Collector<'_>);

/// Calls `each` for every file that is asked for, or for the text that the content has itself.
fn each_text(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>, each: Each<'_>) {
    if let Some(content) = request.entity("content") {
        return each(vec![Field::text("content", content.value())], "the content", content.value(), out);
    }
    walk::find(request, context, out, &mut |found, out| {
        if found.name.is_none() || !found.may_have_content || out.is_over() {
            return;
        }
        let place = found.full.to_string_lossy().into_owned();
        let bytes = match context.system.read(found.full) {
            Ok(bytes) => bytes,
            Err(error) => return out.fail(format!("{place} cannot be read: {error}")),
        };
        match String::from_utf8(bytes) {
            Ok(text) if text.len() > MAX_FILE => {
                out.fail(format!("{place}: a YAML file of more than {} MiB", MAX_FILE >> 20));
            }
            Ok(text) => each(found.fields(), &place, &text, out),
            Err(_) => out.fail(format!("{place} is not UTF-8")),
        }
    });
}

fn item(mut fields: Vec<Field>, path: &str, selected: Selected, place: &str) -> Item {
    fields.push(Field::text("yamlpath", path));
    let values: usize = selected.records.iter().map(Vec::len).sum();
    let line = selected.line.filter(|_| values == 1);
    fields.extend(selected.records.into_iter().map(|parts| Field::record("value", parts)));
    Item::new(fields).at(place, line)
}
