//! Telling running programs, once, after all changes of a run.

use std::path::Path;

use anyhow::{Context, Result};

use super::{file, validate};
use crate::change::Effect;
use crate::system::{System, Tool};

/// The ssh daemon's unit: Debian's and the others' name.
const SSHD: [&str; 2] = ["ssh.service", "sshd.service"];

/// Brings every effect about, in an order in which one does not undo another; returns what failed, in words. Where no manager
/// runs there is nobody to tell.
pub fn perform_all(system: &System, mut effects: Vec<Effect>) -> Vec<String> {
    if !system.is_booted() {
        return Vec::new();
    }
    effects.sort();
    effects.dedup();
    let failed = |effect: &Effect| {
        perform(system, effect).err().map(|error| format!("{}: {error:#}", effect.sentence()))
    };
    effects.iter().filter_map(failed).collect()
}

fn perform(system: &System, effect: &Effect) -> Result<()> {
    match effect {
        Effect::DaemonReload => system.run(Tool::Systemctl, &["daemon-reload"])?.success().map(drop),
        // Locked rules stay until the next boot, which loads the new ones; until then the audit says so.
        Effect::LoadAuditRules if system.audit_kernel()?.is_some_and(|kernel| kernel.locked) => Ok(()),
        Effect::LoadAuditRules => load_audit_rules(system),
        Effect::ReloadUnit { unit } => {
            understood(system, unit)?;
            system.run(Tool::Systemctl, &["--quiet", "try-reload-or-restart", unit])?.success().map(drop)
        }
        Effect::RestartUnit { unit } => {
            understood(system, unit)?;
            system.run(Tool::Systemctl, &["--quiet", "try-restart", unit])?.success().map(drop)
        }
        // Nothing to do now; the report says so.
        Effect::Reboot => Ok(()),
    }
}

/// Whatever somebody else wrote meanwhile: the ssh daemon is never told to read a configuration that it would not start with.
fn understood(system: &System, unit: &str) -> Result<()> {
    if !SSHD.contains(&unit) || !system.has_tool(Tool::Sshd) {
        return Ok(());
    }
    validate::sshd::in_place(system, &[]).context("it goes on with what it knows")
}

/// The program keeps a copy of what it replaces. The journal does that already, so where there was none, none is left.
fn load_audit_rules(system: &System) -> Result<()> {
    let copy = Path::new("/etc/audit/audit.rules.prev");
    let there = system.exists(copy)?;
    system.run(Tool::Augenrules, &["--load"])?.success()?;
    if there { Ok(()) } else { file::remove(system, copy) }
}
