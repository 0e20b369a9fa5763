//! `selinuxsecuritycontext`: SELinux labels of files.
//!
//! Source: `src/OVAL/probes/unix/linux/selinuxsecuritycontext_probe.c` of OpenSCAP 1.3.7. Contexts of processes (`pid`) are not supported.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::walk::{self, Found};
use std::io;
use std::path::Path;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    if request.entity("pid").is_some() {
        return out.fail("SELinux contexts of processes are not supported");
    }
    walk::find(request, context, out, &mut |found, out| {
        // What is gone, or a link that leads nowhere, is passed over.
        if !out.is_over() && context.system.stat(found.full).is_ok() {
            out.add(item(found, label(context, found.full)));
        }
    });
}

/// The label of what a path leads to.
fn label(context: &Context<'_>, path: &Path) -> io::Result<String> {
    let label = context.system.attribute(path, "security.selinux")?;
    let label = label.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no label"))?;
    Ok(String::from_utf8_lossy(&label).trim_end_matches('\0').to_owned())
}

fn item(found: &Found<'_>, label: io::Result<String>) -> Item {
    let mut fields = found.fields();
    let place = found.full.to_string_lossy().into_owned();
    let Ok(label) = label else { return Item::failed(fields).at(place, None) };
    let mut parts = label.splitn(4, ':');
    for name in ["user", "role", "type"] {
        fields.extend(parts.next().map(|part| Field::text(name, part)));
    }
    if let Some(range) = parts.next() {
        let (low, high) = range.split_once('-').map_or((range, None), |(low, high)| (low, Some(high)));
        level(low, ["low_sensitivity", "low_category"], &mut fields);
        if let Some(high) = high {
            level(high, ["high_sensitivity", "high_category"], &mut fields);
        }
    }
    Item::new(fields).at(place, None)
}

fn level(level: &str, names: [&'static str; 2], fields: &mut Vec<Field>) {
    for (name, part) in names.into_iter().zip(level.splitn(2, ':')) {
        fields.push(Field::text(name, part));
    }
}
