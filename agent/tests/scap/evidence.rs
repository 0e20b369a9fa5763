//! What is told of checks that ask several definitions: those that decided the verdict, and not all.

use serde_json::Value;

use crate::bench::{Bench, check, oval, rule};

/// The evidence of the rule `r`, each piece as one text, and its verdict.
fn told(bench: &Bench) -> (Vec<String>, String) {
    let (report, _) = bench.audited(&[]);
    let row = report["rules"].as_array().unwrap().iter().find(|row| row["id"] == "r").unwrap();
    let evidence = row["evidence"].as_array().unwrap().iter().map(Value::to_string).collect();
    (evidence, row["result"].as_str().unwrap().to_owned())
}

#[test]
fn of_a_whole_document_the_definitions_that_failed_are_told() {
    let bench = Bench::new(&rule("r", &check("", "")), "");
    bench.write("oval.xml", &oval(&[(1, 1, "compliance"), (2, 2, "compliance"), (3, 1, "compliance")]));
    let (evidence, verdict) = told(&bench);
    assert_eq!((evidence.len(), verdict.as_str()), (1, "fail"), "{evidence:?}");
    // With the title of the definition, and what its test wanted.
    assert!(evidence[0].contains("d: ") && evidence[0].contains("one"), "{evidence:?}");
}

#[test]
fn of_many_definitions_the_first_are_told() {
    let bench = Bench::new(&rule("r", &check("", "")), "");
    let many: Vec<(u8, u8, &str)> = (1..=60).map(|number| (number, 2, "compliance")).collect();
    bench.write("oval.xml", &oval(&many));
    let (evidence, verdict) = told(&bench);
    assert_eq!((evidence.len(), verdict.as_str()), (51, "fail"), "{evidence:?}");
    assert!(evidence[50].contains("and 10 more definitions"), "{evidence:?}");
}

#[test]
fn of_a_complex_check_the_parts_that_failed_are_told() {
    let parts = [check("1", ""), check("2", ""), check("10", "")].concat();
    let bench = Bench::new(&rule("r", &format!("<complex-check operator='AND'>{parts}</complex-check>")), "");
    let (evidence, verdict) = told(&bench);
    assert_eq!((evidence.len(), verdict.as_str()), (1, "fail"), "{evidence:?}");
    assert!(evidence[0].contains("one"), "{evidence:?}");
}
