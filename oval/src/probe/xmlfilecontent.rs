//! `xmlfilecontent`: what an XPath expression finds in XML files, whatever their namespaces.
//!
//! Source: `src/OVAL/probes/independent/xmlfilecontent_probe.c` of OpenSCAP 1.3.7. Of XPath the part is understood that content uses, see
//! [`xpath`]; any other expression is an error.

mod prolog;
mod xpath;

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::walk::{self, Found};
use xccdf::{Element, Position};
use xpath::{Path, Selected};

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(entity) = request.entity("xpath") else { return out.fail("the object has no xpath") };
    match Path::parse(entity.value()) {
        Ok(path) => walk::find(request, context, out, &mut |found, out| {
            if found.name.is_some() && !out.is_over() {
                file(found, entity.value(), &path, context, out);
            }
        }),
        Err(why) => out.fail(format!("the XPath {:?}: {why}", entity.value())),
    }
}

fn file(found: &Found<'_>, expression: &str, path: &Path, context: &Context<'_>, out: &mut Collector<'_>) {
    let place = found.full.to_string_lossy().into_owned();
    let text = match context.system.read_text(&place) {
        Ok(text) => text,
        Err(error) => return out.fail(format!("{place} cannot be read: {error}")),
    };
    let text = match prolog::without_declaration(text) {
        Ok(text) => text,
        Err(why) => return out.fail(format!("{place}: {why}")),
    };
    let root = match Element::parse(&text, &place, Position { line: 1, column: 1 }, &[]) {
        Ok(root) => root,
        Err(errors) => return out.fail(errors.to_string()),
    };
    let selected = path.select(&root);
    if selected.is_empty() {
        return;
    }
    let mut fields = found.fields();
    fields.push(Field::text("xpath", expression));
    let value = |selected: Selected<'_>| match selected {
        // Elements are found, but have no value.
        Selected::Element(_) => None,
        Selected::Text(text) => Some(Field::text("value_of", text)),
    };
    fields.extend(selected.into_iter().filter_map(value));
    out.add(Item::new(fields).at(place, None));
}
