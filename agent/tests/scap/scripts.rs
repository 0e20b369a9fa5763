//! Checks by scripts.

use std::fs;

use crate::bench::{Bench, SCE, differences, rules, value};

/// Scripts, and what oscap said of them.
const SCRIPTS: [(&str, &str, &str); 12] = [
    ("pass", "exit $XCCDF_RESULT_PASS", "pass"),
    ("fail", "echo found $XCCDF_VALUE_word; exit $XCCDF_RESULT_FAIL", "fail"),
    (
        "values",
        "[ \"$XCCDF_VALUE_word $XCCDF_TYPE_word $XCCDF_OPERATOR_word\" = 'quench STRING EQUALS' ] || exit 102
         [ \"$XCCDF_VALUE_number $XCCDF_TYPE_number\" = '7 NUMBER' ] || exit 102; exit 101",
        "pass",
    ),
    ("nothing_else_is_told", "[ -z \"$HOME$USER$LANG\" ] && exit 101; exit 102", "pass"),
    ("no_exit_code_of_a_program_passes", "exit 0", "error"),
    ("code_out_of_range", "exit 110", "error"),
    ("not_here", "exit $XCCDF_RESULT_NOT_APPLICABLE", "notapplicable"),
    ("told", "exit $XCCDF_RESULT_INFORMATIONAL", "informational"),
    ("killed", "kill -9 $$", "error"),
    ("flood", "head -c 3000000 /dev/zero | tr '\\0' x; exit 101", "pass"),
    ("control_characters", "printf '\\033[2J\\001'; exit 101", "pass"),
    ("two_streams", "echo out; echo err >&2; exit 101", "pass"),
];

fn table() -> Vec<(&'static str, String, &'static str)> {
    let check = |href: &str| {
        format!(
            "<check system='{SCE}'><check-import import-name='stdout'/><check-import import-name='stderr'/>\
             <check-export value-id='xccdf_t_value_word' export-name='word'/>\
             <check-export value-id='xccdf_t_value_number' export-name='number'/>\
             <check-content-ref href='{href}.sh'/></check>"
        )
    };
    let mut table: Vec<_> = SCRIPTS.iter().map(|(id, _, expected)| (*id, check(id), *expected)).collect();
    table.push(("nowhere", check("nowhere"), "notchecked"));
    table
}

fn bench() -> Bench {
    let values = value("word", "string", "quench") + &value("number", "number", "7");
    let bench = Bench::new(&rules(&table()), &values);
    SCRIPTS.iter().for_each(|(id, body, _)| bench.script(&format!("{id}.sh"), body));
    bench
}

#[test]
fn scripts_come_to_what_oscap_says() {
    let bench = bench();
    let (report, results) = bench.audited(&["--results-arf", "arf.xml"]);
    assert_eq!(differences(&table(), &results), [""; 0]);
    let row = |id: &str| report["rules"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
    let evidence = &row("fail")["evidence"][0];
    assert_eq!(
        (evidence["found"].as_str(), evidence["where"].as_str()),
        (Some("found quench"), Some("fail.sh"))
    );
    assert!(row("flood").to_string().len() < 2000, "what floods is cut: {}", row("flood").to_string().len());
    // What was wanted back is handed back, as far as XML can carry it.
    let written = bench.read("agent.xml");
    let import = |id: &str, name: &str| {
        let own = written.split(&format!("idref=\"xccdf_t_rule_{id}\"")).nth(1).unwrap();
        let own = own.split("</rule-result>").next().unwrap();
        let import = own.split(&format!("<check-import import-name=\"{name}\">")).nth(1).unwrap();
        import.split("</check-import>").next().unwrap().to_owned()
    };
    assert_eq!(
        (import("two_streams", "stdout").trim(), import("two_streams", "stderr").trim()),
        ("out", "err")
    );
    assert_eq!(import("control_characters", "stdout"), "\u{fffd}[2J\u{fffd}");
    assert!(import("flood", "stdout").starts_with("xxxx"));
}

#[test]
fn oscap_says_so_of_scripts() {
    assert_eq!(differences(&table(), &bench().judged_by_oscap()), [""; 0]);
}

#[test]
fn only_a_running_system_runs_scripts() {
    let bench = bench();
    fs::create_dir_all(bench.path().join("root/etc")).unwrap();
    fs::write(bench.path().join("root/etc/os-release"), "ID=debian\nVERSION_ID=12\n").unwrap();
    bench.script("pass.sh", "touch ran; exit 101");
    let (report, _) = bench.audited(&["--root", "root"]);
    let asked = report["rules"].as_array().unwrap().iter().filter(|row| row["id"] != "nowhere");
    for row in asked {
        assert_eq!(
            (row["result"].as_str(), row["reason"].as_str()),
            (Some("notchecked"), Some("only a running system runs scripts")),
            "{row}"
        );
    }
    assert!(!bench.path().join("ran").exists());
}

/// A script in a data stream is in an extended component.
#[test]
fn a_script_in_a_data_stream_is_run() {
    let bench = bench();
    let benchmark = bench.read("b.xml");
    let part = |name: &str, kind: &str, inside: &str| {
        format!("<ds:{kind} id='scap_t_{name}' timestamp='2025-01-01T00:00:00'>{inside}</ds:{kind}>\n")
    };
    let script = "<oscap-sce-xccdf-stream:script xmlns:oscap-sce-xccdf-stream='http://open-scap.org/page/SCE_xccdf_stream'>#!/bin/sh\n\
                  test $XCCDF_VALUE_number = 7 &amp;&amp; exit $XCCDF_RESULT_PASS\n</oscap-sce-xccdf-stream:script>";
    let all: String = SCRIPTS
        .iter()
        .map(|(id, ..)| format!("<cat:uri name='{id}.sh' uri='#scap_t_cref_script'/>"))
        .collect();
    bench.write(
        "b.xml",
        &format!(
            "<ds:data-stream-collection xmlns:ds='http://scap.nist.gov/schema/scap/source/1.2' xmlns:xlink='http://www.w3.org/1999/xlink' \
             xmlns:cat='urn:oasis:names:tc:entity:xmlns:xml:catalog' id='scap_t_collection_c' schematron-version='1.3'>\n\
             <ds:data-stream id='scap_t_datastream_d' scap-version='1.3' use-case='OTHER' timestamp='2025-01-01T00:00:00'>\n\
             <ds:checklists><ds:component-ref id='scap_t_cref_xccdf' xlink:href='#scap_t_comp_xccdf'><cat:catalog>{all}</cat:catalog>\
             </ds:component-ref></ds:checklists>\n<ds:extended-components>\
             <ds:component-ref id='scap_t_cref_script' xlink:href='#scap_t_ecomp_script'/></ds:extended-components>\n</ds:data-stream>\n{}{}\
             </ds:data-stream-collection>",
            part("comp_xccdf", "component", &format!("\n{benchmark}\n")),
            part("ecomp_script", "extended-component", script),
        ),
    );
    let (report, _) = bench.audited(&["--rule", "pass"]);
    let row = report["rules"].as_array().unwrap().iter().find(|row| row["id"] == "pass").unwrap();
    assert_eq!(row["result"], "pass", "{row}");
}

/// OpenSCAP waits for ever.
#[test]
fn a_script_that_takes_longer_than_it_may_is_ended() {
    let bench = bench();
    bench.script("pass.sh", "sleep 3; exit 101");
    for (limit, expected) in [("1", "error"), ("60", "pass")] {
        let (report, _) = bench.audited(&["--rule", "pass", "--script-limit", limit]);
        let row = report["rules"].as_array().unwrap().iter().find(|row| row["id"] == "pass").unwrap();
        assert_eq!(row["result"], expected, "{row}");
    }
}
