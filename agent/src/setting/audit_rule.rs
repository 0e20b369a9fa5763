//! Audit rules: what the kernel records, now and from boot on.
//!
//! Rules are compared by what they record, not by how they are written ([`crate::system::audit::rule`]): a rule of somebody
//! else that records the same or more is enough. A rule that says `never` and stands before takes it away again. What is
//! missing goes into files of our own: options for the rules after them into one that is read first, the lock into one that
//! is read last. Once the rules are locked (`-e 2`), the kernel takes new ones only at the next boot.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::audit::{AuditFiles, AuditKernel, AuditLine, AuditRule as Record, Loader, Placed, rule};
use crate::system::{System, Tool};

/// Our file for options that count for what is read after them (`-c`, `-i`).
const FIRST: &str = "/etc/audit/rules.d/01-trempe.rules";

/// Our file for rules.
const RULES: &str = "/etc/audit/rules.d/60-trempe.rules";

/// Our file for the lock.
const LAST: &str = "/etc/audit/rules.d/99-trempe.rules";

/// The compiled rules and their previous version, which `augenrules` writes.
const COMPILED: [&str; 2] = ["/etc/audit/audit.rules", "/etc/audit/audit.rules.prev"];

/// Rules and options of the audit system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRule {
    /// The lines, as `audit.rules(7)` writes them. Lines for `arch=b64` count on 64-bit processors only.
    pub rules: Vec<Text>,
}

impl AuditRule {
    /// Whether it locks the rules (`-e 2`).
    pub fn locks(&self) -> bool {
        self.rules.iter().any(|rule| rule.as_str().split_whitespace().eq(["-e", "2"]))
    }
}

impl Setting for AuditRule {
    fn examine(&self, system: &System) -> Result<Finding> {
        let rules: Vec<String> = self.rules.iter().map(|rule| rule.0.clone()).collect();
        ensure(&rules, system)
    }

    fn describe(&self) -> String {
        let rules: Vec<&str> = self.rules.iter().map(Text::as_str).collect();
        format!("the kernel has these audit rules, now and from boot on: {}", rules.join("; "))
    }
}

/// One line that shall be there.
struct Wanted<'a> {
    text: &'a str,
    line: AuditLine,
}

/// Looks for every one of these lines in the files read at boot and, where it can be asked, in the kernel.
///
/// # Errors
/// When the rules that are there cannot be read, or a wanted line is none.
pub fn ensure(rules: &[String], system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    let files = system.audit_files()?;
    let kernel = system.audit_kernel()?;
    let mut plan = Plan::default();
    for text in rules {
        let line = rule::parse(text).with_context(|| format!("reading the wanted rule '{text}'"))?;
        let Some(line) = line else { bail!("'{text}' is no audit rule") };
        if matches!(&line, AuditLine::Rule(rule) if rule.arch.as_deref() == Some("b64")) && !is_64_bit()? {
            continue;
        }
        let wanted = Wanted { text, line };
        examine_files(&wanted, files, &mut finding, &mut plan);
        if let Some(kernel) = kernel {
            examine_kernel(&wanted, kernel, &mut finding, &mut plan);
        }
    }
    plan.settle(system, files, kernel, &mut finding)?;
    Ok(finding)
}

/// What is missing.
#[derive(Default)]
struct Plan {
    /// Lines to add.
    add: Vec<String>,
    /// Lines of others to replace (`Some`) or to take out (`None`).
    replace: Vec<(Placed, Option<String>)>,
    /// Whether the kernel lacks something.
    unloaded: bool,
}

fn examine_files(wanted: &Wanted, files: &AuditFiles, finding: &mut Finding, plan: &mut Plan) {
    let place = |placed: &Placed| format!("{}:{}", placed.file.display(), placed.number);
    match &wanted.line {
        AuditLine::Rule(record) => match decide(record, files.lines.iter().filter_map(as_rule)) {
            Decision::Recorded(placed) => {
                finding.persistent(true, &placed.text, wanted.text, place(placed));
            }
            Decision::Suppressed(placed) => {
                finding.persistent(false, &placed.text, wanted.text, place(placed));
                plan.replace.push((placed.clone(), None));
                if !recorded(record, files.lines.iter().filter_map(as_rule)) {
                    plan.add.push(wanted.text.to_owned());
                }
            }
            Decision::Missing => {
                finding.persistent(false, "no such rule", wanted.text, source(files));
                plan.add.push(wanted.text.to_owned());
            }
        },
        AuditLine::Option(name, _) => {
            let same =
                |placed: &&Placed| matches!(&placed.line, AuditLine::Option(other, _) if other == name);
            // Of one option, the last counts.
            match files.lines.iter().rev().find(same) {
                Some(placed) => {
                    let holds = placed.line == wanted.line;
                    finding.persistent(holds, &placed.text, wanted.text, place(placed));
                    if !holds {
                        plan.replace.push((placed.clone(), Some(wanted.text.to_owned())));
                    }
                }
                None => {
                    finding.persistent(false, "not set", wanted.text, source(files));
                    plan.add.push(wanted.text.to_owned());
                }
            }
        }
    }
}

