//! `systemdunitproperty`: properties of systemd's units.
//!
//! Source: `src/OVAL/probes/unix/linux/systemdunitproperty_probe.c` of OpenSCAP 1.3.7, which looks at the units that are loaded.

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::verdict::Verdict;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    if context.schema < Schema::new(5, 11, 0) {
        return out.end(Flag::GaveUp, "the content is older than this kind of object");
    }
    let (Some(unit), Some(property)) = (request.entity("unit"), request.entity("property")) else {
        return out.fail("the object has no unit or no property");
    };
    let units = match context.system.units() {
        Ok(units) => units,
        Err(why) => return out.fail(why),
    };
    for (name, properties) in units.iter() {
        if unit.compare(context.patterns, name.as_bytes()) != Verdict::True {
            continue;
        }
        let asked = |own: &str| property.compare(context.patterns, own.as_bytes()) == Verdict::True;
        // A list without values is no item.
        for (own, values) in properties.iter().filter(|(own, values)| !values.is_empty() && asked(own)) {
            let mut fields = vec![Field::text("unit", name.as_str()), Field::text("property", own.as_str())];
            fields.extend(values.iter().map(|value| Field::text("value", value.as_str())));
            out.add(Item::new(fields).at(format!("systemctl show {name}"), None));
        }
    }
}
