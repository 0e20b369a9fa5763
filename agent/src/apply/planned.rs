//! Plans that others make, carried out as those of the catalogue are: the same journal, validators, watch over who gets in, way back.

use std::collections::BTreeSet;

use anyhow::Result;

use super::guard::Guard;
use super::turn::{self, Turn};
use super::worker::Worker;
use super::{Control, MAX_PASSES, Run, pending, retention, taken_back};
use crate::change::Change;
use crate::plan::{Plan, Step};
use crate::policy::Policy;
use crate::system::System;

/// Makes a plan of the machine as it is, pass by pass, without these rules.
pub type Planner<'a> = dyn FnMut(&mut System, &BTreeSet<String>) -> Result<Plan> + 'a;

/// Carries out what `planner` plans, again and again until that is nothing. `id` names the run. What single rules run into is in
/// [`Run::problems`].
///
/// # Errors
/// When the run could not begin, was stopped, or its journal could not be kept: what it had done is then taken back. Those of the planner.
pub fn carry_out(planner: &mut Planner<'_>, system: &mut System, id: &str, control: &Control) -> Result<Run> {
    let Turn { state, recovered, lock: _lock } = turn::take(system, control)?;
    let mut run = Run { recovered, ..Run::default() };
    run.problems.extend(retention::forget_old(&state).err().map(|error| format!("{error:#}")));
    let mut worker = Worker::new(&state, id);
    let passed = passes(planner, system, &mut worker, &mut run, control);
    if let Err(error) = passed.and_then(|()| worker.close(system)) {
        return Err(taken_back(system, &worker, error));
    }
    if let Some(within) = control.confirm_within {
        run.pending = pending::begin_to_wait(system, &worker, within)?;
    }
    run.id = worker.id().unwrap_or_default();
    run.problems.extend(worker.failed.into_iter().map(|(rule, why)| format!("{rule}: {why}")));
    run.steps = worker.made;
    Ok(run)
}

fn passes(
    planner: &mut Planner<'_>,
    system: &mut System,
    worker: &mut Worker,
    run: &mut Run,
    control: &Control,
) -> Result<()> {
    // Which rules decide who gets in, nobody says here: the paths and packages tell.
    let policy = Policy::default();
    let mut guard = Guard::new(&policy, control);
    // What was done whole and did not help will not help twice.
    let mut done: BTreeSet<String> = BTreeSet::new();
    for pass in 1..=MAX_PASSES {
        let without = done.iter().chain(worker.failed.keys()).cloned().collect();
        let planned = planner(system, &without);
        system.refresh();
        let mut planned = planned?;
        if planned.steps.is_empty() {
            break;
        }
        if pass > 1 {
            (control.progress)(&format!("pass {pass}: what the rules decided now call for"));
        } else if let Some(confirm) = control.confirm {
            planned.foresee(system);
            run.declined = !confirm(&planned)?;
            if run.declined {
                break;
            }
        }
        if let Some(within) = control.confirm_within.filter(|_| worker.dir().is_none()) {
            pending::arm(system, &worker.begin()?, within)?;
        }
        guard.before(system, &mut planned.steps, worker);
        worker.carry_out(system, &planned.steps, control)?;
        run.problems.extend(worker.settle_in(system)?);
        system.refresh();
        let (seen, ()) = guard.look_again(system, &planned.steps, || ())?;
        if let Some((_, untold)) = guard.open(seen, system, worker)? {
            run.problems.extend(untold);
        }
        let (again, whole) = outlook(&planned, worker);
        done.extend(whole);
        if !again {
            break;
        }
    }
    run.notes.append(&mut guard.notes);
    Ok(())
}

/// Whether another pass is worth while, and the rules for which all was done.
fn outlook(planned: &Plan, worker: &Worker) -> (bool, Vec<String>) {
    let is_made = |step: &&Step| worker.made.contains(step);
    let given_up = |rule: &String| worker.failed.contains_key(rule);
    let waits = |rule: &String| planned.deferred.iter().any(|left| left.rule == *rule);
    let mut rules: Vec<&String> =
        planned.steps.iter().map(|step| &step.rule).filter(|rule| !given_up(rule)).collect();
    rules.dedup();
    let made =
        |rule: &&String| planned.steps.iter().filter(|step| step.rule == ***rule).all(|step| is_made(&step));
    // What another rule's way back left behind, or somebody wrote meanwhile, is planned anew.
    let (whole, overtaken): (Vec<&String>, Vec<&String>) = rules.into_iter().partition(made);
    let came = |step: &&Step| matches!(&step.change, Change::Packages { install, .. } if !install.is_empty());
    let brought = planned.steps.iter().filter(is_made).any(|step| came(&step));
    // What waits for a package that did not come would wait again.
    let decided =
        planned.deferred.iter().any(|left| !given_up(&left.rule)) && (brought || !planned.installs());
    (decided || !overtaken.is_empty(), whole.into_iter().filter(|rule| !waits(rule)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::plan::{Left, steps_of};
    use crate::setting::testing::Tree;

    #[test]
    fn what_is_decided_later_comes_in_another_pass_and_nothing_twice() {
        let tree = Tree::new().file("/etc/a", "").dir("/var/lib", 0o755);
        let stop = AtomicBool::new(false);
        let mut passes = 0;
        let mut planner = |system: &mut System, without: &BTreeSet<String>| {
            passes += 1;
            let mut plan = Plan::default();
            let rules = [("first", false), ("second", passes == 1)];
            for (rule, late) in rules.into_iter().filter(|(rule, _)| !without.contains(*rule)) {
                let text = system.read_text("/etc/a")?.unwrap_or_default() + rule + "\n";
                plan.steps.extend(steps_of(rule, &[Change::write("/etc/a", text)], system)?);
                let left = Left { rule: rule.to_owned(), reason: "the rest comes later".to_owned() };
                plan.deferred.extend(late.then_some(left));
            }
            Ok(plan)
        };
        let run = carry_out(&mut planner, &mut tree.system(), "run", &Control::new(&|_| (), &stop)).unwrap();
        assert_eq!(tree.text("/etc/a"), "first\nsecond\nsecond\n");
        assert_eq!((passes, run.steps.len(), run.problems), (2, 3, Vec::new()));
    }
}
