//! PAM: which modules a service calls, in which order and with which arguments.
//!
//! [`Pam`] is about one module in one stack, [`faillock::Faillock`] about the places of one module in two stacks, and
//! [`conf::PamConf`] about a module's own configuration file, which an argument in a stack overrides. They read with
//! [`line`](mod@line) and [`stack`], and write through [`edit`]: where Debian's `pam-auth-update` manages the file, what it works from
//! is changed ([`debian`], [`profile`]), so that it keeps our lines; so it is with Red Hat's [`authselect`]. To bring a further module into Debian's stacks, add a profile
//! to [`profile::own`].

pub mod argument;
pub mod authselect;
pub mod conf;
pub mod debian;
pub mod edit;
pub mod faillock;
pub mod line;
pub mod profile;
pub mod stack;

use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::argument::Argument;
use self::authselect::Selection;
use self::debian::Common;
use self::edit::NewArguments;
use self::line::Line;
use super::{Setting, package};
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

/// A module in a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pam {
    /// The file below `/etc/pam.d`.
    pub service: String,
    /// `auth`, `account`, `password` or `session`.
    pub facility: String,
    /// The module's file name.
    pub module: String,
    /// Controls that make it count: words, or `actions` for any in brackets. None given: any control.
    #[serde(default)]
    pub controls: Vec<String>,
    /// What its arguments must be.
    #[serde(default)]
    pub arguments: Vec<Argument>,
    /// Whether a stack without the module is as good.
    #[serde(default)]
    pub if_present: bool,
    /// The profile of `pam-auth-update` that brings it.
    #[serde(default)]
    pub profile: Option<String>,
    /// The package that brings the profile.
    #[serde(default)]
    pub package: Option<String>,
    /// The module whose line a new line follows, in files that no program manages.
    #[serde(default)]
    pub after: Option<String>,
}

impl Setting for Pam {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let path = stack::path(&self.service);
        let Some(steps) = stack::read(system, &self.service, &self.facility)? else {
            let place = path.display().to_string();
            finding.persistent(self.if_present, "no such file", self.wanted(), place);
            if !self.if_present {
                finding.manual(format!("there is no {}; install the package that brings it", path.display()));
            }
            return Ok(finding);
        };
        let lines = stack::lines(&steps);
        let of_module: Vec<(usize, &(&Path, &Line))> =
            lines.iter().enumerate().filter(|(_, (_, line))| line.module_name() == self.module).collect();
        let counting: Vec<_> = of_module.iter().filter(|(_, (_, line))| self.counts(&line.control)).collect();
        if counting.is_empty() {
            let found = of_module.first().map_or("no such line".to_owned(), |(_, (_, line))| line.sentence());
            finding.persistent(self.if_present, found, self.wanted(), path.display().to_string());
            if !self.if_present {
                self.bring(system, &lines, !of_module.is_empty(), &mut finding)?;
            }
            return Ok(finding);
        }
        let mut edits = Vec::new();
        for (index, (path, line)) in counting {
            let place = format!("{}:{}", path.display(), line.number);
            let mut words = line.words();
            let good = self.judge(&words, *index == 0)?;
            finding.persistent(good, line.sentence(), self.wanted(), place);
            if !good {
                self.make(&mut words, *index == 0)?;
                edits.push(NewArguments {
                    path: path.to_path_buf(),
                    line: (*line).clone(),
                    arguments: words,
                });
            }
        }
        finding.changes = edit::change_arguments(system, edits)?;
        Ok(finding)
    }

    fn describe(&self) -> String {
        let file = stack::path(&self.service);
        format!("the {} stack of {} has: {}", self.facility, file.display(), self.wanted())
    }
}

impl Pam {
    fn counts(&self, control: &str) -> bool {
        let word = if control.starts_with('[') { "actions" } else { control };
        self.controls.is_empty() || self.controls.iter().any(|wanted| word.eq_ignore_ascii_case(wanted))
    }

    fn wanted(&self) -> String {
        let arguments: Vec<String> = self.arguments.iter().map(Argument::sentence).collect();
        let start = if self.if_present { "if at all, " } else { "" };
        let with =
            if arguments.is_empty() { String::new() } else { format!(" with {}", arguments.join(", ")) };
        let controls = self.controls.join(" or ");
        format!("{start}{} {controls} {}{with}", self.facility, self.module).replace("  ", " ")
    }

    fn judge(&self, words: &[String], first: bool) -> Result<bool> {
        let all = self.arguments.iter().map(|argument| argument.holds(words, first));
        Ok(all.collect::<Result<Vec<bool>>>()?.into_iter().all(|holds| holds))
    }

