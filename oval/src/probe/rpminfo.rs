//! `rpminfo`: installed rpm packages.
//!
//! Source: `src/OVAL/probes/unix/linux/rpminfo_probe.c` of OpenSCAP 1.3.7. Not collected: files for the behavior `filepaths`.

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{Datatype, Operation, Schema};
use crate::verdict::Verdict;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("name") else { return out.fail("the object has no name") };
    if !context.system.has_rpm() {
        return out.end(Flag::NotApplicable, "the system has no rpm");
    }
    if !matches!(name.operation, Operation::Equals | Operation::NotEqual | Operation::PatternMatch) {
        return out.end(Flag::GaveUp, format!("{} is no operation on rpm packages", name.operation.word()));
    }
    let packages = match context.system.rpms() {
        Ok(packages) => packages,
        Err(why) => return out.fail(why),
    };
    for package in packages.iter() {
        // The database looks for one value of a variable at a time.
        let found = name.operation != Operation::Equals || package.name == name.value();
        if !found || name.compare(context.patterns, package.name.as_bytes()) != Verdict::True {
            continue;
        }
        let epoch = if package.epoch == "(none)" { "0" } else { &package.epoch };
        let version = format!("{epoch}:{}-{}", package.version, package.release);
        let mut fields = vec![
            Field::text("name", package.name.as_str()),
            Field::text("arch", package.architecture.as_str()),
            Field::text("epoch", package.epoch.as_str()),
            Field::text("release", package.release.as_str()),
            Field::text("version", package.version.as_str()),
            Field::typed("evr", Datatype::EvrString, version.as_str()),
            Field::text("signature_keyid", package.signature_key.as_str()),
        ];
        if context.schema >= Schema::new(5, 10, 0) {
            let extended = format!("{}-{version}.{}", package.name, package.architecture);
            fields.push(Field::text("extended_name", extended));
        }
        out.add(Item::new(fields));
    }
}
