//! A key and its value in a configuration file, read as its daemon reads it.
//!
//! Two styles are known. *Spaced* is `auditd.conf(5)`: one file, `name = value` with blanks around the equals sign, names
//! and words in any case. *Systemd* is `systemd.syntax(7)`: sections, and drop-ins that are read after the main file in the
//! order of their names, wherever they are; of two with the same name the one in `/etc` counts; the last assignment wins.
//!
//! To add a style, add a variant to [`Style`], how its lines are read to [`parse`] and how one is written to [`Style::line`].

mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;
use text::{Assignment, parse, set};

/// Our drop-in sorts behind those of distributions, which may begin with a letter (`syslog.conf`).
const DROP_IN: &str = "zz-trempe.conf";

/// Where systemd looks, in the order in which one file hides another of the same name.
const SYSTEMD_DIRS: [&str; 4] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// `name = value`, in one file.
    Spaced,
    /// `Name=value` in sections, with drop-ins.
    Systemd,
}

/// When a value is good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// It is one of those separated by `|`. The first is what is written.
    #[default]
    OneOf,
    /// It is a number, and not smaller.
    AtLeast,
    /// It is a list that has one of those separated by commas. All are written.
    Lists,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyValue {
    /// The file: a path, or for systemd its name below `/etc/systemd`.
    pub file: String,
    /// How it is written.
    pub style: Style,
    /// The section, where the style has them.
    #[serde(default)]
    pub section: String,
    /// The key.
    pub key: String,
    /// The value it must have.
    pub value: Text,
    /// When another value is as good.
    #[serde(default)]
    pub compare: Compare,
    /// A value that only stands for one: until somebody chose another, nothing is written.
    #[serde(default)]
    pub placeholder: Option<Text>,
    /// Whether the main file is written too, where auditors look that know no drop-ins.
    #[serde(default)]
    pub main_file: bool,
    /// The unit that reads the file, restarted after a change.
    #[serde(default)]
    pub unit: Option<String>,
}

impl Setting for KeyValue {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let sources = self.sources(system)?;
        let wanted = format!("{} = {}", self.key, self.wanted());
        match self.decides(&sources)? {
            Some(found) => {
                let place = format!("{}:{}", found.file.display(), found.number);
                let holds = self.accepts(&found.value).with_context(|| place.clone())?;
                finding.persistent(holds, format!("{} = {}", self.key, found.value), wanted, place);
            }
            None => drop(finding.persistent(false, "not set", wanted, self.main().display().to_string())),
        }
        if finding.is_compliant() {
            return Ok(finding);
        }
        if self.placeholder.as_ref() == Some(&self.value) {
            finding.manual(format!("'{}' only stands for a value, which the site must choose", self.value));
            return Ok(finding);
        }
        self.plan(system, sources, &mut finding)?;
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} in {} is {}", self.key, self.main().display(), self.wanted())
    }
}

impl KeyValue {
    fn main(&self) -> PathBuf {
        match self.style {
            Style::Spaced => PathBuf::from(&self.file),
            Style::Systemd => Path::new("/etc/systemd").join(&self.file),
        }
    }

    fn own(&self) -> PathBuf {
        PathBuf::from(format!("/etc/systemd/{}.d/{DROP_IN}", self.file))
    }

    /// What is wanted, for people.
    fn wanted(&self) -> String {
        match self.compare {
            Compare::OneOf => self.value.as_str().replace('|', " or "),
            Compare::AtLeast => format!("{} or more", self.value),
            Compare::Lists => format!("a list with one of {}", self.value.as_str().replace(',', " ")),
        }
    }

    /// What is written.
    fn written(&self) -> String {
        match self.compare {
            Compare::OneOf => self.value.as_str().split('|').next().unwrap_or_default().to_owned(),
            Compare::AtLeast => self.value.0.clone(),
            Compare::Lists => self.value.as_str().replace(',', " "),
        }
    }

