//! Changes that no rule asks for, as a run of their own: the same journal, the same way back.

use anyhow::Result;

use super::turn::{self, Turn};
use super::worker::Worker;
use super::{Control, Run, taken_back};
use crate::change::Change;
use crate::plan::steps_of;
use crate::system::System;

/// Makes changes in parts. Each part has a name, which stands in the journal where rules have their ids (`agent rollback --rule NAME`);
/// one that fails is taken back whole, said so among the problems, and leaves the others alone. `id` names the run.
///
/// # Errors
/// When the run could not begin, was stopped, or its journal could not be kept: what it had done is then taken back.
pub fn carry_out(
    parts: &[(&str, Vec<Change>)],
    system: &mut System,
    id: &str,
    control: &Control,
) -> Result<Run> {
    let Turn { state, recovered, lock: _lock } = turn::take(system, control)?;
    let mut worker = Worker::new(&state, id);
    let mut run = Run { recovered, ..Run::default() };
    let made = make(parts, system, &mut worker, control).and_then(|problems| {
        run.problems = problems;
        worker.close(system)
    });
    if let Err(error) = made {
        return Err(taken_back(system, &worker, error));
    }
    run.id = worker.id().unwrap_or_default();
    run.problems.extend(worker.failed.into_iter().map(|(name, why)| format!("{name}: {why}")));
    run.steps = worker.made;
    Ok(run)
}

fn make(
    parts: &[(&str, Vec<Change>)],
    system: &mut System,
    worker: &mut Worker,
    control: &Control,
) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    for (name, changes) in parts {
        steps.extend(steps_of(name, changes, system)?);
    }
    system.refresh();
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    worker.carry_out(system, &steps, control)?;
    let problems = worker.settle_in(system)?;
    system.refresh();
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::apply::rollback;
    use crate::setting::testing::Tree;

    #[test]
    fn a_part_that_fails_leaves_the_others_and_all_can_be_taken_back() {
        let tree = Tree::new().file("/etc/a", "a\n").file("/etc/sub", "a file\n").dir("/var/lib", 0o755);
        let write = |path: &str| Change::write(path, "changed\n");
        let parts = [
            ("good", vec![write("/etc/a"), write("/etc/new")]),
            ("bad", vec![write("/etc/b"), write("/etc/sub/below")]),
        ];
        let before = tree.snapshot();
        let stop = AtomicBool::new(false);
        let control = Control::new(&|_| (), &stop);
        let mut system = tree.system();
        let run = carry_out(&parts, &mut system, "run", &control).unwrap();
        assert_eq!((tree.text("/etc/a").as_str(), tree.has("/etc/b")), ("changed\n", false));
        assert!(run.problems[0].starts_with("bad: "), "{:?}", run.problems);
        assert_eq!(run.steps.len(), 2);
        assert_eq!(carry_out(&[("none", Vec::new())], &mut system, "next", &control).unwrap().id, "");
        let state = crate::apply::journal::state_dir(&system).unwrap();
        rollback::take_back(&mut system, &state.join("runs").join(&run.id), &["good".to_owned()]).unwrap();
        let ours = |line: &String| !line.contains("/var/lib");
        let etc = |lines: Vec<String>| lines.into_iter().filter(ours).collect::<Vec<_>>();
        assert_eq!(etc(tree.snapshot()), etc(before));
    }
}
