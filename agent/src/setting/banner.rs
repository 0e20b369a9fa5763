//! A text shown before or at login, which must not tell strangers what the machine runs.
//!
//! `agetty(8)` fills in `\m` (machine), `\r` (release), `\s` (system) and `\v` (version); the name of the operating
//! system written out tells as much.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// What `agetty` replaces by facts about the system.
const ESCAPES: [&str; 4] = ["\\m", "\\r", "\\s", "\\v"];

/// A login text that says nothing about the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Banner {
    /// The file.
    pub path: String,
    /// The text it gets when what it has is not good.
    pub text: Text,
    /// Whether there must be a text at all.
    pub required: bool,
}

impl Setting for Banner {
    fn examine(&self, system: &System) -> Result<Finding> {
        let text = system.read_text(&self.path)?.unwrap_or_default();
        let id = system.os()?.id.to_lowercase();
        let mut finding = Finding::new();
        let wanted = "a text that does not tell what the machine runs";
        for (index, line) in text.lines().enumerate() {
            if let Some(telling) = tells(line, &id) {
                finding.persistent(false, telling, wanted, format!("{}:{}", self.path, index + 1));
            }
        }
        let empty = text.trim().is_empty();
        if finding.evidence.is_empty() {
            let found = if empty { "no text" } else { "a text" };
            finding.persistent(!(empty && self.required), found, wanted, &self.path);
        }
        if !finding.is_compliant() {
            finding.change(Change::write(&self.path, format!("{}\n", self.text)));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let required = if self.required { ", and there is a text" } else { "" };
        format!("{} has none of {} and not the system's name{required}", self.path, ESCAPES.join(" "))
    }
}

/// The part of a line that tells about the system.
fn tells<'a>(line: &'a str, id: &'a str) -> Option<&'a str> {
    let escape = ESCAPES.into_iter().find(|escape| line.contains(escape));
    escape.or_else(|| (!id.is_empty() && line.to_lowercase().contains(id)).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn banner(required: bool) -> Banner {
        Banner { path: "/etc/issue".into(), text: "Authorized users only.".into(), required }
    }

    fn machine() -> Tree {
        Tree::new().file("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
    }

    #[test]
    fn texts_are_judged_by_what_they_tell() {
        for (text, holds) in [
            ("Keep out \\n \\l\n", true),
            ("Kernel \\r\n", false),
            ("On \\m\n", false),
            ("DEBIAN GNU/Linux\n", false),
            ("", false),
            (" \n", false),
        ] {
            let tree = machine().file("/etc/issue", text);
            assert_eq!(banner(true).examine(&tree.system()).unwrap().is_compliant(), holds, "{text}");
        }
    }

    #[test]
    fn a_text_that_need_not_be_there_may_be_missing() {
        assert!(banner(false).examine(&machine().system()).unwrap().is_compliant());
        assert!(!banner(true).examine(&machine().system()).unwrap().is_compliant());
    }

    #[test]
    fn without_a_system_to_name_there_is_no_verdict() {
        assert!(banner(true).examine(&Tree::new().file("/etc/issue", "x\n").system()).is_err());
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        machine().file("/etc/issue", "Debian 12 \\s\n").round_trip(&banner(true));
        machine().round_trip(&banner(true));
    }
}
