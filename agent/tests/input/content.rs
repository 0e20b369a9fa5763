//! Audits by SCAP content of others: a small benchmark with its OVAL, judged on a small machine.

use std::fs;

use serde_json::Value;

use crate::case::Case;

const OVAL: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";

/// Three rules: what a file says, compared with a value; what only a running system tells; one that no profile asks for.
fn benchmark() -> String {
    let rule = |id: &str, definition: &str, export: &str| {
        format!(
            "<Rule id='xccdf_org.example_rule_{id}' selected='false' severity='high'><title>About {id}</title>
             <check system='{OVAL}'>{export}<check-content-ref href='oval.xml' name='oval:x:def:{definition}'/></check></Rule>"
        )
    };
    let select = |id: &str| format!("<select idref='xccdf_org.example_rule_{id}' selected='true'/>");
    format!(
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_benchmark_b'>
         <status>draft</status><version>1</version>
         <Profile id='xccdf_org.example_profile_own'><title>Own</title>{}{}</Profile>
         <Value id='xccdf_org.example_value_word' type='string'><title>Word</title><value>quench</value></Value>
         {}{}{}</Benchmark>",
        select("file"),
        select("mounts"),
        rule("file", "1", "<check-export value-id='xccdf_org.example_value_word' export-name='oval:x:var:1'/>"),
        rule("mounts", "2", ""),
        rule("other", "1", ""),
    )
}

fn oval() -> String {
    let definition = |number: u8, test: u8| {
        format!(
            "<definition id='oval:x:def:{number}' version='1' class='compliance'><metadata><title>d</title></metadata>
             <criteria><criterion test_ref='oval:x:tst:{test}'/></criteria></definition>"
        )
    };
    let (independent, linux) = (format!("{OVAL}#independent"), format!("{OVAL}#linux"));
    format!(
        "<oval_definitions xmlns='{OVAL}'><definitions>{}{}</definitions>
         <tests><textfilecontent54_test xmlns='{independent}' id='oval:x:tst:1' version='1' check='all'>
           <object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></textfilecontent54_test>
         <partition_test xmlns='{linux}' id='oval:x:tst:2' version='1' check='all'><object object_ref='oval:x:obj:2'/></partition_test></tests>
         <objects><textfilecontent54_object xmlns='{independent}' id='oval:x:obj:1' version='1'><filepath>/etc/word</filepath>
           <pattern operation='pattern match'>^word=(.*)$</pattern><instance datatype='int'>1</instance></textfilecontent54_object>
         <partition_object xmlns='{linux}' id='oval:x:obj:2' version='1'><mount_point>/tmp</mount_point></partition_object></objects>
         <states><textfilecontent54_state xmlns='{independent}' id='oval:x:ste:1' version='1'>
           <subexpression var_ref='oval:x:var:1'/></textfilecontent54_state></states>
         <variables><external_variable id='oval:x:var:1' version='1' datatype='string' comment='w'/></variables></oval_definitions>",
        definition(1, 1),
        definition(2, 2),
    )
}

fn machine(word: &str) -> Case {
    let case = Case::new();
    fs::write(case.root().join("etc/word"), format!("# a word\nword={word}\n")).unwrap();
    case.write("b.xml", &benchmark());
    case.write("oval.xml", &oval());
    case
}

fn audit(case: &Case, further: &[&str]) -> (Option<i32>, Value) {
    let args = ["audit", "--content", "b.xml", "--profile", "own", "--format", "json"];
    let output = case.agent(&[&args[..], further].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}")))
}

fn row<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["rules"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()
}

