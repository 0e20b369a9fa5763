//! Who uses sudo proves who they are: nothing waives the password.
//!
//! An account that has no password of its own, as those that cloud images and automation use with keys, could no longer use sudo
//! at all. Where the waiver is what such an account lives from, taking it away is left to a person.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::{self, Entry, Line, MAIN};
use super::{parameters, without};
use crate::change::Change;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::{Accounts, Passwords, System};

/// Shells that let nobody in.
const NO_SHELLS: [&str; 4] = ["nologin", "false", "sync", "halt"];

/// Nothing in the sudoers files waives the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SudoAuthentication {
    /// Whether `NOPASSWD` tags are looked for too, not only `Defaults !authenticate`.
    pub tags: bool,
}

impl Setting for SudoAuthentication {
    fn examine(&self, system: &System) -> Result<Finding> {
        let lines = file::lines(system)?;
        let mut finding = Finding::new();
        let waivers: Vec<&Line> = lines.iter().filter(|line| self.waives(line)).collect();
        for line in &waivers {
            finding.persistent(false, &line.text, "the password is asked for", line.place());
        }
        if waivers.is_empty() {
            finding.persistent(true, "no line waives the password", "the password is asked for", MAIN);
            return Ok(finding);
        }
        let stuck = stuck(system, &lines, &waivers)?;
        if stuck.is_empty() {
            self.mend(system, &lines, &mut finding)?;
        } else {
            let names = stuck.into_iter().collect::<Vec<_>>().join(", ");
            finding.manual(format!(
                "could no longer use sudo, for want of a password: {names}; give one (passwd), or except this rule"
            ));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let tags = if self.tags { " and no NOPASSWD tag" } else { "" };
        format!("no sudoers file has Defaults !authenticate{tags}")
    }
}

impl SudoAuthentication {
    fn waives(&self, line: &Line) -> bool {
        match &line.entry {
            Entry::Defaults(all) => all.iter().any(switches_off),
            Entry::Grant(grant) => self.tags && !grant.waivers.is_empty(),
            _ => false,
        }
    }

    fn mend(&self, system: &System, lines: &[Line], finding: &mut Finding) -> Result<()> {
        let mut texts: BTreeMap<PathBuf, String> = without(system, lines, &switches_off)?;
        let tagged = |line: &&Line| {
            self.tags && matches!(&line.entry, Entry::Grant(grant) if !grant.waivers.is_empty())
        };
        for path in lines.iter().filter(tagged).map(|line| &line.file).collect::<BTreeSet<_>>() {
            let text = match texts.remove(path) {
                Some(text) => text,
                None => system.read_text(path)?.unwrap_or_default(),
            };
            texts.insert(path.clone(), untagged(path, &text)?);
        }
        for (path, content) in texts {
            finding.change(Change::WriteFile { path, content, mode: 0o440 });
        }
        Ok(())
    }
}

fn switches_off(parameter: &file::Parameter) -> bool {
    parameter.name == "authenticate" && parameter.negated
}

/// A text without its `NOPASSWD` tags.
fn untagged(path: &std::path::Path, text: &str) -> Result<String> {
    let mut kept = text.to_owned();
    let lines = file::parse(path, text)?;
    // From the end, so that places before stay what they are.
    for line in lines.iter().rev() {
        if let Entry::Grant(grant) = &line.entry {
            grant.waivers.iter().rev().for_each(|range| kept.replace_range(range.clone(), ""));
        }
    }
    Ok(kept)
}

/// The accounts that a waiver is for and that have no password to type, with those whose passwords are not kept here.
fn stuck(system: &System, lines: &[Line], waivers: &[&Line]) -> Result<BTreeSet<String>> {
    let aliases: BTreeMap<&str, &[String]> = lines
        .iter()
        .filter_map(|line| match &line.entry {
            Entry::UserAlias(name, members) => Some((name.as_str(), members.as_slice())),
            _ => None,
        })
        .collect();
    let people = People { accounts: system.accounts()?, passwords: system.passwords()?, aliases };
    let mut stuck = BTreeSet::new();
    for line in waivers {
        let who: Vec<String> = match &line.entry {
            Entry::Grant(grant) => grant.who.clone(),
            Entry::Defaults(_) => {
                let scopes =
                    parameters(std::slice::from_ref(*line)).filter_map(|(_, found)| found.scope.clone());
                let users = scopes.filter_map(|scope| Some(scope.strip_prefix(':')?.to_owned()));
                let users: Vec<String> = users
                    .flat_map(|list| list.split(',').map(|user| user.trim().to_owned()).collect::<Vec<_>>())
                    .collect();
                if users.is_empty() { vec!["ALL".to_owned()] } else { users }
            }
            _ => Vec::new(),
        };
        for name in who {
            people.collect(&name, &mut stuck, 0);
        }
    }
    Ok(stuck)
}

struct People<'a> {
    accounts: &'a Accounts,
    passwords: &'a Passwords,
    aliases: BTreeMap<&'a str, &'a [String]>,
}

impl People<'_> {
    /// Adds those whom a member of a user list means and who have no password.
    fn collect(&self, member: &str, stuck: &mut BTreeSet<String>, depth: usize) {
        if let Some(members) = self.aliases.get(member).filter(|_| depth < 16) {
            members.iter().for_each(|name| self.collect(name, stuck, depth + 1));
        } else if member == "ALL" {
            let people = self.accounts.users.iter().filter(|user| user.uid >= 1000);
            people.for_each(|user| self.add(&user.name, stuck));
        } else if let Some(group) = member.strip_prefix('%') {
            match self.accounts.group(group) {
                Some(group) => {
                    let primary = self.accounts.users.iter().filter(|user| user.gid == group.gid);
                    primary.for_each(|user| self.add(&user.name, stuck));
                    group.members.iter().for_each(|name| self.add(name, stuck));
                }
                None => drop(stuck.insert(member.to_owned())),
            }
        } else if !member.starts_with('!') {
            self.add(member, stuck);
        }
    }

    fn add(&self, name: &str, stuck: &mut BTreeSet<String>) {
        match self.accounts.user(name) {
            // root is never asked, and whom no shell lets in does not ask.
            Some(user) if user.uid == 0 || NO_SHELLS.iter().any(|shell| user.shell.ends_with(shell)) => {}
            Some(_) if self.passwords.of(name).is_some_and(|entry| entry.has_password()) => {}
            _ => drop(stuck.insert(name.to_owned())),
        }
    }
}
