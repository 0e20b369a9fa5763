//! `file`: what the inodes of files and directories say.
//!
//! Source: `src/OVAL/probes/unix/file_probe.c` of OpenSCAP 1.3.7. Links are not followed: an item about a link is about the link.

use super::{Context, Request};
use crate::collector::{Candidate, Collector};
use crate::item::{Field, Item};
use crate::model::{Datatype, Schema};
use crate::pattern::Patterns;
use crate::sieve::Sieve;
use crate::system::{Files, Meta};
use crate::walk::{self, Found};
use std::cell::OnceCell;
use std::path::Path;

/// From this version of the schema on items are as they are today: before, ids and times are texts, and still before that there are no
/// lists for access control and no whole paths.
pub(crate) const MODERN: Schema = Schema::new(5, 8, 0);
const WITH_ACL: Schema = Schema::new(5, 7, 0);
const WITH_FILEPATH: Schema = Schema::new(5, 6, 0);

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    walk::find(request, context, out, &mut |found, out| {
        if out.is_over() {
            return;
        }
        let Some(meta) = found.meta.or_else(|| context.system.lstat(found.full).ok()) else { return };
        let candidate =
            Looked { found, meta, files: context.system, schema: context.schema, acl: OnceCell::new() };
        if out.wants(&candidate) {
            out.keep(candidate.item());
        }
    });
}

/// An item about a file, if it passes the filters.
pub(super) fn look(
    found: &Found<'_>,
    meta: Meta,
    files: &Files,
    sieve: &Sieve,
    patterns: &Patterns,
) -> Option<Item> {
    let candidate = Looked { found, meta, files, schema: MODERN, acl: OnceCell::new() };
    sieve.passes(patterns, &candidate).then(|| candidate.item())
}

/// Permission bits by name.
const BITS: [(&str, u16); 12] = [
    ("suid", 0o4000),
    ("sgid", 0o2000),
    ("sticky", 0o1000),
    ("uread", 0o400),
    ("uwrite", 0o200),
    ("uexec", 0o100),
    ("gread", 0o40),
    ("gwrite", 0o20),
    ("gexec", 0o10),
    ("oread", 0o4),
    ("owrite", 0o2),
    ("oexec", 0o1),
];

/// A file that was looked at and is no item yet: most are left out by a filter that asks for one or two fields.
struct Looked<'a> {
    found: &'a Found<'a>,
    meta: Meta,
    files: &'a Files,
    schema: Schema,
    acl: OnceCell<Field>,
}

impl Looked<'_> {
    /// A field that the inode has, by name.
    fn of_inode(&self, name: &str) -> Option<Field> {
        let meta = &self.meta;
        let number = |name, number: i64| match self.schema >= MODERN {
            true => Field::int(name, number),
            false => Field::text(name, number.to_string()),
        };
        Some(match name {
            "type" => Field::text("type", meta.kind.word()),
            "group_id" => number("group_id", meta.group.into()),
            "user_id" => number("user_id", meta.user.into()),
            "a_time" => number("a_time", meta.read),
            "c_time" => number("c_time", meta.changed),
            "m_time" => number("m_time", meta.modified),
            "size" => Field::int("size", meta.size),
            "has_extended_acl" if self.schema < WITH_ACL => no_acl(),
            "has_extended_acl" => self.acl.get_or_init(|| extended_acl(self.files, self.found.full)).clone(),
            _ => {
                let (name, bit) = BITS.iter().find(|(known, _)| *known == name)?;
                Field::bool(name, meta.mode & bit != 0)
            }
        })
    }

    fn item(&self) -> Item {
        let mut fields = self.found.fields();
        fields.retain(|field| self.schema >= WITH_FILEPATH || field.name != "filepath");
        let names = ["type", "group_id", "user_id", "a_time", "c_time", "m_time", "size"];
        let names = names.into_iter().chain(BITS.iter().map(|(name, _)| *name)).chain(["has_extended_acl"]);
        fields.extend(names.filter_map(|name| self.of_inode(name)));
        Item::new(fields).at(self.found.full.to_string_lossy(), None)
    }
}

impl Candidate for Looked<'_> {
    fn each_field(&self, name: &str, with: &mut dyn FnMut(&Field)) {
        match name {
            "filepath" if self.schema < WITH_FILEPATH => {}
            "filepath" | "path" | "filename" => {
                self.found.field(name).iter().for_each(with);
            }
            _ => self.of_inode(name).iter().for_each(with),
        }
    }
}

/// Whether the access control list says more than the permission bits (`acl_extended_file(3)`, which follows links). A file system
/// without such lists has no such field.
fn extended_acl(files: &Files, path: &Path) -> Field {
    let size = |name| files.attribute(path, name).map(|value| value.map_or(0, |value| value.len()));
    // A list of version 2 has 4 bytes and 8 for each entry; three entries are the permission bits.
    match (size("system.posix_acl_access"), size("system.posix_acl_default")) {
        (Ok(access), Ok(default)) => Field::bool("has_extended_acl", access > 4 + 3 * 8 || default > 0),
        (Ok(access), Err(_)) => Field::bool("has_extended_acl", access > 4 + 3 * 8),
        (Err(_), _) => no_acl(),
    }
}

fn no_acl() -> Field {
    Field { datatype: Datatype::Boolean, ..Field::absent("has_extended_acl") }
}
