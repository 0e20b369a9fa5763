//! iptables with the files of `iptables-persistent`: default policies, traffic of the machine with itself, open ports.
//!
//! `/etc/iptables/rules.v4` and `rules.v6` are what `netfilter-persistent` loads at boot (`iptables-restore(8)`); `iptables -S`
//! tells what the kernel has now.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::{Port, open_ports, parse_ports, ssh_ports};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::{Finding, State};
use crate::setting::Setting;
use crate::system::System;

const UNIT: &str = "netfilter-persistent.service";
const EMPTY: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

/// What of iptables must be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iptables {
    /// Whether it is about IPv6; IPv4 otherwise.
    #[serde(default)]
    pub ipv6: bool,
    /// What must be so.
    pub rule: Demand,
}

/// What the rules must do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Demand {
    /// What no rule is about is dropped.
    Drop {
        /// The built-in chains.
        chains: Vec<String>,
        /// What stays allowed when `OUTPUT` is among them: `53/udp 443/tcp`.
        #[serde(default)]
        outgoing: Text,
    },
    /// The machine may talk to itself, and nobody else uses its loopback addresses.
    Loopback,
    /// Every port that is open has a rule.
    OpenPorts,
}

impl Setting for Iptables {
    fn examine(&self, system: &System) -> Result<Finding> {
        let file = self.file();
        let text = system.read_text(file)?;
        let boot = Rules::parse(text.as_deref().unwrap_or_default());
        if self.rule == Demand::OpenPorts {
            return open_ports(system, Some(self.ipv6), file, |port| boot.names("INPUT", port));
        }
        let mut finding = Finding::new();
        self.judge(&boot, State::Persistent, file, &mut finding);
        if system.is_booted() {
            let live = Rules::parse(system.iptables(self.ipv6)?);
            self.judge(&live, State::Running, self.command(), &mut finding);
            if text.is_none() && !live.rules.is_empty() {
                finding
                    .manual("the kernel has rules that no file keeps: run 'netfilter-persistent save' first");
                return Ok(finding);
            }
        }
        if !finding.is_compliant() {
            self.plan(system, text.as_deref().unwrap_or(EMPTY), &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let what = match &self.rule {
            Demand::Drop { chains, .. } => format!("the policy of {} is DROP", chains.join(", ")),
            Demand::Loopback => {
                "loopback traffic passes, and nothing else from loopback addresses".to_owned()
            }
            Demand::OpenPorts => "each open port has a rule".to_owned(),
        };
        format!("{what} in {} and in the kernel", self.file())
    }
}

impl Iptables {
    fn file(&self) -> &'static str {
        if self.ipv6 { "/etc/iptables/rules.v6" } else { "/etc/iptables/rules.v4" }
    }

    fn command(&self) -> &'static str {
        if self.ipv6 { "ip6tables -S" } else { "iptables -S" }
    }

    fn loopback(&self) -> [(&'static str, (&'static str, &'static str), &'static str); 3] {
        let address = if self.ipv6 { "::1" } else { "127.0.0.0/8" };
        [
            ("INPUT", ("-i", "lo"), "ACCEPT"),
            ("OUTPUT", ("-o", "lo"), "ACCEPT"),
            ("INPUT", ("-s", address), "DROP"),
        ]
    }

    fn judge(&self, rules: &Rules, state: State, place: &str, finding: &mut Finding) {
        match &self.rule {
            Demand::Drop { chains, .. } => {
                for chain in chains {
                    let policy = rules.policy(chain);
                    finding.expect(policy == "DROP", state, format!("{chain} {policy}"), "DROP", place);
                }
            }
            Demand::Loopback => {
                for (chain, condition, target) in self.loopback() {
                    let holds = rules.has(chain, &[condition], &[target]);
                    let wanted = format!("{chain} {} {} {target}", condition.0, condition.1);
                    finding.expect(holds, state, if holds { "there" } else { "not there" }, wanted, place);
                }
            }
            Demand::OpenPorts => {}
        }
    }

