//! Wireless network interfaces: none is up, and their drivers cannot be loaded again.
//!
//! The kernel tells which interfaces are wireless and which module drives each (`/sys/class/net`). The interface over which the
//! machine reaches its default gateway is left to a person.

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::module::Module;
use crate::content::Names;
use crate::finding::Finding;
use crate::system::System;

const NET: &str = "/sys/class/net";

/// `IFF_UP` of `netdevice(7)`.
const UP: u32 = 1;

/// All wireless interfaces are down. Has no parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wireless {}

impl Setting for Wireless {
    fn examine(&self, system: &System) -> Result<Finding> {
        if !system.is_running() {
            return Ok(Finding::not_checked("only the running machine tells its interfaces"));
        }
        let mut finding = Finding::new();
        for name in interfaces(system)? {
            let up = is_up(system, &name)?;
            let found = format!("{name} is {}", if up { "up" } else { "down" });
            finding.running(!up, found, "down", format!("{NET}/{name}/flags"));
            if up {
                mend(system, &name, &mut finding)?;
            }
        }
        if finding.evidence.is_empty() {
            finding.running(true, "there is no wireless interface", "none that is up", NET);
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        "no wireless interface is up".to_owned()
    }
}

/// The names of the wireless interfaces: those with a wireless directory, and those named so.
fn interfaces(system: &System) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in system.list(NET)? {
        if name.starts_with("wl") || system.exists(format!("{NET}/{name}/wireless"))? {
            found.push(name);
        }
    }
    Ok(found)
}

fn is_up(system: &System, name: &str) -> Result<bool> {
    let path = format!("{NET}/{name}/flags");
    let text = system.read_text(&path)?.with_context(|| format!("reading {path}: no such file"))?;
    let flags = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16);
    Ok(flags.with_context(|| format!("reading {path}: '{}' is no number", text.trim()))? & UP != 0)
}

fn mend(system: &System, name: &str, finding: &mut Finding) -> Result<()> {
    let routes = system.read_text("/proc/net/route")?.unwrap_or_default();
    if is_default(&routes, name) {
        finding.manual(format!("{name} leads to the default gateway: connect the machine by wire first"));
        return Ok(());
    }
    let driver = system.read_link(format!("{NET}/{name}/device/driver/module"))?;
    match driver.as_ref().and_then(|path| path.file_name()) {
        Some(module) => {
            let name = Names::One(module.to_string_lossy().into_owned());
            let blocked = Module { name, file_systems: Vec::new(), bus: None }.examine(system)?;
            finding.and(blocked);
        }
        None => drop(finding.manual(format!("{name} has no driver module: switch it off by hand"))),
    }
    Ok(())
}

/// Whether the default route of `/proc/net/route` leads over an interface.
fn is_default(routes: &str, name: &str) -> bool {
    routes.lines().any(|line| {
        let mut fields = line.split_whitespace();
        fields.next() == Some(name) && fields.next() == Some("00000000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn the_default_route_is_told_by_its_destination() {
        let routes = "Iface\tDestination\tGateway\nwlan0\t00000000\t0101A8C0\neth0\t0001A8C0\t00000000\n";
        assert!(is_default(routes, "wlan0") && !is_default(routes, "eth0"));
    }

    /// A machine that runs, with an interface that is up.
    fn machine() -> Tree {
        Tree::new()
            .running()
            .dir("/etc", 0o755)
            .file("/sys/class/net/wlan0/flags", "0x1003\n")
            .link("/sys/class/net/wlan0/device/driver/module", "../../../../module/iwlwifi")
            .file("/proc/modules", "iwlwifi 1 0 - Live 0x0\nother 1 0 - Live 0x0\n")
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        machine().round_trip(&Wireless {});
        let blocked = machine().file("/etc/modprobe.d/x.conf", "install iwlwifi /bin/true\n");
        blocked.round_trip(&Wireless {});
    }

    #[test]
    fn the_way_to_the_gateway_is_left_to_a_person() {
        let tree = machine().file("/proc/net/route", "Iface\tDestination\nwlan0\t00000000\n");
        let finding = Wireless {}.examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant() && finding.changes.is_empty() && finding.manual.is_some());
    }

    #[test]
    fn interfaces_are_found_by_name_and_by_kind() {
        let tree = Tree::new()
            .file("/sys/class/net/wlp3s0/flags", "0x1003\n")
            .file("/sys/class/net/eth0/flags", "0x1003\n")
            .file("/sys/class/net/radio/flags", "0x1002\n")
            .dir("/sys/class/net/radio/wireless", 0o755);
        let system = tree.system();
        assert_eq!(interfaces(&system).unwrap(), ["radio", "wlp3s0"]);
        assert!(is_up(&system, "wlp3s0").unwrap() && !is_up(&system, "radio").unwrap());
    }

    #[test]
    fn flags_that_are_no_number_are_an_error() {
        let tree = Tree::new().file("/sys/class/net/wl0/flags", "up\n");
        assert!(is_up(&tree.system(), "wl0").unwrap_err().to_string().contains("wl0/flags"));
    }
}
