//! A machine that does not run, looked at from outside: what its files decide is decided, and what only a kernel or a manager of services
//! could tell is not evaluated and says so. (oscap takes what it cannot look at for something that does not exist.)

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, System, Variables};
use std::fs;
use std::os::unix::fs::symlink;

/// What an object of a whole tree holds: one that a sweep looks for.
macro_rules! tree {
    ($path:literal) => {
        concat!(
            "<behaviors recurse='directories' recurse_direction='down'/>",
            $path,
            "<filename operation='pattern match'>^gone$</filename>"
        )
    };
}

/// Tests by name: kind of test, attributes, what the object holds.
const TESTS: [(&str, &str, &str, &str); 22] = [
    ("file", "unix:file", "", "<filepath>/etc/here</filepath>"),
    ("no_file", "unix:file", "check_existence='none_exist'", "<filepath>/etc/gone</filepath>"),
    ("proc", "unix:file", "check_existence='none_exist'", "<filepath>/proc/cmdline</filepath>"),
    (
        "sys",
        "unix:file",
        "check_existence='any_exist'",
        "<path>/sys/firmware/efi</path><filename xsi:nil='true'/>",
    ),
    ("link", "unix:file", "check_existence='none_exist'", "<filepath>/etc/mtab</filepath>"),
    ("uname", "unix:uname", "", ""),
    ("sysctl", "unix:sysctl", "check_existence='none_exist'", "<name>kernel.x</name>"),
    ("dev", "unix:file", "check_existence='none_exist'", "<filepath>/dev/sda</filepath>"),
    (
        "run",
        "ind:textfilecontent54",
        "check_existence='none_exist'",
        "<filepath>/run/x/y</filepath><pattern operation='pattern match'>x</pattern><instance datatype='int'>1</instance>",
    ),
    ("container", "unix:file", "check_existence='none_exist'", "<filepath>/var/run/.containerenv</filepath>"),
    ("var_run", "unix:file", "check_existence='none_exist'", "<filepath>/var/run/x</filepath>"),
    (
        "either",
        "unix:file",
        "check_existence='none_exist'",
        "<filepath operation='pattern match'>^/(proc|etc)/gone$</filepath>",
    ),
    (
        "all",
        "unix:file",
        "check_existence='none_exist'",
        "<filepath operation='pattern match'>^/.*/gone$</filepath>",
    ),
    (
        "down",
        "unix:file",
        "check_existence='none_exist'",
        "<behaviors recurse_direction='down'/><path>/</path><filename>gone</filename>",
    ),
    ("swept", "unix:file", "check_existence='none_exist'", tree!("<path>/</path>")),
    ("swept_run", "unix:file", "check_existence='none_exist'", tree!("<path>/run/user</path>")),
    ("swept_gone", "unix:file", "check_existence='any_exist'", tree!("<path>/var/run/gone</path>")),
    (
        "swept_both",
        "unix:file",
        "check_existence='none_exist'",
        tree!("<path var_ref='oval:x:var:2' var_check='at least one'/>"),
    ),
    (
        "leads_there",
        "ind:textfilecontent54",
        "check_existence='none_exist'",
        "<path>/etc</path><filename operation='pattern match'>^resolv</filename><pattern operation='pattern match'>x</pattern>\
         <instance datatype='int'>1</instance>",
    ),
    (
        "masked",
        "ind:textfilecontent54",
        "check_existence='none_exist'",
        "<path>/etc</path><filename>masked.service</filename><pattern operation='pattern match'>x</pattern>\
         <instance datatype='int'>1</instance>",
    ),
    ("symlink", "unix:symlink", "check_existence='any_exist'", "<filepath>/etc/resolv.conf</filepath>"),
    ("filter", "unix:file", "", "<filepath>/etc/here</filepath><filter>oval:x:ste:1</filter>"),
];

/// Criteria over them, and what they come to.
const ROWS: [(&str, &str, &str); 26] = [
    ("a file decides", "+file", "true"),
    ("so does one that is not there", "+no_file", "true"),
    ("nobody knows what is in /proc", "+proc", "not evaluated"),
    ("nor in /sys, whatever would do", "+sys", "not evaluated"),
    ("nor behind a link that leads there", "+link", "not evaluated"),
    ("nor the kernel", "+uname", "not evaluated"),
    ("nor its settings", "+sysctl", "not evaluated"),
    ("nor what devices there are", "+dev", "not evaluated"),
    ("nor what services left in /run", "+run", "not evaluated"),
    ("a machine that is off runs in no container", "+container", "true"),
    ("nor there by another way", "+var_run", "not evaluated"),
    ("nor when a pattern names such a directory", "+either", "not evaluated"),
    ("a pattern for all directories is about the disk", "+all", "true"),
    ("so is a search from the root", "+down", "true"),
    ("so is one that follows no links", "+swept", "true"),
    ("one from such a directory is not", "+swept_run", "not evaluated"),
    ("nor from one that is not there", "+swept_gone", "not evaluated"),
    ("nor from one of several", "+swept_both", "not evaluated"),
    ("nobody knows what a link that leads there says", "+leads_there", "not evaluated"),
    ("a device is no text anywhere", "+masked", "true"),
    ("nor where such a link leads in the end", "+symlink", "not evaluated"),
    ("a filter may ask what only a kernel knows", "+filter", "not evaluated"),
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
    for directory in ["var", "run/user", "dev", "proc", "sys"] {
        fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    for (link, target) in [
        ("etc/mtab", "../proc/self/mounts"),
        ("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"),
        ("etc/masked.service", "/dev/null"),
        ("var/run", "/run"),
    ] {
        symlink(target, root.path().join(link)).unwrap();
    }
    let document = Document::parse(document(), "table").unwrap();
    let system = System::below(root.path()).unwrap();
    // One definition after the other, and with all of them told beforehand, so that trees are looked through in one pass.
    for expected in [false, true] {
        let evaluator = Evaluator::new(&document, &system, Variables::new());
        if expected {
            evaluator.expect(document.definitions());
        }
        compare(&evaluator);
    }
}

fn compare(evaluator: &Evaluator<'_>) {
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
         xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent' \
         xmlns:linux='http://oval.mitre.org/XMLSchema/oval-definitions-5#linux' \
         xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><definitions>{definitions}</definitions>\
         <tests>{tests}</tests><objects>{objects}<unix:uname_object id='oval:x:obj:kernel' version='1'/></objects>\
         <states><unix:file_state id='oval:x:ste:1' version='1'><path var_ref='oval:x:var:1'/></unix:file_state></states><variables>\
         <local_variable id='oval:x:var:1' version='1' datatype='string'><object_component object_ref='oval:x:obj:kernel' \
         item_field='os_name'/></local_variable><constant_variable id='oval:x:var:2' version='1' datatype='string'><value>/etc</value>\
         <value>/proc/sys</value></constant_variable></variables></oval_definitions>"
    )
}
