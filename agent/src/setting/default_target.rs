//! The target that the machine boots into: `systemctl set-default`.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::system::{System, Tool};

/// The link that chooses, and the vendor's choice where there is none.
const LINKS: [&str; 2] = ["/etc/systemd/system/default.target", "/usr/lib/systemd/system/default.target"];

/// The default target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultTarget {
    /// Its full name.
    pub target: String,
}

impl Setting for DefaultTarget {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut found = "no default target".to_owned();
        let mut place = LINKS[0];
        for link in LINKS {
            if let Some(to) = system.read_link(link)? {
                found = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                place = link;
                break;
            }
        }
        finding.persistent(found == self.target, found.as_str(), &self.target, place);
        if finding.is_compliant() {
            return Ok(finding);
        }
        if !system.is_running() || !system.has_tool(Tool::Systemctl) {
            finding.manual(format!(
                "the target is chosen on the machine itself: systemctl set-default {}",
                self.target
            ));
            return Ok(finding);
        }
        finding.change(Change::Generate {
            tool: Tool::Systemctl,
            args: vec!["set-default".to_owned(), self.target.clone()],
            outputs: vec![LINKS[0].into()],
        });
        finding.effect(Effect::Reboot);
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("the machine boots into {}", self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let setting = DefaultTarget { target: "multi-user.target".to_owned() };
        Tree::new().link(LINKS[0], "/usr/lib/systemd/system/graphical.target").running().round_trip(&setting);
    }

    #[test]
    fn the_machines_own_link_counts_before_the_vendors() {
        let setting = DefaultTarget { target: "multi-user.target".to_owned() };
        for (links, holds) in [
            (vec![(LINKS[1], "graphical.target")], false),
            (
                vec![(LINKS[1], "graphical.target"), (LINKS[0], "/usr/lib/systemd/system/multi-user.target")],
                true,
            ),
            (vec![], false),
        ] {
            let tree = links.iter().fold(Tree::new(), |tree, (link, to)| tree.link(link, to));
            assert_eq!(setting.examine(&tree.system()).unwrap().is_compliant(), holds, "{links:?}");
        }
    }
}
