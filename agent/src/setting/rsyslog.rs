//! rsyslog: its files and their modes, what it listens to and how it forwards.
//!
//! Both syntaxes count, the legacy directives and RainerScript, in the main file and in what it includes, in the order
//! in which rsyslog reads them ([`statement`]).

pub mod files;
mod statement;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;
use files::LogFiles;
use statement::{Kind, Statement};

/// The main file.
const MAIN: &str = "/etc/rsyslog.conf";

/// Our own file sorts before those that write logs.
const DROP_IN: &str = "/etc/rsyslog.d/00-trempe.conf";

/// The modules that receive from the network.
const LISTENERS: [&str; 5] = ["imtcp", "imudp", "imrelp", "imptcp", "imgssapi"];

/// The legacy directives that start a listener.
const SERVERS: [&str; 5] =
    ["inputtcpserverrun", "udpserverrun", "inputrelpserverrun", "inputptcpserverrun", "inputgssserverrun"];

/// What is ensured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rsyslog {
    /// New log files get at most this mode, in octal.
    FileMode(Text),
    /// The files it writes are like this.
    Files(LogFiles),
    /// It receives nothing from the network.
    NoListener {},
    /// It forwards, and every forwarding is encrypted and checks whom it talks to: these parameters of `omfwd`.
    Forwarding(BTreeMap<String, Text>),
}

