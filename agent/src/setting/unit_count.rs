//! How many of several units that do the same work run: none leaves the work undone, several get in each other's way.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Setting, unit};
use crate::change::{Change, UnitGoal};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{System, UnitFileState};

/// Units of which a number runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitCount {
    /// The units.
    pub units: Vec<String>,
    /// How many must run at least.
    pub at_least: usize,
    /// How many may run at most.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// The one that is started when too few run and stays when too many do.
    pub keep: Text,
}

impl Setting for UnitCount {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let (mut boot, mut now) = (Vec::new(), Vec::new());
        let mut booted = false;
        for name in &self.units {
            if unit::starts_at_boot(system, name)? {
                boot.push(name.as_str());
            }
            let active = system.units()?.state(name).active;
            booted |= active.is_some();
            if active == Some(true) {
                now.push(name.as_str());
            }
        }
        let wanted = self.wanted();
        finding.persistent(self.fits(&boot), found(&boot, "enabled"), &wanted, "systemctl is-enabled");
        if booted {
            finding.running(self.fits(&now), found(&now, "running"), &wanted, "systemctl is-active");
        }
        if !finding.is_compliant() {
            self.plan(system, &boot, booted.then_some(&now), &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("of {}: {}", self.units.join(", "), self.wanted())
    }
}

impl UnitCount {
    fn wanted(&self) -> String {
        match self.at_most {
            Some(most) if most == self.at_least => format!("exactly {most}"),
            Some(most) => format!("{} to {most}", self.at_least),
            None => format!("at least {}", self.at_least),
        }
    }

    fn fits(&self, names: &[&str]) -> bool {
        names.len() >= self.at_least && self.at_most.is_none_or(|most| names.len() <= most)
    }

    /// `now` are those that run, when a manager can be asked.
    fn plan(
        &self,
        system: &System,
        boot: &[&str],
        now: Option<&Vec<&str>>,
        finding: &mut Finding,
    ) -> Result<()> {
        let keep = self.keep.as_str();
        if system.units()?.state(keep).file == UnitFileState::Absent {
            finding.manual(format!("there is no {keep}: install what brings it, or choose another service"));
            return Ok(());
        }
        if self.at_most.is_some() {
            let others = self.units.iter().map(String::as_str).filter(|name| *name != keep);
            let runs = |name: &&str| boot.contains(name) || now.is_some_and(|now| now.contains(name));
            for other in others.filter(runs) {
                let own = unit::is_of_this_machine(system, other)?;
                let goal = if own { UnitGoal::Disabled } else { UnitGoal::Masked };
                finding.change(Change::Unit { unit: other.to_owned(), goal });
            }
        }
        if !boot.contains(&keep) || now.is_some_and(|now| !now.contains(&keep)) {
            finding.change(Change::Unit { unit: keep.to_owned(), goal: UnitGoal::Enabled });
        }
        Ok(())
    }
}

fn found(names: &[&str], word: &str) -> String {
    if names.is_empty() { format!("none is {word}") } else { format!("{word}: {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const CHRONY: &str = "/usr/lib/systemd/system/chrony.service";
    const TIMESYNCD: &str = "/usr/lib/systemd/system/systemd-timesyncd.service";
    const INSTALL: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";

    fn one() -> UnitCount {
        UnitCount {
            units: vec!["chrony.service".into(), "systemd-timesyncd.service".into()],
            at_least: 1,
            at_most: Some(1),
            keep: "systemd-timesyncd.service".into(),
        }
    }

    fn enabled(tree: Tree, file: &str) -> Tree {
        let name = file.rsplit('/').next().unwrap();
        tree.file(file, INSTALL).link(&format!("/etc/systemd/system/multi-user.target.wants/{name}"), file)
    }

    #[test]
    fn of_several_the_chosen_one_stays() {
        let tree = enabled(enabled(Tree::new(), CHRONY), TIMESYNCD);
        let masked = Change::Unit { unit: "chrony.service".into(), goal: UnitGoal::Masked };
        assert_eq!(tree.planned(&one()), [masked]);
    }

    #[test]
    fn when_none_is_enabled_the_chosen_one_is() {
        let tree = Tree::new().file(CHRONY, INSTALL).file(TIMESYNCD, INSTALL);
        let enable = Change::Unit { unit: "systemd-timesyncd.service".into(), goal: UnitGoal::Enabled };
        assert_eq!(tree.planned(&one()), [enable]);
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let (one, both) = (one(), ["chrony.service", "systemd-timesyncd.service"]);
        let disabled =
            || Tree::new().file(CHRONY, INSTALL).file(TIMESYNCD, INSTALL).dir("/etc/systemd/system", 0o755);
        let enabled = || enabled(enabled(Tree::new(), CHRONY), TIMESYNCD);
        disabled().round_trip(&one);
        enabled().round_trip(&one);
        for active in [&both[..], &both[..1], &both[1..], &[]] {
            enabled().booted(active).round_trip(&one);
        }
        for active in [&both[..], &both[..1], &[]] {
            disabled().booted(active).round_trip(&one);
        }
        let own = "/etc/systemd/system/chrony.service";
        self::enabled(self::enabled(Tree::new(), own), TIMESYNCD).round_trip(&one);
        let all = UnitCount { at_most: None, ..one };
        disabled().booted(&["ssh.service"]).round_trip(&all);
    }

    #[test]
    fn one_that_is_not_the_chosen_one_is_enough() {
        assert!(one().examine(&enabled(Tree::new(), CHRONY).system()).unwrap().is_compliant());
    }

    #[test]
    fn what_is_not_installed_cannot_be_started() {
        let finding = one().examine(&Tree::new().system()).unwrap();
        assert!(!finding.is_compliant());
        assert!(finding.changes.is_empty() && finding.manual.is_some());
    }
}
