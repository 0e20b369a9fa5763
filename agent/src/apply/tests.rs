use std::cell::RefCell;

use super::*;
use crate::apply::validate::testing::Scripted;
use crate::change::Change;
use crate::content::Names;
use crate::policy::testing::{policy, rule, zero};
use crate::setting::Kind;
use crate::setting::package::Package;
use crate::setting::sudo::SudoDefault;
use crate::setting::sysctl::Sysctl;
use crate::setting::testing::Tree;
use crate::system::Output;

const DROP_IN: &str = "/etc/sysctl.d/99-zz-trempe.conf";

/// Applies two rules; the answer to the plan is what `confirm` says.
fn run(tree: &Tree, id: &str, confirm: &Confirm) -> Result<Run> {
    let stop = AtomicBool::new(false);
    let control = Control { confirm: Some(confirm), ..Control::new(&|_| (), &stop) };
    apply(&policy(vec![zero("kernel.a"), zero("kernel.b")]), &mut tree.system(), id, &control)
}

#[test]
fn exactly_the_plan_that_was_confirmed_is_carried_out() {
    let tree = Tree::new();
    let shown = RefCell::new(Vec::new());
    let confirm = |plan: &Plan| {
        assert!(!tree.has(DROP_IN), "changed before it was confirmed");
        assert!(lock(&tree.system()).is_err(), "another run could come between");
        shown.borrow_mut().push(plan.steps.clone());
        Ok(true)
    };
    let run = run(&tree, "run", &confirm).unwrap();
    assert_eq!(*shown.borrow(), [run.steps]);
    assert!(tree.text(DROP_IN).ends_with("kernel.a = 0\nkernel.b = 0\n") && !run.declined);
}

#[test]
fn what_is_declined_is_not_done() {
    let tree = Tree::new();
    let declined = run(&tree, "run", &|_| Ok(false)).unwrap();
    assert!(declined.declined && declined.steps.is_empty() && declined.id.is_empty());
    let broken = run(&tree, "run", &|_| bail!("the terminal is gone")).unwrap_err();
    assert_eq!(broken.to_string(), "the terminal is gone");
    assert!(!tree.has(DROP_IN) && !tree.has("/var/lib/trempe/runs/run"));
}

#[test]
fn an_interrupted_run_is_taken_back_before_the_plan_is_shown() {
    let tree = Tree::new();
    run(&tree, "first", &|_| Ok(true)).unwrap();
    let journal = tree.system().host_path("/var/lib/trempe/runs/first/journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    // As after a power cut before the run was closed.
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&journal, format!("{}\n", lines[..lines.len() - 1].join("\n"))).unwrap();
    let steps = RefCell::new(0);
    let second = run(&tree, "second", &|plan| {
        steps.replace(plan.steps.len());
        assert!(!tree.has(DROP_IN));
        Ok(false)
    });
    assert_eq!((second.unwrap().recovered.len(), *steps.borrow()), (1, 2));
}

#[test]
fn where_nothing_is_to_be_done_nobody_is_asked() {
    let tree = Tree::new();
    run(&tree, "first", &|_| Ok(true)).unwrap();
    let again = run(&tree, "second", &|_| bail!("asked")).unwrap();
    assert!(again.steps.is_empty() && !again.declined);
}

#[test]
fn what_is_refused_fails_its_own_rule_alone() {
    let switch = |name: &str| {
        rule(name, vec![], Kind::SudoDefault(SudoDefault { name: name.into(), value: None, or_less: false }))
    };
    let tree = Tree::new().file("/etc/sudoers", "@includedir /etc/sudoers.d\n").dir("/etc/sudoers.d", 0o755);
    // A sudo that does not know one of the switches.
    let mut system = Scripted::on(&tree, |_, input| {
        let code = if input.is_some_and(|text| text.contains("log_subcmds")) { 1 } else { 0 };
        Output { code: Some(code), stderr: "unknown".into(), ..Output::default() }
    });
    let names = ["use_pty", "log_subcmds", "requiretty", "noexec"];
    let stop = AtomicBool::new(false);
    let control = Control::new(&|_| (), &stop);
    let run = apply(&policy(names.map(switch).to_vec()), &mut system, "run", &control).unwrap();
    let verdicts: Vec<Verdict> = run.outcomes.iter().map(|outcome| outcome.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fixed, Verdict::Error, Verdict::Fixed, Verdict::Fixed]);
    let text = tree.text("/etc/sudoers.d/zz-trempe");
    assert!(text.contains("noexec") && !text.contains("log_subcmds"), "{text}");
}

