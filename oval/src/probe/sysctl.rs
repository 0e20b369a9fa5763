//! `sysctl`: the settings of the running kernel.
//!
//! Source: `src/OVAL/probes/unix/sysctl_probe.c` of OpenSCAP 1.3.7, which looks at all of `/proc/sys` for each object; here a name
//! that is asked for as such is read directly. A file only root's group may not read at all has no value, nor has an empty one.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{Operation, Schema};
use crate::system::Kind;
use crate::verdict::Verdict;
use std::path::{Path, PathBuf};

const ROOT: &str = "/proc/sys";

/// The most bytes of a value that oscap reads.
const MOST: usize = 8191;

/// The deepest directory below the root.
const DEPTH: usize = 8;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("name") else { return out.fail("the object has no name") };
    if name.operation == Operation::Equals && name.var_check.is_none() {
        let mut found = Vec::new();
        spelled(context, Path::new(ROOT), name.value(), 0, &mut found);
        for path in found {
            setting(context, &path, out);
        }
        return;
    }
    let mut open = vec![(PathBuf::from(ROOT), 0)];
    while let Some((directory, depth)) = open.pop() {
        let Ok(entries) = context.system.list(&directory) else { continue };
        for entry in entries.entries() {
            let path = directory.join(entry.name);
            if entry.meta.kind == Kind::Directory {
                if depth < DEPTH {
                    open.push((path, depth + 1));
                }
            } else if name.compare(context.patterns, key(&path).as_bytes()) == Verdict::True {
                setting(context, &path, out);
            }
        }
    }
}

/// The name of a setting: its path with dots.
fn key(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap_or(path).to_string_lossy().replace('/', ".")
}

/// The files whose path with dots is `name`: dots in file names (of network interfaces) make several spellings possible.
fn spelled(context: &Context<'_>, directory: &Path, name: &str, depth: usize, found: &mut Vec<PathBuf>) {
    if depth > DEPTH {
        return;
    }
    let whole = directory.join(name);
    if !name.contains('/') && context.system.stat(&whole).is_ok_and(|meta| meta.kind == Kind::Regular) {
        found.push(whole);
    }
    for (at, _) in name.match_indices('.') {
        let (first, rest) = (name.get(..at).unwrap_or_default(), name.get(at + 1..).unwrap_or_default());
        let below = directory.join(first);
        let plain = !first.is_empty() && !first.contains('/') && first != ".";
        if plain && context.system.stat(&below).is_ok_and(|meta| meta.kind == Kind::Directory) {
            spelled(context, &below, rest, depth + 1, found);
        }
    }
}

fn setting(context: &Context<'_>, path: &Path, out: &mut Collector<'_>) {
    match context.system.stat(path) {
        Ok(meta) if meta.mode & 0o400 != 0 => {}
        _ => return,
    }
    let bytes = match context.system.read(path) {
        Ok(bytes) => bytes,
        // Cannot be read until it is set.
        Err(_) if path.starts_with("/proc/sys/net/ipv6/conf") && path.ends_with("stable_secret") => return,
        Err(_) => return out.add(Item::failed(Vec::new())),
    };
    let bytes = bytes.get(..bytes.len().min(MOST)).unwrap_or_default();
    if bytes.is_empty() {
        return;
    }
    let mut fields = vec![Field::text("name", key(path))];
    if context.schema >= Schema::new(5, 10, 0) {
        fields.extend(values(bytes).into_iter().map(|value| Field::text("value", value)));
    } else {
        fields.push(Field::text("value", whole(bytes)));
    }
    out.add(Item::new(fields).at(path.to_string_lossy(), None));
}

/// The value in a file as older content has it: up to what cannot be printed, without the last line break.
fn whole(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = bytes.split(|byte| !is_text(*byte)).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Whether a character may be in a value.
fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace() || matches!(byte, b' ' | 0x0b)
}

/// The values in a file: lines, also parted at what cannot be printed.
fn values(bytes: &[u8]) -> Vec<String> {
    let parts = |byte: &u8| *byte == b'\n' || !is_text(*byte);
    let mut values: Vec<String> =
        bytes.split(parts).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    if values.last().is_some_and(String::is_empty) {
        values.pop();
    }
    values
}
