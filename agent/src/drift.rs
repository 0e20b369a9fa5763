//! Drift: what a machine has become since it was hardened.
//!
//! A timer (`packaging/systemd/trempe-drift.timer`) runs `agent drift`, which does nothing where the configuration says nothing of it.
//! It audits, compares with what the last runs left behind ([`baseline`]), and then does what the configuration asks for: only records it, warns those
//! who log in, or applies again. What was found is in `/run/trempe/drift.json` until the machine is started anew.

mod baseline;

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::apply::file::{self, Attributes, Whole};
use crate::firstboot::status::DIRECTORY;
use crate::fleet::Change;
use crate::inspect::Verdict;
use crate::report::clean::clean;
use crate::report::{Report, Row};
use crate::system::System;
pub use baseline::{Baseline, baseline};

/// The version of its structure.
const SCHEMA: u32 = 1;
const FILE: &str = "drift.json";
/// What `pam_motd` shows to those who log in: the files of this directory.
const MESSAGES: &str = "/run/motd.d";
const MESSAGE: &str = "50-trempe";

/// What is done about drift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing: the machine is not even looked at.
    #[default]
    Off,
    /// It is recorded.
    Record,
    /// It is recorded, and told to those who log in.
    Warn,
    /// As [`Action::Warn`], when it could not be mended by applying again.
    Reapply,
}

/// How a machine stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The version of this structure.
    pub schema: u32,
    /// When it was looked at, RFC 3339.
    pub finished: String,
    /// What is asked of it: the tier, or the profile.
    pub asked: String,
    /// When the apply was finished with whose results it was compared; empty when nothing was ever applied.
    pub since: String,
    /// Rules that were met then and were not when it was looked at.
    pub drifted: Vec<String>,
    /// What was found of them, a sentence each.
    pub found: Vec<String>,
    /// Rules among them that were mended.
    pub mended: Vec<String>,
    /// Rules that are not met now, or could not be judged, drifted or not.
    pub deviating: Vec<String>,
    /// Exceptions that are over.
    pub overdue: Vec<String>,
    /// Whether something else is asked now than was then.
    pub policy_changed: bool,
    /// What went wrong.
    pub problems: Vec<String>,
}

impl Drift {
    /// What has become of a machine since `last`, what the last runs left behind.
    pub fn new(now: &Report, last: Option<&Report>) -> Drift {
        let change = last.map(|last| Change::between(last, now)).unwrap_or_default();
        // What was not for this machine was not met, either.
        let met = |id: &str| {
            let rows = last.iter().flat_map(|last| &last.rules);
            rows.filter(|row| row.id == id).any(|row| matches!(row.result, Verdict::Pass | Verdict::Fixed))
        };
        let failing = now.rules.iter().filter(|row| change.newly_failing.contains(&row.id));
        let drifted: Vec<&Row> = failing.filter(|row| met(&row.id)).collect();
        let mut drift = Drift {
            schema: SCHEMA,
            finished: String::new(),
            asked: String::new(),
            since: last.map(|last| last.finished.clone()).unwrap_or_default(),
            found: drifted.iter().map(|row| format!("{}: {}", row.id, row.why())).collect(),
            drifted: drifted.into_iter().map(|row| row.id.clone()).collect(),
            mended: Vec::new(),
            deviating: Vec::new(),
            overdue: Vec::new(),
            policy_changed: change.policy.is_some(),
            problems: Vec::new(),
        };
        drift.stands(now);
        drift
    }

    /// Takes over how the machine stands.
    fn stands(&mut self, now: &Report) {
        let of = |like: &dyn Fn(&Row) -> bool| -> Vec<String> {
            now.rules.iter().filter(|row| like(row)).map(|row| row.id.clone()).collect()
        };
        self.finished.clone_from(&now.finished);
        now.policy.asked().clone_into(&mut self.asked);
        self.deviating = of(&|row| matches!(row.result, Verdict::Fail | Verdict::Error | Verdict::Unknown));
        self.overdue = of(&Row::is_overdue);
        let told: Vec<String> =
            now.problems.iter().filter(|own| !self.problems.contains(own)).cloned().collect();
        self.problems.extend(told);
    }

