//! `uname`: how the running kernel calls itself and its machine.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use nix::sys::utsname::uname;

pub(super) fn collect(_: &Request<'_>, _: &Context<'_>, out: &mut Collector<'_>) {
    let name = match uname() {
        Ok(name) => name,
        Err(error) => return out.fail(format!("the kernel does not tell its name: {error}")),
    };
    let text = |field, value: &std::ffi::OsStr| Field::text(field, value.to_string_lossy());
    out.add(
        Item::new(vec![
            text("machine_class", name.machine()),
            text("node_name", name.nodename()),
            text("os_name", name.sysname()),
            text("os_release", name.release()),
            text("os_version", name.version()),
            text("processor_type", name.machine()),
        ])
        .at("uname", None),
    );
}
