//! What the class of a definition means for a rule.

use std::process::Command;

use crate::bench::{Bench, check, differences, rules};

fn classes() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("vulnerability_true", check("21", ""), "fail"),
        ("vulnerability_false", check("22", ""), "pass"),
        ("vulnerability_unknown", check("28", ""), "unknown"),
        ("patch_true", check("23", ""), "fail"),
        ("patch_false", check("24", ""), "pass"),
        ("patch_error", check("27", ""), "error"),
        ("inventory_true", check("25", ""), "pass"),
        ("miscellaneous_false", check("26", ""), "fail"),
    ]
}

#[test]
fn what_is_bad_when_it_is_there_is_turned() {
    let (_, results) = Bench::new(&rules(&classes()), "").audited(&["--root", "/"]);
    assert_eq!(differences(&classes(), &results), [""; 0]);
}

/// By the schema, and by the rules that the schema cannot say (schematron).
#[test]
fn oscap_finds_the_results_valid() {
    let bench = Bench::new(&rules(&classes()), "");
    bench.audited(&["--root", "/", "--results-arf", "arf.xml"]);
    for args in [["xccdf", "validate", "agent.xml"], ["ds", "rds-validate", "arf.xml"]] {
        let output = Command::new("oscap").current_dir(bench.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn oscap_turns_it_too() {
    assert_eq!(differences(&classes(), &Bench::new(&rules(&classes()), "").judged_by_oscap()), [""; 0]);
}