    fn accepts(&self, found: &str) -> Result<bool> {
        Ok(match self.compare {
            Compare::OneOf => self.value.as_str().split('|').any(|value| self.style.same(value, found)),
            Compare::AtLeast => match found.parse::<i64>() {
                Ok(number) => number >= self.value.number()?,
                Err(_) => bail!("'{found}' is not the whole number that {} must be", self.key),
            },
            Compare::Lists => {
                let mut wanted = self.value.as_str().split(',').map(str::trim);
                wanted.any(|value| found.split_whitespace().any(|word| word == value))
            }
        })
    }

    /// The files in the order in which they are read, with their texts.
    fn sources(&self, system: &System) -> Result<Vec<(PathBuf, String)>> {
        let read = |path: PathBuf| -> Result<Option<(PathBuf, String)>> {
            Ok(system.read_text(&path)?.map(|text| (path, text)))
        };
        if self.style == Style::Spaced {
            return Ok(read(self.main())?.into_iter().collect());
        }
        let mut sources = Vec::new();
        let mut drop_ins: Vec<PathBuf> = Vec::new();
        for dir in SYSTEMD_DIRS {
            if sources.is_empty() {
                sources.extend(read(Path::new(dir).join(&self.file))?);
            }
            for path in system.drop_ins(format!("{dir}/{}.d", self.file), ".conf")? {
                if !drop_ins.iter().any(|other| other.file_name() == path.file_name()) {
                    drop_ins.push(path);
                }
            }
        }
        drop_ins.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
        for path in drop_ins {
            sources.extend(read(path)?);
        }
        Ok(sources)
    }

    /// The assignment that counts.
    fn decides(&self, sources: &[(PathBuf, String)]) -> Result<Option<Assignment>> {
        for (file, text) in sources.iter().rev() {
            let found = parse(self.style, file, text)?;
            let ours =
                |one: &Assignment| self.style.same_key(&one.key, &self.key) && one.section == self.section;
            if let Some(last) = found.into_iter().rev().find(ours) {
                // An empty assignment of systemd's gives the default back.
                return Ok((self.style == Style::Spaced || !last.value.is_empty()).then_some(last));
            }
        }
        Ok(None)
    }

    /// Writes the value where it should stand, then wherever else something still overrules it.
    fn plan(
        &self,
        system: &System,
        mut sources: Vec<(PathBuf, String)>,
        finding: &mut Finding,
    ) -> Result<()> {
        let main = self.main();
        let mut places = Vec::new();
        if self.style == Style::Spaced || (self.main_file && system.exists(&main)?) {
            places.push(main);
        }
        if self.style == Style::Systemd {
            places.push(self.own());
        }
        for place in places {
            if !self.holds(&sources)? {
                self.write(&place, &mut sources, finding);
            }
        }
        if !self.holds(&sources)?
            && let Some(found) = self.decides(&sources)?
        {
            self.write(&found.file, &mut sources, finding);
        }
        if let Some(unit) = &self.unit {
            finding.effect(Effect::restart(unit));
        }
        Ok(())
    }

    fn holds(&self, sources: &[(PathBuf, String)]) -> Result<bool> {
        self.decides(sources)?.map_or(Ok(false), |found| self.accepts(&found.value))
    }

    fn write(&self, path: &Path, sources: &mut Vec<(PathBuf, String)>, finding: &mut Finding) {
        let at = match sources.iter().position(|(file, _)| file == path) {
            Some(at) => at,
            None => {
                let behind = |(file, _): &(PathBuf, String)| {
                    file.parent().is_some_and(|dir| dir.extension().is_some())
                        && file.file_name() > path.file_name()
                };
                let at = sources.iter().position(behind).unwrap_or(sources.len());
                sources.insert(at, (path.to_owned(), OWNED_HEADER.to_owned()));
                at
            }
        };
        if let Some((_, text)) = sources.get_mut(at) {
            *text = set(self.style, text, &self.section, &self.key, &self.written());
            finding.change(Change::write(path, text.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
