//! Whether the network of a machine is set up without cloud-init: then it can be frozen as it is.
//!
//! What cloud-init rendered stays where it is when it no longer looks after it, and programs of the machine read it at boot. On a
//! machine that has no such file, the next boot would bring no network.

use std::path::Path;

use anyhow::Result;

use super::settings::{Network, Settings};
use crate::system::System;

/// Directories that hold a network, and how the names of its files begin and end: netplan, systemd-networkd, NetworkManager, and
/// the scripts before it.
const PLACES: [(&str, &str, &str); 8] = [
    ("/etc/netplan", "", ".yaml"),
    ("/usr/lib/netplan", "", ".yaml"),
    ("/etc/systemd/network", "", ".network"),
    ("/usr/lib/systemd/network", "", ".network"),
    ("/etc/NetworkManager/system-connections", "", ""),
    ("/usr/lib/NetworkManager/system-connections", "", ""),
    ("/etc/sysconfig/network-scripts", "ifcfg-", ""),
    ("/etc/sysconfig/network", "ifcfg-", ""),
];
/// What the distribution brings for the loopback interface, containers and virtual machines on this one: no network of this
/// machine.
const NOT_OURS: [&str; 3] = ["ifcfg-lo", "80-", "89-"];

/// ifupdown's file, and the directory that Debian has it read.
const INTERFACES: &str = "/etc/network/interfaces";
const FURTHER: &str = "/etc/network/interfaces.d";

/// Whether the network comes up without cloud-init's doing. Where it is told to leave the network alone, it always did.
///
/// # Errors
/// When a file or directory cannot be read.
pub fn stays(system: &System, settings: &Settings) -> Result<bool> {
    if settings.network.as_ref().is_some_and(Network::is_disabled) || interfaces(system)? {
        return Ok(true);
    }
    for (directory, start, end) in PLACES {
        let ours = |name: &String| {
            name.starts_with(start)
                && name.ends_with(end)
                && !NOT_OURS.iter().any(|other| name.starts_with(other))
        };
        if system.list(directory)?.iter().any(ours) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether ifupdown brings up more than the loopback interface.
fn interfaces(system: &System) -> Result<bool> {
    let Some(main) = system.read_text(INTERFACES)? else { return Ok(false) };
    let mut texts = vec![main];
    let reads_further = |line: &str| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("source" | "source-directory"))
            && words.any(|word| word.contains("interfaces.d"))
    };
    if texts.iter().flat_map(|text| text.lines()).any(reads_further) {
        for name in system.list(FURTHER)? {
            texts.extend(system.read_text(Path::new(FURTHER).join(name))?);
        }
    }
    let brings_up = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("iface") && words.next().is_some_and(|name| name != "lo")
    };
    Ok(texts.iter().flat_map(|text| text.lines()).any(brings_up))
}
