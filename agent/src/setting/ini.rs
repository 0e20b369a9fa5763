//! A key in a section of a file such as `dnf.conf(5)` or `libuser.conf(5)`, which one program reads and no drop-in changes.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::desktop::keyfile;
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// A key in a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ini {
    /// The file.
    pub file: String,
    /// The section; none for a file without.
    #[serde(default)]
    pub section: String,
    /// The key.
    pub key: String,
    /// The value it must have, or several separated by `|`; the first is what is written.
    pub value: Text,
    /// The unit that reads the file again after a change.
    #[serde(default)]
    pub unit: Option<String>,
}

impl Setting for Ini {
    fn examine(&self, system: &System) -> Result<Finding> {
        let text = system.read_text(&self.file)?.unwrap_or_default();
        let wanted = format!("{} = {}", self.key, self.value.as_str().replace('|', " or "));
        let mut finding = Finding::new();
        for found in keyfile::assignments(&text) {
            if found.section == self.section && found.key == self.key {
                let place = format!("{}:{}", self.file, found.line);
                let good =
                    self.value.as_str().split('|').any(|value| value.eq_ignore_ascii_case(&found.value));
                finding.persistent(good, format!("{} = {}", self.key, found.value), &wanted, place);
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(false, "not set", &wanted, &self.file);
        }
        if !finding.is_compliant() {
            let value = self.value.as_str().split('|').next().unwrap_or_default();
            finding.change(Change::write(&self.file, self.with(&text, value)));
            if let Some(unit) = &self.unit {
                finding.effect(Effect::reload(unit));
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let values = self.value.as_str().replace('|', " or ");
        format!("{} in [{}] of {} is {values}", self.key, self.section, self.file)
    }
}

impl Ini {
    /// The text with the value; in a file without sections, a new line comes last.
    fn with(&self, text: &str, value: &str) -> String {
        let set =
            keyfile::assignments(text).iter().any(|one| one.section == self.section && one.key == self.key);
        if set || !self.section.is_empty() {
            return keyfile::with(text, &self.section, &self.key, value);
        }
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        format!("{text}{end}{}={value}\n", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn ini(json: &str) -> Ini {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let gpg = ini(
            r#"{"file": "/etc/dnf/dnf.conf", "section": "main", "key": "gpgcheck", "value": "1|yes|true"}"#,
        );
        for (text, after) in [
            ("[main]\ngpgcheck=0\n[x]\ngpgcheck=0\n", "[main]\ngpgcheck=1\n[x]\ngpgcheck=0\n"),
            ("[main]\nbest=True\n", "[main]\ngpgcheck=1\nbest=True\n"),
        ] {
            let tree = Tree::new().file("/etc/dnf/dnf.conf", text);
            tree.round_trip(&gpg);
            assert_eq!(tree.applied(&gpg).text("/etc/dnf/dnf.conf"), after);
        }
        let tree = Tree::new().file("/etc/dnf/dnf.conf", "[main]\ngpgcheck = True\n");
        assert!(gpg.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn a_file_without_sections() {
        let backend = ini(r#"{"file": "/etc/x.conf", "key": "FirewallBackend", "value": "nftables"}"#);
        let tree = Tree::new().file("/etc/x.conf", "# FirewallBackend\nA=b\n");
        tree.round_trip(&backend);
        assert_eq!(
            tree.applied(&backend).text("/etc/x.conf"),
            "# FirewallBackend\nA=b\nFirewallBackend=nftables\n"
        );
    }
}
