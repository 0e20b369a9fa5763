//! `agent check` of content.

use crate::bench::{Bench, check, rule};

#[test]
fn content_is_said_to_be_good_or_what_is_wrong_with_it() {
    let bench = Bench::new(&rule("a", &check("1", "")), "");
    let checked = || {
        let output = bench.agent(&["check", "b.xml"]);
        let [said, wrong] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), said + &wrong)
    };
    assert_eq!(checked(), (Some(0), "b.xml: good, a benchmark with 1 rules and 1 profiles\n".to_owned()));
    let whole = bench.read("b.xml");
    bench.write("b.xml", &whole.replace("</Rule>", ""));
    let (code, said) = checked();
    assert!(code == Some(1) && said.starts_with("b.xml:7:"), "{said}");
}
