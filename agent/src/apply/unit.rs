//! Changes to systemd units.

use anyhow::{Context, Result};

use crate::change::UnitGoal;
use crate::system::{Output, System, Tool, UnitFileState, UnitState};

/// Makes a unit what it shall be.
///
/// # Errors
/// When systemctl refuses.
pub fn perform(system: &System, unit: &str, goal: UnitGoal) -> Result<()> {
    let before = system.units()?.state(unit);
    match goal {
        UnitGoal::Enabled => {
            if before.file == UnitFileState::Masked {
                systemctl(system, &["unmask", unit])?;
            }
            if before.file != UnitFileState::Static {
                systemctl(system, &["enable", unit])?;
            }
            now(system, "start", unit)
        }
        UnitGoal::Disabled => {
            now(system, "stop", unit)?;
            if before.file == UnitFileState::Enabled {
                systemctl(system, &["disable", unit])?;
            }
            Ok(())
        }
        UnitGoal::Masked => {
            now(system, "stop", unit)?;
            if before.file == UnitFileState::Enabled {
                systemctl(system, &["disable", unit])?;
            }
            systemctl(system, &["mask", unit]).map(drop)
        }
    }
}

/// Makes a unit what it was.
///
/// # Errors
/// When systemctl refuses.
pub fn bring_back(system: &System, unit: &str, was: UnitState) -> Result<()> {
    let is = system.units()?.state(unit);
    if is.file == UnitFileState::Masked && was.file != UnitFileState::Masked {
        systemctl(system, &["unmask", unit])?;
    }
    match was.file {
        UnitFileState::Masked if is.file != UnitFileState::Masked => {
            drop(systemctl(system, &["mask", unit])?)
        }
        UnitFileState::Enabled => drop(systemctl(system, &["enable", unit])?),
        UnitFileState::Disabled if is.file == UnitFileState::Enabled => {
            drop(systemctl(system, &["disable", unit])?)
        }
        _ => {}
    }
    match was.active {
        Some(true) => now(system, "start", unit),
        Some(false) if was.file != UnitFileState::Absent => now(system, "stop", unit),
        _ => Ok(()),
    }
}

/// Changes the files of units: on a machine that is not the running one, below its root.
fn systemctl(system: &System, args: &[&str]) -> Result<Output> {
    let root = format!("--root={}", system.host_path("/").display());
    let mut all = vec!["--quiet"];
    if !system.is_running() {
        all.push(&root);
    }
    all.extend(args);
    system.run_on_host(Tool::Systemctl, &all, None)?.success()
}

/// Starts or stops a unit, where a manager runs.
fn now(system: &System, verb: &str, unit: &str) -> Result<()> {
    if !system.is_booted() {
        return Ok(());
    }
    let output = system.run(Tool::Systemctl, &["--quiet", verb, unit])?;
    output.success().with_context(|| format!("to {verb} {unit}")).map(drop)
}
