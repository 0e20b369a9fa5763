//! Where the order of rules and of definitions decides.

use crate::bench::{Bench, by, check, differences, oval, rules, value};

/// Values that rules hand over, in the order of the rules; and what oscap said.
fn handed_over() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("nothing_so_far", check("11", ""), "unknown"),
        ("what_came_of_it_stays", check("11", "one>1"), "unknown"),
        ("another_variable_is_no_conflict", check("12", "two>2"), "pass"),
        ("it_stays", check("12", ""), "pass"),
        ("another_value_is_judged_anew", check("11", "bad>1"), "fail"),
        ("and_stays", check("11", ""), "fail"),
        ("of_others_what_came_stays_though_their_value_is_gone", check("12", ""), "pass"),
        ("back_again", check("11", "one>1"), "pass"),
        ("two_at_once_of_which_one_is_new", check("12", "one>1 bad>2"), "pass"),
        ("a_conflict_of_the_other", check("12", "one>1 two>2"), "pass"),
        ("a_conflict_that_fails", check("12", "bad>2"), "fail"),
        ("the_first_is_as_it_was", check("11", ""), "pass"),
        ("a_name_that_nobody_has", check("11", "bad>7"), "pass"),
    ]
}

fn with_values(table: &[(&str, String, &str)]) -> Bench {
    let values = [("one", "one"), ("two", "two"), ("bad", "bad")];
    Bench::new(&rules(table), &values.map(|(id, content)| value(id, "string", content)).concat())
}

#[test]
fn values_come_and_stay_as_oscap_has_it() {
    let table = handed_over();
    let bench = with_values(&table);
    let (_, results) = bench.audited(&["--root", "/"]);
    assert_eq!(differences(&table, &results), [""; 0]);
    // Each evaluation under other values is in the ARF.
    bench.audited(&["--results-arf", "arf.xml"]);
    let arf = bench.read("arf.xml");
    let of = |result: &str| {
        format!(
            "<definition definition_id=\"oval:x:def:11\" version=\"1\" class=\"compliance\" result=\"{result}\""
        )
    };
    for result in ["true", "false", "unknown"] {
        assert!(arf.contains(&of(result)), "{result}");
    }
}

#[test]
fn oscap_has_values_come_and_stay_so() {
    let table = handed_over();
    assert_eq!(differences(&table, &with_values(&table).judged_by_oscap()), [""; 0]);
}

/// Definitions are taken by their ids as text, the last first, wherever they stand.
fn several() -> Vec<(&'static str, String, &'static str)> {
    let each = "multi-check='true'";
    vec![
        ("each", by("four.xml", each, "", ""), "4:unknown 3:error 10:pass 1:pass"),
        // Unknown, error and pass come to something else in any other order.
        ("all", by("four.xml", "", "", ""), "error"),
        ("negated", by("four.xml", "negate='true'", "", ""), "error"),
    ]
}

fn with_four() -> Bench {
    let bench = Bench::new(&rules(&several()), "");
    let all = [(1, 1, "compliance"), (4, 4, "compliance"), (3, 3, "compliance"), (10, 1, "compliance")];
    bench.write("four.xml", &oval(&all));
    bench
}

#[test]
fn definitions_are_taken_in_the_order_of_oscap() {
    let (report, results) = with_four().audited(&["--root", "/"]);
    assert_eq!(differences(&several(), &results), [""; 0]);
    // Each result has its own evidence.
    let rows: Vec<_> = report["rules"].as_array().unwrap().iter().filter(|row| row["id"] == "each").collect();
    let found: Vec<_> = rows.iter().map(|row| row["evidence"].as_array().unwrap().len()).collect();
    assert_eq!(found, [1, 1, 1, 1], "{rows:#?}");
    assert!(rows[0]["evidence"].to_string().contains("unknown_test"), "{}", rows[0]);
}

#[test]
fn oscap_takes_definitions_in_this_order() {
    assert_eq!(differences(&several(), &with_four().judged_by_oscap()), [""; 0]);
}
