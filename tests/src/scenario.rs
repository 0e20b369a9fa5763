//! States of a machine for both tools to judge.
//!
//! A name says all of it: `debian12`, a root tree run in a namespace; `debian12@booted`, the same tree as a running
//! machine; either with `/NAME` after it, which is the script `tests/scenarios/NAME.sh` run there first.

use std::fs;

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::root::Root;
use crate::vm::{self, Vm};
use crate::{agent, cache};

/// A state that can be made again and again.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The name that `docs/triage.md` knows it by.
    pub name: String,
    /// The root tree to start from.
    pub root: Root,
    /// Whether it is booted.
    pub booted: bool,
    /// A shell script run there first, as root; may be empty.
    pub script: String,
}

impl Scenario {
    /// The scenario of this name. Makes its root tree when the cache lacks it.
    pub fn named(name: &str) -> Result<Self> {
        let (place, script) =
            name.split_once('/').map_or((name, None), |(place, script)| (place, Some(script)));
        let (root, booted) = place.strip_suffix("@booted").map_or((place, false), |root| (root, true));
        let read = |script| {
            let path = cache::checkout().join(format!("tests/scenarios/{script}.sh"));
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let script = script.map(read).transpose()?.unwrap_or_default();
        Ok(Self { name: name.to_owned(), root: Root::named(root)?, booted, script })
    }

    /// A machine in this state. Its script finds the agent as `$LAB/agent`.
    pub fn machine(&self) -> Result<Box<dyn Machine>> {
        let machine: Box<dyn Machine> =
            if self.booted { Box::new(Vm::boot(&self.root)?) } else { Box::new(self.root.copy()?) };
        if self.runs_agent() {
            machine.lend(&agent::binary()?, "agent")?;
        }
        if !self.script.is_empty() {
            machine.shell(&self.script).context("setting the scenario up")?;
        }
        Ok(machine)
    }

    /// Stands for the state in cache keys; nothing does when the agent had a hand in it.
    pub fn hash(&self) -> Result<Option<String>> {
        let state = if self.booted { vm::prepared(&self.root)? } else { self.root.path.clone() };
        let state = cache::hash(&[&state.to_string_lossy(), &self.script, include_str!("../lab/enter.sh")]);
        Ok(Some(state).filter(|_| !self.runs_agent()))
    }

    fn runs_agent(&self) -> bool {
        self.script.contains("$LAB/agent")
    }
}
