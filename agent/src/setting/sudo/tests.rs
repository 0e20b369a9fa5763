use std::path::Path;

use proptest::prelude::*;

use super::authentication::SudoAuthentication;
use super::file::{Entry, parse};
use super::*;
use crate::setting::testing::Tree;

const DEBIAN: &str =
    "Defaults\tenv_reset\nroot\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n";

fn pty() -> SudoDefault {
    SudoDefault { name: "use_pty".into(), value: None, or_less: false }
}

fn timeout() -> SudoDefault {
    SudoDefault { name: "timestamp_timeout".into(), value: Some("15".into()), or_less: true }
}

fn machine(main: &str) -> Tree {
    Tree::new().file_with_mode(MAIN, main, 0o440).dir(DIR, 0o755)
}

/// Two accounts in the group `sudo`: `key` has no password, `word` has one.
fn people(main: &str) -> Tree {
    machine(main)
        .file(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nkey:x:1000:1000::/:/bin/sh\nword:x:1001:1001::/:/bin/sh\n",
        )
        .file("/etc/group", "sudo:x:27:key,word\nwheel:x:28:word\nnone:x:29:\n")
        .file("/etc/shadow", "root:*:1:0:9:7:::\nkey:!:1:0:9:7:::\nword:$y$x:1:0:9:7:::\n")
}

#[test]
fn parameters_are_read_with_scope_sign_and_value() {
    for (line, scope, name, value, negated) in [
        ("Defaults use_pty", None, "use_pty", None, false),
        ("Defaults  ! use_pty # no", None, "use_pty", None, true),
        ("Defaults !!use_pty", None, "use_pty", None, false),
        ("Defaults:a, b logfile = \"/x y\"", Some(":a, b"), "logfile", Some("/x y"), false),
        ("Defaults>root timestamp_timeout=-1", Some(">root"), "timestamp_timeout", Some("-1"), false),
        ("Defaults!/bin/ls env_keep += \"A B\"", Some("!/bin/ls"), "env_keep", Some("A B"), false),
        ("Defaults \\\n  use_pty", None, "use_pty", None, false),
    ] {
        let lines = parse(Path::new("f"), line).unwrap();
        let Entry::Defaults(found) = &lines[0].entry else { panic!("{line}: {lines:?}") };
        let found = &found[0];
        assert_eq!(
            (found.scope.as_deref(), found.name.as_str(), found.value.as_deref(), found.negated),
            (scope, name, value, negated),
            "{line}"
        );
    }
}

#[test]
fn grants_are_read_with_their_tags() {
    for (line, who, waivers) in [
        ("root ALL=(ALL:ALL) ALL", vec!["root"], 0),
        ("%sudo, #1000 ALL = NOPASSWD : ALL", vec!["%sudo", "#1000"], 1),
        ("a ALL=(ALL) NOPASSWD:ALL, PASSWD: /bin/b, NOPASSWD:/bin/c", vec!["a"], 2),
        ("a ALL=NOEXEC:NOPASSWD: /bin/b", vec!["a"], 1),
        ("a ALL=/bin/echo NOPASSWD\\:", vec!["a"], 0),
        ("\"b c\" ALL=ALL", vec!["b c"], 0),
    ] {
        let lines = parse(Path::new("f"), line).unwrap();
        let Entry::Grant(found) = &lines[0].entry else { panic!("{line}: {lines:?}") };
        assert_eq!(
            (&found.who[..], found.waivers.len()),
            (&who.iter().map(|w| w.to_string()).collect::<Vec<_>>()[..], waivers),
            "{line}"
        );
    }
}

