//! Telling running programs, once, after all changes of a run.

use std::path::Path;

use anyhow::{Context, Result};

use super::{file, validate};
use crate::change::Effect;
use crate::system::{System, Tool};

/// The ssh daemon's unit: Debian's and the others' name.
pub const SSHD: [&str; 2] = ["ssh.service", "sshd.service"];

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
    let of_unit = |effect: &&Effect| matches!(effect, Effect::ReloadUnit { .. } | Effect::RestartUnit { .. });
    let (units, before): (Vec<&Effect>, Vec<&Effect>) = effects.iter().partition(of_unit);
    let mut failures: Vec<String> = before.into_iter().filter_map(failed).collect();
    // A firewall takes long to restart, and nothing waits for it: systemd keeps units in order that have one.
    failures.extend(std::thread::scope(|scope| {
        let told: Vec<_> = units.into_iter().map(|effect| scope.spawn(move || failed(effect))).collect();
        told.into_iter().filter_map(|told| told.join().ok().flatten()).collect::<Vec<_>>()
    }));
    failures
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::validate::testing::Scripted;
    use crate::setting::testing::Tree;
    use crate::system::Output;

    #[test]
    fn the_ssh_daemon_is_not_told_to_read_what_it_would_not_start_with() {
        let tree = Tree::new();
        let broken = Scripted::on(&tree, |args, _| {
            assert_eq!(args, ["-t"]);
            Output { code: Some(255), stderr: "60-foreign.conf: line 1: Bad".into(), ..Output::default() }
        });
        for unit in SSHD {
            let error = format!("{:#}", understood(&broken, unit).unwrap_err());
            assert!(
                error.contains("goes on with what it knows") && error.contains("60-foreign.conf"),
                "{error}"
            );
        }
        understood(&broken, "auditd.service").unwrap();
        let keyless = "sshd: no hostkeys available -- exiting.";
        let fine = Scripted::on(&tree, move |_, _| Output {
            code: Some(1),
            stderr: keyless.into(),
            ..Output::default()
        });
        understood(&fine, "ssh.service").unwrap();
        understood(&tree.system(), "ssh.service").unwrap();
    }
}
