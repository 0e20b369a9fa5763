use super::*;
use crate::apply::{Control, apply};
use crate::content::Severity;
use crate::policy::{Check, Policy, PolicyRule};
use crate::setting::Kind;
use crate::setting::sysctl::Sysctl;
use crate::setting::testing::Tree;
use std::sync::atomic::AtomicBool;

const DROP_IN: &str = "/etc/sysctl.d/99-zz-trempe.conf";

/// A policy of kernel parameters that must be 0.
fn policy(keys: &[&str]) -> Policy {
    let rule = |key: &&str| PolicyRule {
        id: (*key).to_owned(),
        xccdf_id: String::new(),
        title: String::new(),
        severity: Severity::Medium,
        rationale: String::new(),
        risk: String::new(),
        access: false,
        check_only: String::new(),
        cis: vec![],
        anssi: vec![],
        check: Check::Setting {
            applies: vec![],
            ensure: Kind::Sysctl(Sysctl { key: (*key).to_owned(), value: "0".into(), also: vec![] }),
            instead: vec![],
        },
        not_selected: None,
        values: std::collections::BTreeMap::new(),
        exception: None,
    };
    Policy { rules: keys.iter().map(rule).collect(), ..Policy::default() }
}

fn run(tree: &Tree, keys: &[&str]) -> (System, PathBuf) {
    let mut system = tree.system();
    let stop = AtomicBool::new(false);
    let control = Control::new(&|_| (), &stop);
    let run = apply(&policy(keys), &mut system, "run", &control).unwrap();
    assert!(run.problems.is_empty());
    let state = system.host_path(crate::apply::journal::STATE_DIR);
    (system, state.join("runs/run"))
}

#[test]
fn a_run_is_taken_back_whole() {
    let tree = Tree::new().file("/etc/sysctl.d/10-a.conf", "kernel.a = 1\n");
    let (mut system, dir) = run(&tree, &["kernel.a", "kernel.b"]);
    assert!(tree.text(DROP_IN).ends_with("kernel.a = 0\nkernel.b = 0\n"));
    let before = tree.snapshot();
    let foreseen = foresee(&dir, &[]).unwrap();
    assert_eq!(tree.snapshot(), before, "to foresee changes nothing");
    assert_eq!(foresee(&dir, &["kernel.b".into()]).unwrap().changes.len(), 1);
    assert!(foresee(&dir, &["kernel.c".into()]).is_err());
    assert_eq!(foresee_recovery(dir.parent().unwrap().parent().unwrap()).unwrap(), []);
    let undone = take_back(&mut system, &dir, &[]).unwrap();
    let said: Vec<String> =
        foreseen.changes.iter().map(|line| line.replace("would take back", "took back")).collect();
    assert_eq!(said, undone.changes);
    assert_eq!((undone.changes.len(), undone.failed.len()), (3, 0));
    assert!(!tree.has(DROP_IN));
    assert_eq!(tree.text("/etc/sysctl.d/10-a.conf"), "kernel.a = 1\n");
    assert_eq!(
        take_back(&mut system, &dir, &[]).unwrap().changes.len(),
        0,
        "taking back twice does nothing more"
    );
}

#[test]
fn a_mode_that_somebody_set_since_stays() {
    let tree = Tree::new().file("/etc/sysctl.d/10-a.conf", "kernel.a = 1\n");
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    let path = system.host_path("/etc/sysctl.d/10-a.conf");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    take_back(&mut system, &dir, &[]).unwrap();
    assert_eq!(tree.text("/etc/sysctl.d/10-a.conf"), "kernel.a = 1\n");
    assert_eq!(tree.mode("/etc/sysctl.d/10-a.conf"), 0o600);
}

#[test]
fn one_rule_is_taken_out_of_a_file_that_others_share() {
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a", "kernel.b", "kernel.c"]);
    take_back(&mut system, &dir, &["kernel.b".to_owned()]).unwrap();
    let text = tree.text(DROP_IN);
    assert!(
        text.contains("kernel.a = 0") && text.contains("kernel.c = 0") && !text.contains("kernel.b"),
        "{text}"
    );
    take_back(&mut system, &dir, &[]).unwrap();
    assert!(!tree.has(DROP_IN));
}

#[test]
fn lines_that_a_person_added_since_are_kept() {
    let tree = Tree::new().file(DROP_IN, "kernel.z = 5\n");
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    let tree = tree.file(DROP_IN, &format!("# mine\n{}", "kernel.z = 5\nkernel.a = 0\n"));
    system.refresh();
    assert_eq!(take_back(&mut system, &dir, &[]).unwrap().failed, Vec::<String>::new());
    assert_eq!(tree.text(DROP_IN), "# mine\nkernel.z = 5\n");
}

#[test]
fn the_same_lines_changed_since_are_left_and_told() {
    let tree = Tree::new().file(DROP_IN, "kernel.a = 1\n");
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    let tree = tree.file(DROP_IN, "kernel.a = 2\n");
    system.refresh();
    let undone = take_back(&mut system, &dir, &[]).unwrap();
    assert!(undone.kept[0].contains("changed since"), "{undone:?}");
    assert_eq!(tree.text(DROP_IN), "kernel.a = 2\n");
    let again = take_back(&mut system, &dir, &[]).unwrap();
    assert_eq!(again, Undone { run: "run".into(), ..Undone::default() }, "told once");
}

