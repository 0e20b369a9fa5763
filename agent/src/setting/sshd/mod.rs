//! A keyword of the ssh daemon: what its files say, and what the daemon itself makes of them.
//!
//! The first value of a keyword counts, so our drop-in `00-trempe.conf` decides wherever the main file includes its directory
//! before it sets anything; what others say after it has no effect and stays as it is. Only where the drop-in cannot win is
//! somebody else's line mended where it stands: a value that comes first, and every `Match` block that weakens a setting,
//! since for the connections it matches the block decides. Where nothing is included, the main file is the place.

pub mod access;
pub mod config;

use std::path::Path;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{System, UnitFileState};
use config::{Directive, Files, MAIN, with_directive, with_value};

/// Our own drop-in: the first of its directory.
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-trempe.conf";
/// The package that brings the daemon, on every distribution.
const PACKAGE: &str = "openssh-server";

/// How a value is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// It is the same.
    #[default]
    Same,
    /// It is a number or a time not above it.
    AtMost,
    /// It is a number or a time not above it, and not 0, which would mean without limit.
    Limit,
    /// It is a list, spelled out, of nothing but members of it.
    Among,
    /// It is `start:rate:full` (`MaxStartups`) that drops connections as early and as surely.
    StartLimits,
}

/// A keyword of `sshd_config(5)` that is set and has a good value for every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sshd {
    /// The keyword, as the manual page spells it.
    pub keyword: String,
    /// The value it gets when it has no good one.
    pub value: Text,
    /// Values that are as good.
    #[serde(default)]
    pub also: Vec<Text>,
    /// How a value that is there is compared.
    #[serde(default)]
    pub compare: Compare,
    /// Whether there must be a daemon at all: 0 undecided, 1 no, 2 yes.
    #[serde(default)]
    pub required: Text,
}

impl Setting for Sshd {
    fn examine(&self, system: &System) -> Result<Finding> {
        if let Some(finding) = without_daemon(system, &self.required)? {
            return Ok(finding);
        }
        let files = Files::new(system);
        let directives = files.directives()?;
        let mut finding = Finding::new();
        self.judge(&directives, &mut finding);
        if let Some(value) = system.sshd()?.and_then(|view| view.value(&self.keyword)) {
            finding.running(self.accepts(value), self.says(value), self.wanted(), "sshd -T");
        }
        if !finding.is_compliant() {
            self.mend(files, &mut finding)?;
            finding.effect(Effect::reload(unit(system)?));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!(
            "the ssh daemon has {} for every connection (sshd_config, its includes, Match blocks)",
            self.wanted()
        )
    }
}

impl Sshd {
    fn says(&self, value: &str) -> String {
        format!("{} {value}", self.keyword)
    }

    fn wanted(&self) -> String {
        let value = &self.value;
        match self.compare {
            Compare::Same => self.says(value.as_str()),
            Compare::AtMost => self.says(&format!("{value} or less")),
            Compare::Limit => self.says(&format!("{value} or less, not 0")),
            Compare::Among => self.says(&format!("some of {value}")),
            Compare::StartLimits => self.says(&format!("{value} or stricter")),
        }
    }

    /// Whether a value is good enough.
    fn accepts(&self, found: &str) -> bool {
        let wanted = self.value.as_str();
        match self.compare {
            Compare::Same => same(found, wanted) || self.also.iter().any(|also| same(found, also.as_str())),
            Compare::AtMost => not_above(found, wanted, 0),
            Compare::Limit => not_above(found, wanted, 1),
            Compare::Among => among(found, wanted),
            Compare::StartLimits => start_limits(found, wanted),
        }
    }

    /// Records the value that decides, and every `Match` block that replaces it by a worse one.
    fn judge(&self, directives: &[Directive], finding: &mut Finding) {
        match decides(directives, &self.keyword) {
            Some(found) => {
                finding.persistent(
                    self.accepts(&found.value()),
                    found.sentence(),
                    self.wanted(),
                    found.place(),
                );
            }
            None => drop(finding.persistent(false, "not set", self.wanted(), MAIN)),
        }
        let weakened = directives.iter().filter(|found| found.is(&self.keyword) && found.condition.is_some());
        for found in weakened.filter(|found| !self.accepts(&found.value())) {
            finding.persistent(false, found.sentence(), self.wanted(), found.place());
        }
    }

    fn mend(&self, mut files: Files<'_>, finding: &mut Finding) -> Result<()> {
        if !self.accepts(self.value.as_str()) {
            bail!("'{}' is no value that {} could be limited to", self.value, self.keyword);
        }
        if files.includes(Path::new(DROP_IN))? {
            let own = files.text(Path::new(DROP_IN))?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            files.edited.insert(DROP_IN.into(), set(&own, &self.keyword, self.value.as_str()));
        } else if decides(&files.directives()?, &self.keyword).is_none() {
            let text = files.text(Path::new(MAIN))?.unwrap_or_default();
            files.edited.insert(MAIN.into(), with_directive(&text, &self.keyword, self.value.as_str()));
        }
        // What still decides otherwise, or only for some connections, is mended where it stands. Each round mends one line.
        while let Some(wrong) = self.wrong(&files.directives()?) {
            self.replace(&mut files, &wrong)?;
        }
        for (path, content) in files.edited {
            finding.change(Change::WriteFile { path, content, mode: 0o600 });
        }
        Ok(())
    }