#[test]
fn after_one_change_failed_no_other_of_its_rule_is_made() {
    let tree = Tree::new().file("/etc/a", "").file("/etc/b", "").file("/etc/c", "");
    let system = tree.system();
    // What root owns and has two names is not given away; without root nothing is.
    std::fs::hard_link(system.host_path("/etc/b"), system.host_path("/etc/b2")).unwrap();
    let step = |path: &str, mode: Option<u32>, uid: Option<u32>| Step {
        rule: "r".into(),
        change: Change::SetMeta { path: path.into(), mode, uid, gid: None },
        sentence: String::new(),
        diff: String::new(),
        effects: vec![],
        starts_from: None,
    };
    let steps = [
        step("/etc/a", Some(0o600), None),
        step("/etc/b", None, Some(1000)),
        step("/etc/c", Some(0o600), None),
    ];
    let mut system = system;
    let (state, _lock) = lock(&system).unwrap();
    let mut worker = Worker::new(&state, "run");
    let stop = AtomicBool::new(false);
    let control = Control::new(&|_| (), &stop);
    worker.carry_out(&mut system, &steps, &control).unwrap();
    assert_eq!((tree.mode("/etc/a"), tree.mode("/etc/c")), (0o644, 0o644));
    assert!(worker.failed.contains_key("r") && worker.made.is_empty());
    let (entries, _) = journal::Journal::read(worker.dir().unwrap()).unwrap();
    assert!(entries.len() == 3 && entries.iter().all(|entry| entry.undone));
}

#[test]
fn a_state_directory_that_leads_out_of_the_root_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let tree = Tree::new().link("/var/lib/trempe", &outside.path().display().to_string());
    let error = run(&tree, "run", &|_| Ok(true)).unwrap_err().to_string();
    assert!(error.contains("/var/lib/trempe"), "{error}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn what_somebody_wrote_since_the_plan_is_planned_on_anew() {
    let tree = Tree::new().file(DROP_IN, "kernel.z = 1\n");
    let confirm = |_: &Plan| {
        let path = tree.system().host_path(DROP_IN);
        std::fs::write(path, "# mine\nkernel.z = 1\n").unwrap();
        Ok(true)
    };
    let run = run(&tree, "run", &confirm).unwrap();
    assert_eq!(tree.text(DROP_IN), "# mine\nkernel.z = 1\nkernel.a = 0\nkernel.b = 0\n");
    assert!(run.outcomes.iter().all(|outcome| outcome.verdict == Verdict::Fixed));
}

#[test]
fn without_packages_their_rules_stay_as_they_are_and_the_others_are_mended() {
    let package = Kind::Package(Package::Installed(Names::One("aide".into())));
    let both = Kind::All(vec![
        package,
        Kind::Sysctl(Sysctl { key: "kernel.b".into(), value: "0".into(), also: vec![] }),
    ]);
    let policy = policy(vec![zero("kernel.a"), rule("both", vec![], both)]);
    let tree = Tree::new().packages(&["base"]);
    let stop = AtomicBool::new(false);
    let control = Control { packages: false, ..Control::new(&|_| (), &stop) };
    let run = apply(&policy, &mut tree.system(), "run", &control).unwrap();
    assert_eq!(run.outcomes[0].verdict, Verdict::Fixed);
    assert_eq!(
        run.outcomes[1].verdict,
        Verdict::Fail,
        "it is neither mended nor in error: {:?}",
        run.outcomes[1]
    );
    assert!(!tree.text(DROP_IN).contains("kernel.b"));
}
