//! Which of a rule's checks counts: the last whose engine is there. For OVAL there is one where a document of OVAL is there.

use std::fs;
use std::io::Read;

use bzip2::Compression;
use bzip2::read::BzEncoder;

use crate::bench::{Bench, SCE, by, check, differences, rules};

/// A check by a script that passes, then one by a document that is not there.
fn both() -> String {
    format!(
        "<check system='{SCE}'><check-content-ref href='pass.sh'/></check>{}",
        by("gone.xml", "", "1", "")
    )
}

/// Rules, and what oscap said, where none of the documents that they refer to is there.
fn without_oval() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("script_before_oval", both(), "pass"),
        ("oval_alone", by("gone.xml", "", "1", ""), "notchecked"),
        ("elsewhere", format!("{}{}", both(), by("http://localhost/oval.xml", "", "1", "")), "pass"),
    ]
}

/// The same where another rule refers to one that is.
fn with_oval() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("script_before_oval", both(), "notchecked"),
        ("oval_alone", by("gone.xml", "", "1", ""), "notchecked"),
        ("there", check("1", ""), "pass"),
    ]
}

fn bench(table: &[(&str, String, &str)]) -> Bench {
    let bench = Bench::new(&rules(table), "");
    bench.script("pass.sh", "exit $XCCDF_RESULT_PASS");
    bench
}

#[test]
fn there_is_an_engine_for_oval_where_a_document_is_there() {
    for table in [without_oval(), with_oval()] {
        assert_eq!(differences(&table, &bench(&table).audited(&[]).1), [""; 0]);
    }
}

#[test]
fn oscap_has_an_engine_for_oval_where_a_document_is_there() {
    for table in [without_oval(), with_oval()] {
        assert_eq!(differences(&table, &bench(&table).judged_by_oscap()), [""; 0]);
    }
}

/// Vendors pack their feeds.
#[test]
fn a_document_may_be_packed() {
    let table = [("packed", by("oval.xml.bz2", "", "1", ""), "pass")];
    let bench = bench(&table);
    let mut packed = Vec::new();
    let text = bench.read("oval.xml");
    BzEncoder::new(text.as_bytes(), Compression::best()).read_to_end(&mut packed).unwrap();
    fs::write(bench.path().join("oval.xml.bz2"), packed).unwrap();
    assert_eq!(differences(&table, &bench.audited(&[]).1), [""; 0]);
    assert_eq!(differences(&table, &bench.judged_by_oscap()), [""; 0]);
}
