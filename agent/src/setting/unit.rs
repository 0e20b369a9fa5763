//! A systemd unit that must be started at boot and run, or must be kept from it.
//!
//! The files decide about the next boot, the manager tells about now (`systemctl(1)`); both must be right. A unit that
//! nobody has is as good as one that cannot start. Masking beats disabling: a disabled unit still starts when another
//! one, a socket or a person asks for it.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::{Change, UnitGoal};
use crate::content::Names;
use crate::finding::Finding;
use crate::system::{FileKind, System, UnitFileState};

/// Directories whose `.wants` pull in units that cannot be enabled themselves.
const UNIT_DIRS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// What a unit must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Started at boot and running.
    Enabled,
    /// Not started at boot and not running.
    Disabled,
    /// Impossible to start, and not running.
    Masked,
}

/// Units and what they must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The units, by their full names. All of them must be so.
    pub name: Names,
    /// What they must be.
    pub state: State,
    /// The packages that bring the units; any one counts. To have a unit enabled the first is installed when none is; to
    /// have it stopped nothing more is asked when none is.
    #[serde(default)]
    pub package: Option<Names>,
    /// What must be configured before the unit can run at all. Until then it is left to a person.
    #[serde(default)]
    pub needs: Option<Needs>,
}

/// A key that a configuration file in systemd's format must assign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The file; the drop-ins in the directory of its name with `.d` count too.
    pub file: String,
    /// The key.
    pub key: String,
}

