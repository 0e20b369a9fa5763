//! Telling running programs, once, after all changes of a run.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use super::{file, validate};
use crate::change::Effect;
use crate::setting::apparmor;
use crate::system::{System, Tool};

/// The ssh daemon's unit: Debian's and the others' name.
pub const SSHD: [&str; 2] = ["ssh.service", "sshd.service"];
/// The unit of ufw.
const UFW: &str = "ufw.service";
/// The audit daemon's. Red Hat's lets nobody restart it by hand (`RefuseManualStop=`); it reads its configuration again when it is sent a
/// signal (`auditd(8)`).
const AUDITD: &str = "auditd.service";
/// With this code `systemctl` ends where a unit is not loaded (`systemctl(1)`).
const NO_SUCH_UNIT: i32 = 5;
/// Where the ssh daemon writes its number.
const SSHD_NUMBER: &str = "/run/sshd.pid";
/// So soon it listens again, on the slowest machine.
const SSHD_SOON: Duration = Duration::from_secs(10);

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
        Effect::UnloadProfiles => unload_profiles(system),
        // Locked rules stay until the next boot, which loads the new ones; until then the audit says so.
        Effect::LoadAuditRules if system.audit_kernel()?.is_some_and(|kernel| kernel.locked) => Ok(()),
        Effect::LoadAuditRules => load_audit_rules(system),
        Effect::ReloadUnit { unit } | Effect::RestartUnit { unit } if unit == AUDITD && stays_up(system)? => {
            reread_auditd(system)
        }
        Effect::ReloadUnit { unit } => tell(system, unit, "try-reload-or-restart"),
        Effect::RestartUnit { unit } if unit == UFW && !ufw_is_up(system)? => {
            system.run(Tool::UfwInit, &["start", "quiet"])?.success().map(drop)
        }
        Effect::RestartUnit { unit } => tell(system, unit, "try-restart"),
        // Nothing to do now; the report says so.
        Effect::Reboot => Ok(()),
    }
}

/// Whether the audit daemon's unit lets nobody stop it.
fn stays_up(system: &System) -> Result<bool> {
    let Some(file) = system.unit_file(AUDITD)? else { return Ok(false) };
    let text = system.read_text(file)?.unwrap_or_default();
    Ok(text.lines().any(|line| line.trim() == "RefuseManualStop=yes"))
}

fn reread_auditd(system: &System) -> Result<()> {
    if system.units()?.state(AUDITD).active != Some(true) {
        return Ok(());
    }
    let hang_up = ["kill", "--signal=HUP", "--kill-who=main", AUDITD];
    system.run(Tool::Systemctl, &hang_up)?.success().map(drop)
}

/// Whether there is something of ufw to be taken down first. That takes as long as putting it up, and until ufw is switched on
/// its unit is active with nothing in the kernel.
fn ufw_is_up(system: &System) -> Result<bool> {
    let active = system.units()?.state(UFW).active == Some(true);
    Ok(!active || system.run(Tool::Iptables, &["-S"])?.success()?.stdout.contains("ufw-user-input"))
}

fn tell(system: &System, unit: &str, how: &str) -> Result<()> {
    understood(system, unit)?;
    let begun = SSHD.contains(&unit).then(|| sshd_began(system)).flatten();
    let told = system.run(Tool::Systemctl, &["--quiet", how, unit])?;
    // There is no such unit: its package comes later, or not at all, and nobody is there to be told.
    if told.code != Some(NO_SUCH_UNIT) {
        told.success()?;
    }
    if begun.is_some() {
        wait_for(|| sshd_began(system).is_some_and(|now| Some(now) != begun), SSHD_SOON);
    }
    Ok(())
}

/// When the ssh daemon last began to listen: it writes its number anew after that, and takes it away when it reads its configuration
/// again. `None` where it does not run.
fn sshd_began(system: &System) -> Option<SystemTime> {
    std::fs::metadata(system.host_path(Path::new(SSHD_NUMBER))).ok()?.modified().ok()
}

