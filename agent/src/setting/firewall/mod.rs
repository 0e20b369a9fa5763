//! Packet filters: ufw, iptables, nftables and firewalld, of which a machine uses one.
//!
//! Whatever denies by default keeps the ports of the ssh daemon open: [`ssh_ports`] tells them. The live rules come from the
//! tools (`iptables -S`, `nft list ruleset`), one call for all rules of the catalogue; what a reboot brings is read from the
//! files. To add a front end, write a file here with a kind that answers the same questions.

pub mod firewalld;
pub mod iptables;
pub mod nft;
pub mod nftables;
pub mod rules;
pub mod ufw;
pub mod zone;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::listening::{Listener, listeners};
use super::sshd::config::{Files, MAIN};
use crate::finding::Finding;
use crate::system::System;

/// The administrator's own socket unit of the ssh daemon, and where it is given other ports.
const SOCKET: &str = "/etc/systemd/system/ssh.socket";
const SOCKET_DROP_INS: &str = "/etc/systemd/system/ssh.socket.d";

/// The TCP ports on which the ssh daemon is reached: those of its configuration, of the options it is started with and of its
/// socket unit.
///
/// # Errors
/// When the configuration cannot be read or understood.
pub fn ssh_ports(system: &System) -> Result<Vec<u16>> {
    if !system.exists(MAIN)? {
        return Ok(Vec::new());
    }
    let mut ports = Vec::new();
    for directive in Files::new(system).directives()? {
        let value = directive.value();
        if directive.is("port") {
            ports.push(number(&value).with_context(|| directive.place())?);
        } else if directive.is("listenaddress")
            && let Some(port) = port_of(&value)
        {
            ports.push(number(port).with_context(|| directive.place())?);
        }
    }
    for port in ports_of(&system.sshd_options()) {
        ports.push(number(&port).context("the options that the ssh daemon is started with")?);
    }
    let whole = Some(PathBuf::from(SOCKET)).filter(|path| system.exists(path).unwrap_or(true));
    for file in whole.into_iter().chain(system.drop_ins(SOCKET_DROP_INS, ".conf")?) {
        let text = system.read_text(&file)?.unwrap_or_default();
        let streams = text.lines().filter_map(|line| line.trim().strip_prefix("ListenStream="));
        for stream in streams.filter(|stream| !stream.is_empty()) {
            let port = port_of(stream).unwrap_or(stream);
            ports.push(number(port).with_context(|| format!("reading {}", file.display()))?);
        }
    }
    if ports.is_empty() {
        ports.push(22);
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

/// The ports that options name: `-p 22`, `-p22`, `-o Port=22`.
fn ports_of(options: &[String]) -> Vec<String> {
    let mut ports = Vec::new();
    let mut words = options.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (name, value) = match word {
            "-p" | "-o" => (word, words.next().unwrap_or_default()),
            _ if word.starts_with("-p") || word.starts_with("-o") => word.split_at(2),
            _ => continue,
        };
        let port = match name {
            "-p" => Some(value),
            _ => value
                .split_once('=')
                .filter(|(key, _)| key.eq_ignore_ascii_case("port"))
                .map(|(_, port)| port),
        };
        ports.extend(port.map(str::to_owned));
    }
    ports
}

/// The port of `address:port` and `[address]:port`; an address alone has none.
fn port_of(text: &str) -> Option<&str> {
    let (address, port) = text.rsplit_once(':')?;
    (address.ends_with(']') || !address.contains(':')).then_some(port)
}

fn number(text: &str) -> Result<u16> {
    text.parse().with_context(|| format!("'{text}' is no port"))
}

/// A protocol and a port, as `tcp/22` stands for them in messages and values are written: `22/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Whether it is TCP; UDP otherwise.
    pub tcp: bool,
    /// The port.
    pub number: u16,
}

impl Port {
    /// The protocol, as packet filters write it.
    pub fn protocol(self) -> &'static str {
        if self.tcp { "tcp" } else { "udp" }
    }
}

