//! `symlink`: where a symbolic link leads to in the end.
//!
//! Source: `src/OVAL/probes/unix/symlink_probe.c` of OpenSCAP 1.3.7: what is no link is nothing, a link that leads nowhere an error.

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::system::Kind;
use crate::walk;
use std::io::ErrorKind;
use std::path::Path;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    if context.schema < Schema::new(5, 11, 0) {
        return out.end(Flag::GaveUp, "the content is older than this kind of object");
    }
    let Some(entity) = request.entity("filepath") else { return out.fail("the object has no filepath") };
    let path = Path::new(entity.value());
    if let Some(own) = context.system.kernels_own(path) {
        return out.end(Flag::NotRunning, walk::not_running(own));
    }
    match context.system.lstat(path) {
        Ok(meta) if meta.kind == Kind::Symlink => {}
        Ok(_) => return,
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => return out.fail(format!("{} cannot be looked at: {error}", path.display())),
    }
    match context.system.real_path(path) {
        Ok(target) => {
            let fields = vec![
                Field::text("filepath", entity.value()),
                Field::text("canonical_path", target.to_string_lossy()),
            ];
            out.add(Item::new(fields).at(entity.value(), None));
        }
        Err(error) => out.fail(format!("the link {} cannot be followed: {error}", path.display())),
    }
}
