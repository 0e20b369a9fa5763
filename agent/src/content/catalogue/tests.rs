use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;
use crate::content::text;

fn profiles() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../profiles")
}

/// The files as written, so that a mistake is shown with its line in the YAML.
fn written() -> Vec<(String, CatalogueFile)> {
    let mut paths: Vec<_> =
        std::fs::read_dir(profiles().join("catalogue")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, file)
    };
    paths.iter().map(read).collect()
}

#[test]
fn every_file_is_understood_and_ids_are_unique() {
    let catalogue = Catalogue::new(written(), String::new()).unwrap();
    let embedded = Catalogue::embedded().unwrap();
    assert_eq!(catalogue.files, embedded.files);
    assert!(embedded.rules().count() > 0);
}

#[test]
fn every_value_that_a_rule_names_is_there_and_every_value_is_used() {
    let catalogue = Catalogue::embedded().unwrap();
    let values: BTreeMap<_, _> =
        catalogue.values().map(|value| (value.id.clone(), value.default.0.clone())).collect();
    let mut used = BTreeSet::new();
    for rule in catalogue.rules() {
        let kinds = std::iter::once(&rule.ensure).chain(rule.instead.iter().map(|instead| &instead.ensure));
        for kind in kinds {
            let mut json = serde_json::to_value(kind).unwrap();
            used.extend(text::references(&json));
            text::substitute(&mut json, &values).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        }
    }
    let unused: Vec<_> = values.keys().filter(|id| !used.contains(*id)).collect();
    assert!(unused.is_empty(), "no rule uses the values {unused:?}");
}

#[test]
fn file_systems_that_machines_start_from_are_never_kept_out() {
    for rule in Catalogue::embedded().unwrap().rules() {
        let text = serde_json::to_string(&rule.ensure).unwrap();
        for module in ["iso9660", "vfat", "ext4", "xfs", "nls_"] {
            let named = text.contains(&format!("\"name\":\"{module}"));
            assert!(!(named && text.contains("\"module\"")), "{} keeps {module} out", rule.id);
        }
    }
}

#[test]
fn every_rule_says_why_in_words() {
    for rule in Catalogue::embedded().unwrap().rules() {
        assert!(rule.rationale.split_whitespace().count() >= 6, "{}: the rationale says too little", rule.id);
        assert!(!rule.title.ends_with('.'), "{}: a title is not a sentence", rule.id);
        assert!(rule.title.chars().count() <= 90, "{}: the title is longer than 90 characters", rule.id);
    }
}

#[test]
fn the_schema_is_the_one_of_the_types() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(CatalogueFile)).unwrap() + "\n";
    let path = profiles().join("schema.json");
    if std::env::var_os("TREMPE_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == schema, "profiles/schema.json is stale: run the tests once with TREMPE_BLESS=1");
}

#[test]
fn the_same_id_twice_is_refused_with_both_places() {
    let (_, file) = written().into_iter().find(|(_, file)| !file.rules.is_empty()).unwrap();
    let twice = vec![("a.yml".to_owned(), file.clone()), ("b.yml".to_owned(), file)];
    let error = Catalogue::new(twice, String::new()).unwrap_err().to_string();
    assert!(error.contains("b.yml") && error.contains("a.yml"), "{error}");
}
