//! Content and machines that mean harm: a clear verdict or error, in bounded time and memory, and no panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, Outcome, System, Variables, Verdict};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

const HEAD: &str = "<oval_definitions xmlns=\"http://oval.mitre.org/XMLSchema/oval-definitions-5\">";

/// A definition on a textfilecontent54 object, evaluated below a tree.
fn lines(tree: &Path, object: &str) -> Outcome {
    evaluate(
        tree,
        "<criterion test_ref='oval:x:tst:1'/>",
        &format!(
            "<tests><textfilecontent54_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/>\
             </textfilecontent54_test></tests><objects><textfilecontent54_object id='oval:x:obj:1' version='1'>{object}\
             <instance datatype='int' operation='greater than or equal'>1</instance></textfilecontent54_object></objects>"
        ),
    )
}

fn evaluate(tree: &Path, criteria: &str, parts: &str) -> Outcome {
    let text = format!(
        "{HEAD}<definitions><definition id='oval:x:def:1' version='1' class='compliance'><criteria>{criteria}</criteria>\
         </definition></definitions>{parts}</oval_definitions>"
    );
    let document = Document::parse(text, "hostile").unwrap();
    let started = Instant::now();
    let system = System::below(tree).unwrap();
    let outcome = Evaluator::new(&document, &system, Variables::new()).evaluate("oval:x:def:1").unwrap();
    assert!(started.elapsed() < Duration::from_secs(30), "it took {:?}", started.elapsed());
    outcome
}

#[test]
fn documents_that_are_none() {
    for (text, said) in [
        ("", "no <oval_definitions>"),
        ("<a/>", "no <oval_definitions>"),
        ("<oval_definitions>", "ends before"),
        ("<oval_definitions><!--", "inside a tag or comment"),
        ("</a>", "end tag without a start"),
        (
            "<oval_definitions/><oval_definitions></oval_definitions><oval_definitions></oval_definitions>",
            "several",
        ),
    ] {
        let error = Document::parse(text, "x.xml").unwrap_err().to_string();
        assert!(error.contains(said) && error.starts_with("x.xml:"), "{text}: {error}");
    }
    let deep = "<a>".repeat(100_000);
    assert!(Document::parse(deep, "x").unwrap_err().to_string().contains("nest deeper"));
}

#[test]
fn parts_that_are_wrong_are_told_with_their_line() {
    let text = format!(
        "{HEAD}\n<definitions>\n<definition id='oval:x:def:1' version='1' class='odd'/></definitions></oval_definitions>"
    );
    let document = Document::parse(text, "x.xml").unwrap();
    let system = System::running();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    let error = evaluator.evaluate("oval:x:def:1").unwrap_err().to_string();
    assert!(error.starts_with("x.xml:3:1:") && error.contains("odd"), "{error}");
    assert!(evaluator.evaluate("oval:x:def:2").unwrap_err().to_string().contains("no definition"));
}

#[test]
fn what_is_missing_or_refers_to_itself() {
    let tree = tempfile::tempdir().unwrap();
    let verdict = |criteria: &str, parts: &str| evaluate(tree.path(), criteria, parts).verdict;
    assert_eq!(verdict("<criterion test_ref='oval:none:tst:1'/>", ""), Verdict::Unknown);
    assert_eq!(verdict("<extend_definition definition_ref='oval:none:def:1'/>", ""), Verdict::NotEvaluated);
    assert_eq!(verdict("<extend_definition definition_ref='oval:x:def:1'/>", ""), Verdict::Error);
    let test = "<tests><variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></variable_test></tests>\
                <objects><variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:1</var_ref></variable_object></objects>";
    let circle = "<variables><local_variable id='oval:x:var:1' version='1' datatype='string'><variable_component var_ref='oval:x:var:1'/>\
                  </local_variable></variables>";
    // The item has no value: no state asks for one.
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", &format!("{test}{circle}")), Verdict::True);
    let set = "<tests><variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></variable_test></tests>\
               <objects><variable_object id='oval:x:obj:1' version='1'><set><object_reference>oval:x:obj:1</object_reference></set>\
               </variable_object></objects>";
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", set), Verdict::Error);
}

