//! `filehash58`: digests of files.
//!
//! Source: `src/OVAL/probes/independent/filehash58_probe.c` of OpenSCAP 1.3.7.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item, Status};
use crate::verdict::Verdict;
use crate::walk;
use md5::Md5;
use nix::fcntl::OFlag;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Computes the digest of a file, in hexadecimal.
type Digester = fn(&mut dyn Read) -> io::Result<String>;

/// The digests there are, by OVAL's names.
const KINDS: [(&str, Digester); 6] = [
    ("MD5", digest::<Md5>),
    ("SHA-1", digest::<Sha1>),
    ("SHA-224", digest::<Sha224>),
    ("SHA-256", digest::<Sha256>),
    ("SHA-384", digest::<Sha384>),
    ("SHA-512", digest::<Sha512>),
];

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(kind) = request.entity("hash_type") else { return out.fail("the object has no hash_type") };
    walk::find(request, context, out, &mut |found, out| {
        if found.name.is_none() || out.is_full() {
            return;
        }
        for (name, digest) in KINDS {
            if kind.compare(context.patterns, name.as_bytes()) != Verdict::True {
                continue;
            }
            let mut fields = found.fields();
            fields.push(Field::text("hash_type", name));
            let place = found.full.to_string_lossy().into_owned();
            let item = match open(context, found.full).and_then(|mut file| digest(&mut file)) {
                Ok(digest) => {
                    fields.push(Field::text("hash", digest));
                    Item::new(fields)
                }
                Err(_) => Item { status: Status::Error, ..Item::new(fields) },
            };
            out.add(item.at(place, None));
        }
    });
}

/// Opens a file; pipes and devices are not waited for.
fn open(context: &Context<'_>, path: &Path) -> io::Result<File> {
    let file = File::from(context.system.open(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// The digest of everything in a file, in hexadecimal.
fn digest<D: Digest>(file: &mut dyn Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => digest.update(buffer.get(..n).unwrap_or_default()),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