    fn make(&self, words: &mut Vec<String>, first: bool) -> Result<()> {
        self.arguments.iter().try_for_each(|argument| argument.make(words, first))
    }

    /// Brings the module into the stack.
    fn bring(
        &self,
        system: &System,
        lines: &[(&Path, &Line)],
        there: bool,
        finding: &mut Finding,
    ) -> Result<()> {
        let path = stack::path(&self.service);
        if there {
            let controls = self.controls.join(" or ");
            finding.manual(format!(
                "{} has another control in {}; make it {controls}",
                self.module,
                path.display()
            ));
            return Ok(());
        }
        if let Some(name) = authselect::stack_of(system, &path)? {
            match Selection::read(system)? {
                Err(reason) => drop(finding.manual(reason)),
                Ok(selection) => finding.changes.extend(self.select(system, selection, name)?),
            }
            return Ok(());
        }
        let Some(name) = edit::common_name(&path) else {
            let mut words = Vec::new();
            self.make(&mut words, lines.is_empty())?;
            let control = self.controls.first().map(String::as_str).unwrap_or("required");
            let new = format!("{} {control} {} {}", self.facility, self.module, words.join(" "));
            let text = system.read_text(&path)?.unwrap_or_default();
            let own: Vec<(&Path, &Line)> = lines.iter().filter(|(file, _)| *file == path).copied().collect();
            finding.change(Change::write(
                &path,
                edit::insert(&text, &own, self.after.as_deref(), new.trim_end()),
            ));
            return Ok(());
        };
        match Common::read(system)? {
            Err(reason) => drop(finding.manual(format!("{reason}; add the line by hand"))),
            Ok(common) => self.enable(system, common, name, finding)?,
        }
        Ok(())
    }

    /// Brings the module into a stack that authselect writes, with its arguments.
    fn select(&self, system: &System, mut selection: Selection, name: &'static str) -> Result<Vec<Change>> {
        let mut words = Vec::new();
        self.make(&mut words, false)?;
        let control = self.controls.first().map(String::as_str).unwrap_or("required");
        let new = format!("{} {control} {} {}", self.facility, self.module, words.join(" "));
        selection.bring(name, &self.facility, &self.module, new.trim_end(), self.after.as_deref());
        let steps = stack::of_text(system, &stack::path(name), &selection.file(name), &self.facility)?;
        for (index, (_, line)) in stack::lines(&steps).into_iter().enumerate() {
            if line.module_name() == self.module {
                let mut words = line.words();
                self.make(&mut words, index == 0)?;
                selection.set_arguments(name, line, &words);
            }
        }
        selection.changes(system)
    }

    fn enable(
        &self,
        system: &System,
        mut common: Common,
        name: &'static str,
        finding: &mut Finding,
    ) -> Result<()> {
        match self.profile.as_deref().filter(|profile| common.knows(profile)) {
            Some(profile) => {
                common.enable(profile);
                self.adjust(system, &mut common, name)?;
                if let Some(package) = &self.package {
                    let install = package::missing(package, system.packages()?);
                    let first =
                        (!install.is_empty()).then_some(Change::Packages { install, remove: Vec::new() });
                    finding.changes.extend(first);
                }
                finding.changes.extend(common.changes(system)?);
            }
            None => self.install(system, finding)?,
        }
        Ok(())
    }

    /// Installs the package that brings the profile; installing it enables the profile.
    fn install(&self, system: &System, finding: &mut Finding) -> Result<()> {
        let Some(package) = &self.package else {
            finding.manual(format!("no profile of pam-auth-update brings {}", self.module));
            return Ok(());
        };
        let packages = system.packages()?;
        if packages.is_planned(package) {
            *finding = Finding::not_checked(format!("can be judged once {package} is installed"));
        } else if packages.has(package) {
            finding.manual(format!("{package} is installed and its profile is missing; install it again"));
        } else {
            finding.change(Change::Packages {
                install: package::missing(package, packages),
                remove: Vec::new(),
            });
        }
        Ok(())
    }

    /// Gives the new line its arguments.
    fn adjust(&self, system: &System, common: &mut Common, name: &'static str) -> Result<()> {
        let text = common.file(name);
        let path: PathBuf = stack::path(&self.service);
        let steps = stack::of_text(system, &path, &text, &self.facility)?;
        for (index, (_, line)) in stack::lines(&steps).into_iter().enumerate() {
            if line.module_name() == self.module {
                let mut words = line.words();
                self.make(&mut words, index == 0)?;
                common.set_arguments(name, &line.control, &line.module, &words);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
