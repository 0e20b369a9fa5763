//! What an item is, in words.

use super::text::{listed, shortened, shown, spelt};
use crate::item::{Field, Item, Status, Value};
use crate::model::Entity;
use crate::secret;

/// Fields whose name says nothing beside their value.
pub(super) const NAMELESS: [&str; 5] = ["subexpression", "value", "text", "instance", "#"];

/// The permission bits of a file, from the highest down.
pub(super) const BITS: [&str; 12] = [
    "suid", "sgid", "sticky", "uread", "uwrite", "uexec", "gread", "gwrite", "gexec", "oread", "owrite",
    "oexec",
];

/// What an item has where an entity wants something.
pub fn found(item: &Item, entity: &Entity) -> String {
    let fields: Vec<&Field> = item.fields(&entity.name).collect();
    if fields.is_empty() {
        return format!("no {}", spelt(&entity.name));
    }
    if entity.mask || fields.iter().any(|field| secret::hides(item, field)) {
        return format!("{} (hidden)", spelt(&entity.name));
    }
    let values: Vec<String> = fields.iter().map(|field| value(field)).collect();
    if NAMELESS.contains(&entity.name.as_str()) {
        // The whole line says more than the part of it that was captured.
        let line = item.fields("text").next().filter(|line| !secret::hides(item, line));
        let line = line.map(|field| field.value.text().trim().to_owned());
        return line.filter(|line| !line.is_empty()).map_or_else(|| listed(&values), |line| shown(&line));
    }
    format!("{} {}", spelt(&entity.name), listed(&values))
}

fn value(field: &Field) -> String {
    match field.status {
        Status::Exists => shown(&field.value.text()),
        Status::DoesNotExist => "not there".to_owned(),
        Status::Error => "not readable".to_owned(),
    }
}

/// An item in words.
pub fn described(item: &Item) -> String {
    if item.status == Status::Error {
        return "it cannot be read".to_owned();
    }
    let text = |name: &str| item.fields(name).next().map(|field| field.value.text().into_owned());
    if let (Some(kind), Some(user), Some(group)) = (text("type"), text("user_id"), text("group_id")) {
        let kind = if kind == "regular" { "regular file".to_owned() } else { kind };
        return format!("{kind}, mode {}, user {user}, group {group}", mode(item));
    }
    if let (Some(name), Some(evr)) = (text("name"), text("evr")) {
        return format!("the package {name} {evr} is installed");
    }
    if let (Some(point), Some(device), Some(fs)) = (text("mount_point"), text("device"), text("fs_type")) {
        let options: Vec<String> =
            item.fields("mount_options").map(|field| field.value.text().into_owned()).collect();
        return format!("{device} is mounted at {point} as {fs} with {}", listed(&options));
    }
    if let Some(line) = item.fields("text").next() {
        return match secret::hides(item, line) {
            true => "a line that is not shown, as it may hold a password".to_owned(),
            false => shown(line.value.text().trim()),
        };
    }
    if let (Some(_), Some(value)) = (item.fields("var_ref").next(), text("value")) {
        return shown(&value);
    }
    let told = |field: &&Field| {
        field.status == Status::Exists && !secret::hides(item, field) && field.name != "var_ref"
    };
    let known = item.fields.iter().filter(told);
    shortened(
        &known
            .map(|field| format!("{} {}", spelt(field.name), shown(&field.value.text())))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// The permission bits of a file item, as `ls` writes them in numbers.
fn mode(item: &Item) -> String {
    let set = |name: &str| item.fields(name).any(|field| field.value == Value::Bool(true));
    let bits = BITS.iter().fold(0, |bits, name| bits << 1 | u16::from(set(name)));
    format!("{bits:04o}")
}
