//! Fixes one after the other, each on what those before it have left, become one plan.
//!
//! A fix that is stopped, or does something that no change can express, leaves nothing: its rule is told as one that a person must
//! mend, and the fixes after it do not see what it did. A fix that installs a package says with it what only the package's
//! files can tell, so its other changes are left to another pass.

use anyhow::Result;
use xccdf::short_id;

use super::choice::Chosen;
use super::harvest::{Harvest, harvest};
use super::recorded::{Recorded, typed};
use super::sandbox::{Ended, Limits, Sandbox};
use crate::change::Change;
use crate::plan::{Left, Plan, Step, steps_of};
use crate::system::System;

/// What the fix of one rule comes to.
enum Outcome {
    /// These steps, and what is left to do once the machine runs.
    Steps(Vec<Step>, Vec<String>),
    /// A package, and the rest once that is there.
    Package(Vec<Step>, String),
    /// Nothing that the agent can do, and why.
    Obstacle(String),
}

/// Plans the fixes of rules. `system` ends up with all of it laid over.
///
/// # Errors
/// When there can be no sandbox, or what is there cannot be read.
pub fn plan(chosen: &[Chosen], system: &mut System, limits: Limits) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut sandbox: Option<Sandbox> = None;
    for own in chosen {
        let rule = short_id(&own.rule).to_owned();
        let script = match &own.text {
            None => Err("the content has no shell fix for it".to_owned()),
            Some(text) => text.as_ref().map_err(Clone::clone),
        };
        let script = match script {
            Ok(script) => script,
            Err(reason) => {
                plan.manual.push(Left { rule, reason });
                continue;
            }
        };
        let sandbox = match &mut sandbox {
            Some(sandbox) => sandbox,
            none => none.insert(Sandbox::new(system)?),
        };
        match run(&rule, script, limits, sandbox, system)? {
            Outcome::Steps(steps, later) => {
                add(&mut plan, steps);
                plan.manual.extend(later.into_iter().map(|reason| Left { rule: rule.clone(), reason }));
            }
            Outcome::Package(steps, reason) => {
                add(&mut plan, steps);
                plan.deferred.push(Left { rule, reason });
            }
            Outcome::Obstacle(reason) => plan.manual.push(Left { rule, reason }),
        }
    }
    Ok(plan)
}

/// Programs that write files from what others set run once, after all of them.
fn add(plan: &mut Plan, steps: Vec<Step>) {
    for step in steps {
        if matches!(step.change, Change::Generate { .. }) {
            plan.steps.retain(|other| other.change != step.change);
        }
        plan.steps.push(step);
    }
}

fn run(
    rule: &str,
    script: &str,
    limits: Limits,
    sandbox: &mut Sandbox,
    system: &mut System,
) -> Result<Outcome> {
    let ended = sandbox.run(script, limits)?;
    let outcome = judge(rule, &ended, sandbox, system)?;
    sandbox.settle(matches!(outcome, Outcome::Steps(..)))?;
    Ok(outcome)
}

fn judge(rule: &str, ended: &Ended, sandbox: &Sandbox, system: &mut System) -> Result<Outcome> {
    if let Some(why) = &ended.stopped {
        return Ok(Outcome::Obstacle(format!("its fix was stopped: {why}")));
    }
    let Harvest { changes: written, mut obstacles } = harvest(&sandbox.changed(), system)?;
    let Recorded { changes: called, effects, obstacles: more, later, awaits } =
        typed(&ended.calls, &written, system)?;
    if !awaits.is_empty() {
        let reason = format!("its fix is decided once {} is installed", awaits.join(", "));
        return Ok(Outcome::Package(Vec::new(), reason));
    }
    obstacles.extend(more);
    if !obstacles.is_empty() {
        return Ok(Outcome::Obstacle(format!("its fix cannot be planned: {}", obstacles.join("; "))));
    }
    let brings = |change: &Change| matches!(change, Change::Packages { install, .. } if !install.is_empty());
    if let Some(package) = called.iter().find(|change| brings(change)).cloned() {
        let reason = format!("the rest of its fix is decided after: {}", package.sentence());
        return Ok(Outcome::Package(steps_of(rule, &[package], system)?, reason));
    }
    // Packages go before files are written, so that the two do not meet; and so does what a kernel may refuse, so that the files need
    // not be taken back then.
    let early = |change: &Change| {
        use Change::{Mount, Packages, Sysctl, UnloadModule};
        matches!(change, Packages { .. } | Sysctl { .. } | Mount { .. } | UnloadModule { .. })
    };
    let (first, last): (Vec<Change>, Vec<Change>) = called.into_iter().partition(early);
    let changes: Vec<Change> = first.into_iter().chain(written).chain(last).collect();
    if changes.is_empty() {
        let said = ended.output.lines().map(str::trim).rfind(|line| !line.is_empty());
        let said = said.map(|line| format!(" ({line})")).unwrap_or_default();
        return Ok(Outcome::Obstacle(format!("its fix changes nothing here{said}")));
    }
    let mut steps = steps_of(rule, &changes, system)?;
    if let Some(last) = steps.last_mut() {
        last.effects = effects;
    }
    Ok(Outcome::Steps(steps, later))
}
