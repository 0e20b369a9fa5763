//! What a machine's own state and files lead to: told as it is, and nothing beyond the machine's root is touched.

use std::fs;
use std::os::unix::fs::symlink;

use crate::case::Case;

const APPLY: [&str; 5] = ["apply", "--yes", "--tier", "standard", "--rule=accounts_umask_etc_profile"];
const DROP_INS: &str = "etc/profile.d";

impl Case {
    /// What a command says, on both ways out, and what it ends with.
    fn said(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.agent(args);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

/// A directory that is a link to nowhere is one rule's trouble; the run comes to its end and can be taken back.
#[test]
fn a_directory_that_leads_nowhere() {
    let case = Case::new();
    symlink("/srv/none", case.root().join(DROP_INS)).unwrap();
    let words = [&APPLY[..], &["--rule=mount_option_dev_shm_nodev"]].concat();
    let (code, said) = case.said(&words);
    assert!(
        code == Some(1) && said.contains("/etc/profile.d is a symbolic link that leads nowhere"),
        "{said}"
    );
    let (_, history) = case.said(&["history"]);
    assert!(history.contains("for 1 rules") && !history.contains("interrupted"), "{history}");
    let (code, said) = case.said(&["rollback"]);
    assert!(code == Some(0) && fs::read_link(case.root().join(DROP_INS)).is_ok(), "{said}");
}

/// The lock and the runs lie where the agent put them.
#[test]
fn state_that_leads_elsewhere() {
    for (name, said) in [("lock", "opening"), ("runs", "is a symbolic link, which is not followed")] {
        let case = Case::new();
        let state = case.root().join("var/lib/trempe");
        fs::create_dir_all(&state).unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path().join("made"), state.join(name)).unwrap();
        let (code, told) = case.said(&APPLY);
        assert!(code == Some(1) && told.contains(said), "{name}: {told}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{name}: something was made there");
    }
}

/// A run that changed the machine is not forgotten because there was no room for its report; one that is under way was not cut.
#[test]
fn runs_that_are_told_as_they_are() {
    let case = Case::new();
    assert_eq!(case.said(&APPLY).0, Some(0));
    let runs = case.root().join("var/lib/trempe/runs");
    let run = fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(run.join("result.json")).unwrap();
    let (code, said) = case.said(&["status"]);
    assert!(code == Some(1) && said.contains("its report could not be kept"), "{said}");

    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    let open: String = journal.lines().take(1).map(|line| format!("{line}\n")).collect();
    fs::write(run.join("journal.jsonl"), open).unwrap();
    let (code, said) = case.said(&["status"]);
    assert!(code == Some(1) && said.contains("was interrupted half way"), "{said}");
    let lock = fs::File::open(case.root().join("var/lib/trempe/lock")).unwrap();
    lock.lock().unwrap();
    let (code, said) = case.said(&["status"]);
    assert!(code == Some(2) && said.contains("is under way") && !said.contains("interrupted"), "{said}");
    assert!(case.said(&["history"]).1.contains("  under way\n"));
}

/// What others wrote does not steer the terminal of who reads it.
#[test]
fn words_that_steer_a_terminal() {
    let case = Case::new();
    let config = "tier: light\nexceptions: [{rule: banner_etc_issue_cis, reason: \"a\\e[31mb\\u202e\"}]\n";
    fs::write(case.root().join("etc/trempe/agent.yml"), config).unwrap();
    let further = case.root().join("etc/trempe/agent.d");
    fs::create_dir(&further).unwrap();
    fs::write(further.join("a\x1b]0;b.yml"), "tier: light\n").unwrap();
    let (code, said) = case.said(&["status", "--config"]);
    assert!(
        code == Some(0) && said.contains("a\u{fffd}[31mb\u{fffd}") && said.contains("a\u{fffd}]0;b.yml"),
        "{said}"
    );
    assert!(!said.contains(['\x1b', '\u{202e}']), "{said}");
}
