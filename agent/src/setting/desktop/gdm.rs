//! A key of the GNOME display manager's own configuration.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keyfile;
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// Its configuration, on Debian and on Red Hat.
const FILES: [&str; 2] = ["/etc/gdm3/daemon.conf", "/etc/gdm/custom.conf"];

/// A key of GDM's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gdm {
    /// The section.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value it must have.
    pub value: Text,
}

impl Setting for Gdm {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut path = FILES[0];
        for file in FILES {
            if system.exists(file)? {
                path = file;
            }
        }
        let text = system.read_text(path)?.unwrap_or_default();
        let wanted = format!("[{}] {}={}", self.section, self.key, self.value);
        let mut finding = Finding::new();
        for found in keyfile::assignments(&text) {
            if found.section == self.section && found.key == self.key {
                let place = format!("{path}:{}", found.line);
                finding.persistent(found.value == self.value.as_str(), &found.value, &wanted, place);
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(false, "not set", &wanted, path);
        }
        if !finding.is_compliant() {
            finding.change(Change::write(
                path,
                keyfile::with(&text, &self.section, &self.key, self.value.as_str()),
            ));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("GDM has {}={} in [{}]", self.key, self.value, self.section)
    }
}
