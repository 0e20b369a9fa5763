//! How the first boot stands: `/run/trempe/status.json`, gone with the next boot and written anew by it.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Phase;
use super::instance::Instance;
use super::record::Record;
use crate::apply::file::{self, Attributes, Whole};
use crate::inspect::Verdict;
use crate::report::{Report, Summary, now};
use crate::system::System;

/// Where it is told.
pub const DIRECTORY: &str = "/run/trempe";
/// While it is there, the unit of the second phase has nothing to do at this boot (`ConditionPathExists=` of
/// `trempe-provisioned.service`): it is not even started.
const PROVISIONED: &str = "/run/trempe/provisioned";
/// The name of the agent's processes.
const PROCESS: &str = "agent";
/// The version of its structure.
const SCHEMA: u32 = 1;

/// How far a phase has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is at work.
    #[default]
    Running,
    /// It did what it should.
    Done,
    /// There was nothing for it to do; the notes say why.
    Idle,
    /// It did not come to its end, the problems say why. It is tried again at the next boot.
    Failed,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The version of this structure.
    pub schema: u32,
    /// The agent's version.
    pub agent: String,
    /// The phase.
    pub phase: Phase,
    /// How far it has come.
    pub state: State,
    /// The process that does it.
    #[serde(default)]
    pub process: u32,
    /// The machine.
    pub instance: Instance,
    /// The tier, where one was named.
    pub tier: String,
    /// The full id of the profile.
    pub profile: String,
    /// Digest of the policy.
    pub policy_sha256: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended; empty while it runs.
    pub finished: String,
    /// The run that changed the machine; empty when none did.
    pub run: String,
    /// How many rules ended how.
    pub summary: Summary,
    /// The rules that still fail.
    pub failing: Vec<String>,
    /// The rules in error, with the reason.
    pub errors: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// What went wrong.
    pub problems: Vec<String>,
    /// What of it no run for the rules mends.
    #[serde(skip)]
    pub lasting: Vec<String>,
}

impl Status {
    /// A phase that begins.
    pub fn begin(phase: Phase, instance: Instance, started: String) -> Status {
        Status {
            schema: SCHEMA,
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            phase,
            state: State::Running,
            process: std::process::id(),
            instance,
            tier: String::new(),
            profile: String::new(),
            policy_sha256: String::new(),
            started,
            finished: String::new(),
            run: String::new(),
            summary: Summary::default(),
            failing: Vec::new(),
            errors: Vec::new(),
            notes: Vec::new(),
            problems: Vec::new(),
            lasting: Vec::new(),
        }
    }

    /// Takes over what a run reports.
    pub fn take(&mut self, report: &Report, run: &str) {
        let rows = |verdict| report.rules.iter().filter(move |row| row.result == verdict);
        let reason = |row: &crate::report::Row| {
            format!("{}: {}", row.id, row.reason.as_deref().unwrap_or("no reason was given"))
        };
        self.tier.clone_from(&report.policy.tier);
        self.profile.clone_from(&report.policy.profile);
        self.policy_sha256.clone_from(&report.policy.sha256);
        run.clone_into(&mut self.run);
        self.summary = report.summary;
        self.failing = rows(Verdict::Fail).map(|row| row.id.clone()).collect();
        self.errors = rows(Verdict::Error).map(reason).collect();
        self.notes.extend(report.notes.iter().cloned());
        self.problems.extend(report.problems.iter().cloned());
    }

    /// Whether its process was ended before it could tell how it stands.
    ///
    /// # Errors
    /// When that cannot be looked at.
    pub fn was_killed(&self, system: &System) -> Result<bool> {
        if self.state != State::Running || !system.is_running() {
            return Ok(false);
        }
        let name = system.read_text(format!("/proc/{}/comm", self.process))?;
        Ok(name.is_none_or(|name| name.trim_end() != PROCESS))
    }

    /// Whether the second phase is still to come at this boot, as what was done for this machine tells.
    pub fn awaits_provisioning(&self, record: Option<&Record>) -> bool {
        let done = |phase| record.is_some_and(|record| record.done.contains_key(&phase));
        let had_work = match self.state {
            State::Running => false,
            State::Done | State::Failed => true,
            State::Idle => done(Phase::BeforeLogins),
        };
        self.phase == Phase::BeforeLogins && had_work && !done(Phase::AfterProvisioning)
    }

