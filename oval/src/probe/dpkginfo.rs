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
    let Some(status) = context.system.dpkg_status() else { return };
    let Some(package) = installed(&status, name.value()) else { return };
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

struct Package<'a> {
    architecture: &'a str,
    version: &'a str,
}

/// The package of a name that has a version installed.
fn installed<'a>(status: &'a str, name: &str) -> Option<Package<'a>> {
    let heading = format!("Package: {name}\n");
    let mut at = 0;
    while let Some(found) = status.get(at..).and_then(|rest| rest.find(&heading)) {
        let start = at + found;
        at = start + heading.len();
        let starts_line = start == 0 || status.as_bytes().get(start - 1) == Some(&b'\n');
        let stanza = status.get(start..).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        // In these three states dpkg has no version of the package on disk.
        let state = field("Status").and_then(|status| status.rsplit(' ').next()).unwrap_or_default();
        if starts_line && !matches!(state, "" | "not-installed" | "config-files" | "half-installed") {
            let version = field("Version")?;
            return Some(Package { architecture: field("Architecture").unwrap_or_default(), version });
        }
    }
    None
}

/// Epoch, version and release of a Debian version; a release that is not there is empty.
fn parts(version: &str) -> (&str, &str, &str) {
    let epoch = version.split_once(':').map_or("0", |(epoch, _)| epoch);
    let rest = without_epoch(version);
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}

fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_when_a_version_is_on_disk() {
        let status = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\n\
                      Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                      Package: c\nStatus: hold ok installed\nVersion: 4\nDescription: x\n Package: d\n\n";
        let version = |name| installed(status, name).map(|package| package.version);
        assert_eq!(
            [version("a"), version("b"), version("c"), version("d")],
            [Some("1:2-3"), None, Some("4"), None]
        );
        assert_eq!(parts("1:2-3-4"), ("1", "2-3", "4"));
        assert_eq!(parts("2"), ("0", "2", ""));
    }
}
