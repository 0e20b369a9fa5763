//! Debian's common stacks: `/etc/pam.d/common-*`, as `pam-auth-update(8)` writes them from the enabled profiles.
//!
//! A package that brings a PAM module calls `pam-auth-update`, which writes these files anew. So that it changes nothing
//! of ours, we change what it works from: the profiles, the record of what it wrote last (`/var/lib/pam`), and arguments as
//! differences from that record, which it takes for the administrator's and keeps. Then we write the files as it would.
//! A file that no longer matches its record, because somebody added lines, is one it leaves alone; so do we.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::profile::{self, Block, Profile};
use super::stack;
use crate::change::Change;
use crate::system::System;

const RECORDS: &str = "/var/lib/pam";
const PRIMARY: &str = "# here are the per-package modules (the \"Primary\" block)";
const FALLBACK: &str = "# here's the fallback if no module succeeds";
const ADDITIONAL: &str = "# and here are more per-package modules (the \"Additional\" block)";
const END: &str = "# end of pam-auth-update config";
/// What stands in the primary block when no profile has a line for it.
const NOTHING: &str = "[default=1]\t\t\tpam_permit.so";

/// The files, by the end of their names.
pub const STACKS: [&str; 5] = ["auth", "account", "password", "session", "session-noninteractive"];

/// Arguments that the administrator, or we, added to and took from a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Difference {
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
}

/// The common stacks and what they are made from.
#[derive(Debug, Clone)]
pub struct Common {
    profiles: BTreeMap<String, Profile>,
    enabled: Vec<String>,
    seen: BTreeSet<String>,
    texts: BTreeMap<&'static str, String>,
    differences: BTreeMap<(&'static str, String), Difference>,
    new: BTreeMap<String, &'static str>,
}

impl Common {
    /// Reads it all. The inner error says why `pam-auth-update` does not manage the files of this machine.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(system: &System) -> Result<Result<Common, String>> {
        let mut common = Common {
            profiles: BTreeMap::new(),
            enabled: Vec::new(),
            seen: BTreeSet::new(),
            texts: BTreeMap::new(),
            differences: BTreeMap::new(),
            new: BTreeMap::new(),
        };
        for name in system.list(profile::DIR)? {
            if name.ends_with('~') || (name.starts_with('#') && name.ends_with('#')) {
                continue;
            }
            let text = system.read_text(format!("{}/{name}", profile::DIR))?.unwrap_or_default();
            if let Some(profile) = Profile::parse(&text) {
                common.profiles.insert(name, profile);
            }
        }
        let seen = system.read_text(format!("{RECORDS}/seen"))?.unwrap_or_default();
        common.seen = seen.lines().map(str::to_owned).collect();
        let mut enabled = Vec::new();
        for name in STACKS {
            let file = stack::path(&format!("common-{name}"));
            let record = format!("{RECORDS}/{name}");
            let (Some(text), Some(record)) = (system.read_text(&file)?, system.read_text(record)?) else {
                return Ok(Err(format!("{} is not managed by pam-auth-update", file.display())));
            };
            if let Err(reason) = common.compare(name, &text, &record, &mut enabled) {
                return Ok(Err(format!("{} was changed by hand: {reason}", file.display())));
            }
            common.texts.insert(name, text);
        }
        common.settle(enabled);
        Ok(Ok(common))
    }

    /// Whether there is a profile of that name, on the machine or of ours.
    pub fn knows(&self, name: &str) -> bool {
        self.profiles.contains_key(name) || profile::own(name).is_some()
    }

    /// Enables a profile; one of ours is brought along.
    pub fn enable(&mut self, name: &str) {
        if let Some(text) = profile::own(name)
            && let Some(profile) = Profile::parse(text)
        {
            self.profiles.insert(name.to_owned(), profile);
            self.new.insert(name.to_owned(), text);
        }
        self.seen.insert(name.to_owned());
        let mut enabled = self.enabled.clone();
        enabled.push(name.to_owned());
        self.settle(enabled);
    }

    /// Gives the line of this control and module other arguments. False when no profile has such a line.
    pub fn set_arguments(
        &mut self,
        name: &'static str,
        control: &str,
        module: &str,
        wanted: &[String],
    ) -> bool {
        let same = |line: &str| {
            let (head, _) = head_and_arguments(line);
            let (own, other) = control_and_module(head);
            (without_jump(own), other) == (without_jump(control), module)
        };
        let lines = self.lines(name, Block::Primary).into_iter().chain(self.lines(name, Block::Additional));
        let Some(line) = lines.map(|(line, _)| line).find(|line| same(line)) else { return false };
        let (head, given) = head_and_arguments(line);
        let key = (name, without_jump(head));
        let added = wanted.iter().filter(|word| !given.contains(&word.as_str())).cloned().collect();
        let removed =
            given.iter().map(|word| (*word).to_owned()).filter(|word| !wanted.contains(word)).collect();
        self.differences.insert(key, Difference { added, removed });
        true
    }

