//! A key of a dconf database for everyone: its value, and that users cannot change it.
//!
//! The database `NAME` is made by `dconf update` from the files in `/etc/dconf/db/NAME.d`; keys named in its `locks` cannot be
//! changed. It counts for those whose profile in `/etc/dconf/profile` lists it. Every file that sets the key must set it
//! right, so that the order of the files does not matter.

pub mod built;
pub mod gdm;
pub mod keyfile;

use anyhow::{Context, Result, bail};
use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{FileKind, System, Tool};

/// The name of our own files, of settings and of locks.
const OWN: &str = "00-trempe";

/// A key of a dconf database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dconf {
    /// The database.
    pub database: String,
    /// The profile that must list it.
    pub profile: String,
    /// The key, as a path.
    pub key: String,
    /// The value, in GVariant's notation.
    pub value: Text,
    /// A regular expression for other texts that are as good.
    #[serde(default)]
    pub like: Option<Text>,
    /// Whether smaller numbers are as good: from this number up to the value.
    #[serde(default)]
    pub from: Option<u64>,
    /// Whether users must not be able to change it.
    #[serde(default)]
    pub locked: bool,
}

impl Setting for Dconf {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let changes = self.changes(system, &mut finding)?;
        if changes.is_empty() {
            return Ok(finding);
        }
        if !system.is_running() || !system.has_tool(Tool::DconfUpdate) {
            finding.manual("the database can only be made on the machine itself, by dconf update");
            return Ok(finding);
        }
        finding.changes.extend(changes);
        let outputs = vec![format!("/etc/dconf/db/{}", self.database).into()];
        finding.change(Change::Generate {
            tool: Tool::DconfUpdate,
            args: vec!["update".to_owned()],
            outputs,
        });
        Ok(finding)
    }

    fn describe(&self) -> String {
        let locked = if self.locked { ", locked" } else { "" };
        format!("the dconf database {} has {} = {}{locked}", self.database, self.key, self.value)
    }
}

impl Dconf {
    /// Judges the files; the changes that make them right, without the database made from them.
    fn changes(&self, system: &System, finding: &mut Finding) -> Result<Vec<Change>> {
        let Some((section, key)) = self.key.trim_start_matches('/').rsplit_once('/') else {
            bail!("'{}' is no dconf key; expected /path/to/key", self.key);
        };
        let mut changes = self.value_changes(system, section, key, finding)?;
        if self.locked {
            changes.extend(self.lock_change(system, finding)?);
        }
        changes.extend(self.profile_change(system, finding)?);
        Ok(changes)
    }

    fn value_changes(
        &self,
        system: &System,
        section: &str,
        key: &str,
        finding: &mut Finding,
    ) -> Result<Vec<Change>> {
        let dir = format!("/etc/dconf/db/{}.d", self.database);
        let own = format!("{dir}/{OWN}");
        let like = self.like()?;
        let accepts = |found: &str| match &like {
            Some(like) => like.is_match(unquoted(found)),
            None => self.accepts(found),
        };
        let mut changes = Vec::new();
        let mut set = false;
        for (path, text) in files(system, &dir)? {
            let found: Vec<_> = keyfile::assignments(&text);
            let found: Vec<_> =
                found.iter().filter(|found| found.section == section && found.key == key).collect();
            for one in &found {
                let place = format!("{path}:{}", one.line);
                finding.persistent(accepts(&one.value), &one.value, self.value.as_str(), place);
            }
            set |= !found.is_empty();
            if found.iter().any(|one| !accepts(&one.value)) {
                changes.push(Change::write(&path, keyfile::with(&text, section, key, self.value.as_str())));
            }
        }
        if !set {
            finding.persistent(false, "not set", self.value.as_str(), &dir);
            let text = system.read_text(&own)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            changes.push(Change::write(own, keyfile::with(&text, section, key, self.value.as_str())));
        }
        Ok(changes)
    }

    fn lock_change(&self, system: &System, finding: &mut Finding) -> Result<Option<Change>> {
        let dir = format!("/etc/dconf/db/{}.d/locks", self.database);
        let own = format!("{dir}/{OWN}");
        let wanted = format!("{} locked", self.key);
        let all = files(system, &dir)?;
        let holds = all.iter().find(|(_, text)| text.lines().any(|line| line.trim() == self.key));
        match holds {
            Some((path, _)) => {
                finding.persistent(true, "locked", wanted, path);
                Ok(None)
            }
            None => {
                finding.persistent(false, "not locked", wanted, &dir);
                let text = system.read_text(&own)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
                Ok(Some(Change::write(own, format!("{text}{}\n", self.key))))
            }
        }
    }

    fn profile_change(&self, system: &System, finding: &mut Finding) -> Result<Option<Change>> {
        let path = format!("/etc/dconf/profile/{}", self.profile);
        let line = format!("system-db:{}", self.database);
        let text = system.read_text(&path)?;
        let lists = text.as_ref().is_some_and(|text| text.lines().any(|found| found.trim() == line));
        let found = if lists { line.as_str() } else { "not listed" };
        finding.persistent(lists, found, &line, &path);
        if lists {
            return Ok(None);
        }
        // The vendor's profile, when there is one, lists what else belongs to it.
        let vendor = system.read_text(format!("/usr/share/dconf/profile/{}", self.profile))?;
        let base = text.or(vendor).unwrap_or_else(|| "user-db:user\n".to_owned());
        let mut lines: Vec<&str> = base.lines().collect();
        let at = lines.iter().position(|found| found.starts_with("user-db:")).map_or(0, |at| at + 1);
        lines.insert(at, &line);
        Ok(Some(Change::write(path, lines.join("\n") + "\n")))
    }

    /// What texts must look like; the value is one of them.
    fn like(&self) -> Result<Option<Regex>> {
        let Some(pattern) = &self.like else { return Ok(None) };
        let like = Regex::new(pattern.as_str())
            .with_context(|| format!("'{pattern}', wanted of {}, is no regular expression", self.key))?;
        if !like.is_match(unquoted(self.value.as_str())) {
            bail!(
                "{} is to be {}, which is not like '{pattern}': change one of the two",
                self.key,
                self.value
            );
        }
        Ok(Some(like))
    }

    fn accepts(&self, found: &str) -> bool {
        let number = |text: &str| text.trim().trim_start_matches("uint32").trim().parse::<u64>().ok();
        match self.from {
            Some(from) => {
                let limits = number(found).zip(number(self.value.as_str()));
                limits.is_some_and(|(found, most)| (from..=most).contains(&found))
            }
            None => found == self.value.as_str(),
        }
    }
}

/// A text without the quotes of GVariant's notation.
fn unquoted(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"')).unwrap_or(value)
}

/// The regular files of a directory with their texts, in the order of their names.
fn files(system: &System, dir: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for name in system.list(dir)? {
        let path = format!("{dir}/{name}");
        if system.meta_followed(&path)?.is_some_and(|meta| meta.kind == FileKind::Regular) {
            let text = system.read_text(&path)?.unwrap_or_default();
            found.push((path, text));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