#[test]
fn what_is_not_understood_is_an_error_with_its_line() {
    for (text, says) in [
        ("# one\n\nnonsense\n", "sudoers:3"),
        ("Defaults\n", "sudoers:1"),
        ("@include /nowhere\n", "/nowhere"),
    ] {
        let error = pty().examine(&machine(text).system()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn included_files_are_read_in_order_without_backups() {
    let tree = machine("#includedir /etc/sudoers.d\n")
        .file("/etc/sudoers.d/20-b", "Defaults use_pty\n")
        .file("/etc/sudoers.d/10-a", "Defaults !use_pty\n")
        .file("/etc/sudoers.d/30-c.dpkg-old", "Defaults !use_pty\n")
        .file("/etc/sudoers.d/40-d~", "Defaults !use_pty\n");
    let finding = pty().examine(&tree.system()).unwrap();
    assert_eq!((finding.is_compliant(), finding.evidence[0].place.as_str()), (true, "/etc/sudoers.d/20-b:1"));
}

#[test]
fn a_setting_for_some_counts_for_them() {
    let tree = machine("Defaults use_pty\nDefaults:x env_reset,!use_pty\n");
    assert!(!pty().examine(&tree.system()).unwrap().is_compliant());
    let changed = tree.applied(&pty());
    assert_eq!(changed.text(MAIN), "Defaults:x env_reset\nDefaults use_pty\n");
}

#[test]
fn timeouts_are_compared_as_numbers() {
    for (value, good) in
        [("15", true), ("0", true), ("2.5", true), ("16", false), ("-1", false), ("x", false)]
    {
        let tree = machine(&format!("Defaults timestamp_timeout={value}\n"));
        assert_eq!(timeout().examine(&tree.system()).unwrap().is_compliant(), good, "{value}");
    }
}

#[test]
fn other_parameters_and_lines_are_kept() {
    let tree = machine(&DEBIAN.replace("env_reset", "timestamp_timeout=-1,env_reset"))
        .file(DROP_IN, "Defaults use_pty\nDefaults timestamp_timeout=99\n");
    let changed = tree.applied(&timeout());
    assert_eq!(changed.text(MAIN), DEBIAN.replace("Defaults\tenv_reset", "Defaults env_reset"));
    assert_eq!(changed.text(DROP_IN), "Defaults use_pty\nDefaults timestamp_timeout=15\n");
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    let logfile =
        SudoDefault { name: "logfile".into(), value: Some("/var/log/sudo.log".into()), or_less: false };
    machine(DEBIAN).round_trip(&pty());
    machine("Defaults env_reset\n").round_trip(&logfile);
    machine(DEBIAN).file("/etc/sudoers.d/a", "Defaults timestamp_timeout=60\n").round_trip(&timeout());
    people("%wheel ALL=(ALL) NOPASSWD: ALL\nDefaults:word !authenticate, env_reset\n")
        .round_trip(&SudoAuthentication { tags: true });
}

#[test]
fn a_waiver_that_an_account_lives_from_is_left_to_a_person() {
    let all = SudoAuthentication { tags: true };
    for line in [
        "key ALL=(ALL) NOPASSWD:ALL",
        "%sudo ALL=(ALL) NOPASSWD:ALL",
        "User_Alias BOTS = key\nBOTS ALL=NOPASSWD: ALL",
        "ALL ALL=NOPASSWD: ALL",
        "Defaults !authenticate",
        "directory_user ALL=NOPASSWD: ALL",
        "%directory_group ALL=NOPASSWD: ALL",
    ] {
        let finding = all.examine(&people(line).system()).unwrap();
        assert!(!finding.is_compliant() && finding.manual.is_some() && finding.changes.is_empty(), "{line}");
    }
    for line in ["word ALL=NOPASSWD: ALL", "root ALL=NOPASSWD: ALL", "%none ALL=NOPASSWD: ALL"] {
        assert!(!people(line).planned(&all).is_empty(), "{line}");
    }
}

#[test]
fn tags_alone_do_not_matter_to_the_switch() {
    let tree = people("key ALL=NOPASSWD: ALL\n");
    assert!(SudoAuthentication { tags: false }.examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn without_sudoers_nothing_is_waived() {
    assert!(SudoAuthentication { tags: true }.examine(&Tree::new().system()).unwrap().is_compliant());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s)(Defaults|a ALL=|[@:!>,\"\\\\# \n=]|NOPASSWD:|é|x){0,40}") {
        if let Ok(lines) = parse(Path::new("f"), &text) {
            for (line, parameter) in parameters(&lines) {
                let shorter = without_parameter(&text, line, parameter);
                prop_assert!(shorter.is_some_and(|shorter| shorter.len() < text.len() + 1));
            }
        }
    }
}
