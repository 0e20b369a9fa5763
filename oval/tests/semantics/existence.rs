//! How many of an item's fields must exist, by what an entity of a state says (`check_existence`).

use crate::bench::{Row, Table, row};
use std::fs;

macro_rules! named {
    ($existence:literal, $wanted:literal, $verdict:literal) => {
        row(
            concat!($existence, " of ", $wanted),
            "",
            "<unix:filepath>/f</unix:filepath>",
            concat!("<unix:filename check_existence=\"", $existence, "\">", $wanted, "</unix:filename>"),
            $verdict,
        )
    };
}

/// All fields of an item exist.
const WHOLE: &[Row] = &[
    named!("at_least_one_exists", "f", "true"),
    named!("at_least_one_exists", "g", "false"),
    named!("all_exist", "f", "true"),
    named!("all_exist", "g", "false"),
    named!("any_exist", "f", "true"),
    named!("any_exist", "g", "false"),
    named!("none_exist", "f", "false"),
    named!("none_exist", "g", "false"),
    named!("only_one_exists", "f", "false"),
];

/// One field does not: what lists of access control a file has, in content that is too old to ask for it.
const PART: &[Row] = &[
    named!("at_least_one_exists", "f", "true"),
    named!("all_exist", "f", "false"),
    named!("any_exist", "f", "true"),
    named!("none_exist", "f", "false"),
];

#[test]
fn fields_exist_as_a_state_wants() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "").unwrap();
    Table { kind: "unix:file", rows: WHOLE, parts: [""; 3] }.check(tree.path());
    Table { kind: "unix:file", rows: PART, parts: [""; 3] }.check_as("5.6", tree.path());
}
