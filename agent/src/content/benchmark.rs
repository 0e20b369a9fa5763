//! The catalogue as an XCCDF 1.2 benchmark, so that tailoring files, SCAP Workbench and autotailor work on it.

use xccdf::{Benchmark, Group, Head, Item, Keyed, Text as Prose};

use super::{Catalogue, CatalogueFile, Rule, Severity, Value, ValueType};

/// The namespace part of our XCCDF ids.
pub const NAMESPACE: &str = "trempe";
/// The id of the catalogue as a benchmark.
pub const BENCHMARK_ID: &str = "xccdf_trempe_benchmark_catalogue";

/// The full XCCDF id of one of our things.
pub fn xccdf_id(kind: xccdf::Kind, name: &str) -> String {
    kind.id(NAMESPACE, name)
}

/// The whole catalogue as a benchmark: a group for each file, no profile selects anything yet.
pub fn benchmark(catalogue: &Catalogue) -> Benchmark {
    Benchmark {
        source: "catalogue".to_owned(),
        id: BENCHMARK_ID.to_owned(),
        resolved: true,
        language: Some("en".to_owned()),
        status: vec![xccdf::Status { name: "accepted".to_owned(), date: None }],
        title: Prose::from("Trempe catalogue"),
        description: Prose::from("Rules that the agent checks and applies, in its own words."),
        version: env!("CARGO_PKG_VERSION").into(),
        items: catalogue.files.iter().map(|file| Item::Group(Box::new(group(file)))).collect(),
        ..Benchmark::default()
    }
}

fn group(file: &CatalogueFile) -> Group {
    Group {
        head: Head {
            id: xccdf_id(xccdf::Kind::Group, &file.group.id),
            title: Prose::from(file.group.title.as_str()),
            description: Prose::from(file.group.description.as_str()),
            ..Head::default()
        },
        values: file.values.iter().map(value).collect(),
        items: file.rules.iter().map(|one| Item::Rule(Box::new(rule(one)))).collect(),
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
            description: Prose::from(value.description.as_str()),
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
