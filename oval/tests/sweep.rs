//! One pass over the disk finds for each object what the object finds alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, Evidence, System, Variables, Verdict};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const HEAD: &str = "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
    xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix' \
                    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>";

/// What the objects of the table below ask for; each is true when something is found.
const OBJECTS: [&str; 9] = [
    "<path>/</path><filename operation='pattern match'>^.*$</filename>",
    "<path>/</path><filename operation='not equal'>/</filename><filter action='include'>oval:x:ste:1</filter>",
    "<path>/</path><filename xsi:nil='true'/>",
    "<path>/</path><filename xsi:nil='true'/><filter action='include'>oval:x:ste:2</filter>",
    "<path>/a</path><filename operation='pattern match'>x</filename>",
    "<path>/a/b/</path><filename operation='pattern match'>.</filename>",
    "<path>/to_a</path><filename operation='pattern match'>.</filename>",
    "<path var_ref='oval:x:var:1' var_check='at least one'/><filename operation='pattern match'>^.*$</filename>",
    "<path>/nowhere</path><filename operation='pattern match'>.</filename>",
];

fn document() -> String {
    let all = |part: &dyn Fn(usize, &str) -> String| -> String {
        OBJECTS.iter().enumerate().map(|(n, object)| part(n + 1, object)).collect()
    };
    let definitions = all(&|n, _| {
        format!(
            "<definition id='oval:x:def:{n}' version='1' class='compliance'><criteria><criterion test_ref='oval:x:tst:{n}'/>\
             </criteria></definition>"
        )
    });
    let tests = all(&|n, _| {
        format!(
            "<unix:file_test id='oval:x:tst:{n}' version='1' check='all'><object object_ref='oval:x:obj:{n}'/></unix:file_test>"
        )
    });
    let objects = all(&|n, object| {
        format!(
            "<unix:file_object id='oval:x:obj:{n}' version='1'><behaviors recurse='directories' recurse_direction='down' max_depth='-1' \
             recurse_file_system='{}'/>{object}</unix:file_object>",
            if n % 2 == 0 { "defined" } else { "local" }
        )
    });
    format!(
        "{HEAD}<definitions>{definitions}</definitions><tests>{tests}</tests><objects>{objects}</objects><states>\
         <unix:file_state id='oval:x:ste:1' version='1'><suid datatype='boolean'>true</suid></unix:file_state>\
         <unix:file_state id='oval:x:ste:2' version='1'><owrite datatype='boolean'>true</owrite></unix:file_state></states>\
         <variables><constant_variable id='oval:x:var:1' version='1' datatype='string'><value>/a</value><value>/c</value>\
         <value>/nowhere</value></constant_variable></variables></oval_definitions>"
    )
}

fn plant(tree: &Path) {
    let at = |name: &str| tree.join(name);
    fs::create_dir_all(at("a/b/c")).unwrap();
    fs::create_dir_all(at("c")).unwrap();
    fs::create_dir_all(at("open")).unwrap();
    for name in ["a/x", "a/b/x1", "a/b/c/y", "c/z", "top"] {
        fs::write(at(name), name).unwrap();
    }
    fs::set_permissions(at("a/b/x1"), Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(at("open"), Permissions::from_mode(0o777)).unwrap();
    symlink("a", at("to_a")).unwrap();
    symlink("..", at("a/b/up")).unwrap();
}

fn all(evaluator: &Evaluator<'_>) -> Vec<(Verdict, Vec<Evidence>)> {
    let evaluate = |n| {
        let outcome = evaluator.evaluate(&format!("oval:x:def:{n}")).unwrap();
        let mut evidence = outcome.evidence;
        evidence.sort_by(|a, b| a.place.cmp(&b.place));
        (outcome.verdict, evidence)
    };
    (1..=OBJECTS.len()).map(evaluate).collect()
}

#[test]
fn a_sweep_finds_what_each_object_finds_alone() {
    let tree = tempfile::tempdir().unwrap();
    plant(tree.path());
    let text = document();
    let document = Document::parse(text.as_str(), "sweep").unwrap();
    let system = System::below(tree.path()).unwrap();
    let alone = all(&Evaluator::new(&document, &system, Variables::new()));
    let together = Evaluator::new(&document, &system, Variables::new());
    together.expect(document.definitions());
    let together = all(&together);
    for (n, (alone, together)) in alone.iter().zip(&together).enumerate() {
        assert_eq!(alone, together, "{}", OBJECTS[n]);
    }
    let places = |n: usize| -> Vec<&str> { together[n].1.iter().map(|one| one.place.as_str()).collect() };
    assert_eq!(places(1), ["/a/b/x1"]);
    assert_eq!(places(3), ["/open"]);
    assert_eq!(places(4), ["/a/b/x1", "/a/x"]);
    assert_eq!(places(6), ["/to_a/b/c/y", "/to_a/b/up", "/to_a/b/x1", "/to_a/x"]);
    assert_eq!(places(7), ["/a/b/c/y", "/a/b/up", "/a/b/x1", "/a/x", "/c/z"]);
    assert_eq!(together[8].0, Verdict::False);
}