    /// A directive that decides and should not.
    fn wrong(&self, directives: &[Directive]) -> Option<Directive> {
        let bad = |found: &&Directive| found.is(&self.keyword) && !self.accepts(&found.value());
        let first = decides(directives, &self.keyword).filter(bad);
        first.or_else(|| directives.iter().filter(|found| found.condition.is_some()).find(bad)).cloned()
    }

    fn replace(&self, files: &mut Files<'_>, wrong: &Directive) -> Result<()> {
        let text = files.text(&wrong.file)?.unwrap_or_default();
        files.edited.insert(wrong.file.clone(), with_value(&text, wrong.line, self.value.as_str()));
        Ok(())
    }
}

/// The directive that decides outside of all `Match` blocks.
fn decides<'a>(directives: &'a [Directive], keyword: &str) -> Option<&'a Directive> {
    directives.iter().find(|found| found.is(keyword) && found.condition.is_none())
}

/// The finding where there is no daemon, or there should be none; `None` where its configuration is to be looked at.
///
/// # Errors
/// When the package database cannot be read.
pub fn without_daemon(system: &System, required: &Text) -> Result<Option<Finding>> {
    let packages = system.packages()?;
    if packages.is_planned(PACKAGE) {
        return Ok(Some(Finding::not_checked(format!("can be judged once {PACKAGE} is installed"))));
    }
    let mut finding = Finding::new();
    match (packages.has(PACKAGE), required.as_str()) {
        (true, "1") => {
            finding.persistent(false, format!("{PACKAGE} is installed"), "not installed", "package database");
            finding
                .manual(format!("no ssh server is wanted here: remove {PACKAGE}, or change sshd_required"));
        }
        (true, _) => return Ok(None),
        (false, "2") => {
            finding.persistent(false, format!("{PACKAGE} is not installed"), "installed", "package database");
            finding.change(Change::Packages { install: vec![PACKAGE.to_owned()], remove: Vec::new() });
        }
        (false, _) => {
            finding.persistent(
                true,
                format!("{PACKAGE} is not installed"),
                "not installed, or configured",
                "package database",
            );
        }
    }
    Ok(Some(finding))
}

/// The daemon's unit: Debian and Ubuntu call it `ssh`.
fn unit(system: &System) -> Result<&'static str> {
    let debian = system.units()?.state("ssh.service").file != UnitFileState::Absent;
    Ok(if debian { "ssh.service" } else { "sshd.service" })
}

/// The daemon reads words in any case, but not paths.
fn same(found: &str, wanted: &str) -> bool {
    if wanted.starts_with('/') { found == wanted } else { found.eq_ignore_ascii_case(wanted) }
}

fn not_above(found: &str, wanted: &str, least: u64) -> bool {
    let (found, wanted) = (number(found), number(wanted));
    found.zip(wanted).is_some_and(|(found, wanted)| (least..=wanted).contains(&found))
}

/// A number, or a time in the daemon's format (`1h30m`) in seconds.
fn number(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0u64, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    match digits.as_str() {
        "" if text.is_empty() => None,
        "" => Some(total),
        rest => total.checked_add(rest.parse().ok()?),
    }
}

/// Lists that begin with a sign add to or take from what the daemon's version has built in: only the same sign says the same.
fn among(found: &str, wanted: &str) -> bool {
    let signed = |list: &str| list.starts_with(['+', '-', '^']);
    if signed(found) || signed(wanted) {
        return found == wanted;
    }
    !found.is_empty() && found.split(',').all(|member| wanted.split(',').any(|other| other == member))
}

/// `start:rate:full`: refusing begins at `start` connections, with `rate` percent, and is sure at `full`.
fn start_limits(found: &str, wanted: &str) -> bool {
    let three = |text: &str| -> Option<[u64; 3]> {
        let numbers: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let stricter = |([start, rate, full], [least, most, end]): ([u64; 3], [u64; 3])| {
        start <= least && rate >= most && full <= end
    };
    three(found).zip(three(wanted)).is_some_and(stricter)
}

/// The text of our drop-in with one keyword set; others keep their lines.
fn set(text: &str, keyword: &str, value: &str) -> String {
    let others =
        |line: &&str| !line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(keyword));
    let mut lines: Vec<String> = text.lines().filter(others).map(str::to_owned).collect();
    lines.push(format!("{keyword} {value}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests;