/// Waits until something is so, for some time: a reload is over for systemd before the daemon listens again, and who comes in between
/// is turned away.
fn wait_for(is_so: impl Fn() -> bool, most: Duration) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() >= most {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// Whatever somebody else wrote meanwhile: the ssh daemon is never told to read a configuration that it would not start with.
fn understood(system: &System, unit: &str) -> Result<()> {
    if !SSHD.contains(&unit) || !system.has_tool(Tool::Sshd) {
        return Ok(());
    }
    validate::sshd::in_place(system, &[]).context("it goes on with what it knows")
}

/// Those that are not in the kernel make the program fail, and the others go all the same; what stays is seen by the audit.
fn unload_profiles(system: &System) -> Result<()> {
    let profiles = disabled_profiles(system)?;
    if !profiles.is_empty() {
        let arguments: Vec<&str> =
            std::iter::once("--remove").chain(profiles.iter().map(String::as_str)).collect();
        system.run(Tool::ApparmorParser, &arguments)?;
    }
    Ok(())
}

fn disabled_profiles(system: &System) -> Result<Vec<String>> {
    let mut profiles = Vec::new();
    for name in system.list(apparmor::DISABLE)? {
        let profile = format!("{}/{name}", apparmor::DIR);
        if system.exists(&profile)? {
            profiles.push(profile);
        }
    }
    Ok(profiles)
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
    fn what_is_waited_for_is_not_waited_for_without_end() {
        let asked = std::cell::Cell::new(0);
        let third = || asked.replace(asked.get() + 1) == 2;
        assert!(wait_for(third, Duration::from_secs(60)));
        assert_eq!(asked.get(), 3);
        assert!(!wait_for(|| false, Duration::from_millis(1)));
        let tree = Tree::new();
        assert_eq!(sshd_began(&tree.system()), None);
        assert!(sshd_began(&tree.file("/run/sshd.pid", "7\n").system()).is_some());
    }

    #[test]
    fn a_unit_that_is_not_there_has_nothing_to_be_told() {
        let tree =
            Tree::new().file("/usr/lib/systemd/system/here.service", "[Service]\n").booted(&["here.service"]);
        let effects = ["here.service", "absent.service"].into_iter().flat_map(|unit| {
            let unit = unit.to_owned();
            [Effect::ReloadUnit { unit: unit.clone() }, Effect::RestartUnit { unit }]
        });
        assert_eq!(perform_all(&tree.system(), effects.collect()), Vec::<String>::new());
        assert_eq!(tree.text("/run/active"), "here.service\n");
    }

    #[test]
    fn an_audit_daemon_that_nobody_may_stop_is_sent_a_signal_and_any_other_restarted() {
        let refuses = "[Unit]\nRefuseManualStop=yes\n[Service]\n";
        let effects = || vec![Effect::restart(AUDITD), Effect::reload(AUDITD)];
        for (unit, active, hung_up) in [
            (refuses, &[AUDITD][..], true),
            (refuses, &[], false),
            // A restart also makes the compiled rules anew, which a signal does not.
            ("[Service]\n", &[AUDITD], false),
        ] {
            let tree = Tree::new().file("/usr/lib/systemd/system/auditd.service", unit).booted(active);
            assert_eq!(perform_all(&tree.system(), effects()), Vec::<String>::new());
            assert_eq!(tree.has("/run/hung-up"), hung_up, "{unit} {active:?}");
        }
    }

    /// Remembers what is run, and has these rules in its kernel.
    struct Firewall(std::sync::Arc<std::sync::Mutex<Vec<String>>>, &'static str);

    impl crate::system::Run for Firewall {
        fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
            self.0.lock().unwrap().push(format!("{} {}", tool.name(), args.join(" ")));
            let stdout = match tool {
                Tool::Iptables => self.1,
                _ => "ufw.service loaded active exited Firewall\n",
            };
            Ok(Output { code: Some(0), stdout: stdout.to_owned(), ..Output::default() })
        }

        fn has(&self, _: Tool) -> bool {
            true
        }
    }

    #[test]
    fn a_firewall_is_taken_down_only_where_it_is_up() {
        for (rules, told) in [
            ("-P INPUT ACCEPT\n", "ufw-init start quiet"),
            ("-P INPUT DROP\n-N ufw-user-input\n", "systemctl --quiet try-restart ufw.service"),
        ] {
            let tree = Tree::new().dir("/run/systemd/system", 0o755);
            let run = std::sync::Arc::default();
            let firewall = Box::new(Firewall(std::sync::Arc::clone(&run), rules));
            let system = System::open_as_running(&tree.system().host_path("/"), firewall).unwrap();
            perform(&system, &Effect::RestartUnit { unit: UFW.to_owned() }).unwrap();
            assert_eq!(run.lock().unwrap().last().unwrap(), told);
        }
    }

    #[test]
    fn profiles_that_are_switched_off_leave_the_kernel_together() {
        let tree = Tree::new().file("/etc/apparmor.d/on", "").dir("/etc/apparmor.d/disable", 0o755);
        assert_eq!(disabled_profiles(&tree.system()).unwrap(), Vec::<String>::new());
        let tree = tree.file("/etc/apparmor.d/b", "").file("/etc/apparmor.d/c", "");
        let off = |tree: Tree, name| tree.file(&format!("/etc/apparmor.d/disable/{name}"), "");
        let tree = ["a", "b", "c"].into_iter().fold(tree, off);
        assert_eq!(disabled_profiles(&tree.system()).unwrap(), ["/etc/apparmor.d/b", "/etc/apparmor.d/c"]);
    }

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
