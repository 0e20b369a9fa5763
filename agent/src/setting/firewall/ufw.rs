//! ufw: switched on, its default policies, traffic of the machine with itself, a rule for each open port.
//!
//! ufw keeps its switch in `ufw.conf`, its policies in `/etc/default/ufw` and the administrator's rules in `user.rules` and
//! `user6.rules`: a comment that says the rule in ufw's words, and below it the same for iptables (`ufw-framework(8)`). Rules of
//! ours are written the same way, so that `ufw status` shows them and `ufw delete` takes them away.

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::{Port, open_ports, parse_ports, ssh_ports};
use crate::change::{Change, Effect, UnitGoal};
use crate::content::Text;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::{System, Tool};

const CONF: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";
const UNIT: &str = "ufw.service";
/// Targets by which a rule of ufw lets a new connection in.
const ADMIT: [&str; 2] = ["ACCEPT", "ufw-user-limit-accept"];

/// What of ufw must be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ufw {
    /// It is switched on, at boot and now. The ports of the ssh daemon are let in first.
    Active,
    /// What no rule is about is refused, in these directions.
    Refuse {
        /// The directions.
        directions: Vec<Direction>,
        /// What stays allowed when outgoing traffic is refused: `53/udp 443/tcp`.
        #[serde(default)]
        outgoing: Text,
    },
    /// The machine may talk to itself, and nobody else uses its loopback addresses.
    Loopback,
    /// Every port that is open has a rule.
    OpenPorts,
}

/// A direction of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the machine.
    Incoming,
    /// From the machine.
    Outgoing,
    /// Through the machine.
    Routed,
}

impl Direction {
    /// ufw's variable and the chain of iptables.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Direction::Incoming => ("DEFAULT_INPUT_POLICY", "INPUT"),
            Direction::Outgoing => ("DEFAULT_OUTPUT_POLICY", "OUTPUT"),
            Direction::Routed => ("DEFAULT_FORWARD_POLICY", "FORWARD"),
        }
    }
}

/// One of the two address families, as ufw's files differ by it.
#[derive(Debug, Clone, Copy)]
struct Family {
    file: &'static str,
    prefix: &'static str,
    any: &'static str,
    loopback: &'static str,
}

const IPV4: Family =
    Family { file: "/etc/ufw/user.rules", prefix: "ufw", any: "0.0.0.0/0", loopback: "127.0.0.0/8" };
const IPV6: Family = Family { file: "/etc/ufw/user6.rules", prefix: "ufw6", any: "::/0", loopback: "::1" };

