//! Our verdicts: `agent audit --format json`, run inside the tree it judges.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cache;
use crate::command::Program;
use crate::machine::Machine;
use crate::verdict::{Verdict, short_id};

/// The part of an audit's JSON that the laboratory looks at.
#[derive(Debug, Deserialize)]
pub struct Audit {
    /// One entry per rule of the policy.
    pub rules: Vec<Rule>,
}

/// One rule's outcome.
#[derive(Debug, Deserialize)]
pub struct Rule {
    id: String,
    /// The verdict.
    pub result: Verdict,
    /// What was changed for it, or would be.
    #[serde(default)]
    pub changes: Vec<String>,
    /// Why, where no evidence tells.
    reason: Option<String>,
    #[serde(default)]
    evidence: Vec<Evidence>,
}

impl Rule {
    /// What the verdict rests on, in lines.
    pub fn grounds(&self) -> Vec<String> {
        self.reason.iter().cloned().chain(self.evidence.iter().map(ToString::to_string)).collect()
    }
}

/// What was looked at, and what was seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    found: String,
    wanted: String,
    #[serde(rename = "where")]
    place: String,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: found {}, wanted {}", self.place, self.found, self.wanted)
    }
}

impl Audit {
    /// Reads the JSON of an audit.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("reading the agent's JSON")
    }

    /// The rules by short id.
    pub fn by_id(self) -> BTreeMap<String, Rule> {
        self.rules.into_iter().map(|rule| (short_id(&rule.id).to_owned(), rule)).collect()
    }
}

/// The agent binary: `$TREMPE_AGENT`, or a debug build of this checkout, brought up to date.
pub fn binary() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("TREMPE_AGENT") {
        return Ok(given.into());
    }
    let manifest = cache::checkout().join("Cargo.toml");
    let messages = Program::new(env!("CARGO"))
        .args(["build", "-q", "-p", "agent", "--message-format=json", "--manifest-path"])
        .args([manifest])
        .output()?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "agent")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built no agent")
}

/// Audits the machine from inside. `arguments` are those after `audit`.
pub fn audit(machine: &dyn Machine, arguments: &[String]) -> Result<Audit> {
    let words = ["audit"].map(str::to_owned).into_iter().chain(arguments.iter().cloned()).collect::<Vec<_>>();
    run(machine, &words)
}

/// As [`run`], with the agent that the machine has installed, and its own configuration.
pub fn run_installed(machine: &dyn Machine, words: &[&str]) -> Result<Audit> {
    let output =
        machine.program(&["agent"]).args(words).args(["--format", "json"]).accept(&[0, 1, 2]).run()?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Audit::parse(&String::from_utf8_lossy(&output.stdout)).with_context(said)
}

/// Runs the agent inside and reads the JSON that its commands `audit` and `apply` write.
pub fn run(machine: &dyn Machine, words: &[String]) -> Result<Audit> {
    let agent = machine.lend(&binary()?, "agent")?;
    let output =
        machine.program(&[&agent]).args(words).args(["--format", "json"]).accept(&[0, 1, 2]).run()?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Audit::parse(&String::from_utf8_lossy(&output.stdout)).with_context(said)
}
