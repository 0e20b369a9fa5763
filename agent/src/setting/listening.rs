//! Who is listening on a network port now, and on which addresses.
//!
//! The kernel's socket tables tell (`/proc/net/tcp`, `proc_net(5)`), whatever program it is and however it was configured. A
//! socket says nothing about the next boot: that is for the rules about the programs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::finding::Finding;
use crate::system::System;

/// A port that only the machine itself may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoopbackOnly {
    /// The TCP port.
    pub port: u16,
}

/// A socket that waits for packets from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Whether it is TCP; UDP otherwise.
    pub tcp: bool,
    /// Its address; unspecified when it takes packets for any.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
}

impl Setting for LoopbackOnly {
    fn examine(&self, system: &System) -> Result<Finding> {
        if !system.is_running() {
            return Ok(Finding::not_checked("only the running machine tells who is listening"));
        }
        let open = listeners(system)?.into_iter().filter(|one| one.tcp && one.port == self.port);
        let open: Vec<String> =
            open.filter(|one| !one.address.is_loopback()).map(|one| one.address.to_string()).collect();
        let found = if open.is_empty() { "nobody listens".to_owned() } else { open.join(", ") };
        let wanted = format!("no listener on TCP port {} beyond the loopback interface", self.port);
        let mut finding = Finding::new();
        finding.running(open.is_empty(), found, wanted, "/proc/net/tcp, /proc/net/tcp6");
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("nothing listens on TCP port {} but on the loopback interface", self.port)
    }
}

/// All sockets that take packets from strangers: TCP listeners, and UDP sockets without a peer.
///
/// # Errors
/// When a table of the kernel cannot be read or understood.
pub fn listeners(system: &System) -> Result<Vec<Listener>> {
    let mut found = Vec::new();
    for (table, tcp) in [("tcp", true), ("tcp6", true), ("udp", false), ("udp6", false)] {
        let path = format!("/proc/net/{table}");
        let text = system.read_text(&path)?.unwrap_or_default();
        found.extend(parse(&text, tcp).with_context(|| format!("reading {path}"))?);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn parse(text: &str, tcp: bool) -> Result<Vec<Listener>> {
    let waiting = if tcp { "0A" } else { "07" };
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(local), Some(_), Some(state)) = (fields.next(), fields.next(), fields.next()) else {
            bail!("'{line}': expected local address, remote address and state");
        };
        if state == waiting {
            let Some((address, port)) = parse_socket(local) else {
                bail!("'{local}' is no address and port")
            };
            found.push(Listener { tcp, address, port });
        }
    }
    Ok(found)
}

/// Reads `0100007F:0019`: the address in words of the machine's byte order, the port in hexadecimal.
fn parse_socket(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let address = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => return None,
    };
    Some((address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue\n\
        0: 0100007F:0019 00000000:0000 0A 0:0 0 0 0 1\n\
        1: 00000000:0016 00000000:0000 0A 0:0 0 0 0 1\n\
        2: 0100007F:0019 0100007F:D431 01 0:0 0 0 0 1\n";

    #[test]
    fn listeners_are_read_with_address_and_port() {
        let found = parse(TCP, true).unwrap();
        let expected = [([127, 0, 0, 1], 25), ([0, 0, 0, 0], 22)];
        let expected =
            expected.map(|(address, port)| Listener { tcp: true, address: IpAddr::from(address), port });
        assert_eq!(found, expected);
    }

    #[test]
    fn ipv6_words_are_in_the_byte_order_of_the_machine() {
        let loopback = "00000000000000000000000001000000:0019";
        assert_eq!(parse_socket(loopback), Some((IpAddr::V6(Ipv6Addr::LOCALHOST), 25)));
        assert_eq!(parse_socket("0000:0019"), None);
    }

    #[test]
    fn who_may_reach_a_port_is_told_and_left_to_a_person() {
        let mail = LoopbackOnly { port: 25 };
        let examined = |tree: &Tree| mail.examine(&tree.system()).unwrap();
        assert!(examined(&Tree::new().file("/proc/net/tcp", TCP)).not_checked.is_some());
        let local = Tree::new().running().file("/proc/net/tcp", TCP);
        assert!(examined(&local).is_compliant());
        let open = local.file("/proc/net/tcp6", &TCP.replace("0100007F:0019", &format!("{:0>32}:0019", 0)));
        let finding = examined(&open);
        assert_eq!(finding.evidence[0].found, "::");
        assert!(!finding.is_compliant() && finding.changes.is_empty());
    }

    #[test]
    fn a_line_that_is_cut_is_an_error() {
        assert!(parse("head\n0: 0100007F:0019\n", true).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text: String, tcp: bool) {
            drop(parse(&text, tcp));
        }
    }
}