impl Setting for Ufw {
    fn examine(&self, system: &System) -> Result<Finding> {
        match self {
            Ufw::Active => active(system),
            Ufw::Refuse { directions, outgoing } => refuse(system, directions, outgoing),
            Ufw::Loopback => loopback(system),
            Ufw::OpenPorts => {
                let rules = Rules::parse(&user_rules(system, IPV4)?);
                open_ports(system, None, IPV4.file, |port| rules.names("ufw-user-input", port))
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Ufw::Active => format!("ufw is switched on in {CONF} and its rules are in the kernel"),
            Ufw::Refuse { directions, .. } => {
                let names: Vec<&str> = directions.iter().map(|direction| direction.words().0).collect();
                format!("{} in {DEFAULTS} is DROP or REJECT", names.join(", "))
            }
            Ufw::Loopback => {
                "ufw lets loopback traffic pass, and nothing else from loopback addresses".to_owned()
            }
            Ufw::OpenPorts => "each open port has a rule of ufw".to_owned(),
        }
    }
}

fn active(system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    let text = system.read_text(CONF)?.unwrap_or_default();
    let (value, line) = variable(&text, "ENABLED").unwrap_or_default();
    let on = value.eq_ignore_ascii_case("yes");
    finding.persistent(on, format!("ENABLED={value}"), "ENABLED=yes", format!("{CONF}:{line}"));
    let live = match system.is_booted() {
        true => system.iptables(false)?.contains("ufw-user-input"),
        false => true,
    };
    if system.is_booted() {
        let found = if live { "the kernel has ufw's rules" } else { "the kernel has no rules of ufw" };
        finding.running(live, found, "ufw's rules in the kernel", "iptables -S");
    }
    if !on || !live {
        keep_ssh(system, &mut finding)?;
    }
    if !on {
        finding.change(Change::write(CONF, set(&text, "ENABLED", "yes")));
    }
    if !live {
        finding.change(Change::Unit { unit: UNIT.to_owned(), goal: UnitGoal::Enabled });
    }
    if !finding.changes.is_empty() {
        finding.effect(Effect::restart(UNIT));
    }
    Ok(finding)
}

fn refuse(system: &System, directions: &[Direction], outgoing: &Text) -> Result<Finding> {
    let mut finding = Finding::new();
    let Some(mut text) = system.read_text(DEFAULTS)? else { bail!("reading {DEFAULTS}: no such file") };
    let before = text.clone();
    let live = match system.is_booted() {
        true => Some(Rules::parse(system.iptables(false)?)),
        false => None,
    };
    // Without ufw's rules in the kernel the live policies are nobody's: that ufw is switched on is a rule of its own.
    let live = live.filter(|rules| rules.rules.iter().any(|rule| rule.chain.starts_with("ufw-")));
    let mut differs = false;
    for direction in directions {
        let (name, chain) = direction.words();
        let (value, line) = variable(&text, name).unwrap_or_default();
        let holds = matches!(value.as_str(), "DROP" | "REJECT");
        finding.persistent(
            holds,
            format!("{name}=\"{value}\""),
            "DROP or REJECT",
            format!("{DEFAULTS}:{line}"),
        );
        if !holds {
            text = set(&text, name, "\"DROP\"");
        }
        if let Some(rules) = &live {
            let policy = rules.policy(chain);
            differs |= policy == "ACCEPT";
            finding.running(policy != "ACCEPT", format!("{chain} {policy}"), "DROP or REJECT", "iptables -S");
        }
    }
    if finding.is_compliant() {
        return Ok(finding);
    }
    if directions.contains(&Direction::Incoming) {
        keep_ssh(system, &mut finding)?;
    }
    if directions.contains(&Direction::Outgoing) {
        let (ports, ssh) = (parse_ports(outgoing.as_str())?, ssh_ports(system)?);
        add(system, &mut finding, |family| {
            let ports = ports.iter().map(|port| allow(family, *port, "output"));
            ports.chain(ssh.iter().map(|port| answers(family, *port))).collect()
        })?;
    }
    if text != before {
        finding.change(Change::write(DEFAULTS, text)).effect(Effect::restart(UNIT));
    } else if differs {
        let args = vec!["reload".to_owned()];
        finding.change(Change::Generate { tool: Tool::Ufw, args, outputs: Vec::new() });
    }
    Ok(finding)
}

fn loopback(system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    for family in families(system)? {
        let rules = Rules::parse(&user_rules(system, family)?);
        for (chain, condition, target) in [
            ("input", ("-i", "lo"), "ACCEPT"),
            ("output", ("-o", "lo"), "ACCEPT"),
            ("input", ("-s", family.loopback), "DROP"),
        ] {
            let chain = format!("{}-user-{chain}", family.prefix);
            let holds = rules.has(&chain, &[condition], &[target]);
            let wanted = format!("{chain} {} {} {target}", condition.0, condition.1);
            finding.persistent(holds, if holds { "there" } else { "not there" }, wanted, family.file);
        }
    }
    if !finding.is_compliant() {
        add(system, &mut finding, |family| {
            let Family { prefix, any, loopback, .. } = family;
            vec![
                (
                    format!("allow any any {any} any {any} in_lo"),
                    format!("-A {prefix}-user-input -i lo -j ACCEPT"),
                ),
                (
                    format!("allow any any {any} any {any} out_lo"),
                    format!("-A {prefix}-user-output -o lo -j ACCEPT"),
                ),
                (
                    format!("deny any any {any} any {loopback} in"),
                    format!("-A {prefix}-user-input -s {loopback} -j DROP"),
                ),
            ]
        })?;
        finding.effect(Effect::restart(UNIT));
    }
    Ok(finding)
}

/// Lets the ports of the ssh daemon in, before anything that refuses by default.
fn keep_ssh(system: &System, finding: &mut Finding) -> Result<()> {
    let ports = ssh_ports(system)?;
    let missing = |family: Family| -> Result<Vec<Port>> {
        let rules = Rules::parse(&user_rules(system, family)?);
        let chain = format!("{}-user-input", family.prefix);
        let ports = ports.iter().map(|number| Port { tcp: true, number: *number });
        Ok(ports.filter(|port| !rules.admits(&chain, *port, &ADMIT)).collect())
    };
    for family in families(system)? {
        let rules: Vec<_> = missing(family)?.into_iter().map(|port| allow(family, port, "input")).collect();
        if !rules.is_empty() {
            let text = insert(&user_rules(system, family)?, family.file, &rules)?;
            finding.change(Change::write(family.file, text));
        }
    }
    Ok(())
}

/// A rule that lets new connections to a port pass: in ufw's words and in those of iptables.
fn allow(family: Family, port: Port, chain: &str) -> (String, String) {
    let Family { prefix, any, .. } = family;
    let (protocol, number) = (port.protocol(), port.number);
    let direction = if chain == "input" { "in" } else { "out" };
    (
        format!("allow {protocol} {number} {any} any {any} {direction}"),
        format!("-A {prefix}-user-{chain} -p {protocol} --dport {number} -j ACCEPT"),
    )
}

/// A rule that lets answers from a port pass. The packet filter does not know the connections that were there before it was
/// switched on: without this, such a session hangs as soon as the machine is the one to speak.
fn answers(family: Family, port: u16) -> (String, String) {
    let Family { prefix, any, .. } = family;
    (
        format!("allow tcp any {any} {port} {any} out"),
        format!("-A {prefix}-user-output -p tcp --sport {port} -j ACCEPT"),
    )
}

/// Adds rules to the files of both families, those that are not there yet.
fn add(
    system: &System,
    finding: &mut Finding,
    rules: impl Fn(Family) -> Vec<(String, String)>,
) -> Result<()> {
    for family in families(system)? {
        let planned = finding.changes.iter().rev().find_map(|change| match change {
            Change::WriteFile { path, content, .. }
                if path.ends_with(family.file.trim_start_matches('/')) =>
            {
                Some(content.clone())
            }
            _ => None,
        });
        let text = match planned {
            Some(text) => text,
            None => user_rules(system, family)?,
        };
        let there = |line: &str| text.lines().any(|other| other.trim() == line);
        let missing: Vec<_> = rules(family).into_iter().filter(|(_, line)| !there(line)).collect();
        if !missing.is_empty() {
            finding.change(Change::write(family.file, insert(&text, family.file, &missing)?));
        }
    }
    Ok(())
}

/// The families ufw filters.
fn families(system: &System) -> Result<Vec<Family>> {
    let text = system.read_text(DEFAULTS)?.unwrap_or_default();
    let off = variable(&text, "IPV6").is_some_and(|(value, _)| value.eq_ignore_ascii_case("no"));
    Ok(if off { vec![IPV4] } else { vec![IPV4, IPV6] })
}

fn user_rules(system: &System, family: Family) -> Result<String> {
    let file = family.file;
    match system.read_text(file)? {
        Some(text) => Ok(text),
        None => bail!("reading {file}: no such file; ufw writes it when it is installed"),
    }
}

/// The text of a file of rules with further ones behind those that are there.
fn insert(text: &str, file: &str, rules: &[(String, String)]) -> Result<String> {
    let block: String =
        rules.iter().map(|(words, line)| format!("### tuple ### {words}\n{line}\n\n")).collect();
    let (mark, before) = match text.contains("### END RULES ###") {
        true => ("### END RULES ###", true),
        false => ("### RULES ###\n", false),
    };
    let Some((head, tail)) = text.split_once(mark) else {
        bail!("{file}: expected a line '### RULES ###'; run 'ufw reset' to have ufw write the file anew");
    };
    Ok(if before { format!("{head}{block}{mark}{tail}") } else { format!("{head}{mark}\n{block}{tail}") })
}

/// The last assignment of a variable in a file of shell assignments, and its line.
fn variable(text: &str, name: &str) -> Option<(String, usize)> {
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let (found, value) = line.trim().split_once('=')?;
        let value = value.split(" #").next().unwrap_or_default();
        (found == name).then(|| (value.trim().trim_matches(['"', '\'']).to_owned(), index + 1))
    });
    found.last()
}

