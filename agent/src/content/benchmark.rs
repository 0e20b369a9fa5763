//! The catalogue as an XCCDF 1.2 benchmark, so that tailoring files, SCAP Workbench and autotailor work on it.

use anyhow::Result;
use xccdf::{Benchmark, Group, Head, Item, Keyed, Text as Prose};

use super::ssg::SsgNames;
use super::{Catalogue, CatalogueFile, GroupInfo, Rule, Severity, Value, ValueType, tier};

/// The namespace part of our XCCDF ids.
pub const NAMESPACE: &str = "trempe";
/// The id of the catalogue as a benchmark.
pub const BENCHMARK_ID: &str = "xccdf_trempe_benchmark_catalogue";

/// The full XCCDF id of one of our things.
pub fn xccdf_id(kind: xccdf::Kind, name: &str) -> String {
    kind.id(NAMESPACE, name)
}

/// The whole catalogue as a benchmark: the groups of the SCAP Security Guide, where it knows a rule, and the tiers as profiles.
/// Nothing is selected but by a profile.
///
/// # Errors
/// When a tier file cannot be understood.
pub fn benchmark(catalogue: &Catalogue) -> Result<Benchmark> {
    let names = SsgNames::embedded();
    let mut items = groups("", catalogue, &names);
    items.extend(catalogue.files.iter().filter_map(|file| own_group(file, &names)));
    Ok(Benchmark {
        source: "catalogue".to_owned(),
        id: BENCHMARK_ID.to_owned(),
        language: Some("en".to_owned()),
        status: vec![xccdf::Status { name: "accepted".to_owned(), date: None }],
        title: Prose::from("Trempe catalogue"),
        description: Prose::from("Rules that the agent checks and applies, in its own words."),
        version: env!("CARGO_PKG_VERSION").into(),
        profiles: tier::profiles()?,
        values: catalogue.values().map(value).collect(),
        items,
        ..Benchmark::default()
    })
}

/// The groups of the SCAP Security Guide inside `parent` that hold a rule of ours.
fn groups(parent: &str, catalogue: &Catalogue, names: &SsgNames) -> Vec<Item> {
    let inside = names.groups.iter().filter(|(_, around)| *around == parent);
    let group = inside.filter_map(|(id, _)| {
        let mut items = groups(id, catalogue, names);
        let own = catalogue.rules().filter(|rule| names.group_of(&rule.id) == Some(*id));
        items.extend(own.map(|one| Item::Rule(Box::new(rule(one)))));
        let file = catalogue.files.iter().find(|file| file.group.id == *id);
        let info = file.map_or_else(|| unnamed(id), |file| file.group.clone());
        (!items.is_empty()).then(|| Item::Group(Box::new(group(&info, items))))
    });
    group.collect()
}

/// The group of a catalogue file's rules that the SCAP Security Guide does not have.
fn own_group(file: &CatalogueFile, names: &SsgNames) -> Option<Item> {
    let own = file.rules.iter().filter(|rule| names.group_of(&rule.id).is_none());
    let items: Vec<Item> = own.map(|one| Item::Rule(Box::new(rule(one)))).collect();
    let id = if names.has(xccdf::Kind::Group, &file.group.id) {
        format!("{}-more", file.group.id)
    } else {
        file.group.id.clone()
    };
    let info = GroupInfo { id, ..file.group.clone() };
    (!items.is_empty()).then(|| Item::Group(Box::new(group(&info, items))))
}

/// A group that no catalogue file describes: its id says what it is about.
fn unnamed(id: &str) -> GroupInfo {
    let words = id.replace(['_', '-'], " ");
    let mut letters = words.chars();
    let title = letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str());
    GroupInfo { id: id.to_owned(), title: title.unwrap_or_default(), description: String::new() }
}

fn group(info: &GroupInfo, items: Vec<Item>) -> Group {
    Group {
        head: Head {
            id: xccdf_id(xccdf::Kind::Group, &info.id),
            title: Prose::from(info.title.as_str()),
            description: Prose::from(info.description.as_str()),
            ..Head::default()
        },
        items,
        ..Group::default()
    }
}

fn value(value: &Value) -> xccdf::Value {
    let content = |text: &str| xccdf::Content::One(text.to_owned());
    let mut instances = vec![Keyed { selector: String::new(), content: content(value.default.as_str()) }];
    instances.extend(
        value
            .selectors
            .iter()
            .map(|(selector, text)| Keyed { selector: selector.clone(), content: content(text.as_str()) }),
    );
    let bound = |limit: Option<i64>| {
        limit.map(|number| Keyed { selector: String::new(), content: number as f64 }).into_iter().collect()
    };
    let mut choices = Vec::new();
    if value.closed {
        let mut allowed: Vec<_> = instances.iter().map(|instance| instance.content.clone()).collect();
        allowed.dedup();
        choices.push(xccdf::Choices { selector: String::new(), must_match: Some(true), choices: allowed });
    }
    xccdf::Value {
        head: Head {
            id: xccdf_id(xccdf::Kind::Value, &value.id),
            title: Prose::from(value.title.as_str()),
            description: Prose::from(described(value)),
            ..Head::default()
        },
        value_type: Some(match value.kind {
            ValueType::Number => xccdf::ValueType::Number,
            ValueType::String => xccdf::ValueType::String,
            ValueType::Boolean => xccdf::ValueType::Boolean,
        }),
        instances,
        lower_bounds: bound(value.minimum),
        upper_bounds: bound(value.maximum),
        choices,
        ..xccdf::Value::default()
    }
}

/// Its description; XCCDF wants one of every value.
fn described(value: &Value) -> &str {
    if value.description.is_empty() { &value.title } else { &value.description }
}

fn rule(rule: &Rule) -> xccdf::Rule {
    xccdf::Rule {
        head: Head {
            id: xccdf_id(xccdf::Kind::Rule, &rule.id),
            title: Prose::from(rule.title.as_str()),
            references: references(rule),
            ..Head::default()
        },
        selected: Some(false),
        severity: Some(match rule.severity {
            Severity::Unknown => xccdf::Severity::Unknown,
            Severity::Info => xccdf::Severity::Info,
            Severity::Low => xccdf::Severity::Low,
            Severity::Medium => xccdf::Severity::Medium,
            Severity::High => xccdf::Severity::High,
        }),
        rationale: Prose::from(rule.rationale.as_str()),
        ..xccdf::Rule::default()
    }
}

fn references(rule: &Rule) -> Vec<xccdf::Reference> {
    let cis = rule
        .cis
        .iter()
        .map(|(product, numbers)| (format!("CIS {product} {numbers}"), "https://www.cisecurity.org"));
    let anssi = rule.anssi.iter().map(|number| (format!("ANSSI-BP-028 {number}"), "https://cyber.gouv.fr"));
    cis.chain(anssi).map(|(text, href)| xccdf::Reference { href: Some(href.into()), text }).collect()
}