    /// Takes over what an apply made of it.
    pub fn mended_by(&mut self, now: &Report) {
        self.stands(now);
        let met = |id: &&String| !self.deviating.contains(id);
        self.mended = self.drifted.iter().filter(met).cloned().collect();
    }

    /// Whether the machine is what is asked of it.
    pub fn is_good(&self) -> bool {
        self.deviating.is_empty() && self.overdue.is_empty() && self.problems.is_empty()
    }

    /// One line for those who log in; `None` when the machine is what is asked of it.
    pub fn message(&self) -> Option<String> {
        if self.is_good() {
            return None;
        }
        let left = self.drifted.len() - self.mended.len();
        let rules = |count: usize| format!("{count} {}", if count == 1 { "rule" } else { "rules" });
        let mut parts = Vec::new();
        if !self.deviating.is_empty() {
            parts.push(format!("{} not met", rules(self.deviating.len())));
        }
        if left > 0 {
            parts.push(format!("{left} of them since {}", self.since.get(..10).unwrap_or(&self.since)));
        }
        if !self.overdue.is_empty() {
            parts.push(format!("{} with an exception that is over", rules(self.overdue.len())));
        }
        if !self.problems.is_empty() {
            parts.push("not all of it could be looked at".to_owned());
        }
        let asked = clean(xccdf::short_id(&self.asked)).into_owned();
        Some(format!("trempe: this machine is not what {asked} asks: {} (agent status)", parts.join(", ")))
    }

    /// What there is to say, a line each.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let since = &self.since;
        match (since.is_empty(), self.drifted.len()) {
            (true, _) => {
                lines.push("nothing was ever applied here: there is nothing to compare with".to_owned())
            }
            (false, 0) => lines.push(format!("no drift since {since}, looked for at {}", self.finished)),
            (false, count) => {
                lines.push(format!("drift since {since}: {count} no longer met, found at {}", self.finished))
            }
        }
        if self.policy_changed {
            lines.push("something else is asked of this machine than was then".to_owned());
        }
        for (rule, found) in self.drifted.iter().zip(&self.found) {
            let mended = if self.mended.contains(rule) { " (mended)" } else { "" };
            lines.push(format!("{found}{mended}"));
        }
        lines.extend(self.problems.iter().map(|problem| format!("PROBLEM: {problem}")));
        lines.extend(self.message());
        lines
    }

    /// Records it in `/run`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, system: &System) -> Result<()> {
        let mut content = serde_json::to_vec_pretty(self)?;
        content.push(b'\n');
        put(system, DIRECTORY, FILE, content).context("recording what has become of the machine")
    }

    /// What was recorded since the machine was started.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read(system: &System) -> Result<Option<Drift>> {
        let path = Path::new(DIRECTORY).join(FILE);
        let Some(text) = system.read_text(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).with_context(|| format!("reading {}", path.display()))
    }

    /// Tells those who log in, where they are to be told: one line, or none any more.
    ///
    /// # Errors
    /// When it cannot be written or taken away.
    pub fn tell(&self, system: &System, action: Action) -> Result<()> {
        let told = matches!(action, Action::Warn | Action::Reapply);
        match self.message().filter(|_| told) {
            Some(line) => put(system, MESSAGES, MESSAGE, format!("{line}\n").into_bytes()),
            None => silence(system),
        }
        .context("the message for those who log in")
    }

    /// Metrics of drift, beside those of the report.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn metrics(&self, out: &mut dyn Write) -> io::Result<()> {
        for (name, help, value) in [
            (
                "trempe_drifted_rules",
                "Rules met after the last apply and no longer when looked at.",
                self.drifted.len(),
            ),
            ("trempe_mended_rules", "Rules among them that were mended.", self.mended.len()),
        ] {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}")?;
        }
        Ok(())
    }
}

fn put(system: &System, directory: &str, name: &str, content: Vec<u8>) -> Result<()> {
    file::make_directories(system, Path::new(directory), 0o755)?;
    file::write(
        system,
        &Path::new(directory).join(name),
        &Whole { content, attributes: Attributes::new(0o644) },
    )
}

