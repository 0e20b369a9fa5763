//! An argument of the kernel, given by GRUB at every boot.
//!
//! It must be in the settings that GRUB's menu is made from and in every entry of the menu as it is. Our drop-in appends it, since
//! of an argument given twice the kernel takes the last; `update-grub` then writes the menu. The running kernel keeps the
//! arguments it was started with until the next boot. Where the menu is a list of entries in files of their own, [`bls`] judges and
//! changes those.

pub mod absent;
pub mod bls;
pub mod defaults;
pub mod password;
pub mod zipl;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{System, Tool};
use defaults::{ALWAYS, MAIN, NORMAL, Variables};

/// Where GRUB's menu is, on Debian and on Red Hat.
const MENUS: [&str; 2] = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"];
/// Our own drop-in: the last of its directory.
const DROP_IN: &str = "/etc/default/grub.d/99-trempe.cfg";

/// A kernel argument `name=value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelArgument {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Text,
    /// Whether larger numbers are as good.
    #[serde(default)]
    pub or_more: bool,
}

impl Setting for KernelArgument {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let carriers = bls::carriers(system)?;
        if !carriers.is_empty() {
            bls::examine(self, &carriers, &mut finding);
            return Ok(finding);
        }
        let variables = defaults::variables(system)?;
        self.judge_settings(&variables, &mut finding);
        let set = finding.is_compliant();
        self.judge_menu(system, &mut finding)?;
        if !finding.is_compliant() {
            self.mend(system, set, &variables, &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("GRUB starts the kernel with {} (default/grub, grub.d, grub.cfg)", self.wanted())
    }
}

impl KernelArgument {
    fn wanted(&self) -> String {
        format!("{}={}{}", self.name, self.value, if self.or_more { " or more" } else { "" })
    }

    fn accepts(&self, found: &str) -> bool {
        let more = || Some(found.parse::<i64>().ok()? >= self.value.number().ok()?);
        found == self.value.as_str() || (self.or_more && more().unwrap_or(false))
    }

    /// The value the kernel takes from a list of arguments: the last one.
    fn last<'a>(&self, arguments: &'a str) -> Option<&'a str> {
        arguments.split_whitespace().rev().find_map(|word| word.strip_prefix(&self.name)?.strip_prefix('='))
    }

    fn judge_settings(&self, variables: &Variables, finding: &mut Finding) {
        let mut judge = |name: &str, required: bool| {
            let variable = variables.get(name);
            let found = variable.and_then(|variable| self.last(&variable.value));
            if found.is_none() && !required {
                return;
            }
            let place = variable.map_or(MAIN.to_owned(), |v| format!("{}:{}", v.file.display(), v.line));
            let shown = found.map_or("not given".to_owned(), |value| format!("{}={value}", self.name));
            finding.persistent(found.is_some_and(|value| self.accepts(value)), shown, self.wanted(), place);
        };
        judge(ALWAYS, true);
        // These come after the others, so that they count where both give the argument.
        judge(NORMAL, false);
    }

    fn judge_menu(&self, system: &System, finding: &mut Finding) -> Result<()> {
        let mut menus = Vec::new();
        for path in MENUS {
            if let Some(text) = system.read_text(path)? {
                menus.push((path, text));
            }
        }
        if menus.is_empty() {
            finding.persistent(false, "no such file", self.wanted(), MENUS[0]);
        }
        for (path, text) in menus {
            let entries: Vec<(usize, &str)> =
                text.lines().enumerate().filter(|(_, line)| starts_a_kernel(line)).collect();
            let wrong =
                entries.iter().find(|(_, line)| !self.last(line).is_some_and(|value| self.accepts(value)));
            match wrong.or(entries.first()) {
                Some((index, line)) => {
                    let found = self.last(line);
                    let shown =
                        found.map_or("not given".to_owned(), |value| format!("{}={value}", self.name));
                    finding.persistent(
                        wrong.is_none(),
                        shown,
                        self.wanted(),
                        format!("{path}:{}", index + 1),
                    );
                }
                None => drop(finding.persistent(false, "starts no kernel", self.wanted(), path)),
            }
        }
        Ok(())
    }

    fn mend(&self, system: &System, set: bool, variables: &Variables, finding: &mut Finding) -> Result<()> {
        if !system.is_running() || !system.has_tool(Tool::UpdateGrub) {
            let reason =
                "GRUB's menu can only be written on the machine itself, by update-grub, which is not there";
            finding.manual(format!("{reason}: give the kernel the argument {}={}", self.name, self.value));
            return Ok(());
        }
        if !set {
            let own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            let argument = format!("{}={}", self.name, self.value);
            let mut text = with_argument(&own, ALWAYS, &self.name, &argument);
            let contradicts =
                |v: &defaults::Variable| self.last(&v.value).is_some_and(|value| !self.accepts(value));
            if variables.get(NORMAL).is_some_and(contradicts) {
                text = with_argument(&text, NORMAL, &self.name, &argument);
            }
            finding.change(Change::write(DROP_IN, text));
        }
        let outputs = vec![MENUS[0].into()];
        finding.change(Change::Generate { tool: Tool::UpdateGrub, args: Vec::new(), outputs });
        finding.effect(Effect::Reboot);
        Ok(())
    }
}

/// Whether a line of a menu starts Linux: `linux /vmlinuz-…`, not a memory test.
fn starts_a_kernel(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next().is_some_and(|word| word.starts_with("linux"))
        && words.next().is_some_and(|path| path.contains("vmlinuz"))
}

/// The text of our drop-in with an argument appended to a variable. Each argument has a line of its own, so that one rule can
/// be taken back without the others.
fn with_argument(text: &str, variable: &str, name: &str, argument: &str) -> String {
    let start = format!("{variable}=\"${variable} ");
    let ours =
        |line: &&str| line.strip_prefix(&start).is_some_and(|rest| rest.split('=').next() == Some(name));
    let kept = text.lines().filter(|line| !ours(line));
    let new = format!("{start}{argument}\"");
    kept.chain([new.as_str()]).collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests;