fn examine_kernel(wanted: &Wanted, kernel: &AuditKernel, finding: &mut Finding, plan: &mut Plan) {
    match &wanted.line {
        AuditLine::Rule(record) => {
            let rules = kernel.rules.iter().map(|(text, rule)| (text, rule));
            let (holds, found) = match decide(record, rules) {
                Decision::Recorded(text) => (true, text.as_str()),
                Decision::Suppressed(text) => (false, text.as_str()),
                Decision::Missing => (false, "no such rule"),
            };
            finding.running(holds, found, wanted.text, "auditctl -l");
            plan.unloaded |= !holds;
        }
        AuditLine::Option(name, value) if name == "-e" => {
            let locked = value.as_deref() == Some("2");
            let found = if kernel.locked { "locked" } else { "not locked" };
            finding.running(kernel.locked == locked, found, wanted.text, "auditctl -s");
            plan.unloaded |= kernel.locked != locked;
        }
        // The kernel keeps no trace of options that only steer loading.
        AuditLine::Option(..) => {}
    }
}

impl Plan {
    /// Adds what makes it right to the finding.
    fn settle(
        self,
        system: &System,
        files: &AuditFiles,
        kernel: Option<&AuditKernel>,
        finding: &mut Finding,
    ) -> Result<()> {
        if finding.is_compliant() {
            return Ok(());
        }
        if files.loader == Loader::Nothing {
            finding.manual(
                "no unit loads audit rules at boot; install or restore the one of the package auditd",
            );
            return Ok(());
        }
        let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
        // From the last line to the first, so that the numbers of the others stay true.
        let mut replace = self.replace;
        replace.sort_by_key(|(placed, _)| std::cmp::Reverse(placed.number));
        replace.dedup();
        for (placed, line) in replace {
            let text = text_of(&mut texts, system, &placed.file)?;
            *text = with_line(text, placed.number, line.as_deref());
        }
        for line in &self.add {
            let file = file_for(line, &files.loader);
            let text = text_of(&mut texts, system, &file)?;
            *text = match &files.loader {
                Loader::Auditctl(_) => before_lock(text, line),
                _ => with_rule(text, line),
            };
        }
        let changes =
            texts.into_iter().map(|(path, content)| Change::WriteFile { path, content, mode: 0o640 });
        finding.changes.extend(changes);
        take_effect(self.unloaded, kernel, finding);
        Ok(())
    }
}

/// Adds how the kernel gets to know of the changes.
fn take_effect(unloaded: bool, kernel: Option<&AuditKernel>, finding: &mut Finding) {
    let locked = kernel.is_some_and(|kernel| kernel.locked);
    match (finding.changes.is_empty(), unloaded, locked) {
        (true, true, true) => {
            finding.manual(
                "the files are right, and the kernel takes audit rules again only after a reboot (-e 2)",
            );
        }
        (true, true, false) => {
            let outputs = COMPILED.iter().map(PathBuf::from).collect();
            let args = vec!["--load".to_owned()];
            finding.change(Change::Generate { tool: Tool::Augenrules, args, outputs });
        }
        (false, _, true) => drop(finding.effect(Effect::Reboot)),
        (false, _, false) => drop(finding.effect(Effect::LoadAuditRules)),
        (true, false, _) => {}
    }
}

/// What the rules in force do to the events of a wanted rule.
enum Decision<T> {
    /// They are recorded, by this one.
    Recorded(T),
    /// They would be, had this one not said never before.
    Suppressed(T),
    /// Nothing records them.
    Missing,
}

fn decide<'a, T: Copy>(wanted: &Record, rules: impl Iterator<Item = (T, &'a Record)> + Clone) -> Decision<T> {
    let suppresses = |rule: &Record| rule.never && (rule.covers(wanted) || switches_off(rule));
    for (place, rule) in rules.clone() {
        if suppresses(rule) {
            return Decision::Suppressed(place);
        }
        if !rule.never && rule.covers(wanted) {
            // A later rule can still come before this one.
            let earlier =
                rules.clone().find(|(_, rule)| (rule.first || rule.list == "task") && suppresses(rule));
            return earlier.map_or(Decision::Recorded(place), |(place, _)| Decision::Suppressed(place));
        }
    }
    if recorded(wanted, rules.clone()) {
        let one = rules.clone().find(|(_, rule)| !rule.never && rule.covers(&wanted.on("b64")));
        return one.map_or(Decision::Missing, |(place, _)| Decision::Recorded(place));
    }
    Decision::Missing
}