/// The text with a variable set: every assignment of it is changed in place, or one is added at the end.
fn set(text: &str, name: &str, value: &str) -> String {
    let ours = |line: &str| line.trim().split_once('=').is_some_and(|(found, _)| found == name);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        lines.push(if ours(line) { format!("{name}={value}") } else { line.to_owned() });
    }
    if !text.lines().any(ours) {
        lines.push(format!("{name}={value}"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const FRESH: &str =
        "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n-A ufw-user-limit -j REJECT\nCOMMIT\n";
    const POLICIES: &str = "IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n";

    fn tree() -> Tree {
        Tree::new()
            .file(CONF, "# on or off\nENABLED=no\nLOGLEVEL=low\n")
            .file(DEFAULTS, POLICIES)
            .file(IPV4.file, FRESH)
            .file(IPV6.file, &FRESH.replace("ufw-", "ufw6-"))
            .file("/etc/ssh/sshd_config", "Port 2222\n")
    }

    fn refuse(direction: Direction) -> Ufw {
        Ufw::Refuse { directions: vec![direction], outgoing: "53/udp".into() }
    }

    #[test]
    fn switching_on_lets_ssh_in_first() {
        let tree = tree();
        tree.round_trip(&Ufw::Active);
        let changes = tree.planned(&Ufw::Active);
        let paths: Vec<_> = changes.iter().filter_map(|change| change.path()?.to_str()).collect();
        assert_eq!(paths, [IPV4.file, IPV6.file, CONF]);
        tree.applied(&Ufw::Active);
        let wanted = "### RULES ###\n\n### tuple ### allow tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in\n\
            -A ufw-user-input -p tcp --dport 2222 -j ACCEPT\n\n-A ufw-user-limit";
        assert!(tree.text(IPV4.file).contains(wanted), "{}", tree.text(IPV4.file));
        assert_eq!(tree.text(CONF), "# on or off\nENABLED=yes\nLOGLEVEL=low\n");
    }

    #[test]
    fn a_rule_that_lets_ssh_in_already_is_enough() {
        let rule = "### RULES ###\n-A ufw-user-input -p tcp --dport 2222 -j ACCEPT\n";
        let tree =
            tree().file(IPV4.file, &FRESH.replace("### RULES ###\n", rule)).file(DEFAULTS, "IPV6=no\n");
        assert_eq!(tree.planned(&Ufw::Active).len(), 1);
    }

    #[test]
    fn refusing_incoming_traffic_keeps_ssh_and_the_other_policies() {
        let tree = tree();
        tree.round_trip(&refuse(Direction::Incoming));
        tree.applied(&refuse(Direction::Incoming));
        assert_eq!(tree.text(DEFAULTS), POLICIES.replacen("ACCEPT", "DROP", 1));
        assert!(tree.text(IPV6.file).contains("-A ufw6-user-input -p tcp --dport 2222 -j ACCEPT"));
    }

    #[test]
    fn refusing_outgoing_traffic_keeps_what_is_named() {
        let tree = tree();
        tree.round_trip(&refuse(Direction::Outgoing));
        tree.applied(&refuse(Direction::Outgoing));
        let wanted = "-A ufw-user-output -p udp --dport 53 -j ACCEPT\n\n\
            ### tuple ### allow tcp any 0.0.0.0/0 2222 0.0.0.0/0 out\n\
            -A ufw-user-output -p tcp --sport 2222 -j ACCEPT\n";
        assert!(tree.text(IPV4.file).contains(wanted), "{}", tree.text(IPV4.file));
    }

    #[test]
    fn loopback_rules_go_behind_those_that_are_there() {
        let ended = FRESH.replace("### RULES ###\n", "### RULES ###\n\n### END RULES ###\n");
        let tree = tree().file(IPV4.file, &ended);
        tree.round_trip(&Ufw::Loopback);
        tree.applied(&Ufw::Loopback);
        assert!(
            tree.text(IPV4.file).contains("-A ufw-user-input -s 127.0.0.0/8 -j DROP\n\n### END RULES ###")
        );
    }

    #[test]
    fn files_of_rules_that_are_not_ufws_are_refused() {
        let tree = tree().file(IPV4.file, "*filter\nCOMMIT\n");
        let error = Ufw::Active.examine(&tree.system()).unwrap_err().to_string();
        assert!(error.contains(IPV4.file) && error.contains("### RULES ###"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn setting_twice_is_setting_once(text: String) {
            let once = set(&text, "ENABLED", "yes");
            proptest::prop_assert_eq!(variable(&once, "ENABLED").map(|(value, _)| value), Some("yes".to_owned()));
            proptest::prop_assert_eq!(set(&once, "ENABLED", "yes"), once);
        }
    }
}