    fn plan(&self, system: &System, text: &str, finding: &mut Finding) -> Result<()> {
        let mut wanted: Vec<String> = self
            .loopback()
            .iter()
            .map(|(chain, (option, value), target)| format!("-A {chain} {option} {value} -j {target}"))
            .collect();
        let mut drops: &[String] = &[];
        if let Demand::Drop { chains, outgoing } = &self.rule {
            drops = chains;
            let answer = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
            wanted.extend(["INPUT", "OUTPUT"].map(|chain| format!("-A {chain} {answer}")));
            let icmp = if self.ipv6 { "ipv6-icmp" } else { "icmp" };
            wanted.extend(["INPUT", "OUTPUT"].map(|chain| format!("-A {chain} -p {icmp} -j ACCEPT")));
            for number in ssh_ports(system)? {
                wanted.push(accept("INPUT", Port { tcp: true, number }));
                // The filter does not know sessions that were there before it: their answers must pass too.
                wanted.push(format!("-A OUTPUT -p tcp -m tcp --sport {number} -j ACCEPT"));
            }
            if chains.iter().any(|chain| chain == "OUTPUT") {
                wanted.extend(parse_ports(outgoing.as_str())?.into_iter().map(|port| accept("OUTPUT", port)));
            }
        }
        finding.change(Change::write(self.file(), with(text, &wanted, drops)));
        finding.effect(Effect::restart(UNIT));
        Ok(())
    }
}

fn accept(chain: &str, port: Port) -> String {
    let protocol = port.protocol();
    format!("-A {chain} -p {protocol} -m {protocol} --dport {} -j ACCEPT", port.number)
}

/// The text with these rules, where they are missing, at the end of the filter table, and these policies.
fn with(text: &str, rules: &[String], drops: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut filter = false;
    let mut seen = false;
    for line in text.lines() {
        let words = line.trim();
        filter = if words.starts_with('*') { words == "*filter" } else { filter };
        seen |= filter;
        let dropped = drops.iter().find(|chain| words.starts_with(&format!(":{chain} ")));
        if filter && words == "COMMIT" {
            let there = |rule: &&String| !text.lines().any(|line| line.trim() == rule.as_str());
            lines.extend(rules.iter().filter(there).cloned());
        }
        match dropped.filter(|_| filter) {
            Some(chain) => lines.push(format!(":{chain} DROP [0:0]")),
            None => lines.push(line.to_owned()),
        }
    }
    if seen { lines.join("\n") + "\n" } else { with(&format!("{text}{EMPTY}"), rules, drops) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn drop_all(ipv6: bool) -> Iptables {
        let chains = ["INPUT", "FORWARD", "OUTPUT"].map(str::to_owned).to_vec();
        Iptables { ipv6, rule: Demand::Drop { chains, outgoing: "53/udp".into() } }
    }

    #[test]
    fn dropping_keeps_ssh_answers_and_what_is_named() {
        for ipv6 in [false, true] {
            let tree = Tree::new().file("/etc/ssh/sshd_config", "Port 2222\n").dir("/etc/iptables", 0o755);
            tree.round_trip(&drop_all(ipv6));
            tree.applied(&drop_all(ipv6));
            let text = tree.text(drop_all(ipv6).file());
            for part in [
                "--dport 2222 -j ACCEPT",
                "--sport 2222 -j ACCEPT",
                "ESTABLISHED",
                "-i lo",
                ":INPUT DROP",
                "-A OUTPUT -p udp",
            ] {
                assert!(text.contains(part), "{part} is not in\n{text}");
            }
        }
    }

    #[test]
    fn rules_of_others_and_other_tables_are_kept() {
        let others = "*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n*filter\n:INPUT ACCEPT [5:9]\n\
            -A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n";
        let tree = Tree::new().file("/etc/iptables/rules.v4", others);
        let setting = Iptables { ipv6: false, rule: Demand::Loopback };
        tree.round_trip(&setting);
        tree.applied(&setting);
        let text = tree.text("/etc/iptables/rules.v4");
        let added =
            "-A INPUT -i lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n-A INPUT -s 127.0.0.0/8 -j DROP\nCOMMIT\n";
        assert_eq!(text, others.replacen("-j ACCEPT\nCOMMIT\n", &format!("-j ACCEPT\n{added}"), 1));
    }

    #[test]
    fn a_file_without_the_filter_table_gets_one() {
        let text = with("*nat\nCOMMIT\n", &["-A INPUT -i lo -j ACCEPT".to_owned()], &[]);
        assert!(text.starts_with("*nat\nCOMMIT\n*filter\n") && text.ends_with("-i lo -j ACCEPT\nCOMMIT\n"));
    }
}
