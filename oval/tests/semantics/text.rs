//! What textfilecontent54 finds.

use crate::bench::{Row, Table, row};
use crate::lines;
use std::fs;

const ONLY: &str = r#"check_existence="only_one_exists""#;

macro_rules! object {
    ($behaviors:literal, $pattern:literal, $operation:literal, $instance:literal) => {
        concat!(
            "<ind:behaviors ",
            $behaviors,
            "/>\n<ind:filepath>/f</ind:filepath>\n<ind:pattern operation=\"pattern match\">",
            $pattern,
            "</ind:pattern>\n<ind:instance datatype=\"int\" operation=\"",
            $operation,
            "\">",
            $instance,
            "</ind:instance>"
        )
    };
}

/// Matches, instances and groups.
const ROWS: &[Row] = &[
    row("lines are matched one by one", ONLY, lines!("/f", "^two$"), "", "true"),
    row("an empty match is found twice", ONLY, lines!("/f", "^$"), "", "false"),
    row(
        "instance counts over all",
        ONLY,
        object!("", "^.+$", "equals", "2"),
        "<ind:text>two</ind:text>",
        "true",
    ),
    row("instance 0", "", object!("", "^.+$", "equals", "0"), "", "false"),
    row("instance not equal 0", ONLY, object!("", "^two$", "not equal", "0"), "", "true"),
    row("instance -1", ONLY, object!("", "^two$", "greater than or equal", "-1"), "", "true"),
    row("not multiline", "", object!(r#"multiline="false""#, "^two$", "equals", "1"), "", "false"),
    row("singleline", "", object!(r#"singleline="true""#, "one.two", "equals", "1"), "", "true"),
    row("not singleline", "", object!("", "one.two", "equals", "1"), "", "false"),
    row("ignore case", "", object!(r#"ignore_case="true""#, "^KEY=", "equals", "1"), "", "true"),
    row(
        "groups that took no part",
        "",
        lines!("/f", "^(?:(x)|Key)=(.),(.)$"),
        "<ind:subexpression entity_check=\"at least one\">a</ind:subexpression>",
        "true",
    ),
    row(
        "every group must be so",
        "",
        lines!("/f", "^Key=(.),(.)$"),
        "<ind:subexpression>a</ind:subexpression>",
        "false",
    ),
    row(
        "none of the groups",
        "",
        lines!("/f", "^Key=(.),(.)$"),
        "<ind:subexpression entity_check=\"none satisfy\">x</ind:subexpression>",
        "true",
    ),
    row(
        "the nineteenth group",
        "",
        lines!("/groups", "^(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)$"),
        "<ind:subexpression entity_check=\"at least one\">s</ind:subexpression>",
        "true",
    ),
    row(
        "the nineteenth of more groups",
        "",
        lines!("/groups", "^(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)$"),
        "<ind:subexpression entity_check=\"at least one\">s</ind:subexpression>",
        "true",
    ),
    row(
        "the twentieth group",
        "",
        lines!("/groups", "^(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)$"),
        "<ind:subexpression entity_check=\"at least one\">t</ind:subexpression>",
        "false",
    ),
    row("deeper than oscap goes", "", lines!("/bomb", "^(?:a|b)+$"), "", "error, ours true"),
    row("as deep as it goes", "", lines!("/short", "^(?:a|b)+$"), "", "true"),
    row("text ends at NUL", r#"check_existence="none_exist""#, lines!("/nul", "two"), "", "true"),
    row("before NUL", "", lines!("/nul", "one"), "", "true"),
    row("POSIX class", "", lines!("/f", "^[[:alpha:]]+$"), "", "true"),
    row("look ahead", ONLY, lines!("/f", "^(?!one|two|three|Key).+$"), "", "false"),
    row("a search goes on inside a character", "", lines!("/wide", "(?=é)"), "", "error"),
    row("a directory is no file", r#"check_existence="none_exist""#, lines!("/", "x"), "", "true"),
];

#[test]
fn matches_instances_and_groups() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "one\ntwo\n\nthree\nKey=a,b\n").unwrap();
    fs::write(tree.path().join("nul"), "one\n\0two\n").unwrap();
    fs::write(tree.path().join("wide"), "é\n").unwrap();
    fs::write(tree.path().join("groups"), "abcdefghijklmnopqrs\nabcdefghijklmnopqrst\n").unwrap();
    fs::write(tree.path().join("bomb"), "a".repeat(8000)).unwrap();
    fs::write(tree.path().join("short"), "a".repeat(800)).unwrap();
    Table { kind: "ind:textfilecontent54", rows: ROWS, parts: ["", "", ""] }.check(tree.path());
}
