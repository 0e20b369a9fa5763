//! firewalld filters packets, and starting it keeps nobody out.
//!
//! What comes in is decided by the default zone (`firewalld.conf(5)`, `firewalld.zone(5)`), which opens ssh's own port with the
//! vendor's files. A daemon on another port, or a zone of somebody else's, would shut the door: then a person opens it first.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ssh_ports;
use super::zone::has;
use crate::content::Names;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::setting::unit::{State, Unit};
use crate::system::System;

const UNIT: &str = "firewalld.service";
const CONFIG: &str = "/etc/firewalld/firewalld.conf";
/// Zones of the machine, then of the vendor.
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];
/// The default zone where none is configured.
const DEFAULT: &str = "public";

/// What firewalld must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Firewalld {
    /// Started at boot and running.
    Running,
}

impl Setting for Firewalld {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = unit().examine(system)?;
        if !finding.is_compliant() {
            let closed = closed(system)?;
            if !closed.is_empty() {
                finding.manual(format!(
                    "its zone {} does not let in ssh on port {}: open that first (firewall-offline-cmd --add-port={}/tcp)",
                    default_zone(system)?,
                    closed.join(" and "),
                    closed.join("/tcp --add-port="),
                ));
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        unit().describe()
    }
}

fn unit() -> Unit {
    Unit {
        name: Names::One(UNIT.to_owned()),
        state: State::Enabled,
        package: Some(Names::One("firewalld".to_owned())),
        needs: None,
    }
}

fn default_zone(system: &System) -> Result<String> {
    let text = system.read_text(CONFIG)?.unwrap_or_default();
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("DefaultZone=")).next_back();
    Ok(named.map(str::trim).filter(|zone| !zone.is_empty()).unwrap_or(DEFAULT).to_owned())
}

/// The ports of the ssh daemon that the default zone keeps closed.
fn closed(system: &System) -> Result<Vec<String>> {
    let zone = default_zone(system)?;
    let mut text = None;
    for directory in ZONES {
        if text.is_none() {
            text = system.read_text(format!("{directory}/{zone}.xml"))?;
        }
    }
    let open = |port: u16| match &text {
        Some(zone) => {
            let element = |element: String| has(zone, &element);
            has(zone, r#"target="ACCEPT""#)
                || (port == 22 && element(r#"<service name="ssh"/>"#.to_owned()))
                || element(format!(r#"<port port="{port}" protocol="tcp"/>"#))
                || element(format!(r#"<port protocol="tcp" port="{port}"/>"#))
        }
        // The vendor's comes with the package.
        None => zone == DEFAULT && port == 22,
    };
    Ok(ssh_ports(system)?.into_iter().filter(|port| !open(*port)).map(|port| port.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const PUBLIC: &str = "<?xml version=\"1.0\"?>\n<zone>\n  <service name=\"ssh\"/>\n</zone>\n";

    fn tree(sshd: &str) -> Tree {
        Tree::new()
            .packages(&["firewalld"])
            .dir("/etc/systemd/system", 0o755)
            .file("/usr/lib/systemd/system/firewalld.service", "[Install]\nWantedBy=multi-user.target\n")
            .file("/usr/lib/firewalld/zones/public.xml", PUBLIC)
            .file("/etc/ssh/sshd_config", sshd)
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        tree("").round_trip(&Firewalld::Running);
    }

    #[test]
    fn it_does_not_shut_the_door() {
        let own = "<zone><service name=\"ssh\"/><port port=\"2222\" protocol=\"tcp\"/></zone>";
        for (what, tree, closed) in [
            ("the vendor's zone", tree(""), None),
            ("another port", tree("Port 2222\n"), Some("port 2222")),
            ("one of two", tree("Port 22\nPort 2222\n"), Some("port 2222")),
            ("opened", tree("Port 2222\n").file("/etc/firewalld/zones/public.xml", own), None),
            ("another zone", tree("").file(CONFIG, "DefaultZone=drop\n"), Some("zone drop")),
            (
                "all is let in",
                tree("Port 2222\n")
                    .file(CONFIG, "DefaultZone=trusted\n")
                    .file("/usr/lib/firewalld/zones/trusted.xml", "<zone target=\"ACCEPT\"></zone>"),
                None,
            ),
        ] {
            let finding = Firewalld::Running.examine(&tree.system()).unwrap();
            assert!(!finding.is_compliant(), "{what}");
            match closed {
                Some(word) => assert!(finding.manual.as_ref().unwrap().contains(word), "{what}: {finding:?}"),
                None => {
                    assert!(finding.manual.is_none() && !finding.changes.is_empty(), "{what}: {finding:?}")
                }
            }
        }
    }
}
