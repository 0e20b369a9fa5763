//! A key that a file of the kind `KEY=value` does not set: files of `/etc/sysconfig` that would overrule what is chosen elsewhere.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::system::System;

/// A key that is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyAbsent {
    /// The file.
    pub file: String,
    /// The key, in any case.
    pub key: String,
    /// The unit that reads the file, restarted after a change.
    #[serde(default)]
    pub unit: Option<String>,
}

impl Setting for KeyAbsent {
    fn examine(&self, system: &System) -> Result<Finding> {
        let text = system.read_text(&self.file)?.unwrap_or_default();
        let wanted = format!("{} is not set", self.key);
        let mut finding = Finding::new();
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            if key.is_some_and(|key| key.eq_ignore_ascii_case(&self.key)) {
                finding.persistent(false, line.trim(), &wanted, format!("{}:{}", self.file, index + 1));
                lines.push(format!("# {line}"));
            } else {
                lines.push(line.to_owned());
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(true, "not set", wanted, &self.file);
            return Ok(finding);
        }
        finding.change(Change::write(&self.file, lines.join("\n") + "\n"));
        if let Some(unit) = &self.unit {
            finding.effect(Effect::restart(unit));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} does not set {}", self.file, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let setting: KeyAbsent =
            serde_json::from_str(r#"{"file": "/etc/sysconfig/sshd", "key": "CRYPTO_POLICY"}"#).unwrap();
        let tree = Tree::new().file("/etc/sysconfig/sshd", "# CRYPTO_POLICY=\n crypto_policy=x\nOPTIONS=\n");
        tree.round_trip(&setting);
        let after = "# CRYPTO_POLICY=\n#  crypto_policy=x\nOPTIONS=\n";
        assert_eq!(tree.applied(&setting).text("/etc/sysconfig/sshd"), after);
        assert!(setting.examine(&Tree::new().system()).unwrap().is_compliant());
    }
}