/// Takes away what was found before this machine was changed: nobody knows whether it still holds. What is below a root is no business of
/// who logs in here.
///
/// # Errors
/// When it cannot be.
pub fn forget(system: &System) -> Result<()> {
    if !system.is_running() {
        return Ok(());
    }
    let path = Path::new(DIRECTORY).join(FILE);
    if system.exists(&path)? {
        file::remove(system, &path)?;
    }
    silence(system)
}

/// Takes the message away.
///
/// # Errors
/// When it cannot be.
pub fn silence(system: &System) -> Result<()> {
    let path = Path::new(MESSAGES).join(MESSAGE);
    if system.exists(&path)? {
        file::remove(system, &path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{report, row};
    use crate::setting::testing::Tree;

    fn exception(expired: bool) -> crate::policy::Exception {
        crate::policy::Exception {
            reason: "r".into(),
            owner: "o".into(),
            until: Some("2020-01-01".into()),
            expired,
            source: "s".into(),
        }
    }

    #[test]
    fn drift_is_what_was_met_after_the_apply_and_is_not_now() {
        use Verdict::*;
        let then = report(
            "m",
            "2026-01-01T00:00:00Z",
            vec![row("held", Fixed), row("lost", Pass), row("never", Fail), row("gone", Fixed)],
        );
        let now = report(
            "m",
            "2026-01-02T00:00:00Z",
            vec![
                row("held", Pass),
                row("lost", Fail),
                row("never", Fail),
                row("gone", Error),
                row("new", Fail),
            ],
        );
        let mut drift = Drift::new(&now, Some(&then));
        assert_eq!(drift.drifted, ["lost", "gone"]);
        assert_eq!(drift.deviating, ["lost", "never", "gone", "new"]);
        let line = drift.message().unwrap();
        assert_eq!(
            line,
            "trempe: this machine is not what standard asks: 4 rules not met, 2 of them since 2026-01-01 (agent status)"
        );
        let after = report(
            "m",
            "2026-01-02T00:01:00Z",
            vec![row("lost", Fixed), row("gone", Error), row("never", Fixed)],
        );
        drift.mended_by(&after);
        assert_eq!(drift.mended, ["lost"]);
        assert_eq!(drift.deviating, ["gone"]);
        assert!(drift.sentences().contains(&"lost: fail (mended)".to_owned()), "{:?}", drift.sentences());
    }

    #[test]
    fn a_machine_that_is_as_asked_has_no_message() {
        let good = Drift::new(&report("m", "2026", vec![row("a", Verdict::Pass)]), None);
        assert_eq!((good.is_good(), good.message()), (true, None));
        let over = Row { exception: Some(exception(true)), ..row("a", Verdict::Pass) };
        let line = Drift::new(&report("m", "2026", vec![over]), None).message().unwrap();
        assert!(line.contains("1 rule with an exception that is over"), "{line}");
        let held = Row { exception: Some(exception(false)), ..row("a", Verdict::NotSelected) };
        assert!(Drift::new(&report("m", "2026", vec![held]), None).is_good());
    }

    #[test]
    fn the_message_comes_and_goes() {
        let tree = Tree::new().dir("/run", 0o755);
        let system = tree.system();
        let bad = Drift::new(&report("m", "2026", vec![row("a", Verdict::Fail)]), None);
        let good = Drift::new(&report("m", "2026", vec![row("a", Verdict::Pass)]), None);
        let shown = || system.read_text("/run/motd.d/50-trempe").unwrap();
        for (drift, action, lines) in [
            (&good, Action::Warn, 0),
            (&bad, Action::Record, 0),
            (&bad, Action::Warn, 1),
            (&bad, Action::Reapply, 1),
            (&good, Action::Reapply, 0),
            (&bad, Action::Warn, 1),
            (&bad, Action::Record, 0),
        ] {
            drift.tell(&system, action).unwrap();
            assert_eq!(shown().unwrap_or_default().lines().count(), lines, "{action:?}");
        }
        bad.write(&system).unwrap();
        assert_eq!(Drift::read(&system).unwrap(), Some(bad));
    }
}