impl Setting for Rsyslog {
    fn examine(&self, system: &System) -> Result<Finding> {
        if let Rsyslog::Files(files) = self {
            return files.examine(system);
        }
        let mut finding = Finding::new();
        let statements = statement::read(system, Path::new(MAIN))?;
        match self {
            Rsyslog::FileMode(mode) => file_mode(mode, &statements, system, &mut finding)?,
            Rsyslog::Files(_) => {}
            Rsyslog::NoListener {} => no_listener(&statements, system, &mut finding)?,
            Rsyslog::Forwarding(wanted) => forwarding(wanted, &statements, &mut finding),
        }
        if !finding.is_compliant() && !finding.changes.is_empty() {
            finding.effect(Effect::restart("rsyslog.service"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        match self {
            Rsyslog::FileMode(mode) => format!("rsyslog makes log files with mode {mode} or stricter"),
            Rsyslog::Files(files) => files.wanted(),
            Rsyslog::NoListener {} => "rsyslog receives nothing from the network".to_owned(),
            Rsyslog::Forwarding(_) => "rsyslog forwards, and only encrypted to a host it checks".to_owned(),
        }
    }
}

fn file_mode(mode: &Text, statements: &[Statement], system: &System, finding: &mut Finding) -> Result<()> {
    let wanted = format!("FileCreateMode {mode} or stricter");
    let most = octal(mode.as_str()).context("the wanted mode")?;
    if !system.exists(MAIN)? {
        if system.packages()?.is_planned("rsyslog") {
            *finding = Finding::not_checked("can be judged once rsyslog is installed");
            return Ok(());
        }
        finding.persistent(false, "rsyslog is not installed", wanted, MAIN).manual("install rsyslog first");
        return Ok(());
    }
    let mut edits = Edits::default();
    for statement in statements {
        let Some(set) = statement.value("filecreatemode") else { continue };
        let holds = octal(set).with_context(|| statement.place())? & !most == 0;
        finding.persistent(holds, format!("FileCreateMode {set}"), &wanted, statement.place());
        if !holds {
            edits.of(system, &statement.file)?.replace(statement, set, mode.as_str());
        }
    }
    if finding.evidence.is_empty() {
        finding.persistent(false, "FileCreateMode is not set", wanted, MAIN);
        let includes = statements.iter().any(|one| one.includes("/etc/rsyslog.d"));
        let file = if includes { DROP_IN } else { MAIN };
        edits.of(system, Path::new(file))?.first(&format!("$FileCreateMode {mode}"));
    }
    finding.changes.extend(edits.changes());
    Ok(())
}

fn octal(text: &str) -> Result<u32> {
    u32::from_str_radix(text, 8).with_context(|| format!("'{text}' is not a mode in octal, such as 0640"))
}

fn no_listener(statements: &[Statement], system: &System, finding: &mut Finding) -> Result<()> {
    let wanted = "no module that receives from the network";
    let mut edits = Edits::default();
    for statement in statements.iter().filter(|one| listens(one)) {
        finding.persistent(false, statement.text(), wanted, statement.place());
        edits.of(system, &statement.file)?.comment(statement);
    }
    if finding.evidence.is_empty() {
        finding.persistent(true, "none", wanted, MAIN);
    }
    finding.changes.extend(edits.changes());
    Ok(())
}

fn listens(statement: &Statement) -> bool {
    let module =
        |name: Option<&str>| name.is_some_and(|name| LISTENERS.contains(&name.trim_end_matches(".so")));
    match &statement.kind {
        Kind::Directive { name, value } if name == "modload" => module(Some(value)),
        Kind::Directive { name, .. } => SERVERS.contains(&name.as_str()),
        Kind::Object { name, .. } if name == "module" => module(statement.value("load")),
        Kind::Object { name, .. } if name == "input" => module(statement.value("type")),
        Kind::Object { .. } => false,
    }
}

fn forwarding(wanted: &BTreeMap<String, Text>, statements: &[Statement], finding: &mut Finding) {
    let list: Vec<String> = wanted.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    let list = format!("omfwd with a target and {}", list.join(" "));
    let is_forwarding = |one: &&Statement| {
        matches!(&one.kind, Kind::Object { name, .. } if name == "action")
            && one.value("type") == Some("omfwd")
    };
    for statement in statements.iter().filter(is_forwarding) {
        let lacks = |(name, value): &(&String, &Text)| {
            !statement.value(name).is_some_and(|found| found.eq_ignore_ascii_case(value.as_str()))
        };
        let mut missing: Vec<String> = wanted.iter().filter(lacks).map(|(name, _)| name.clone()).collect();
        if statement.value("target").is_none_or(str::is_empty) {
            missing.push("target".to_owned());
        }
        let holds = missing.is_empty();
        let found =
            if holds { "as wanted".to_owned() } else { format!("other or no {}", missing.join(", ")) };
        finding.persistent(holds, found, &list, statement.place());
    }
    if finding.evidence.is_empty() {
        finding.persistent(false, "nothing is forwarded", list, MAIN);
    }
}

/// New texts of files, changed line by line.
#[derive(Default)]
struct Edits(BTreeMap<PathBuf, Vec<String>>);

/// The lines of one file.
struct Lines<'a>(&'a mut Vec<String>);

impl Edits {
    fn of(&mut self, system: &System, file: &Path) -> Result<Lines<'_>> {
        let text = match self.0.contains_key(file) {
            true => String::new(),
            false => system.read_text(file)?.unwrap_or_else(|| OWNED_HEADER.to_owned()),
        };
        let lines =
            self.0.entry(file.to_owned()).or_insert_with(|| text.lines().map(str::to_owned).collect());
        Ok(Lines(lines))
    }

    fn changes(self) -> impl Iterator<Item = Change> {
        let text = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        self.0.into_iter().map(move |(file, lines)| Change::write(file, text(lines)))
    }
}

impl Lines<'_> {
    /// The lines of a statement.
    fn each(&mut self, statement: &Statement) -> impl Iterator<Item = &mut String> {
        let count = statement.last + 1 - statement.first;
        self.0.iter_mut().skip(statement.first - 1).take(count)
    }

    fn comment(&mut self, statement: &Statement) {
        for line in self.each(statement).filter(|line| !line.starts_with('#')) {
            line.insert_str(0, "# ");
        }
    }

    fn replace(&mut self, statement: &Statement, old: &str, new: &str) {
        for line in self.each(statement) {
            // Only behind the name, so that an equal value of another parameter stays.
            if let Some(at) = line.to_ascii_lowercase().find("filecreatemode") {
                let (head, tail) = line.split_at(at);
                *line = format!("{head}{}", tail.replacen(old, new, 1));
            }
        }
    }

    /// Adds a line before everything but the comments at the head.
    fn first(&mut self, line: &str) {
        let at = self.0.iter().position(|line| !line.starts_with('#')).unwrap_or(self.0.len());
        self.0.insert(at, line.to_owned());
    }
}

#[cfg(test)]
mod tests;
