//! `systemdunitproperty`: properties of systemd's units.
//!
//! Source: `src/OVAL/probes/unix/linux/systemdunitproperty_probe.c` of OpenSCAP 1.3.7, which looks at the units that are loaded.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Operation;
use crate::verdict::Verdict;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let (Some(unit), Some(property)) = (request.entity("unit"), request.entity("property")) else {
        return out.fail("the object has no unit or no property");
    };
    if property.operation != Operation::Equals || property.var_check.is_some() {
        return out.fail("a property can only be asked for by its name");
    }
    let units = match context.system.units() {
        Ok(units) => units,
        Err(why) => return out.fail(why),
    };
    for (name, properties) in units.iter() {
        if unit.compare(context.patterns, name.as_bytes()) != Verdict::True {
            continue;
        }
        let Some(values) = properties.get(property.value()) else { continue };
        let mut fields = vec![Field::text("unit", name.as_str()), Field::text("property", property.value())];
        fields.extend(values.iter().map(|value| Field::text("value", value.as_str())));
        out.add(Item::new(fields).at(format!("systemctl show {name}"), None));
    }
}
