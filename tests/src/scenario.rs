//! States of a machine for both tools to judge.
//!
//! A name says all of it: `debian12`, a root tree run in a namespace; `debian12@booted`, the same tree as a running
//! machine; either with `/NAME` after it, which is the script `tests/scenarios/NAME.sh` run there first.

use std::fs;

use anyhow::{Context, Result};

use crate::cache;
use crate::machine::Machine;
use crate::root::Root;
use crate::vm::Vm;

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

    /// A machine in this state.
    pub fn machine(&self) -> Result<Box<dyn Machine>> {
        let machine: Box<dyn Machine> =
            if self.booted { Box::new(Vm::boot(&self.root)?) } else { Box::new(self.root.copy()?) };
        if !self.script.is_empty() {
            machine.shell(&self.script).context("setting the scenario up")?;
        }
        Ok(machine)
    }

    /// Stands for the state in cache keys.
    pub fn hash(&self) -> Result<String> {
        let state = if self.booted { crate::vm::prepared(&self.root)? } else { self.root.path.clone() };
        Ok(cache::hash(&[&state.to_string_lossy(), &self.script, include_str!("../lab/enter.sh")]))
    }
}