#[test]
fn verdicts_come_with_what_decided_them() {
    let (code, report) = audit(&machine("quench"), &[]);
    assert_eq!((code, report["summary"]["pass"].as_u64()), (Some(0), Some(1)));
    assert_eq!(row(&report, "file")["evidence"][0]["where"], "/etc/word:2");
    assert_eq!(row(&report, "mounts")["result"], "notchecked");
    assert!(row(&report, "mounts")["reason"].as_str().unwrap().contains("only a running system"));
    assert_eq!(row(&report, "other")["reason"], "no profile asks for it");

    let (code, report) = audit(&machine("butter"), &[]);
    assert_eq!((code, row(&report, "file")["result"].as_str()), (Some(2), Some("fail")));
    let evidence = &row(&report, "file")["evidence"][0];
    assert!(
        evidence["found"].to_string().contains("butter") && evidence["wanted"].to_string().contains("quench"),
        "{evidence}"
    );
    assert_eq!(report["content"]["id"], "xccdf_org.example_benchmark_b");
}

#[test]
fn a_policy_that_asks_for_nothing_is_refused() {
    let case = machine("quench");
    let whole = benchmark();
    let (before, rest) = whole.split_once("<Profile").unwrap();
    case.write("b.xml", &format!("{before}{}", rest.split_once("</Profile>").unwrap().1));
    let output = case.agent(&["audit", "--content", "b.xml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("b.xml asks for no rule"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn tailoring_sets_values_and_leaves_rules_out() {
    let case = machine("butter");
    let tailoring = |inside: &str| {
        format!(
            "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_tailoring_t'>
             <version time='2026-11-25T00:00:00Z'>1</version>
             <Profile id='xccdf_org.example_profile_site' extends='xccdf_org.example_profile_own'><title>t</title>{inside}</Profile></Tailoring>"
        )
    };
    case.write("t.xml", &tailoring("<set-value idref='xccdf_org.example_value_word'>butter</set-value>"));
    let site = |case: &Case| {
        let output = case.agent(&["audit", "--content", "b.xml", "--tailoring", "t.xml", "--format", "json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(row(&site(&case), "file")["result"], "pass");
    let record = "<metadata><e:exception xmlns:e='urn:trempe:exceptions:1' rule='file' owner='ops' until='UNTIL'>backups</e:exception></metadata>";
    let except = |until: &str| {
        tailoring(&format!(
            "<select idref='xccdf_org.example_rule_file' selected='false'/>{}",
            record.replace("UNTIL", until)
        ))
    };
    case.write("t.xml", &except("2099-12-31"));
    let report = site(&case);
    assert_eq!(row(&report, "file")["result"], "notselected");
    assert_eq!(row(&report, "file")["exception"]["owner"], "ops");
    case.write("t.xml", &except("2020-01-01"));
    let report = site(&case);
    assert_eq!(
        (row(&report, "file")["result"].as_str(), &row(&report, "file")["exception"]["expired"]),
        (Some("fail"), &Value::Bool(true))
    );
}

#[test]
fn results_are_written_whole_and_content_is_listed() {
    let case = machine("quench");
    let (code, _) = audit(&case, &["--results", "x.xml", "--results-arf", "a.xml"]);
    assert_eq!(code, Some(0));
    for (file, words) in [("x.xml", "<TestResult"), ("a.xml", "asset-report-collection")] {
        let text = fs::read_to_string(case.root().parent().unwrap().join(file)).unwrap();
        assert!(text.contains(words) && text.contains("rule-result"), "{file}: {text}");
    }
    let listed = |subject: &str| {
        let output = case.agent_alone(&["list", subject, "--content", "b.xml"]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(listed("profiles"), "xccdf_org.example_profile_own  Own\n");
    assert!(listed("rules").starts_with("file    high  About file\n"), "{}", listed("rules"));
    let explained = case.agent(&["explain", "file", "--content", "b.xml", "--profile", "own"]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.starts_with("file\nAbout file\nhigh severity\n"), "{explained}");
    assert!(explained.contains("On this machine: pass") && explained.contains("/etc/word:2"), "{explained}");
    let unknown = case.agent(&["explain", "fil", "--content", "b.xml"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("did you mean file?"));
}
