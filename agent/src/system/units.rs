//! The states of systemd units: what the files say (which survives a reboot) and what the manager says (now).
//!
//! File states are worked out from the links below `/etc/systemd/system` as `systemctl is-enabled` does
//! (`systemctl(1)`), so they are known with `--root` too. The running states come from one `systemctl list-units`
//! for all units, since each call costs more than all rules together; asking for properties would cost ten times as much.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{FileKind, System, Tool};

/// Where unit files are, in the order in which one hides another (`systemd.unit(5)`).
pub(super) const UNIT_DIRS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// What the files say of a unit, in the words of `systemctl is-enabled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitFileState {
    /// Linked from a `.wants` or `.requires` directory, or from an init runlevel.
    Enabled,
    /// Could be enabled and is not.
    Disabled,
    /// Has no `[Install]` section: others pull it in.
    Static,
    /// Linked to `/dev/null`: nothing can start it.
    Masked,
    /// There is no such unit.
    Absent,
}

/// A unit, on disk and in the manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UnitState {
    /// What the files say.
    pub file: UnitFileState,
    /// Whether it runs; `None` when no manager can be asked.
    pub active: Option<bool>,
}

/// The units of a machine.
#[derive(Debug, Clone, Default)]
pub struct Units {
    files: BTreeMap<String, UnitFileState>,
    /// Other names, and the units they stand for.
    aliases: BTreeMap<String, String>,
    active: Option<BTreeSet<String>>,
    pretended: BTreeMap<String, UnitState>,
}

impl Units {
    pub(super) fn learn(system: &System) -> Result<Units> {
        let wanted = wanted_units(system)?;
        let (mut files, mut aliases) = (BTreeMap::new(), BTreeMap::new());
        for dir in UNIT_DIRS {
            for name in system.list(dir)? {
                if let Some(unit) = alias(system, dir, &name)? {
                    aliases.entry(name.clone()).or_insert(unit);
                }
                if !files.contains_key(&name)
                    && let Some(state) = file_state(system, dir, &name, &wanted)?
                {
                    files.insert(name, state);
                }
            }
        }
        add_init_scripts(system, &mut files)?;
        let active = if system.is_booted() { Some(active_units(system)?) } else { None };
        Ok(Units { files, aliases, active, pretended: BTreeMap::new() })
    }

    /// The state of a unit, by its full name (`ssh.service`).
    pub fn state(&self, name: &str) -> UnitState {
        if let Some(state) = self.pretended.get(name) {
            return *state;
        }
        let template = name
            .split_once('@')
            .and_then(|(stem, rest)| Some(format!("{stem}@.{}", rest.split_once('.')?.1)));
        let file = self.files.get(name).or_else(|| self.files.get(&template?));
        let runs = |active: &BTreeSet<String>| {
            active.contains(name) || self.aliases.get(name).is_some_and(|unit| active.contains(unit))
        };
        let active = self.active.as_ref().map(runs);
        UnitState { file: file.copied().unwrap_or(UnitFileState::Absent), active }
    }

    /// The names of the units that have a file, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn pretend(&mut self, name: &str, state: UnitState) {
        self.pretended.insert(name.to_owned(), state);
    }
}