    /// What has to be written for the files to be what the profiles and differences say.
    ///
    /// # Errors
    /// When a present file cannot be read.
    pub fn changes(&self, system: &System) -> Result<Vec<Change>> {
        let mut files: Vec<(String, String)> = Vec::new();
        for (name, text) in &self.new {
            files.push((format!("{}/{name}", profile::DIR), (*text).to_owned()));
        }
        for name in STACKS {
            files.push((stack::path(&format!("common-{name}")).display().to_string(), self.file(name)));
        }
        for name in STACKS {
            files.push((format!("{RECORDS}/{name}"), self.record(name)));
        }
        if !self.new.is_empty() {
            let seen: String = self.sorted(self.seen.iter()).iter().map(|name| format!("{name}\n")).collect();
            files.push((format!("{RECORDS}/seen"), seen));
        }
        let mut changes = Vec::new();
        for (path, content) in files {
            if system.read_text(&path)?.as_ref() != Some(&content) {
                changes.push(Change::write(path, content));
            }
        }
        Ok(changes)
    }

    /// The order of profiles: by priority, then by name backwards.
    fn sorted<'a>(&self, names: impl Iterator<Item = &'a String>) -> Vec<String> {
        let mut names: Vec<String> =
            names.filter(|name| self.profiles.contains_key(*name)).cloned().collect();
        let priority = |name: &String| self.profiles.get(name).map(Profile::priority).unwrap_or_default();
        names.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| b.cmp(a)));
        names.dedup();
        names
    }

    /// Puts the enabled profiles in order; of two in conflict the one that names the other stays.
    fn settle(&mut self, names: Vec<String>) {
        let sorted = self.sorted(names.iter());
        let mut kept = sorted.clone();
        for name in &sorted {
            let Some(profile) = self.profiles.get(name).filter(|_| kept.contains(name)) else { continue };
            kept.retain(|other| !profile.conflicts_with(other));
        }
        self.enabled = kept;
    }

    /// The lines of a block and the profile each is from, jumps still written as `end`.
    fn lines(&self, name: &str, block: Block) -> Vec<(&str, &str)> {
        let section = section(name);
        let inside = |profile: &&String| {
            self.profiles.get(*profile).is_some_and(|profile| profile.is_in(&section, block))
        };
        let mut lines = Vec::new();
        for (index, profile) in self.enabled.iter().filter(inside).enumerate() {
            let Some(read) = self.profiles.get(profile) else { continue };
            lines.extend(read.lines(&section, index == 0).into_iter().map(|line| (line, profile.as_str())));
        }
        lines
    }

    /// A common file as `pam-auth-update` writes it: everything outside the two blocks as it is.
    pub fn file(&self, name: &str) -> String {
        let mut out = String::new();
        let mut inside = None;
        for line in self.texts.get(name).map(String::as_str).unwrap_or_default().split_inclusive('\n') {
            match inside {
                Some(end) if !line.starts_with(end) => continue,
                _ => inside = None,
            }
            out.push_str(line);
            if line.starts_with(PRIMARY) {
                self.block(name, Block::Primary, &mut out);
                inside = Some(FALLBACK);
            } else if line.starts_with(ADDITIONAL) {
                self.block(name, Block::Additional, &mut out);
                inside = Some(END);
            }
        }
        out
    }

    fn block(&self, name: &str, block: Block, out: &mut String) {
        let facility = facility(name);
        let lines = self.lines(name, block);
        if lines.is_empty() && block == Block::Primary {
            out.push_str(&format!("{facility}\t{NOTHING}\n"));
        }
        // A jump to the end leaves the primary block behind the fallback; there is nothing behind the other block.
        let mut left = lines.len() as i64 - i64::from(block == Block::Additional);
        for (line, _) in lines {
            let (head, given) = head_and_arguments(line);
            let head = head.replace("end", &left.to_string());
            let given: Vec<String> = given.iter().map(|word| (*word).to_owned()).collect();
            let difference = self.differences.get(&(static_name(name), without_jump(&head)));
            let arguments = merge(&given, &difference.cloned().unwrap_or_default());
            out.push_str(&format!("{facility}\t{head} {}\n", arguments.join(" ")));
            left -= 1;
        }
    }

    /// The record of what was written: the lines of each profile.
    fn record(&self, name: &str) -> String {
        let mut out = String::new();
        for block in [Block::Primary, Block::Additional] {
            let mut last = "";
            let lines = self.lines(name, block);
            if lines.is_empty() && block == Block::Primary {
                out.push_str(&format!("Module: null\n{NOTHING}\n"));
            }
            for (line, profile) in lines {
                if profile != last {
                    out.push_str(&format!("Module: {profile}\n"));
                    last = profile;
                }
                out.push_str(&format!("{line}\n"));
            }
        }
        out
    }

    /// Matches a file's lines with its record: which profiles are enabled, and which arguments differ.
    fn compare(
        &mut self,
        name: &'static str,
        text: &str,
        record: &str,
        enabled: &mut Vec<String>,
    ) -> Result<(), String> {
        let mut profile = "";
        let mut recorded = Vec::new();
        for line in record.lines() {
            match line.strip_prefix("Module: ") {
                Some(name) => profile = name,
                None => recorded.push((profile, without_jump(line))),
            }
        }
        let mut recorded = recorded.into_iter();
        for line in managed_lines(name, text)? {
            let line = without_jump(line);
            let (head, present) = head_and_arguments(&line);
            let Some((profile, was)) = recorded.find(|(_, was)| head_and_arguments(was).0 == head) else {
                return Err(format!("'{line}' is from no profile"));
            };
            enabled.push(profile.to_owned());
            let (_, was) = head_and_arguments(&was);
            let only_in = |these: &[&str], those: &[&str]| -> BTreeSet<String> {
                these.iter().filter(|word| !those.contains(word)).map(|word| (*word).to_owned()).collect()
            };
            let difference = Difference { added: only_in(&present, &was), removed: only_in(&was, &present) };
            if difference != Difference::default() {
                self.differences.insert((name, head.to_owned()), difference);
            }
        }
        Ok(())
    }
}

