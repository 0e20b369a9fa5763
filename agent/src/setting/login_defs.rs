//! A value of `/etc/login.defs`: what `useradd`, `passwd` and `login` use for accounts made from now on.
//!
//! The last assignment of a key decides (`login.defs(5)`); it is changed in place.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::assignment::{self, Dialect};
use super::must::Must;
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

const FILE: &str = "/etc/login.defs";
const USERADD: &str = "/etc/default/useradd";

/// A value of `login.defs(5)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginDefs {
    /// The key.
    pub key: String,
    /// What its value must be. A key that is not set is not good enough: the built-in default differs between systems.
    pub must: Must,
}

/// A default of `useradd(8)`, from `/etc/default/useradd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Useradd {
    /// The key.
    pub key: String,
    /// What its value must be.
    pub must: Must,
}

impl Setting for LoginDefs {
    fn examine(&self, system: &System) -> Result<Finding> {
        examine(system, FILE, Dialect::Blanks, &self.key, &self.must)
    }

    fn describe(&self) -> String {
        format!("{} in {FILE} is {}", self.key, self.must)
    }
}

impl Setting for Useradd {
    fn examine(&self, system: &System) -> Result<Finding> {
        examine(system, USERADD, Dialect::Equals, &self.key, &self.must)
    }

    fn describe(&self) -> String {
        format!("{} in {USERADD} is {}", self.key, self.must)
    }
}

fn examine(system: &System, file: &str, dialect: Dialect, key: &str, must: &Must) -> Result<Finding> {
    let mut finding = Finding::new();
    let text = system.read_text(file)?.unwrap_or_default();
    let wanted = format!("{key} is {must}");
    match assignment::parse(&text, dialect).into_iter().rfind(|assignment| assignment.key == key) {
        Some(last) => drop(finding.persistent(
            must.accepts(&last.value)?,
            format!("{key} {}", last.value),
            wanted,
            format!("{file}:{}", last.line),
        )),
        None => drop(finding.persistent(false, "not set", wanted, file)),
    }
    if !finding.is_compliant() {
        let content = assignment::set(&text, dialect, key, must.aim()?, |value| must.accepts(value))?;
        finding.change(Change::write(file, content));
    }
    Ok(finding)
}

/// The number that a key of `login.defs` has, or the default when it is not set.
///
/// # Errors
/// When the file cannot be read, or its value is no number.
pub fn number(system: &System, key: &str) -> Result<Option<u32>> {
    let text = system.read_text(FILE)?.unwrap_or_default();
    let last =
        assignment::parse(&text, Dialect::Blanks).into_iter().rfind(|assignment| assignment.key == key);
    let Some(last) = last else { return Ok(None) };
    let parsed = last.value.parse().map_err(|_| {
        anyhow::anyhow!("{FILE}:{}: {key} is '{}', which is not a number", last.line, last.value)
    });
    parsed.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn at_most(key: &str, bound: &str) -> LoginDefs {
        LoginDefs { key: key.into(), must: Must { at_most: Some(bound.into()), ..Must::default() } }
    }

    #[test]
    fn the_last_assignment_decides_and_is_changed_in_place() {
        let text = "# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t90\nUMASK 022\nPASS_MAX_DAYS   99999\n";
        let tree = Tree::new().file(FILE, text);
        let finding = at_most("PASS_MAX_DAYS", "365").examine(&tree.system()).unwrap();
        assert_eq!(finding.evidence[0].place, "/etc/login.defs:4");
        tree.applied(&at_most("PASS_MAX_DAYS", "365"));
        assert_eq!(tree.text(FILE), "# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t90\nUMASK 022\nPASS_MAX_DAYS\t365\n");
    }

    #[test]
    fn a_key_that_is_not_set_is_added() {
        let tree = Tree::new().file(FILE, "#UMASK\t022");
        tree.round_trip(&LoginDefs {
            key: "UMASK".into(),
            must: Must { covers: Some("027".into()), ..Must::default() },
        });
    }

    #[test]
    fn useradd_keeps_its_other_lines() {
        let inactive = Must { at_least: Some("0".into()), at_most: Some("45".into()), ..Must::default() };
        let setting = Useradd { key: "INACTIVE".into(), must: inactive };
        let tree = Tree::new().file_with_mode(USERADD, "# INACTIVE=-1\nSHELL=/bin/sh\nINACTIVE=-1\n", 0o600);
        tree.round_trip(&setting);
        tree.applied(&setting);
        assert_eq!(tree.text(USERADD), "# INACTIVE=-1\nSHELL=/bin/sh\nINACTIVE=45\n");
        assert_eq!(tree.mode(USERADD), 0o600);
    }

    #[test]
    fn a_number_is_read_or_refused_with_its_line() {
        let tree = Tree::new().file(FILE, "UID_MIN\t\t 1000\nSYS_UID_MIN few\n");
        assert_eq!(number(&tree.system(), "UID_MIN").unwrap(), Some(1000));
        assert_eq!(number(&tree.system(), "UID_MAX").unwrap(), None);
        let error = number(&tree.system(), "SYS_UID_MIN").unwrap_err().to_string();
        assert!(error.contains("/etc/login.defs:2"), "{error}");
    }
}