impl System {
    /// The file of a unit, the one that counts, its mask left aside; `None` when there is none.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn unit_file(&self, name: &str) -> Result<Option<PathBuf>> {
        for dir in UNIT_DIRS {
            let path = Path::new(dir).join(name);
            let masked = self.read_link(&path)?.is_some_and(|target| target.as_os_str() == "/dev/null");
            if !masked && self.exists(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// The names that some `.wants` or `.requires` directory below `/etc` pulls in, and those an alias there leads to.
fn wanted_units(system: &System) -> Result<BTreeSet<String>> {
    let mut wanted = BTreeSet::new();
    for name in system.list("/etc/systemd/system")? {
        if name.ends_with(".wants") || name.ends_with(".requires") {
            wanted.extend(system.list(format!("/etc/systemd/system/{name}"))?);
        } else if let Some(target) = system.read_link(format!("/etc/systemd/system/{name}"))?
            && let Some(file) = target.file_name().filter(|file| **file != *name)
        {
            wanted.insert(file.to_string_lossy().into_owned());
        }
    }
    Ok(wanted)
}

fn file_state(
    system: &System,
    dir: &str,
    name: &str,
    wanted: &BTreeSet<String>,
) -> Result<Option<UnitFileState>> {
    let path = format!("{dir}/{name}");
    let Some(meta) = system.meta(&path)? else { return Ok(None) };
    if meta.kind == FileKind::Directory {
        return Ok(None);
    }
    if let Some(target) = system.read_link(&path)? {
        if target.as_os_str() == "/dev/null" {
            return Ok(Some(UnitFileState::Masked));
        }
        // An alias below /etc exists only because its unit was enabled.
        if dir == "/etc/systemd/system" && target.file_name().is_some_and(|file| file != name) {
            return Ok(Some(UnitFileState::Enabled));
        }
    }
    if wanted.contains(name) {
        return Ok(Some(UnitFileState::Enabled));
    }
    let Some(bytes) = system.read(&path)? else { return Ok(None) };
    if bytes.is_empty() {
        return Ok(Some(UnitFileState::Masked));
    }
    let text = String::from_utf8_lossy(&bytes);
    let installs = text.lines().map(str::trim).any(|line| line == "[Install]");
    Ok(Some(if installs { UnitFileState::Disabled } else { UnitFileState::Static }))
}

/// Init scripts without a unit file: enabled when a runlevel starts them (`systemd-sysv-generator(8)`).
fn add_init_scripts(system: &System, files: &mut BTreeMap<String, UnitFileState>) -> Result<()> {
    let mut started = BTreeSet::new();
    for level in 2..=5 {
        for link in system.list(format!("/etc/rc{level}.d"))? {
            if let Some(script) = link.strip_prefix('S').and_then(|rest| rest.get(2..)) {
                started.insert(script.to_owned());
            }
        }
    }
    for script in system.list("/etc/init.d")? {
        let state = if started.contains(&script) { UnitFileState::Enabled } else { UnitFileState::Disabled };
        files.entry(format!("{script}.service")).or_insert(state);
    }
    Ok(())
}

/// The unit that another name, a link, stands for.
fn alias(system: &System, dir: &str, name: &str) -> Result<Option<String>> {
    let target = system.read_link(format!("{dir}/{name}"))?;
    let unit = target.as_deref().and_then(Path::file_name).map(|file| file.to_string_lossy().into_owned());
    Ok(unit.filter(|unit| unit != name && unit != "null"))
}

/// The units that run.
fn active_units(system: &System) -> Result<BTreeSet<String>> {
    let args = ["list-units", "--plain", "--no-legend", "--no-pager", "--full"];
    let output = system.run(Tool::Systemctl, &args)?.success().context("asking systemd for its units")?;
    Ok(parse_list(&output.stdout))
}

/// Reads lines of `UNIT LOAD ACTIVE SUB DESCRIPTION`.
fn parse_list(text: &str) -> BTreeSet<String> {
    let runs = |line: &str| {
        let mut words = line.split_whitespace();
        let (unit, state) = (words.next()?, words.nth(1)?);
        matches!(state, "active" | "reloading" | "activating").then(|| unit.to_owned())
    };
    text.lines().filter_map(runs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn file_states_are_those_of_is_enabled() {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("etc/systemd/system");
        let lib = dir.path().join("usr/lib/systemd/system");
        fs::create_dir_all(etc.join("multi-user.target.wants")).unwrap();
        fs::create_dir_all(dir.path().join("etc/init.d")).unwrap();
        fs::create_dir_all(dir.path().join("etc/rc2.d")).unwrap();
        fs::create_dir_all(&lib).unwrap();
        for name in ["cron.service", "rpcbind.service", "avahi.service"] {
            fs::write(lib.join(name), "[Service]\n[Install]\nWantedBy=multi-user.target\n").unwrap();
        }
        fs::write(lib.join("static.service"), "[Service]\n").unwrap();
        symlink("/usr/lib/systemd/system/cron.service", etc.join("multi-user.target.wants/cron.service"))
            .unwrap();
        symlink("/dev/null", etc.join("avahi.service")).unwrap();
        fs::write(dir.path().join("etc/init.d/old"), "#!/bin/sh\n").unwrap();
        symlink("../init.d/old", dir.path().join("etc/rc2.d/S01old")).unwrap();
        let system = System::open(dir.path()).unwrap();
        for (unit, state) in [
            ("cron.service", UnitFileState::Enabled),
            ("rpcbind.service", UnitFileState::Disabled),
            ("avahi.service", UnitFileState::Masked),
            ("static.service", UnitFileState::Static),
            ("old.service", UnitFileState::Enabled),
            ("none.service", UnitFileState::Absent),
        ] {
            assert_eq!(
                system.units().unwrap().state(unit),
                UnitState { file: state, active: None },
                "{unit}"
            );
        }
    }

    #[test]
    fn running_units_are_told_from_those_that_failed() {
        let active = parse_list(
            "ssh.service loaded active running OpenBSD Secure Shell server\n\
             x.service loaded failed failed X\n\
             dev-disk-by\\x2duuid-1.device loaded active plugged A disk\n\
             slow.service loaded activating start-pre Slow\n\n",
        );
        let expected = ["dev-disk-by\\x2duuid-1.device", "slow.service", "ssh.service"];
        assert_eq!(active.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_unit_runs_under_each_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let lib = dir.path().join("usr/lib/systemd/system");
        fs::create_dir_all(&lib).unwrap();
        fs::write(lib.join("ssh.service"), "[Service]\n").unwrap();
        symlink("ssh.service", lib.join("sshd.service")).unwrap();
        let mut units = Units::learn(&System::open(dir.path()).unwrap()).unwrap();
        for (running, wanted) in [("ssh.service", true), ("other.service", false)] {
            units.active = Some([running.to_owned()].into());
            assert_eq!(units.state("sshd.service").active, Some(wanted));
        }
    }
}