/// A disk that is full for one of the changes, say.
#[test]
fn what_a_later_change_is_in_the_way_of_waits_for_it() {
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a", "kernel.b", "kernel.c"]);
    let (entries, _) = Journal::read(&dir).unwrap();
    let last = entries.iter().rev().find(|entry| entry.change.path() == Some(Path::new(DROP_IN))).unwrap();
    let Undo::Files { files, .. } = &last.undo else { panic!("{last:?}") };
    let Was::File { blob, .. } = &files[0].1 else { panic!("{last:?}") };
    let blob = dir.join("blobs").join(blob);
    let kept = std::fs::read(&blob).unwrap();
    std::fs::remove_file(&blob).unwrap();
    let undone = take_back(&mut system, &dir, &[]).unwrap();
    assert_eq!((undone.failed.len(), undone.kept.len()), (3, 0), "{undone:#?}");
    std::fs::write(&blob, kept).unwrap();
    system.refresh();
    let undone = take_back(&mut system, &dir, &[]).unwrap();
    assert_eq!((undone.changes.len(), undone.kept.len(), tree.has(DROP_IN)), (3, 0, false), "{undone:#?}");
}

#[test]
fn a_rule_the_run_did_not_touch_is_an_error() {
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    let error = take_back(&mut system, &dir, &["kernel.x".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("'kernel.x'"), "{error}");
}

#[test]
fn an_interrupted_run_is_taken_back_by_the_next() {
    let tree = Tree::new();
    let (_, dir) = run(&tree, &["kernel.a", "kernel.b"]);
    let journal = dir.join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    // As after a power cut between the last change and the end of the run.
    std::fs::write(&journal, text.lines().take(4).map(|line| format!("{line}\n")).collect::<String>())
        .unwrap();
    let mut system = tree.system();
    let stop = AtomicBool::new(false);
    let control = Control::new(&|_| (), &stop);
    let run = apply(&policy(&[]), &mut system, "next", &control).unwrap();
    assert_eq!((run.recovered.len(), run.recovered[0].changes.len()), (1, 2));
    assert!(!tree.has(DROP_IN));
}

#[test]
fn a_run_that_is_stopped_takes_itself_back() {
    let tree = Tree::new();
    let mut system = tree.system();
    let stop = AtomicBool::new(false);
    let set = |_: &str| stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let control = Control::new(&set, &stop);
    let error = apply(&policy(&["kernel.a", "kernel.b"]), &mut system, "run", &control).unwrap_err();
    assert!(format!("{error:#}").contains("was taken back: it was told to stop"), "{error:#}");
    assert!(!tree.has(DROP_IN));
}

#[test]
fn the_head_of_a_file_goes_with_the_last_of_its_lines() {
    let head = crate::setting::OWNED_HEADER;
    let tree = Tree::new().dir("/etc/sysctl.d", 0o755);
    let (_, first) = run(&tree, &["kernel.a"]);
    let (mut system, _) = run(&tree, &["kernel.a", "kernel.b"]);
    assert_eq!(take_back(&mut system, &first, &[]).unwrap().changes.len(), 1);
    assert_eq!(tree.text(DROP_IN), format!("{head}kernel.b = 0\n"));
    let second = first.with_file_name("run-0002");
    assert_eq!(take_back(&mut system, &second, &[]).unwrap().changes.len(), 1);
    assert!(!tree.has(DROP_IN) && tree.has("/etc/sysctl.d"));
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    let tree = tree.file(DROP_IN, &format!("{head}kernel.a = 0\n# mine\n"));
    system.refresh();
    take_back(&mut system, &dir, &[]).unwrap();
    assert_eq!(tree.text(DROP_IN), format!("{head}# mine\n"));
}

#[test]
fn a_file_that_rules_made_between_them_goes_with_the_last_of_them() {
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a", "kernel.b"]);
    for rule in ["kernel.a", "kernel.b"] {
        take_back(&mut system, &dir, &[rule.to_owned()]).unwrap();
        system.refresh();
    }
    assert!(!tree.has(DROP_IN) && !tree.has("/etc/sysctl.d"));
}

#[test]
fn a_run_whose_journal_makes_no_sense_is_set_aside_on_request() {
    let tree = Tree::new();
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    std::fs::write(dir.join("journal.jsonl"), "garbage\nmore\n").unwrap();
    let state = system.host_path(crate::apply::journal::STATE_DIR);
    let refused = format!("{:#}", recover(&mut system, &state, false).unwrap_err());
    assert!(refused.contains("--keep-rest") && refused.contains("journal.jsonl:1: damaged"), "{refused}");
    let aside = recover(&mut system, &state, true).unwrap();
    assert!(aside[0].failed[0].contains("damaged/run"), "{aside:?}");
    assert!(state.join("damaged/run/journal.jsonl").exists() && runs(&state).unwrap().is_empty());
    assert!(tree.has(DROP_IN), "what it did stays");
    assert!(recover(&mut system, &state, false).unwrap().is_empty(), "nothing is in the way any more");
}

#[test]
fn a_boot_takes_back_what_was_cut_and_nothing_else() {
    let tree = Tree::new().file("/etc/sysctl.d/10-a.conf", "kernel.a = 1\n");
    let (mut system, dir) = run(&tree, &["kernel.a"]);
    assert_eq!(recover_at_boot(&mut system).unwrap(), []);
    assert!(tree.text(DROP_IN).contains("kernel.a = 0"));
    let journal = dir.join("journal.jsonl");
    let whole = std::fs::read_to_string(&journal).unwrap();
    let cut = whole.trim_end().rsplit_once('\n').unwrap().0;
    std::fs::write(&journal, format!("{cut}\n")).unwrap();
    let [undone] = &recover_at_boot(&mut system).unwrap()[..] else { panic!("one run was cut") };
    assert!(undone.failed.is_empty() && undone.changes.len() == 2, "{undone:?}");
    assert!(!tree.has(DROP_IN));
    assert_eq!(recover_at_boot(&mut system).unwrap(), []);
}
