//! What a script called, as changes: the calls that [stand-ins](super::stand_in) wrote down.
//!
//! A call means what it means for the state of the machine afterwards, not step by step: a unit that is stopped, disabled and masked
//! is one change. On a tree that does not run, what only concerns the running system means nothing. What cannot be said with a
//! [`Change`] or an [`Effect`] is an obstacle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::stand_in::{Call, full_name, words};
use crate::change::{Change, Effect, UnitGoal};
use crate::system::{FstabEntry, System, Tool, UnitFileState, UnitState};

/// What calls come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// What running programs must be told afterwards.
    pub effects: Vec<Effect>,
    /// What no change can express.
    pub obstacles: Vec<String>,
    /// What is left to do on the machine itself once it runs.
    pub later: Vec<String>,
    /// Packages that other rules install first: what the script does besides is only known once they are there.
    pub awaits: Vec<String>,
}

/// What the calls wish of a unit.
#[derive(Debug, Default, Clone, Copy)]
struct Wish {
    enabled: Option<bool>,
    masked: Option<bool>,
    active: Option<bool>,
}

/// What calls come to on a system, on which the same script has `written` these changes.
///
/// # Errors
/// When what is there cannot be read.
pub fn typed(calls: &[Call], written: &[Change], system: &System) -> Result<Recorded> {
    let mut recorded = Recorded::default();
    let (mut units, mut install, mut remove) = (BTreeMap::new(), Vec::new(), Vec::new());
    for call in calls {
        match call.program.as_str() {
            "systemctl" | "service" => recorded.manager(call, &mut units),
            "sysctl" => recorded.sysctl(call, system)?,
            "mount" => recorded.mount(call, written, system)?,
            "apt-get" | "apt" | "dnf" | "yum" | "microdnf" => {
                recorded.packages(call, system, &mut install, &mut remove)?;
            }
            "modprobe" | "rmmod" => recorded.module(call, system)?,
            "auditctl" if system.is_running() => recorded.effects.push(Effect::LoadAuditRules),
            // Who writes a file gives it its label.
            "restorecon" => {}
            "update-grub" | "update-grub2" => {
                recorded.generate(Tool::UpdateGrub, &[], &["/boot/grub/grub.cfg"], system)
            }
            "update-initramfs" => recorded.generate(Tool::UpdateInitramfs, &["-u"], &[], system),
            "dconf" => recorded.dconf(system)?,
            _ if only_of_now(call) && !system.is_running() => {}
            _ => recorded.obstacle(call),
        }
    }
    for (unit, wish) in units {
        recorded.unit(&unit, wish, written, system)?;
    }
    if !install.is_empty() || !remove.is_empty() {
        recorded.changes.insert(0, Change::Packages { install, remove });
    }
    recorded.effects.sort();
    recorded.effects.dedup();
    Ok(recorded)
}

/// Whether a call is about nothing but the running system.
fn only_of_now(call: &Call) -> bool {
    let permanent = call.args.iter().any(|arg| arg == "--permanent" || arg.starts_with("--permanent="));
    match call.program.as_str() {
        "auditctl" | "umount" | "swapon" | "swapoff" | "setenforce" | "apparmor_parser" | "nft"
        | "iptables" | "ip6tables" | "iptables-restore" | "ip6tables-restore" | "insmod" | "ip"
        | "reboot" | "shutdown" => true,
        "firewall-cmd" => !permanent,
        _ => false,
    }
}

impl Recorded {
    fn obstacle(&mut self, call: &Call) {
        let obstacle = format!("it calls '{call}', which no change can express");
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }

    /// What only a program of the running machine can write.
    fn generate(&mut self, tool: Tool, args: &[&str], outputs: &[&str], system: &System) {
        if !system.is_running() {
            self.later.push(format!("{} must be run on the machine itself", tool.name()));
            return;
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let change = Change::Generate { tool, args, outputs: outputs.iter().map(PathBuf::from).collect() };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    fn dconf(&mut self, system: &System) -> Result<()> {
        let mut outputs = Vec::new();
        for name in system.list("/etc/dconf/db")? {
            outputs.extend(name.strip_suffix(".d").map(|name| format!("/etc/dconf/db/{name}")));
        }
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        self.generate(Tool::DconfUpdate, &["update"], &outputs, system);
        Ok(())
    }

    fn manager(&mut self, call: &Call, units: &mut BTreeMap<String, Wish>) {
        let mut words = words(call);
        if call.program == "service" && words.len() > 1 {
            words.swap(0, 1);
        }
        let Some((verb, names)) = words.split_first() else { return };
        let now = call.args.iter().any(|arg| arg == "--now");
        if matches!(*verb, "daemon-reload" | "daemon-reexec") {
            return self.effects.push(Effect::DaemonReload);
        }
        if *verb == "reset-failed" {
            return;
        }
        for name in names {
            let unit = full_name(name);
            let wish: &mut Wish = units.entry(unit.clone()).or_default();
            match *verb {
                "enable" | "reenable" => {
                    (wish.enabled, wish.active) = (Some(true), if now { Some(true) } else { wish.active });
                }
                "disable" => {
                    (wish.enabled, wish.active) = (Some(false), if now { Some(false) } else { wish.active });
                }
                "mask" => {
                    (wish.masked, wish.active) = (Some(true), if now { Some(false) } else { wish.active })
                }
                "unmask" => wish.masked = Some(false),
                "start" => wish.active = Some(true),
                "stop" | "kill" => wish.active = Some(false),
                "restart" | "try-restart" | "reload-or-restart" | "try-reload-or-restart" | "condrestart" => {
                    self.effects.push(Effect::RestartUnit { unit });
                }
                "reload" => self.effects.push(Effect::ReloadUnit { unit }),
                _ => return self.obstacle(call),
            }
        }
        if names.is_empty() {
            self.obstacle(call);
        }
    }

    fn unit(&mut self, unit: &str, wish: Wish, written: &[Change], system: &System) -> Result<()> {
        let UnitState { file, active } = system.units()?.state(unit);
        let runs = active == Some(true);
        let new = |change: &Change| change.path().is_some_and(|path| path.ends_with(unit));
        let absent = file == UnitFileState::Absent && !written.iter().any(new);
        let goal = match wish {
            Wish { masked: Some(true), .. } if file == UnitFileState::Masked && !runs => return Ok(()),
            Wish { masked: Some(true), .. } => UnitGoal::Masked,
            Wish { enabled: Some(true), .. } if absent => {
                self.obstacles.push(format!("it enables {unit}, which is not there"));
                return Ok(());
            }
            Wish { enabled: Some(true), .. } => {
                let enabled = matches!(file, UnitFileState::Enabled | UnitFileState::Static);
                if enabled && active != Some(false) {
                    return Ok(());
                }
                UnitGoal::Enabled
            }
            Wish { enabled: Some(false), .. } if file != UnitFileState::Enabled && !runs => return Ok(()),
            Wish { enabled: Some(false), .. } => UnitGoal::Disabled,
            Wish { active: Some(wanted), .. } => {
                if active.is_some_and(|runs| runs != wanted) {
                    let does = if wanted { "starts" } else { "stops" };
                    self.obstacles
                        .push(format!("it {does} {unit} for now, and says nothing of the next boot"));
                }
                return Ok(());
            }
            Wish { masked: Some(false), .. } if file == UnitFileState::Masked => {
                self.obstacles.push(format!("it unmasks {unit}, and says nothing of whether it is to run"));
                return Ok(());
            }
            Wish { .. } => return Ok(()),
        };
        self.changes.push(Change::Unit { unit: unit.to_owned(), goal });
        Ok(())
    }

    fn sysctl(&mut self, call: &Call, system: &System) -> Result<()> {
        if !system.is_running() {
            return Ok(());
        }
        let mut set = false;
        for (key, value) in call.args.iter().filter_map(|arg| arg.split_once('=')) {
            if key.starts_with('-') {
                continue;
            }
            set = true;
            let (key, value) = (key.trim().replace('/', "."), value.trim().to_owned());
            if system.sysctl(&key)?.is_some_and(|now| now.trim() != value) {
                self.changes.push(Change::Sysctl { key, value });
            }
        }
        if !set {
            self.obstacle(call);
        }
        Ok(())
    }

    /// A remount: with the options that are named, else with those of `/etc/fstab`, which is how mount(8) reads it.
    fn mount(&mut self, call: &Call, written: &[Change], system: &System) -> Result<()> {
        let options: Vec<&str> =
            option_values(call, &["-o", "--options"]).flat_map(|list| list.split(',')).collect();
        let mut targets = words(call);
        targets.dedup();
        let (true, [target]) = (options.contains(&"remount"), targets.as_slice()) else {
            self.obstacle(call);
            return Ok(());
        };
        let mounts = system.mounts()?;
        let Some(now) = mounts.now_at(target).filter(|_| system.is_running()) else { return Ok(()) };
        let mut wanted: Vec<String> = options
            .iter()
            .filter(|option| **option != "remount")
            .map(|option| (*option).to_owned())
            .collect();
        if wanted.is_empty() {
            wanted = at_boot(&mounts.boot, target, written);
        }
        const FLAGS: [&str; 6] = ["nosuid", "nodev", "noexec", "ro", "noatime", "nodiratime"];
        wanted.retain(|option| FLAGS.contains(&option.as_str()) && !now.options.contains(option));
        if !wanted.is_empty() {
            self.changes.push(Change::Mount { target: (*target).to_owned(), options: wanted });
        }
        Ok(())
    }

    fn packages(
        &mut self,
        call: &Call,
        system: &System,
        install: &mut Vec<String>,
        remove: &mut Vec<String>,
    ) -> Result<()> {
        let words = words(call);
        let Some((verb, names)) = words.split_first() else { return Ok(()) };
        let Ok(packages) = system.packages() else {
            self.obstacles.push(format!("it calls '{call}', and what is installed is not known here"));
            return Ok(());
        };
        match *verb {
            "install" => {
                let planned = names.iter().filter(|name| packages.is_planned(name));
                self.awaits.extend(planned.map(|name| (*name).to_owned()));
                install
                    .extend(names.iter().filter(|name| !packages.has(name)).map(|name| (*name).to_owned()));
            }
            "remove" | "purge" | "erase" | "autoremove" if !names.is_empty() => {
                remove.extend(names.iter().filter(|name| packages.has(name)).map(|name| (*name).to_owned()));
            }
            // Lists of packages are fetched when they are needed; what nothing needs any more is left to the owner.
            "update" if call.program.starts_with("apt") => {}
            "autoremove" => {}
            _ => self.obstacle(call),
        }
        Ok(())
    }

    fn module(&mut self, call: &Call, system: &System) -> Result<()> {
        let removes = call.program == "rmmod" || call.args.iter().any(|arg| arg == "-r" || arg == "--remove");
        if !system.is_running() {
            return Ok(());
        }
        if !removes {
            self.obstacle(call);
            return Ok(());
        }
        for module in words(call) {
            if system.module_loaded(module)? == Some(true) {
                self.changes.push(Change::UnloadModule { module: module.to_owned() });
            }
        }
        Ok(())
    }
}

/// The options of a mount at boot, as `/etc/fstab` has them once it is written.
fn at_boot(boot: &[FstabEntry], target: &str, written: &[Change]) -> Vec<String> {
    let fstab = written.iter().rev().find_map(|change| match change {
        Change::WriteFile { path, content, .. } if path == Path::new("/etc/fstab") => Some(content),
        _ => None,
    });
    let list = |options: &str| options.split(',').map(str::to_owned).collect();
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(1).filter(|place| **place == target).and(fields.get(3)).map(|options| list(options))
    };
    let new = fstab.and_then(|text| text.lines().filter(|line| !line.starts_with('#')).find_map(of_line));
    let old = || boot.iter().find(|entry| entry.target == target).map(|entry| entry.options.clone());
    new.or_else(old).unwrap_or_default()
}

/// The values of an option: `-o VALUE`, `-oVALUE`, `--options=VALUE`.
fn option_values<'a>(call: &'a Call, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    call.args.iter().enumerate().filter_map(move |(at, arg)| {
        names.iter().find_map(|name| match arg.strip_prefix(name)? {
            "" => call.args.get(at + 1).map(String::as_str),
            rest if name.starts_with("--") => rest.strip_prefix('='),
            rest => Some(rest),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    /// What calls come to on a tree that does not run.
    fn told(tree: &Tree, lines: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let call = |line: &&str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            Call { program: words.next().unwrap(), args: words.collect() }
        };
        let calls: Vec<Call> = lines.iter().map(call).collect();
        let recorded = typed(&calls, &[], &tree.system()).unwrap();
        let sentences = recorded.changes.iter().map(Change::sentence).collect();
        (sentences, recorded.obstacles, recorded.later)
    }

    #[test]
    fn a_unit_is_one_change_or_none() {
        let unit = "[Unit]\n[Install]\nWantedBy=multi-user.target\n";
        let tree = Tree::new()
            .file("/usr/lib/systemd/system/a.service", unit)
            .file("/usr/lib/systemd/system/b.service", unit)
            .link(
                "/etc/systemd/system/multi-user.target.wants/b.service",
                "/usr/lib/systemd/system/b.service",
            )
            .link("/etc/systemd/system/c.service", "/dev/null");
        for (lines, changes, obstacles) in [
            (
                &["systemctl stop a", "systemctl disable a", "systemctl mask a"][..],
                "stop and mask a.service",
                "",
            ),
            (&["systemctl disable a.service"], "", ""),
            (&["systemctl disable --now b"], "stop and disable b.service", ""),
            (&["systemctl enable b"], "", ""),
            (
                &["systemctl unmask a", "systemctl start a", "systemctl enable a"],
                "enable and start a.service",
                "",
            ),
            (&["systemctl mask c"], "", ""),
            (&["systemctl enable none"], "", "it enables none.service, which is not there"),
            (&["systemctl unmask c"], "", "it unmasks c.service, and says nothing of whether it is to run"),
            (&["systemctl start a"], "", ""),
            (&["service b stop"], "", ""),
            (
                &["systemctl isolate rescue.target"],
                "",
                "it calls 'systemctl isolate rescue.target', which no change can express",
            ),
        ] {
            let told = told(&tree, lines);
            assert_eq!(
                (told.0.join("; ").as_str(), told.1.join("; ").as_str()),
                (changes, obstacles),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_tree_that_does_not_run_has_no_kernel_to_tell() {
        let status = "Package: telnet\nStatus: install ok installed\nVersion: 1\n\n";
        let tree = Tree::new().file("/var/lib/dpkg/status", status);
        for (line, change, obstacle, later) in [
            ("sysctl -q -n -w kernel.yama.ptrace_scope=1", "", "", ""),
            ("mount -o remount --target /tmp", "", "", ""),
            ("mount /dev/sdb1 /mnt", "", "it calls 'mount /dev/sdb1 /mnt', which no change can express", ""),
            ("apt-get -o X=1 install -y aide telnet", "install aide", "", ""),
            ("apt-get remove -y telnet none", "remove telnet", "", ""),
            ("auditctl -R /etc/audit/audit.rules", "", "", ""),
            ("update-grub", "", "", "update-grub must be run on the machine itself"),
            ("restorecon -R /etc", "", "", ""),
            (
                "chcon -t tmp_t /tmp/tmp-inst",
                "",
                "it calls 'chcon -t tmp_t /tmp/tmp-inst', which no change can express",
                "",
            ),
            ("firewall-cmd --reload", "", "", ""),
            (
                "firewall-cmd --permanent --add-service=ssh",
                "",
                "it calls 'firewall-cmd --permanent --add-service=ssh', which no change can express",
                "",
            ),
        ] {
            let told = told(&tree, &[line]);
            let joined = (told.0.join("; "), told.1.join("; "), told.2.join("; "));
            assert_eq!(joined, (change.to_owned(), obstacle.to_owned(), later.to_owned()), "{line}");
        }
    }
}
