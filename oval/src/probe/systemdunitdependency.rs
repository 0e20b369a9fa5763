//! `systemdunitdependency`: what a systemd unit wants and requires, through targets.
//!
//! Source: `src/OVAL/probes/unix/linux/systemdunitdependency_probe.c` of OpenSCAP 1.3.7: only the dependencies of targets are looked at,
//! those of other units are none.

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::system::Units;
use crate::verdict::Verdict;
use std::collections::HashSet;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    if context.schema < Schema::new(5, 11, 0) {
        return out.end(Flag::GaveUp, "the content is older than this kind of object");
    }
    let Some(unit) = request.entity("unit") else { return out.fail("the object has no unit") };
    let units = match context.system.units() {
        Ok(units) => units,
        Err(why) => return out.fail(why),
    };
    for name in units.keys() {
        if unit.compare(context.patterns, name.as_bytes()) != Verdict::True {
            continue;
        }
        let mut fields = vec![Field::text("unit", name.as_str())];
        fields.extend(dependencies(&units, name).into_iter().map(|name| Field::text("dependency", name)));
        out.add(Item::new(fields).at(format!("systemctl list-dependencies {name}"), None));
    }
}

/// Every unit that a target wants or requires, directly or through other targets.
fn dependencies(units: &Units, name: &str) -> Vec<String> {
    let (mut open, mut known, mut found) = (vec![name.to_owned()], HashSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        if !name.ends_with(".target") {
            continue;
        }
        let Some(properties) = units.get(&name) else { continue };
        let of = |property: &str| properties.get(property).into_iter().flatten().cloned().collect::<Vec<_>>();
        for dependency in of("Requires").into_iter().chain(of("Wants")) {
            if known.insert(dependency.clone()) {
                found.push(dependency.clone());
                open.push(dependency);
            }
        }
    }
    found
}
