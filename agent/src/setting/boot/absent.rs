//! Arguments that no kernel gets: in the settings and the scripts that GRUB's menu is made from, in the menu and in its entries.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bls;
use super::defaults::MAIN;
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// The scripts.
const SCRIPTS: &str = "/etc/grub.d";
/// The menu, by the link to it.
const MENU: &str = "/etc/grub2.cfg";

/// Arguments that no kernel gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelArgumentAbsent {
    /// Each as a whole: `selinux=0`.
    pub arguments: Vec<String>,
}

impl Setting for KernelArgumentAbsent {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let wanted = format!("no {}", self.arguments.join(" and no "));
        let mut files = vec![MAIN.to_owned(), MENU.to_owned()];
        files.extend(system.list(SCRIPTS)?.into_iter().map(|name| format!("{SCRIPTS}/{name}")));
        for path in files {
            let Some(text) = system.read_text(&path)? else { continue };
            let mut mended = text.clone();
            for argument in &self.arguments {
                for (index, line) in text.lines().enumerate() {
                    if without(line, argument) != line {
                        let place = format!("{path}:{}", index + 1);
                        finding.persistent(false, argument.as_str(), &wanted, place);
                    }
                }
                let lines: Vec<String> = mended.split('\n').map(|line| without(line, argument)).collect();
                mended = lines.join("\n");
            }
            if mended != text {
                finding.change(Change::write(path, mended));
            }
        }
        for carrier in bls::carriers(system)?.iter().filter(|carrier| carrier.path() != MAIN) {
            for argument in &self.arguments {
                if let Some((place, change)) = carrier.without(argument) {
                    finding.persistent(false, argument.as_str(), &wanted, place);
                    finding.change(change);
                }
            }
        }
        match finding.evidence.is_empty() {
            true => drop(finding.persistent(true, "none", wanted, MAIN)),
            false => drop(finding.effect(Effect::Reboot)),
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("no kernel is started with {}", self.arguments.join(" or "))
    }
}

/// A line without an argument, which blanks or quotes separate from others.
fn without(line: &str, argument: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(argument) {
        let edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "\"'=".contains(c));
        text.push_str(before);
        if edge(text.chars().next_back()) && edge(after.chars().next()) {
            rest = after.strip_prefix(' ').unwrap_or(after);
        } else {
            text.push_str(argument);
            rest = after;
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let setting = KernelArgumentAbsent { arguments: vec!["selinux=0".into(), "enforcing=0".into()] };
        let tree = Tree::new()
            .file(MAIN, "GRUB_CMDLINE_LINUX=\"selinux=0 quiet xselinux=0\"\n")
            .file("/etc/grub.d/40_custom", "linux /vmlinuz root=x selinux=0\n")
            .file("/boot/loader/entries/a-6.1.conf", "title a\noptions root=x enforcing=0 quiet\n");
        tree.round_trip(&setting);
        tree.applied(&setting);
        assert_eq!(tree.text(MAIN), "GRUB_CMDLINE_LINUX=\"quiet xselinux=0\"\n");
        assert_eq!(tree.text("/boot/loader/entries/a-6.1.conf"), "title a\noptions root=x quiet\n");
        assert!(setting.examine(&Tree::new().system()).unwrap().is_compliant());
    }
}
