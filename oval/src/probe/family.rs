//! `family`: the kind of operating system, which is the same on every machine this is built for.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};

pub(super) fn collect(_: &Request<'_>, _: &Context<'_>, out: &mut Collector<'_>) {
    out.add(Item::new(vec![Field::text("family", "unix")]));
}
