//! Results for other tools: everything that was evaluated, what was found, and no secret.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, Machine, System, Variables};
use std::fs;

const DOCUMENT: &str = "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
    xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent'><definitions>\
    <definition id='oval:x:def:1' version='3' class='compliance'><criteria operator='OR'>\
    <criterion test_ref='oval:x:tst:1' negate='true'/><criteria><criterion test_ref='oval:x:tst:2'/>\
    <extend_definition definition_ref='oval:x:def:2'/></criteria></criteria></definition>\
    <definition id='oval:x:def:2' version='1' class='inventory'><criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition>\
    <definition id='oval:x:def:3' version='1' class='inventory'><criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition>\
    </definitions><tests>\
    <ind:textfilecontent54_test id='oval:x:tst:1' version='7' check='all'><object object_ref='oval:x:obj:1'/>\
    <state state_ref='oval:x:ste:1'/></ind:textfilecontent54_test>\
    <ind:textfilecontent54_test id='oval:x:tst:2' version='1' check='all'><object object_ref='oval:x:obj:2'/></ind:textfilecontent54_test>\
    </tests><objects>\
    <ind:textfilecontent54_object id='oval:x:obj:1' version='2'><filepath>/etc/a</filepath>\
    <pattern operation='pattern match'>^(\\w+) .*$</pattern><instance datatype='int' operation='greater than or equal'>1</instance>\
    </ind:textfilecontent54_object><ind:textfilecontent54_object id='oval:x:obj:2' version='1'><filepath>/etc/shadow</filepath>\
    <pattern operation='pattern match'>^root:([^:]*):</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>\
    </objects><states><ind:textfilecontent54_state id='oval:x:ste:1' version='1'><subexpression>one</subexpression>\
    </ind:textfilecontent54_state></states></oval_definitions>";

fn written() -> String {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/a"), "one & <two>\u{1}\ntwo three\n").unwrap();
    fs::write(root.path().join("etc/shadow"), "root:$6$secret:1::::::\n").unwrap();
    let document = Document::parse(DOCUMENT, "results").unwrap();
    let system = System::below(root.path()).unwrap();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    evaluator.evaluate("oval:x:def:1").unwrap();
    let machine =
        Machine { name: "m<1>".to_owned(), time: "2026-01-02T03:04:05Z".to_owned(), ..Machine::default() };
    let mut out = Vec::new();
    evaluator.write_results(&machine, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_was_evaluated_is_written_with_what_was_found() {
    let written = written();
    for expected in [
        "<oval:timestamp>2026-01-02T03:04:05</oval:timestamp>",
        "<sc:primary_host_name>m&lt;1&gt;</sc:primary_host_name>",
        "<definition definition_id=\"oval:x:def:1\" version=\"3\" class=\"compliance\" result=\"true\">",
        "<criteria operator=\"OR\" negate=\"false\" result=\"true\">",
        "<criterion test_ref=\"oval:x:tst:1\" version=\"7\" negate=\"true\" result=\"true\"/>",
        "<criteria operator=\"AND\" negate=\"false\" result=\"false\">",
        "<extend_definition definition_ref=\"oval:x:def:2\" version=\"1\" negate=\"false\" result=\"false\"/>",
        "<definition definition_id=\"oval:x:def:2\" version=\"1\" class=\"inventory\" result=\"false\">",
        "<tested_item item_id=\"1\" result=\"true\"/>\n<tested_item item_id=\"2\" result=\"false\"/>",
        "<sc:object id=\"oval:x:obj:1\" version=\"2\" flag=\"complete\">",
        "<textfilecontent_item xmlns=\"http://oval.mitre.org/XMLSchema/oval-system-characteristics-5#independent\" id=\"1\" status=\"exists\">",
        "<text>one &amp; &lt;two&gt;\u{fffd}</text>",
    ] {
        assert!(written.contains(expected), "{expected} in\n{written}");
    }
    assert!(!written.contains("oval:x:def:3"), "it was not evaluated");
}

#[test]
fn secrets_are_not_told() {
    let written = written();
    assert!(written.contains("<filepath>/etc/shadow</filepath>"), "{written}");
    assert!(
        written.contains("<text mask=\"true\"/>") && written.contains("<subexpression mask=\"true\"/>"),
        "{written}"
    );
    assert!(!written.contains("secret"), "{written}");
}
