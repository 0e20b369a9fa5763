//! A machine that does not run, looked at from outside: what its files decide is decided, and what only a kernel or a manager of services
//! could tell is not evaluated and says so. (oscap takes what it cannot look at for something that does not exist.)

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, System, Variables};
use std::fs;
use std::os::unix::fs::symlink;

/// Tests by name: kind of test, attributes, what the object holds.
const TESTS: [(&str, &str, &str, &str); 7] = [
    ("file", "file", "", "<filepath>/etc/here</filepath>"),
    ("no_file", "file", "check_existence='none_exist'", "<filepath>/etc/gone</filepath>"),
    ("proc", "file", "check_existence='none_exist'", "<filepath>/proc/cmdline</filepath>"),
    (
        "sys",
        "file",
        "check_existence='any_exist'",
        "<path>/sys/firmware/efi</path><filename xsi:nil='true'/>",
    ),
    ("link", "file", "check_existence='none_exist'", "<filepath>/etc/mtab</filepath>"),
    ("uname", "uname", "", ""),
    ("sysctl", "sysctl", "check_existence='none_exist'", "<name>kernel.x</name>"),
];

/// Criteria over them, and what they come to.
const ROWS: [(&str, &str, &str); 11] = [
    ("a file decides", "+file", "true"),
    ("so does one that is not there", "+no_file", "true"),
    ("nobody knows what is in /proc", "+proc", "not evaluated"),
    ("nor in /sys, whatever would do", "+sys", "not evaluated"),
    ("nor behind a link that leads there", "+link", "not evaluated"),
    ("nor the kernel", "+uname", "not evaluated"),
    ("nor its settings", "+sysctl", "not evaluated"),
    ("not the contrary either", "-proc", "not evaluated"),
    ("a file that fails decides all the same", "+proc -file", "false"),
    ("a file that holds does not", "+file +uname", "not evaluated"),
    ("one of several is enough", "or +uname +file", "true"),
];

#[test]
fn what_only_a_running_system_tells_is_not_evaluated() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/here"), "").unwrap();
    symlink("../proc/self/mounts", root.path().join("etc/mtab")).unwrap();
    let document = Document::parse(document(), "table").unwrap();
    let system = System::below(root.path()).unwrap();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    for (n, (name, _, expected)) in ROWS.iter().enumerate() {
        let outcome = evaluator.evaluate(&format!("oval:x:def:{n}")).unwrap();
        assert_eq!(outcome.verdict.word(), *expected, "{name}: {:?}", outcome.evidence);
        if *expected == "not evaluated" {
            let told =
                outcome.evidence.iter().any(|own| own.found.starts_with("only a running system tells"));
            assert!(told, "{name}: {:?}", outcome.evidence);
        }
    }
}

fn document() -> String {
    let criterion = |word: &str| {
        let (sign, name) = word.split_at(1);
        format!("<criterion test_ref='oval:x:tst:{name}' negate='{}'/>", sign == "-")
    };
    let mut definitions = String::new();
    for (n, (_, criteria, _)) in ROWS.iter().enumerate() {
        let (operator, words) =
            criteria.strip_prefix("or ").map_or(("AND", *criteria), |words| ("OR", words));
        let criteria: String = words.split(' ').map(criterion).collect();
        definitions += &format!(
            "<definition id='oval:x:def:{n}' version='1' class='compliance'><criteria operator='{operator}'>{criteria}</criteria></definition>"
        );
    }
    let (mut tests, mut objects) = (String::new(), String::new());
    for (name, kind, attributes, object) in TESTS {
        tests += &format!(
            "<{kind}_test id='oval:x:tst:{name}' version='1' check='all' {attributes}><object object_ref='oval:x:obj:{name}'/></{kind}_test>"
        );
        objects += &format!("<{kind}_object id='oval:x:obj:{name}' version='1'>{object}</{kind}_object>");
    }
    format!(
        "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><definitions>{definitions}</definitions>\
         <tests>{tests}</tests><objects>{objects}</objects></oval_definitions>"
    )
}
