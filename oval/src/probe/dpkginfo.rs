//! `dpkginfo`: an installed Debian package.
//!
//! oscap 1.3.7 asks libapt; what that answers is in dpkg's status file. As there, only the name is looked at, whatever the operation.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{Datatype, Schema};

/// Where dpkg keeps what is installed.
const STATUS: &str = "/var/lib/dpkg/status";

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("name") else { return out.fail("the object has no name") };
    // A system without the file has no Debian packages.
    let Some(packages) = context.system.packages() else { return };
    let Some(package) = packages.get(name.value()) else { return };
    let (epoch, version, release) = parts(package.version);
    let datatype = match context.schema >= Schema::new(5, 11, 1) {
        true => Datatype::DebianEvrString,
        false => Datatype::EvrString,
    };
    let fields = vec![
        Field::text("name", name.value()),
        Field::text("arch", package.architecture),
        Field::text("epoch", epoch),
        Field::text("release", release),
        Field::text("version", version),
        Field::typed("evr", datatype, format!("{epoch}:{}", without_epoch(package.version))),
    ];
    out.add(Item::new(fields).at(STATUS, None));
}

/// Epoch, version and release of a Debian version; a release that is not there is empty. As oscap has it, the release begins after the
/// first hyphen (`dpkginfo_get_by_name`), while dpkg's revision begins after the last.
fn parts(version: &str) -> (&str, &str, &str) {
    let epoch = version.split_once(':').map_or("0", |(epoch, _)| epoch);
    let rest = without_epoch(version);
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}

fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_parts() {
        assert_eq!(parts("1:2-3-4"), ("1", "2", "3-4"));
        assert_eq!(parts("2"), ("0", "2", ""));
    }
}
