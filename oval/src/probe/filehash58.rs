//! `filehash58`: digests of files.
//!
//! Source: `src/OVAL/probes/independent/filehash58_probe.c` of OpenSCAP 1.3.7.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::system::Algorithm;
use crate::verdict::Verdict;
use crate::walk;
use nix::fcntl::OFlag;

/// The digests there are, by OVAL's names.
const KINDS: [(&str, Algorithm); 6] = [
    ("MD5", Algorithm::Md5),
    ("SHA-1", Algorithm::Sha1),
    ("SHA-224", Algorithm::Sha224),
    ("SHA-256", Algorithm::Sha256),
    ("SHA-384", Algorithm::Sha384),
    ("SHA-512", Algorithm::Sha512),
];

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(kind) = request.entity("hash_type") else { return out.fail("the object has no hash_type") };
    walk::find(request, context, out, &mut |found, out| {
        if found.name.is_none() || out.is_over() {
            return;
        }
        for (name, algorithm) in KINDS {
            if kind.compare(context.patterns, name.as_bytes()) != Verdict::True {
                continue;
            }
            let mut fields = found.fields();
            fields.push(Field::text("hash_type", name));
            let place = found.full.to_string_lossy().into_owned();
            let item = match context.system.digest(found.full, OFlag::empty(), algorithm) {
                Ok(digest) => {
                    fields.push(Field::text("hash", digest));
                    Item::new(fields)
                }
                Err(_) => Item::failed(fields),
            };
            out.add(item.at(place, None));
        }
    });
}
