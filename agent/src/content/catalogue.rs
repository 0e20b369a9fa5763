//! The catalogue: all rules and values, embedded in the binary.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{GroupInfo, Rule, Value};

/// The embedded catalogue files, as JSON.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.json"));

/// One file of the catalogue: the rules of one area, and the values they use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Trempe catalogue file")]
pub struct CatalogueFile {
    /// The group these rules form.
    pub group: GroupInfo,
    /// Values these rules use and a tailoring may set.
    #[serde(default)]
    pub values: Vec<Value>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Embedded {
    file: String,
    content: CatalogueFile,
}

/// All rules and values.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The files, in the order of their names.
    pub files: Vec<CatalogueFile>,
    /// The digest of the content, in hexadecimal.
    pub sha256: String,
    rules: BTreeMap<String, (usize, usize)>,
}

impl Catalogue {
    /// The catalogue in the binary.
    ///
    /// # Errors
    /// When it does not hold together; a test proves at build time that it does.
    pub fn embedded() -> Result<Catalogue> {
        let files: Vec<Embedded> =
            serde_json::from_str(EMBEDDED).context("reading the embedded catalogue")?;
        let sha256 = Sha256::digest(EMBEDDED.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Catalogue::new(files.into_iter().map(|file| (file.file, file.content)).collect(), sha256)
    }

    /// A catalogue of these named files.
    ///
    /// # Errors
    /// When two rules, two values or two groups have the same id.
    pub fn new(named: Vec<(String, CatalogueFile)>, sha256: String) -> Result<Catalogue> {
        let mut seen: BTreeMap<(&str, String), String> = BTreeMap::new();
        let mut rules = BTreeMap::new();
        for (index, (name, file)) in named.iter().enumerate() {
            let ids = file.rules.iter().map(|rule| ("rule", rule.id.clone()));
            let values = file.values.iter().map(|value| ("value", value.id.clone()));
            for key in ids.chain(values).chain([("group", file.group.id.clone())]) {
                if let Some(other) = seen.insert(key.clone(), name.clone()) {
                    bail!("{name}: the {} '{}' is already in {other}", key.0, key.1);
                }
            }
            rules.extend(file.rules.iter().enumerate().map(|(at, rule)| (rule.id.clone(), (index, at))));
        }
        Ok(Catalogue { files: named.into_iter().map(|(_, file)| file).collect(), sha256, rules })
    }

    /// The rule of that short id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let (file, at) = self.rules.get(id)?;
        self.files.get(*file)?.rules.get(*at)
    }

    /// All rules, in catalogue order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.files.iter().flat_map(|file| &file.rules)
    }

    /// All values, in catalogue order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.files.iter().flat_map(|file| &file.values)
    }
}

#[cfg(test)]
mod tests;
