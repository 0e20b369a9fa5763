//! Repositories of dnf: what none of them may switch off, in `/etc/yum.repos.d`.
//!
//! A repository that does not say takes what `dnf.conf` says.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::desktop::keyfile;
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

const DIR: &str = "/etc/yum.repos.d";
/// The words of `dnf.conf(5)` for off.
const OFF: [&str; 4] = ["0", "no", "false", "off"];

/// A switch that no repository has off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repositories {
    /// The switch.
    pub never_off: String,
}

impl Setting for Repositories {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let wanted = format!("{} is not off", self.never_off);
        for path in system.drop_ins(DIR, "")? {
            let Some(text) = system.read_text(&path)? else { continue };
            let mut mended = text.clone();
            for found in keyfile::assignments(&text).into_iter().filter(|found| found.key == self.never_off) {
                if OFF.iter().any(|off| off.eq_ignore_ascii_case(&found.value)) {
                    let place = format!("{}:{}", path.display(), found.line);
                    finding.persistent(false, format!("{}={}", found.key, found.value), &wanted, place);
                    mended = keyfile::with(&mended, &found.section, &found.key, "1");
                }
            }
            if mended != text {
                finding.change(Change::write(path, mended));
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(true, "no repository switches it off", wanted, DIR);
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("no repository in {DIR} switches {} off", self.never_off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let setting = Repositories { never_off: "gpgcheck".to_owned() };
        let text = "[a]\nenabled=0\ngpgcheck = 0\n[b]\ngpgcheck=1\n";
        let tree = Tree::new().file("/etc/yum.repos.d/a.repo", text).file("/etc/yum.repos.d/b.repo", "[c]\n");
        tree.round_trip(&setting);
        let after = text.replace("gpgcheck = 0", "gpgcheck=1");
        assert_eq!(tree.applied(&setting).text("/etc/yum.repos.d/a.repo"), after);
        assert!(setting.examine(&Tree::new().system()).unwrap().is_compliant());
    }
}
