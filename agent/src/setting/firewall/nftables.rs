//! nftables: tables, base chains, traffic of the machine with itself, and that a reboot brings the same.
//!
//! `/etc/nftables.conf` and what it includes is loaded at boot; `nft list ruleset` tells what the kernel has now. What is missing
//! is added as a table of our own in a file of our own: a base chain that accepts takes nothing away from the chains of others.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nft::{Chain, Ruleset, parse};
use crate::change::{Change, Effect, UnitGoal};
use crate::finding::{Finding, State};
use crate::setting::{OWNED_HEADER, Setting};
use crate::system::System;

const MAIN: &str = "/etc/nftables.conf";
const UNIT: &str = "nftables.service";
const OWN: &str = "/etc/nftables.d/trempe.nft";
/// How the main file includes it: a pattern, so that a machine without the file still loads the rest.
const INCLUDE: &str = "include \"/etc/nftables.d/trempe*.nft\"";
const OWN_TABLE: &str = "table inet trempe
delete table inet trempe
table inet trempe {
	chain input {
		type filter hook input priority filter; policy accept;
		iif lo accept
		ip saddr 127.0.0.0/8 counter drop
		ip6 saddr ::1 counter drop
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
	chain output {
		type filter hook output priority filter; policy accept;
	}
}
";
/// The hooks every packet of a machine passes.
const HOOKS: [&str; 3] = ["input", "forward", "output"];
/// How deep files may include each other (`nft(8)`).
const MAX_DEPTH: usize = 16;

/// What of nftables must be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nftables {
    /// There is a table.
    Table,
    /// Base chains meet incoming, outgoing and forwarded packets.
    BaseChains,
    /// The machine may talk to itself, and nobody else uses its loopback addresses.
    Loopback,
    /// What no rule is about is dropped.
    Drop,
    /// The files loaded at boot hold base chains.
    Permanent,
}

impl Setting for Nftables {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let boot = files(system, Path::new(MAIN), 0)?;
        self.judge(&boot, State::Persistent, MAIN, &mut finding);
        let filed = finding.is_compliant();
        if system.is_booted() && *self != Nftables::Permanent {
            let live = parse(system.nft_ruleset()?).context("reading what nft list ruleset printed")?;
            self.judge(&live, State::Running, "nft list ruleset", &mut finding);
        }
        if finding.is_compliant() {
            return Ok(finding);
        }
        if *self == Nftables::Drop {
            finding.manual("which traffic stays allowed is for a person to say: add rules, then policy drop");
            return Ok(finding);
        }
        if !filed {
            plan_files(system, &mut finding)?;
        } else if system.units()?.state(UNIT).active == Some(true) {
            finding.manual("the kernel has other rules than the files: run 'systemctl restart nftables'");
        } else {
            finding.change(Change::Unit { unit: UNIT.to_owned(), goal: UnitGoal::Enabled });
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let what = match self {
            Nftables::Table => "there is a table",
            Nftables::BaseChains | Nftables::Permanent => "base chains meet all packets",
            Nftables::Loopback => "loopback traffic passes, and nothing else from loopback addresses",
            Nftables::Drop => "base chains drop what no rule is about",
        };
        format!("{what} ({MAIN} and nft list ruleset)")
    }
}

impl Nftables {
    fn judge(self, ruleset: &Ruleset, state: State, place: &str, finding: &mut Finding) {
        let mut say = |holds: bool, wanted: String| {
            finding.expect(holds, state, if holds { "there" } else { "not there" }, wanted, place);
        };
        match self {
            Nftables::Table => say(!ruleset.tables.is_empty(), "a table".to_owned()),
            Nftables::BaseChains | Nftables::Permanent => {
                for hook in HOOKS {
                    say(ruleset.at(hook).next().is_some(), format!("a base chain with hook {hook}"));
                }
            }
            Nftables::Loopback => {
                let has = |fits: &dyn Fn(&str) -> bool| {
                    ruleset.at("input").flat_map(|chain: &Chain| &chain.rules).any(|rule| fits(rule))
                };
                say(has(&accepts_loopback), "iif lo accept".to_owned());
                say(has(&|rule| drops(rule, "ip saddr 127.0.0.0/8")), "ip saddr 127.0.0.0/8 drop".to_owned());
                say(has(&|rule| drops(rule, "ip6 saddr ::1")), "ip6 saddr ::1 drop".to_owned());
            }
            Nftables::Drop => {
                for hook in HOOKS {
                    let holds = ruleset.at(hook).any(|chain| chain.policy == "drop");
                    say(holds, format!("policy drop at hook {hook}"));
                }
            }
        }
    }
}

