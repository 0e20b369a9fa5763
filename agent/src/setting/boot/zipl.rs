//! An argument of the kernel on IBM Z, where zipl starts it: in every boot entry and in what new entries are made from.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::Text;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// The boot entries.
const ENTRIES: &str = "/boot/loader/entries";
/// What the entries of new kernels are made from.
const NEW: &str = "/etc/kernel/cmdline";

/// A kernel argument `name=value`, given by zipl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZiplArgument {
    /// The argument as a whole.
    pub argument: Text,
}

impl Setting for ZiplArgument {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        for path in system.drop_ins(ENTRIES, ".conf")? {
            let text = system.read_text(&path)?.unwrap_or_default();
            let options = text.lines().filter_map(|line| line.strip_prefix("options "));
            for line in options {
                finding.persistent(
                    self.is_in(line),
                    line,
                    self.argument.as_str(),
                    path.display().to_string(),
                );
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(false, "no boot entry", self.argument.as_str(), ENTRIES);
        }
        let new = system.read_text(NEW)?.unwrap_or_default();
        finding.persistent(self.is_in(&new), new.trim(), self.argument.as_str(), NEW);
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("zipl starts the kernel with {} ({ENTRIES}, {NEW})", self.argument)
    }
}

impl ZiplArgument {
    fn is_in(&self, arguments: &str) -> bool {
        arguments.split_whitespace().any(|word| word == self.argument.as_str())
    }
}
