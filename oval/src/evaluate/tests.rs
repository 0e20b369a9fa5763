//! What comes of an object when no time is left to search for it.

use super::*;
use crate::pattern::Patience;
use std::time::Duration;

/// Objects whose patterns take for ever on the names below; nothing exists that they match.
const OBJECTS: [&str; 5] = [
    "<filepath operation='pattern match'>^/d/(a+)+(/x)?[!]z$</filepath>",
    "<path operation='pattern match'>^/d/(a+)+(/x)?[!]z$</path><filename xsi:nil='true'/>",
    "<behaviors recurse_direction='down'/><path>/d</path><filename operation='pattern match'>^(a|aa)+$</filename>",
    "<behaviors recurse='directories' recurse_direction='down'/><path>/d</path>\
     <filename operation='pattern match'>^(a|aa)+$</filename>",
    "<path>/d</path><filename operation='not equal'>x</filename><filter>oval:x:ste:1</filter>",
];

fn document(object: &str) -> String {
    format!(
        "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
         xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><definitions><definition id='oval:x:def:1' version='1' class='compliance'>\
         <criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition></definitions><tests><unix:file_test id='oval:x:tst:1' \
         version='1' check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/></unix:file_test></tests><objects>\
         <unix:file_object id='oval:x:obj:1' version='1'>{object}</unix:file_object></objects><states><unix:file_state id='oval:x:ste:1' version='1'>\
         <filename operation='pattern match'>^(a|aa)+$</filename></unix:file_state></states></oval_definitions>"
    )
}

#[test]
fn what_there_was_no_time_to_search_for_is_an_error() {
    let tree = tempfile::tempdir().unwrap();
    let name = |n: usize| format!("{}b{n}", "a".repeat(40));
    for n in 0..50 {
        std::fs::create_dir_all(tree.path().join("d").join("a".repeat(41)).join(name(n))).unwrap();
        std::fs::write(tree.path().join("d").join(name(n)), "").unwrap();
        std::fs::create_dir(tree.path().join("d").join("a".repeat(50 + n))).unwrap();
    }
    let system = System::below(tree.path()).unwrap();
    for object in OBJECTS {
        let text = document(object);
        let document = Document::parse(text.as_str(), "patience").unwrap();
        for expected in [false, true] {
            let mut evaluator = Evaluator::new(&document, &system, Variables::new());
            evaluator.patterns = Patterns::with(Patience::of(Duration::from_millis(20)));
            if expected {
                evaluator.expect(document.definitions());
            }
            let outcome = evaluator.evaluate("oval:x:def:1").unwrap();
            assert_eq!(outcome.verdict, Verdict::Error, "{object}: {:?}", outcome.evidence);
        }
    }
}

#[test]
fn all_evaluations_on_a_system_share_the_time_for_searches() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::create_dir(tree.path().join("d")).unwrap();
    std::fs::write(tree.path().join("d/b"), "").unwrap();
    let system = System::below(tree.path()).unwrap();
    let text = document("<path>/d</path><filename operation='pattern match'>a</filename>");
    let document = Document::parse(text.as_str(), "shared").unwrap();
    let verdict =
        || Evaluator::new(&document, &system, Variables::new()).evaluate("oval:x:def:1").unwrap().verdict;
    assert_eq!(verdict(), Verdict::True);
    // As if another evaluation had searched for so long.
    system.patience().spend(Duration::from_secs(60));
    assert_eq!(verdict(), Verdict::Error);
}
