//! A `Defaults` parameter of sudo that holds for everyone.
//!
//! The last setting that holds for everyone counts. Our drop-in sorts behind all others; lines elsewhere that say
//! otherwise, for everyone or for some, lose that parameter, because a setting limited to a user or a command counts for it
//! whatever comes later.

pub mod authentication;
pub mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;
use file::{Entry, Line, MAIN, Parameter, without_parameter};

/// The directory the main file includes.
const DIR: &str = "/etc/sudoers.d";
/// Our own drop-in: the last of its directory. Names with a dot are not read.
const DROP_IN: &str = "/etc/sudoers.d/zz-trempe";

/// A parameter of `sudoers(5)` that is set for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SudoDefault {
    /// Its name.
    pub name: String,
    /// The value it gets; none for a switch that is on.
    #[serde(default)]
    pub value: Option<Text>,
    /// Whether smaller numbers, down to 0, are as good.
    #[serde(default)]
    pub or_less: bool,
}

impl Setting for SudoDefault {
    fn examine(&self, system: &System) -> Result<Finding> {
        let lines = file::lines(system)?;
        let mut finding = Finding::new();
        let set: Vec<(&Line, &Parameter)> =
            parameters(&lines).filter(|(_, found)| found.name == self.name).collect();
        let wanted = self.wanted();
        match set.iter().rev().find(|(_, found)| found.scope.is_none()) {
            Some((line, found)) => {
                finding.persistent(self.accepts(found), &line.text, &wanted, line.place());
            }
            None => drop(finding.persistent(false, "not set", &wanted, MAIN)),
        }
        for (line, _) in set.iter().filter(|(_, found)| found.scope.is_some() && !self.accepts(found)) {
            finding.persistent(false, &line.text, &wanted, line.place());
        }
        if !finding.is_compliant() {
            self.mend(system, &lines, &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("sudo has \"{}\" for everyone, the last of all sudoers files", self.wanted())
    }
}

impl SudoDefault {
    fn wanted(&self) -> String {
        match &self.value {
            None => format!("Defaults {}", self.name),
            Some(value) if self.or_less => format!("Defaults {}={value} or less", self.name),
            Some(value) => format!("Defaults {}={value}", self.name),
        }
    }

    fn line(&self) -> String {
        match &self.value {
            None => format!("Defaults {}", self.name),
            Some(value) if value.number().is_ok() => format!("Defaults {}={value}", self.name),
            Some(value) => format!("Defaults {}=\"{value}\"", self.name),
        }
    }

    fn accepts(&self, found: &Parameter) -> bool {
        match (&self.value, &found.value) {
            (None, None) => !found.negated,
            (Some(wanted), Some(value)) if self.or_less => {
                let (wanted, value) = (wanted.as_str().parse::<f64>(), value.parse::<f64>());
                wanted.is_ok_and(|wanted| value.is_ok_and(|value| (0.0..=wanted).contains(&value)))
            }
            (Some(wanted), Some(value)) => wanted.as_str() == value,
            _ => false,
        }
    }

    fn mend(&self, system: &System, lines: &[Line], finding: &mut Finding) -> Result<()> {
        let bad = |found: &Parameter| found.name == self.name && !self.accepts(found);
        let mut texts = without(system, lines, &bad)?;
        let target = if file::includes(system, DIR)? { DROP_IN } else { MAIN };
        let Some(present) = texts
            .remove(Path::new(target))
            .map(Ok)
            .or_else(|| system.read_text(target).transpose())
            .or_else(|| (target == DROP_IN).then(|| Ok(OWNED_HEADER.to_owned())))
            .transpose()?
        else {
            bail!("reading {MAIN}: no such file; sudo does not work without it");
        };
        texts.insert(target.into(), set(&present, &self.name, &self.line()));
        for (path, content) in texts {
            finding.change(Change::WriteFile { path, content, mode: 0o440 });
        }
        Ok(())
    }
}

/// Every parameter with its line.
fn parameters(lines: &[Line]) -> impl Iterator<Item = (&Line, &Parameter)> {
    lines.iter().flat_map(|line| {
        let all: &[Parameter] = if let Entry::Defaults(all) = &line.entry { all } else { &[] };
        all.iter().map(move |parameter| (line, parameter))
    })
}

/// The texts of the files that have parameters like these, without them.
///
/// # Errors
/// When a file cannot be read.
fn without(
    system: &System,
    lines: &[Line],
    bad: &dyn Fn(&Parameter) -> bool,
) -> Result<BTreeMap<PathBuf, String>> {
    let mut files: Vec<&PathBuf> =
        parameters(lines).filter(|(_, found)| bad(found)).map(|(line, _)| &line.file).collect();
    files.dedup();
    let mut texts = BTreeMap::new();
    for path in files {
        let mut text = system.read_text(path)?.unwrap_or_default();
        // Read again after each cut, because places move.
        loop {
            let lines = file::parse(path, &text)?;
            let cut = parameters(&lines).find(|(_, found)| bad(found));
            match cut.and_then(|(line, parameter)| without_parameter(&text, line, parameter)) {
                Some(shorter) => text = shorter,
                None => break,
            }
        }
        texts.insert(path.clone(), text);
    }
    Ok(texts)
}

/// A text that ends with this line about a parameter; other lines stay, and an earlier one of ours about it goes.
fn set(text: &str, name: &str, line: &str) -> String {
    let ours = |found: &&str| {
        let rest = found.strip_prefix("Defaults ").unwrap_or_default();
        rest != name && rest.split_once('=').is_none_or(|(found, _)| found != name)
    };
    let mut lines: Vec<&str> = text.lines().filter(ours).collect();
    lines.push(line);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests;
