//! `selinuxboolean`: switches of the SELinux policy in the kernel.
//!
//! Source: `src/OVAL/probes/unix/linux/selinuxboolean_probe.c` of OpenSCAP 1.3.7, which gives up on a kernel without SELinux.

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::verdict::Verdict;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const DIRECTORY: &str = "/sys/fs/selinux/booleans";

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("name") else { return out.fail("the object has no name") };
    let Ok(directory) = context.system.list(Path::new(DIRECTORY)) else {
        return out.end(Flag::GaveUp, "the kernel has no SELinux");
    };
    for entry in directory.entries() {
        if name.compare(context.patterns, entry.name.as_bytes()) != Verdict::True {
            continue;
        }
        let path = Path::new(DIRECTORY).join(entry.name);
        // Two numbers: what applies, and what will once it is committed.
        let text = context.system.read_text(&path.to_string_lossy()).unwrap_or_default();
        let mut numbers = text.split_whitespace().map(|number| number != "0");
        let (Some(current), Some(pending)) = (numbers.next(), numbers.next()) else {
            out.fail(format!("{} cannot be read", path.display()));
            continue;
        };
        let fields = vec![
            Field::text("name", entry.name.to_string_lossy()),
            Field::bool("current_status", current),
            Field::bool("pending_status", pending),
        ];
        out.add(Item::new(fields).at(path.to_string_lossy(), None));
    }
}
