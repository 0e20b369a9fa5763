//! A parameter of Postfix, in `main.cf`.
//!
//! As `postconf(5)` says: a line that begins with white space continues the one before, `#` begins a comment line, and of several
//! assignments the last one counts. A Postfix that is neither started at boot nor running obeys any wish.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Setting, unit};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

const MAIN: &str = "/etc/postfix/main.cf";
const UNIT: &str = "postfix.service";

/// A parameter of Postfix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postfix {
    /// The parameter.
    pub parameter: String,
    /// Its value.
    pub value: Text,
}

impl Setting for Postfix {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let active = system.units()?.state(UNIT).active == Some(true);
        if !active && !unit::starts_at_boot(system, UNIT)? {
            finding.persistent(true, "Postfix does not run", self.wanted(), UNIT);
            return Ok(finding);
        }
        let text = system.read_text(MAIN)?.unwrap_or_default();
        match assignments(&text).into_iter().rfind(|found| found.name == self.parameter) {
            Some(found) => {
                let holds = found.value == self.value.as_str();
                let place = format!("{MAIN}:{}", found.line);
                finding.persistent(holds, format!("{} = {}", found.name, found.value), self.wanted(), place);
            }
            None => drop(finding.persistent(false, "not set", self.wanted(), MAIN)),
        }
        if !finding.is_compliant() {
            finding.change(Change::write(MAIN, set(&text, &self.parameter, self.value.as_str())));
            // The listening sockets are opened only once, when Postfix starts.
            finding.effect(Effect::restart(UNIT));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("Postfix has {} in {MAIN}", self.wanted())
    }
}

impl Postfix {
    fn wanted(&self) -> String {
        format!("{} = {}", self.parameter, self.value)
    }
}

struct Assignment {
    name: String,
    value: String,
    /// Its first line and the one after its last, counted from 1.
    line: usize,
    end: usize,
}

fn assignments(text: &str) -> Vec<Assignment> {
    let mut found: Vec<Assignment> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(last) = found.last_mut().filter(|_| open) {
                last.value = format!("{} {words}", last.value).trim().to_owned();
                last.end = index + 2;
            }
            continue;
        }
        open = false;
        if let Some((name, value)) = line.split_once('=') {
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            found.push(Assignment { name, value, line: index + 1, end: index + 2 });
            open = true;
        }
    }
    found
}

/// The text with the parameter set once, where it stood first, and every other line kept.
fn set(text: &str, name: &str, value: &str) -> String {
    let found = assignments(text);
    let ours: Vec<&Assignment> = found.iter().filter(|found| found.name == name).collect();
    let inside = |number: usize| ours.iter().any(|one| (one.line..one.end).contains(&number));
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if ours.first().is_some_and(|first| first.line == index + 1) {
            lines.push(format!("{name} = {value}"));
        } else if !inside(index + 1) {
            lines.push(line.to_owned());
        }
    }
    if ours.is_empty() {
        lines.push(format!("{name} = {value}"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn setting() -> Postfix {
        Postfix { parameter: "inet_interfaces".into(), value: "loopback-only".into() }
    }

    fn enabled() -> Tree {
        let file = "/usr/lib/systemd/system/postfix.service";
        Tree::new()
            .file(file, "[Service]\n[Install]\nWantedBy=multi-user.target\n")
            .link("/etc/systemd/system/multi-user.target.wants/postfix.service", file)
    }

    #[test]
    fn the_last_assignment_counts_and_may_span_lines() {
        for (text, expected) in [
            ("inet_interfaces = loopback-only\n", true),
            ("inet_interfaces = all\ninet_interfaces=loopback-only\n", true),
            ("inet_interfaces = loopback-only\n  10.0.0.1\n", false),
            ("inet_interfaces =\n# why\n\tloopback-only\n", true),
            ("# inet_interfaces = loopback-only\n", false),
            ("", false),
        ] {
            let tree = enabled().file(MAIN, text);
            assert_eq!(setting().examine(&tree.system()).unwrap().is_compliant(), expected, "{text}");
        }
    }

    #[test]
    fn other_parameters_are_kept() {
        let tree = enabled().file(MAIN, "a = 1\ninet_interfaces = all,\n  10.0.0.1\nb = 2\n");
        tree.round_trip(&setting());
        assert_eq!(tree.applied(&setting()).text(MAIN), "a = 1\ninet_interfaces = loopback-only\nb = 2\n");
    }

    #[test]
    fn a_postfix_that_never_runs_may_say_anything() {
        let tree = Tree::new().file(MAIN, "inet_interfaces = all\n");
        assert!(setting().examine(&tree.system()).unwrap().is_compliant());
    }

    proptest::proptest! {
        #[test]
        fn setting_twice_is_setting_once(text: String) {
            let once = set(&text, "inet_interfaces", "localhost");
            proptest::prop_assert_eq!(set(&once, "inet_interfaces", "localhost"), once);
        }
    }
}