fn accepts_loopback(rule: &str) -> bool {
    matches!(rule.split(" counter").next(), Some("iif lo" | "iifname lo")) && rule.ends_with("accept")
        || matches!(rule, "iif lo accept" | "iifname lo accept")
}

/// Whether a rule drops what comes from an address, whatever else it counts or logs.
fn drops(rule: &str, source: &str) -> bool {
    let foreign = rule.trim_start_matches("iif != lo ").trim_start_matches("iifname != lo ");
    foreign.starts_with(&format!("{source} ")) && rule.ends_with("drop")
}

/// What the file and those it includes say, in the order they are read.
fn files(system: &System, path: &Path, depth: usize) -> Result<Ruleset> {
    if depth > MAX_DEPTH {
        bail!("reading {}: more than {MAX_DEPTH} files include each other", path.display());
    }
    let text = system.read_text(path)?.unwrap_or_default();
    let mut ruleset = parse(&text).with_context(|| format!("reading {}", path.display()))?;
    for pattern in ruleset.includes.clone() {
        for file in included(system, &pattern)? {
            ruleset.extend(files(system, &file, depth + 1)?);
        }
    }
    Ok(ruleset)
}

/// The files an `include` stands for: relative to `/etc`, with patterns in the name.
fn included(system: &System, pattern: &str) -> Result<Vec<PathBuf>> {
    let path = Path::new("/etc").join(pattern);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.contains(['*', '?', '[']) {
        return Ok(vec![path]);
    }
    let Ok(matcher) = glob::Pattern::new(&name) else {
        bail!("include \"{pattern}\": not a file name pattern")
    };
    let dir = path.parent().unwrap_or(Path::new("/"));
    let names = system.list(dir)?;
    Ok(names.iter().filter(|name| matcher.matches(name)).map(|name| dir.join(name)).collect())
}

/// Adds our own table, and has the main file include it.
fn plan_files(system: &System, finding: &mut Finding) -> Result<()> {
    let own = format!("{OWNED_HEADER}{OWN_TABLE}");
    if system.read_text(OWN)?.as_ref() != Some(&own) {
        finding.change(Change::write(OWN, own));
    }
    let main = system.read_text(MAIN)?.unwrap_or_else(|| "#!/usr/sbin/nft -f\n\nflush ruleset\n".to_owned());
    if !main.lines().any(|other| other.trim() == INCLUDE) {
        let newline = if main.is_empty() || main.ends_with('\n') { "" } else { "\n" };
        finding.change(Change::write(MAIN, format!("{main}{newline}\n{INCLUDE}\n")));
    }
    finding.effect(Effect::reload(UNIT));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const SHIPPED: &str = "flush ruleset\n\ntable inet filter {\n\tchain input {\n\
        \t\ttype filter hook input priority filter;\n\t}\n}\n";

    #[test]
    fn what_is_missing_comes_with_a_table_of_our_own() {
        for setting in [Nftables::Table, Nftables::BaseChains, Nftables::Loopback, Nftables::Permanent] {
            Tree::new().dir("/etc/nftables.d", 0o755).round_trip(&setting);
            if setting != Nftables::Table {
                let tree = Tree::new().file(MAIN, SHIPPED).dir("/etc/nftables.d", 0o755);
                tree.round_trip(&setting);
                assert!(tree.applied(&setting).text(MAIN).starts_with(SHIPPED));
            }
        }
    }

    #[test]
    fn included_files_count() {
        let tree = Tree::new()
            .file(MAIN, "include \"nftables.d/*.nft\"\n")
            .file("/etc/nftables.d/a.nft", "table ip6 x { }\n");
        assert!(Nftables::Table.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn dropping_is_left_to_a_person() {
        let tree = Tree::new().file(MAIN, SHIPPED);
        let finding = Nftables::Drop.examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant() && finding.changes.is_empty() && finding.manual.is_some());
    }

    #[test]
    fn files_that_include_themselves_are_an_error() {
        let tree = Tree::new().file(MAIN, &format!("include \"{MAIN}\"\n"));
        assert!(Nftables::Table.examine(&tree.system()).is_err());
    }

    #[test]
    fn loopback_rules_are_told_from_narrower_ones() {
        for (rule, expected) in [
            ("iif lo accept", true),
            ("iifname lo counter packets 0 bytes 0 accept", true),
            ("iif lo tcp dport 22 accept", false),
            ("iif != lo accept", false),
        ] {
            assert_eq!(accepts_loopback(rule), expected, "{rule}");
        }
        assert!(drops(
            "iif != lo ip saddr 127.0.0.0/8 counter packets 1 bytes 2 drop",
            "ip saddr 127.0.0.0/8"
        ));
        assert!(!drops("ip saddr 127.0.0.0/8 accept", "ip saddr 127.0.0.0/8"));
    }
}
