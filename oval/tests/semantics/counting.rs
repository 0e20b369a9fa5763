//! How many items exist, and how many are in a state.

use crate::bench::{Row, Table, row};
use crate::lines;
use std::fs;

const ONE: &str = "<ind:subexpression>1</ind:subexpression>";

/// Existence and check.
const ROWS: &[Row] = &[
    row("all_exist with items", r#"check_existence="all_exist""#, lines!("/two", "^a=(.)$"), "", "true"),
    row("all_exist without", r#"check_existence="all_exist""#, lines!("/two", "^c=(.)$"), "", "false"),
    row("none_exist with items", r#"check_existence="none_exist""#, lines!("/two", "^a=(.)$"), "", "false"),
    row("none_exist without", r#"check_existence="none_exist""#, lines!("/two", "^c=(.)$"), ONE, "true"),
    row("any_exist without", r#"check_existence="any_exist""#, lines!("/two", "^c=(.)$"), ONE, "true"),
    row("only_one with two", r#"check_existence="only_one_exists""#, lines!("/two", "^a=(.)$"), "", "false"),
    row("only_one with one", r#"check_existence="only_one_exists""#, lines!("/two", "^b=(.)$"), "", "true"),
    row("default existence without", "", lines!("/two", "^c=(.)$"), "", "false"),
    row("check all", "", lines!("/two", "^a=(.)$"), ONE, "false"),
    row("at least one", r#"check="at least one""#, lines!("/two", "^a=(.)$"), ONE, "true"),
    row("none satisfy", r#"check="none satisfy""#, lines!("/two", "^a=(.)$"), ONE, "false"),
    row("only one", r#"check="only one""#, lines!("/two", "^a=(.)$"), ONE, "true"),
    row("a field the item has not", "", lines!("/two", "^x$"), ONE, "unknown"),
    row(
        "at least one of false and unknown",
        r#"check="at least one""#,
        lines!("/two", "^(?:a=(2)|x)$"),
        ONE,
        "error",
    ),
    row("all of false and unknown", "", lines!("/two", "^(?:a=(2)|x)$"), ONE, "false"),
    row("not UTF-8", "", lines!("/latin", "."), "", "error"),
    row("not UTF-8, none_exist", r#"check_existence="none_exist""#, lines!("/latin", "."), "", "error"),
    row(
        "not UTF-8, any_exist, no state",
        r#"check_existence="any_exist""#,
        lines!("/latin", "."),
        "",
        "true",
    ),
    row(
        "not UTF-8, any_exist, a state",
        r#"check_existence="any_exist""#,
        lines!("/latin", "."),
        ONE,
        "error",
    ),
    row("a bad pattern, none_exist", r#"check_existence="none_exist""#, lines!("/two", "("), "", "error"),
    row("no file", r#"check_existence="none_exist""#, lines!("/none", "x"), "", "true"),
];

#[test]
fn existence_and_check() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("two"), "a=1\na=2\nb=1\nx\n").unwrap();
    fs::write(tree.path().join("latin"), b"\xe9\n").unwrap();
    Table { kind: "ind:textfilecontent54", rows: ROWS, parts: ["", "", ""] }.check(tree.path());
}
