//! Results that oscap wrote, merged with ours.

use serde_json::Value;

use crate::bench::{Bench, check, rules};

#[test]
fn what_oscap_wrote_is_merged_with_ours() {
    let table = [
        ("good", check("1", ""), "pass"),
        ("bad", check("2", ""), "fail"),
        ("odd", check("4", ""), "unknown"),
    ];
    let bench = Bench::new(&rules(&table), "");
    bench.judged_by_oscap();
    bench.oscap(&["--results-arf", "theirs-arf.xml"]).output().unwrap();
    let (report, _) = bench.audited(&["--report", "json=ours.json"]);
    let merged = |files: &[&str], further: &[&str]| {
        let output = bench.agent(&[&["report", "--format", "json"], files, further].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        (
            output.status.code(),
            serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{said}")),
        )
    };
    for file in ["oscap.xml", "theirs-arf.xml"] {
        let (code, fleet) = merged(&[file], &[]);
        assert_eq!((code, &fleet["problems"]), (Some(2), &serde_json::json!([])), "{file}");
        let machine = &fleet["machines"][0];
        let counts = ["pass", "fail", "unknown"].map(|verdict| machine["summary"][verdict].as_u64());
        assert_eq!((&machine["fail"], counts), (&serde_json::json!(["bad"]), [Some(1); 3]), "{machine}");
        // oscap counts what is unknown as not met too: one of three.
        assert!((machine["score"]["value"].as_f64().unwrap() - 33.33).abs() < 0.01, "{machine}");
        assert!(!machine["host"]["name"].as_str().unwrap().is_empty(), "{machine}");
    }
    // The same rule of both is one, and the same result no change.
    let (_, fleet) = merged(&["oscap.xml", "ours.json"], &[]);
    let bad = fleet["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "bad").unwrap();
    assert_eq!(fleet["rules"].as_array().unwrap().len(), 3, "{bad}");
    let compared = bench.agent(&["report", "--compare", "oscap.xml", "ours.json", "--format", "json"]);
    let compared: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let changed = compared["machines"].as_array().unwrap();
    let verdicts = changed
        .iter()
        .flat_map(|own| ["newly_failing", "newly_passing", "newly_asked"].map(|key| own[key].clone()));
    assert!(verdicts.into_iter().all(|rules| rules == serde_json::json!([])), "{compared}");
    assert_eq!(report["summary"]["unknown"], 1);
}