    /// Ends the phase.
    pub fn end(&mut self, state: State) {
        self.state = state;
        self.finished = now();
    }

    /// What is asked of the machine, in a word.
    pub fn asked(&self) -> &str {
        if self.tier.is_empty() { &self.profile } else { &self.tier }
    }

    /// Tells it in `/run`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, system: &System) -> Result<()> {
        let mut content = serde_json::to_vec_pretty(self)?;
        content.push(b'\n');
        file::make_directories(system, Path::new(DIRECTORY), 0o755)?;
        let path = Path::new(DIRECTORY).join("status.json");
        file::write(system, &path, &Whole { content, attributes: Attributes::new(0o644) })
            .context("telling how the first boot stands")
    }

    /// The status as last told; `None` when no phase has begun since the machine was started.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read(system: &System) -> Result<Option<Status>> {
        let path = Path::new(DIRECTORY).join("status.json");
        let Some(text) = system.read_text(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).with_context(|| format!("reading {}", path.display()))
    }

    /// A few lines for the console.
    pub fn sentences(&self) -> Vec<String> {
        let phase = self.phase.sentence();
        let Summary { pass, fixed, fail, error, .. } = self.summary;
        let head = match self.state {
            State::Running => format!("trempe: {phase}: begun"),
            State::Idle => format!("trempe: {phase}: nothing to do"),
            State::Failed => format!("trempe: {phase}: FAILED, and is tried again at the next boot"),
            State::Done => format!(
                "trempe: {phase}: hardened to {}: {pass} pass, {fixed} fixed, {fail} fail, {error} in error",
                self.asked()
            ),
        };
        let more = |sign: &str, lines: &[String]| -> Vec<String> {
            lines.iter().map(|line| format!("trempe: {sign}{line}")).collect()
        };
        [vec![head], more("", &self.notes), more("error: ", &self.errors), more("PROBLEM: ", &self.problems)]
            .concat()
    }
}

/// Has systemd leave out the second phase at this boot.
///
/// # Errors
/// When the mark cannot be written.
pub fn spare_provisioned(system: &System) -> Result<()> {
    file::make_directories(system, Path::new(DIRECTORY), 0o755)?;
    let mark = Whole { content: Vec::new(), attributes: Attributes::new(0o644) };
    file::write(system, Path::new(PROVISIONED), &mark).context("sparing this boot the second phase")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn the_second_phase_is_awaited_until_it_was_done_for_the_machine() {
        let record = |phases: &[Phase]| {
            let done = |phase: &Phase| {
                (
                    *phase,
                    serde_json::from_str("{\"finished\":\"\",\"asked\":\"\",\"run\":\"\",\"exit\":0}")
                        .unwrap(),
                )
            };
            Record { done: phases.iter().map(done).collect(), ..Record::default() }
        };
        let (first, second) = (Phase::BeforeLogins, Phase::AfterProvisioning);
        for (phase, state, done, awaited) in [
            (first, State::Running, &[][..], false),
            (first, State::Done, &[first], true),
            (first, State::Failed, &[], true),
            (first, State::Idle, &[], false),
            (first, State::Idle, &[first], true),
            (first, State::Idle, &[first, second], false),
            (second, State::Done, &[first, second], false),
        ] {
            let mut status = Status::begin(phase, Instance::default(), "2026".into());
            status.end(state);
            assert_eq!(
                status.awaits_provisioning(Some(&record(done))),
                awaited,
                "{phase:?} {state:?} {done:?}"
            );
        }
    }

    #[test]
    fn what_is_told_can_be_read_again() {
        let tree = Tree::new().dir("/run", 0o755);
        let mut status = Status::begin(Phase::BeforeLogins, Instance::default(), "2026".into());
        assert_eq!(Status::read(&tree.system()).unwrap(), None);
        status.problems.push("the seed says 'tiers'".into());
        status.end(State::Failed);
        status.write(&tree.system()).unwrap();
        assert_eq!(Status::read(&tree.system()).unwrap(), Some(status.clone()));
        assert_eq!(
            status.sentences(),
            [
                "trempe: phase 1, before logins: FAILED, and is tried again at the next boot",
                "trempe: PROBLEM: the seed says 'tiers'"
            ]
        );
    }
}