#[test]
fn chains_and_products_without_end() {
    let tree = tempfile::tempdir().unwrap();
    let mut variables = String::new();
    for n in 1..5000 {
        variables.push_str(&format!(
            "<local_variable id='oval:x:var:{n}' version='1' datatype='string'><concat><variable_component var_ref='oval:x:var:{0}'/>\
             <variable_component var_ref='oval:x:var:{0}'/></concat></local_variable>",
            n + 1
        ));
    }
    variables.push_str("<constant_variable id='oval:x:var:5000' version='1' datatype='string'><value>a</value><value>b</value></constant_variable>");
    for first in [1, 4900, 4990] {
        let parts = format!(
            "<tests><variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/>\
             <state state_ref='oval:x:ste:1'/></variable_test></tests>\
             <objects><variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:{first}</var_ref></variable_object></objects>\
             <states><variable_state id='oval:x:ste:1' version='1'><value>x</value></variable_state></states>\
             <variables>{variables}</variables>"
        );
        let outcome = evaluate(tree.path(), "<criterion test_ref='oval:x:tst:1'/>", &parts);
        assert_eq!(outcome.verdict, Verdict::Unknown, "{first}: {:?}", outcome.evidence);
    }
}

#[test]
fn patterns_that_explode() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "a".repeat(5000)).unwrap();
    let outcome =
        lines(tree.path(), "<filepath>/f</filepath><pattern operation='pattern match'>^(a+)+$b</pattern>");
    assert!(matches!(outcome.verdict, Verdict::Error | Verdict::False), "{outcome:?}");
    let outcome = lines(
        tree.path(),
        "<filepath>/f</filepath><pattern operation='pattern match'>(?:(?:a|a)*)*b</pattern>",
    );
    assert!(matches!(outcome.verdict, Verdict::Error | Verdict::False), "{outcome:?}");
}

#[test]
fn more_matches_than_anybody_needs() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "a\n".repeat(1_000_000)).unwrap();
    let outcome =
        lines(tree.path(), "<filepath>/f</filepath><pattern operation='pattern match'>^a$</pattern>");
    assert_eq!(outcome.verdict, Verdict::True);
    assert!(outcome.evidence.len() <= 50);
}

#[test]
fn files_that_are_traps() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    fs::create_dir(at("d")).unwrap();
    symlink("/etc", at("d/out")).unwrap();
    symlink("../../../../../../../../etc", at("d/up")).unwrap();
    symlink("loop", at("d/loop")).unwrap();
    nix::unistd::mkfifo(&at("d/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Nothing outside the root, and no waiting for a pipe.
    for path in ["/d/out/passwd", "/d/up/passwd", "/d/loop", "/d/pipe"] {
        let object = format!("<filepath>{path}</filepath><pattern operation='pattern match'>.</pattern>");
        assert_eq!(lines(tree.path(), &object).verdict, Verdict::False, "{path}");
    }
    let everything = "<behaviors recurse_direction='down'/><path>/</path><filename operation='pattern match'>.*</filename>\
                      <pattern operation='pattern match'>.</pattern>";
    assert_eq!(lines(tree.path(), everything).verdict, Verdict::False);
}

#[test]
fn what_only_a_running_system_tells() {
    let tree = tempfile::tempdir().unwrap();
    let parts = "<tests><sysctl_test id='oval:x:tst:1' version='1' check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/>\
                 </sysctl_test></tests><objects><sysctl_object id='oval:x:obj:1' version='1'><name>kernel.ostype</name></sysctl_object></objects>";
    let outcome = evaluate(tree.path(), "<criterion test_ref='oval:x:tst:1'/>", parts);
    assert_eq!(outcome.verdict, Verdict::NotEvaluated);
    assert!(outcome.evidence[0].found.contains("only a running system"), "{:?}", outcome.evidence);
}