impl Needs {
    fn is_met(&self, system: &System) -> Result<bool> {
        let mut files = system.drop_ins(format!("{}.d", self.file), ".conf")?;
        files.push(self.file.clone().into());
        for file in files {
            let text = system.read_text(file)?.unwrap_or_default();
            let values = text.lines().filter_map(|line| line.trim().strip_prefix(&self.key));
            let mut values = values.filter_map(|rest| rest.trim_start().strip_prefix('='));
            if values.any(|value| !value.trim().is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Setting for Unit {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        if let Some(names) = &self.package
            && let Some(decided) = self.examine_package(names, system)?
        {
            return Ok(decided);
        }
        for unit in self.name.as_slice() {
            self.examine_unit(unit, system, &mut finding)?;
        }
        if let Some(needs) = &self.needs
            && !finding.is_compliant()
            && !needs.is_met(system)?
        {
            finding.manual(format!("it cannot run before {} is set in {}", needs.key, needs.file));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} is {} at boot and now", self.name.as_slice().join(", "), self.word())
    }
}

impl Unit {
    fn word(&self) -> &'static str {
        match self.state {
            State::Enabled => "enabled and running",
            State::Disabled => "disabled and stopped",
            State::Masked => "masked and stopped",
        }
    }

    /// What the packages alone decide; `None` when the units must be looked at.
    fn examine_package(&self, names: &Names, system: &System) -> Result<Option<Finding>> {
        let packages = system.packages()?;
        let list = names.as_slice().join(" or ");
        let installed = names.as_slice().iter().find(|name| packages.has(name));
        Ok(match (installed, self.state) {
            (Some(name), State::Enabled) if packages.is_planned(name) => {
                Some(Finding::not_checked(format!("can be judged once {name} is installed")))
            }
            (Some(_), _) => None,
            (None, State::Enabled) => {
                let mut finding = Finding::new();
                let place = "the package database";
                finding.persistent(false, format!("package {list} is not installed"), self.word(), place);
                let install = names.as_slice().first().cloned().into_iter().collect();
                finding.change(Change::Packages { install, remove: Vec::new() });
                Some(finding)
            }
            (None, _) => {
                let mut finding = Finding::new();
                let place = "the package database";
                finding.persistent(true, format!("package {list} is not installed"), self.word(), place);
                Some(finding)
            }
        })
    }

    fn examine_unit(&self, unit: &str, system: &System, finding: &mut Finding) -> Result<()> {
        let is = system.units()?.state(unit);
        let boot = match (self.state, is.file) {
            (State::Enabled, _) => starts_at_boot(system, unit)?,
            (State::Disabled, file) => file != UnitFileState::Enabled,
            (State::Masked, file) => matches!(file, UnitFileState::Masked | UnitFileState::Absent),
        };
        let found = format!("{unit} is {}", file_word(is.file));
        finding.persistent(boot, found, self.word(), format!("systemctl is-enabled {unit}"));
        let mut now = true;
        if let Some(active) = is.active {
            now = active == (self.state == State::Enabled);
            let found = format!("{unit} {}", if active { "is running" } else { "is not running" });
            finding.running(now, found, self.word(), format!("systemctl is-active {unit}"));
        }
        if boot && now {
            return Ok(());
        }
        match (self.state, is.file) {
            (State::Enabled, UnitFileState::Absent) => {
                finding.manual(format!("there is no {unit}: install what brings it"));
            }
            (State::Enabled, UnitFileState::Static) if !boot => {
                finding.manual(format!("{unit} cannot be enabled by itself: something must want it"));
            }
            (State::Enabled, _) => {
                finding.change(Change::Unit { unit: unit.to_owned(), goal: UnitGoal::Enabled });
            }
            (State::Disabled, _) => {
                finding.change(Change::Unit { unit: unit.to_owned(), goal: UnitGoal::Disabled });
            }
            (State::Masked, _) if is_of_this_machine(system, unit)? => {
                finding.manual(format!(
                    "{unit} is a file of this machine's own in {}: a mask would take its place; move it to {}",
                    UNIT_DIRS[0], UNIT_DIRS[1]
                ));
            }
            (State::Masked, _) => {
                finding.change(Change::Unit { unit: unit.to_owned(), goal: UnitGoal::Masked });
            }
        }
        Ok(())
    }
}

/// The words of `systemctl is-enabled`.
fn file_word(state: UnitFileState) -> &'static str {
    match state {
        UnitFileState::Enabled => "enabled",
        UnitFileState::Disabled => "disabled",
        UnitFileState::Static => "static",
        UnitFileState::Masked => "masked",
        UnitFileState::Absent => "not there",
    }
}

/// Whether the files have a unit started at boot.
///
/// # Errors
/// When the unit directories cannot be read.
pub(super) fn starts_at_boot(system: &System, unit: &str) -> Result<bool> {
    match system.units()?.state(unit).file {
        UnitFileState::Enabled => Ok(true),
        UnitFileState::Static => pulled_in(system, unit),
        UnitFileState::Disabled | UnitFileState::Masked | UnitFileState::Absent => Ok(false),
    }
}

/// Whether a unit's file is where a mask would have to be.
///
/// # Errors
/// When the machine refuses to tell.
pub(super) fn is_of_this_machine(system: &System, unit: &str) -> Result<bool> {
    let meta = system.meta(format!("{}/{unit}", UNIT_DIRS[0]))?;
    Ok(meta.is_some_and(|meta| meta.kind == FileKind::Regular))
}

/// Whether another unit's `.wants` or `.requires` directory pulls the unit in.
fn pulled_in(system: &System, unit: &str) -> Result<bool> {
    for dir in UNIT_DIRS {
        for name in system.list(dir)? {
            let wants = name.ends_with(".wants") || name.ends_with(".requires");
            if wants && system.exists(format!("{dir}/{name}/{unit}"))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const CUPS: &str = "/usr/lib/systemd/system/cups.service";
    const INSTALL: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";

    fn unit(name: &str, state: State, package: Option<&str>) -> Unit {
        let package = package.map(|name| Names::One(name.into()));
        Unit { name: Names::One(name.into()), state, package, needs: None }
    }

    fn holds(tree: &Tree, unit: &Unit) -> bool {
        unit.examine(&tree.system()).unwrap().is_compliant()
    }

    #[test]
    fn what_the_files_say_decides_without_a_manager() {
        let wants = "/etc/systemd/system/multi-user.target.wants/cups.service";
        let disabled = || Tree::new().file(CUPS, INSTALL);
        let enabled = || disabled().link(wants, CUPS);
        let masked = || disabled().link("/etc/systemd/system/cups.service", "/dev/null");
        for (tree, states) in [
            (enabled(), [true, false, false]),
            (disabled(), [false, true, false]),
            (masked(), [false, true, true]),
            (Tree::new(), [false, true, true]),
        ] {
            for (state, expected) in [State::Enabled, State::Disabled, State::Masked].into_iter().zip(states)
            {
                let unit = unit("cups.service", state, None);
                assert_eq!(holds(&tree, &unit), expected, "{:?}", unit.examine(&tree.system()).unwrap());
            }
        }
    }

    #[test]
    fn a_static_unit_counts_as_enabled_when_it_is_pulled_in() {
        let journald = "/usr/lib/systemd/system/systemd-journald.service";
        let tree = Tree::new().file(journald, "[Service]\n");
        let wanted = unit("systemd-journald.service", State::Enabled, None);
        assert!(!holds(&tree, &wanted));
        assert!(wanted.examine(&tree.system()).unwrap().manual.is_some());
        let tree = tree.link(
            "/usr/lib/systemd/system/sysinit.target.wants/systemd-journald.service",
            "../systemd-journald.service",
        );
        assert!(holds(&tree, &wanted));
    }

    #[test]
    fn without_its_package_a_unit_is_stopped_and_never_enabled() {
        let tree = Tree::new().packages(&["sudo"]).file(CUPS, INSTALL);
        assert!(holds(&tree, &unit("cups.service", State::Masked, Some("cups"))));
        let wanted = unit("cron.service", State::Enabled, Some("cron"));
        let finding = wanted.examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant());
        let install = Change::Packages { install: vec!["cron".into()], remove: vec![] };
        assert_eq!(finding.changes, std::slice::from_ref(&install));
        let mut system = tree.system();
        system.pretend(&install).unwrap();
        assert!(wanted.examine(&system).unwrap().not_checked.is_some());
    }

    #[test]
    fn a_unit_that_cannot_run_yet_is_left_to_a_person() {
        let tree = || Tree::new().file(CUPS, INSTALL);
        let needs = Some(Needs { file: "/etc/x.conf".into(), key: "URL".into() });
        let wanted = Unit { needs, ..unit("cups.service", State::Enabled, None) };
        let left = |tree: Tree| wanted.examine(&tree.system()).unwrap().manual.is_some();
        assert!(left(tree()));
        assert!(left(tree().file("/etc/x.conf", "# URL=x\nURL=\n")));
        assert!(!left(tree().file("/etc/x.conf", "[Upload]\nURL = https://log.example\n")));
        assert!(!left(tree().file("/etc/x.conf.d/a.conf", "URL=https://log.example\n")));
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let (etc, running) = ("/etc/systemd/system", ["cups.service", "ssh.service"]);
        let disabled = || Tree::new().file(CUPS, INSTALL).dir(etc, 0o755);
        let enabled = || disabled().link(&format!("{etc}/multi-user.target.wants/cups.service"), CUPS);
        let masked = || disabled().link(&format!("{etc}/cups.service"), "/dev/null");
        let cups = |state| unit("cups.service", state, None);
        disabled().round_trip(&cups(State::Enabled));
        masked().round_trip(&cups(State::Enabled));
        enabled().round_trip(&cups(State::Disabled));
        enabled().round_trip(&cups(State::Masked));
        disabled().round_trip(&cups(State::Masked));
        for tree in [&enabled as &dyn Fn() -> Tree, &disabled, &masked] {
            tree().booted(&running[1..]).round_trip(&cups(State::Enabled));
        }
        enabled().booted(&running).round_trip(&cups(State::Masked));
        disabled().booted(&running).round_trip(&cups(State::Masked));
        enabled().booted(&running).round_trip(&cups(State::Disabled));
        disabled().booted(&running).round_trip(&cups(State::Disabled));
    }

    #[test]
    fn a_unit_of_the_administrators_own_is_not_masked() {
        let tree = Tree::new().file("/etc/systemd/system/cups.service", INSTALL);
        let finding = unit("cups.service", State::Masked, None).examine(&tree.system()).unwrap();
        assert!(finding.changes.is_empty() && finding.manual.unwrap().contains("move it to"));
    }

    #[test]
    fn the_plan_masks_what_is_there() {
        let tree = Tree::new().packages(&["cups"]).file(CUPS, INSTALL);
        let changes = tree.planned(&unit("cups.service", State::Masked, Some("cups")));
        assert_eq!(changes, [Change::Unit { unit: "cups.service".into(), goal: UnitGoal::Masked }]);
    }
}