/// The lines of both blocks, without the facility.
fn managed_lines<'a>(name: &str, text: &'a str) -> Result<Vec<&'a str>, String> {
    let facility = facility(name);
    let mut found = Vec::new();
    let mut end = None;
    let mut blocks = 0;
    for line in text.lines() {
        match end {
            Some(marker) if line.starts_with(marker) => end = None,
            Some(_) => {
                let rest = line.strip_prefix(facility).filter(|rest| rest.starts_with(char::is_whitespace));
                found.push(rest.unwrap_or(line).trim_start());
            }
            None if line.starts_with(PRIMARY) => (end, blocks) = (Some(FALLBACK), blocks + 1),
            None if line.starts_with(ADDITIONAL) => (end, blocks) = (Some(END), blocks + 1),
            None => {}
        }
    }
    if blocks == 2 && end.is_none() {
        Ok(found)
    } else {
        Err("the marks of its blocks are missing".to_owned())
    }
}

/// What remains of a profile's arguments, and what was added, in order of the alphabet.
fn merge(given: &[String], difference: &Difference) -> Vec<String> {
    let kept = given.iter().filter(|word| !difference.removed.contains(*word));
    let added = difference.added.iter().filter(|word| !given.contains(word));
    kept.chain(added).cloned().collect()
}

/// Control and module as written, and the arguments.
fn head_and_arguments(line: &str) -> (&str, Vec<&str>) {
    let control = if line.starts_with('[') {
        line.find(']').map_or(line.len(), |at| at + 1)
    } else {
        line.find(char::is_whitespace).unwrap_or(line.len())
    };
    let rest = line.get(control..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let module = rest.trim_start();
    let module = module.find(char::is_whitespace).unwrap_or(module.len());
    let (head, arguments) = line.split_at(control + blanks + module);
    (head, arguments.split_whitespace().collect())
}

fn control_and_module(head: &str) -> (&str, &str) {
    let at = head.rfind(char::is_whitespace).map_or(head.len(), |at| at + 1);
    (head.get(..at).unwrap_or(head).trim(), head.get(at..).unwrap_or_default())
}

/// A line without the length of its first jump, which depends on its neighbours.
fn without_jump(line: &str) -> String {
    let (Some(open), Some(close)) = (line.find('['), line.rfind(']')) else { return line.to_owned() };
    let Some(inside) = line.get(open..close).map(|inside| inside.replace("end", "")) else {
        return line.to_owned();
    };
    let start = inside.find(|c: char| c.is_ascii_digit()).unwrap_or(inside.len());
    let (before, after) = inside.split_at(start);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let head = line.get(..open).unwrap_or_default();
    let tail = line.get(close..).unwrap_or_default();
    format!("{head}{before}{after}{tail}")
}

/// How profiles call a stack.
fn section(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn facility(name: &str) -> &str {
    name.trim_end_matches("-noninteractive")
}

fn static_name(name: &str) -> &'static str {
    STACKS.into_iter().find(|stack| *stack == name).unwrap_or_default()
}

#[cfg(test)]
mod tests;