/// Whether rules record the wanted events: one for all of them, or one for each architecture.
fn recorded<'a, T>(wanted: &Record, rules: impl Iterator<Item = (T, &'a Record)> + Clone) -> bool {
    let by_one = |wanted: &Record| rules.clone().any(|(_, rule)| !rule.never && rule.covers(wanted));
    by_one(wanted) || (wanted.arch.is_none() && by_one(&wanted.on("b32")) && by_one(&wanted.on("b64")))
}

/// `-a never,task` without conditions: no process gets an audit context, and no rule on files or calls ever matches.
fn switches_off(rule: &Record) -> bool {
    rule.list == "task" && rule.fields.is_empty()
}

fn as_rule(placed: &Placed) -> Option<(&Placed, &Record)> {
    match &placed.line {
        AuditLine::Rule(rule) => Some((placed, rule)),
        AuditLine::Option(..) => None,
    }
}

/// Where rules are looked for, for people.
fn source(files: &AuditFiles) -> String {
    match &files.loader {
        Loader::Augenrules => "/etc/audit/rules.d".to_owned(),
        Loader::Auditctl(file) => file.display().to_string(),
        Loader::Nothing => "no unit loads audit rules at boot".to_owned(),
    }
}

fn file_for(line: &str, loader: &Loader) -> PathBuf {
    match (loader, line.split_whitespace().next()) {
        (Loader::Auditctl(file), _) => file.clone(),
        (_, Some("-e")) => PathBuf::from(LAST),
        (_, Some("-a" | "-A" | "-w")) => PathBuf::from(RULES),
        _ => PathBuf::from(FIRST),
    }
}

/// The text of a file as the changes so far leave it; a file of ours that is not there yet begins with its header.
fn text_of<'a>(
    texts: &'a mut BTreeMap<PathBuf, String>,
    system: &System,
    file: &Path,
) -> Result<&'a mut String> {
    match texts.entry(file.to_owned()) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(new) => {
            let mut text = system.read_text(file)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            Ok(new.insert(text))
        }
    }
}

/// The text with one line replaced, or without it.
fn with_line(text: &str, number: usize, line: Option<&str>) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    match (number.checked_sub(1).filter(|index| *index < lines.len()), line) {
        (Some(index), Some(line)) => lines.splice(index..=index, [line]).for_each(drop),
        (Some(index), None) => drop(lines.remove(index)),
        (None, _) => {}
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The text of our file with a line added. A rule that differs from one that is there only in its system calls goes into the
/// same line: the kernel tries every rule at every system call, so fewer are faster.
fn with_rule(text: &str, line: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let calls = system_calls(line);
    match lines.iter_mut().find(|other| calls.is_some() && without_calls(other) == without_calls(line)) {
        Some(same) => {
            let all = format!("{},{}", system_calls(same).unwrap_or_default(), calls.unwrap_or_default());
            let words =
                same.split(' ').map(|word| if Some(word) == system_calls(same) { &all } else { word });
            *same = words.collect::<Vec<_>>().join(" ");
        }
        None => lines.push(line.to_owned()),
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The system calls of a rule in the form that our files have: one `-S`.
fn system_calls(line: &str) -> Option<&str> {
    let mut words = line.split(' ').skip_while(|word| *word != "-S").skip(1);
    words.next()
}

/// A rule of our form without its system calls.
fn without_calls(line: &str) -> Vec<&str> {
    let calls = system_calls(line);
    line.split(' ').filter(|word| Some(*word) != calls).collect()
}

/// The text with a line added where `auditctl -R` still takes it: nothing is read after the lock.
fn before_lock(text: &str, line: &str) -> String {
    let is_lock =
        |text: &str| matches!(rule::parse(text), Ok(Some(AuditLine::Option(name, _))) if name == "-e");
    let at = if is_lock(line) { None } else { text.lines().position(is_lock) };
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(at.unwrap_or(lines.len()), line);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn is_64_bit() -> Result<bool> {
    let machine = nix::sys::utsname::uname()?.machine().to_string_lossy().into_owned();
    Ok(["x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "riscv64"].contains(&machine.as_str()))
}

#[cfg(test)]
mod tests;