/// Reads a list like `53/udp 443/tcp`.
///
/// # Errors
/// When one of the words is not a port and a protocol.
pub fn parse_ports(text: &str) -> Result<Vec<Port>> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let tcp = match word.split_once('/') {
            Some((_, "tcp")) => true,
            Some((_, "udp")) => false,
            _ => bail!("'{word}': expected a port and a protocol, as in 443/tcp"),
        };
        let digits = word.split_once('/').map_or(word, |(digits, _)| digits);
        found.push(Port { tcp, number: number(digits)? });
    }
    Ok(found)
}

/// Judges whether every port that strangers can reach now is named by a rule. Which ports shall be open is for a person to say.
///
/// # Errors
/// When the listening sockets cannot be read.
fn open_ports(
    system: &System,
    ipv6: Option<bool>,
    place: &str,
    named: impl Fn(Port) -> bool,
) -> Result<Finding> {
    if !system.is_running() {
        return Ok(Finding::not_checked("only the running machine tells which ports are open"));
    }
    let mut finding = Finding::new();
    let mut unnamed = Vec::new();
    for Listener { tcp, address, port: number } in listeners(system)? {
        let family = ipv6.is_none_or(|ipv6| ipv6 == address.is_ipv6());
        // A UDP socket on a high port waits for the answer to a question of its own.
        if address.is_loopback() || !family || (!tcp && number >= 32768) {
            continue;
        }
        let port = Port { tcp, number };
        let word = format!("{number}/{}", port.protocol());
        let holds = named(port);
        let found = if holds { "has a rule" } else { "has no rule" };
        finding.running(holds, format!("{word} on {address} {found}"), "a rule for each open port", place);
        if !holds {
            unnamed.push(word);
        }
    }
    if finding.evidence.is_empty() {
        finding.running(true, "no port is open", "a rule for each open port", place);
    }
    if !unnamed.is_empty() {
        unnamed.dedup();
        let list = unnamed.join(", ");
        finding.manual(format!("say who may reach {list} with a rule, or stop what listens there"));
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn ports_may_be_options_of_the_service_and_of_its_own_socket() {
        for (options, wanted) in [
            ("-p 2222", vec!["2222"]),
            ("-4 -p2222 -o Port=2200 -oport=2201 -o Banner=none", vec!["2222", "2200", "2201"]),
            ("-4", vec![]),
            ("-p", vec![""]),
        ] {
            let options: Vec<String> = options.split(' ').map(str::to_owned).collect();
            assert_eq!(ports_of(&options), wanted, "{options:?}");
        }
        let tree = Tree::new()
            .file("/etc/ssh/sshd_config", "")
            .file("/etc/default/ssh", "SSHD_OPTS=\"-p 2222\"\n")
            .file("/etc/systemd/system/ssh.socket", "[Socket]\nListenStream=0.0.0.0:2022\n");
        assert_eq!(ssh_ports(&tree.system()).unwrap(), [2022, 2222]);
    }

    #[test]
    fn the_ports_of_the_ssh_daemon_are_found_wherever_they_are_set() {
        for (config, socket, expected) in [
            ("", "", vec![22]),
            ("Port 2222\nPort 22\n", "", vec![22, 2222]),
            (
                "ListenAddress 10.0.0.1:2022\nListenAddress ::1\nListenAddress [::1]:2023\n",
                "",
                vec![2022, 2023],
            ),
            ("", "[Socket]\nListenStream=\nListenStream=0.0.0.0:8022\n", vec![8022]),
        ] {
            let tree = Tree::new().file(MAIN, config).file("/etc/systemd/system/ssh.socket.d/x.conf", socket);
            assert_eq!(ssh_ports(&tree.system()).unwrap(), expected, "{config}");
        }
        assert!(ssh_ports(&Tree::new().system()).unwrap().is_empty());
    }

    #[test]
    fn lists_of_ports_are_read_or_refused() {
        let ports = parse_ports("53/udp 443/tcp").unwrap();
        assert_eq!(ports, [Port { tcp: false, number: 53 }, Port { tcp: true, number: 443 }]);
        for text in ["53", "x/tcp", "70000/udp", "53/sctp"] {
            assert!(parse_ports(text).is_err(), "{text}");
        }
    }
}
