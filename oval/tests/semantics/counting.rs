//! How many items exist, and how many are in a state or in several.

use crate::bench::{Asking, Row, Table, row, word};
use crate::lines;
use std::fs;
use std::os::unix::fs::symlink;

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

/// Items by letter (true, false, error, unknown or not evaluated when compared with the state), and what comes of them by "all",
/// "at least one", "none satisfy" and "only one".
const CHECKS: [(&str, &str); 22] = [
    ("T", "TTFT"),
    ("F", "FFTF"),
    ("E", "EEEE"),
    ("U", "UUUU"),
    ("N", "NNNN"),
    ("TT", "TTFF"),
    ("TF", "FTFT"),
    ("TE", "ETFE"),
    ("TU", "UTFU"),
    ("TN", "NTFN"),
    ("FF", "FFTF"),
    ("FE", "FEEE"),
    ("FU", "FEUU"),
    ("FN", "FENN"),
    ("EU", "EEEE"),
    ("EN", "EEEE"),
    ("UN", "UUUU"),
    ("TTE", "ETFF"),
    ("TFE", "FTFE"),
    ("TFU", "FTFU"),
    ("FEU", "FEEE"),
    ("FUN", "FEUU"),
];

/// A part of a state that nobody evaluates, whatever is found.
const NEVER: &str = "<ind:text datatype=\"ios_version\">1</ind:text>";

#[test]
fn items_become_one_by_the_check() {
    let (mut file, mut rows) = (String::new(), Vec::new());
    for (n, (letters, verdicts)) in CHECKS.iter().enumerate() {
        // What is false is not evaluated when a part that nobody evaluates would do too, what is true when that must be so as well.
        let (never, one_of) = (letters.contains('N'), !letters.contains('F'));
        for (place, letter) in letters.chars().enumerate() {
            let found = match letter {
                'T' => "1",
                'F' => "2",
                'N' if one_of => "2",
                'N' => "1",
                'E' => "x",
                _ => "-",
            };
            file += &format!("row{n}:{place}:{found}\n");
        }
        let state = match (never, one_of) {
            (false, _) => "oval:plain:ste:1",
            (true, true) => "oval:or:ste:1",
            (true, false) => "oval:and:ste:1",
        };
        let object = format!(
            "<ind:filepath>/f</ind:filepath>\n<ind:pattern operation=\"pattern match\">^row{n}:.:(?:([12x])|-)$</ind:pattern>\n\
             <ind:instance datatype=\"int\" operation=\"greater than or equal\">1</ind:instance>"
        );
        let object: &'static str = object.leak();
        let checks = ["all", "at least one", "none satisfy", "only one"];
        for (check, verdict) in checks.into_iter().zip(verdicts.chars()) {
            let name = format!("{check} of {letters}").leak();
            rows.push(row(name, format!("check=\"{check}\"").leak(), object, state, word(verdict)));
        }
    }
    let state = |id: &str, operator: &str, more: &str| {
        format!(
            "<ind:textfilecontent54_state id=\"oval:{id}:ste:1\" version=\"1\" operator=\"{operator}\">\n{more}\n\
             <ind:subexpression datatype=\"int\">1</ind:subexpression>\n</ind:textfilecontent54_state>\n"
        )
    };
    let states = [state("plain", "AND", ""), state("and", "AND", NEVER), state("or", "OR", NEVER)].concat();
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), file).unwrap();
    Table { kind: "ind:textfilecontent54", rows: &rows, parts: ["", &states, ""] }.check(tree.path());
}

/// A test with two states, `a=1` and `a=2` being found.
macro_rules! states {
    ($name:literal, $test:literal, $pattern:literal, $states:literal, $verdict:literal) => {
        row($name, $test, lines!("/two", $pattern), $states, $verdict)
    };
}

const STATES: &[Row] = &[
    states!("both states", "", "^a=(.)$", "oval:one:ste:1 oval:small:ste:1", "false"),
    states!(
        "both states, said so",
        r#"state_operator="AND""#,
        "^a=(1)$",
        "oval:one:ste:1 oval:small:ste:1",
        "true"
    ),
    states!("either state", r#"state_operator="OR""#, "^a=(.)$", "oval:one:ste:1 oval:two:ste:1", "true"),
    states!("neither state", r#"state_operator="OR""#, "^a=(.)$", "oval:three:ste:1 oval:one:ste:1", "false"),
    states!(
        "one of the states",
        r#"state_operator="ONE""#,
        "^a=(.)$",
        "oval:one:ste:1 oval:two:ste:1",
        "true"
    ),
    states!(
        "one of the states, both are",
        r#"state_operator="ONE""#,
        "^a=(1)$",
        "oval:one:ste:1 oval:small:ste:1",
        "false"
    ),
    states!(
        "an odd number of states",
        r#"state_operator="XOR""#,
        "^a=(.)$",
        "oval:one:ste:1 oval:two:ste:1",
        "true"
    ),
    states!(
        "an even number of states",
        r#"state_operator="XOR""#,
        "^a=(1)$",
        "oval:one:ste:1 oval:small:ste:1",
        "false"
    ),
    states!(
        "three states",
        r#"state_operator="OR""#,
        "^a=(.)$",
        "oval:three:ste:1 oval:two:ste:1 oval:one:ste:1",
        "true"
    ),
    states!("a state of what is not there", "", "^a=.$", "oval:one:ste:1 oval:two:ste:1", "unknown"),
    states!("or one of what is", r#"state_operator="OR""#, "^a=.$", "oval:one:ste:1 oval:line:ste:1", "true"),
    states!(
        "one state and its contrary, of some items",
        r#"check="at least one""#,
        "^a=(.)$",
        "oval:one:ste:1 oval:two:ste:1",
        "false"
    ),
    states!("a state that is either", "", "^a=(.)$", "oval:either:ste:1", "true"),
    states!("a state that is either of nothing", "", "^a=.$", "oval:either:ste:1", "unknown"),
    states!("a state that is one of two", "", "^a=(.)$", "oval:exactly:ste:1", "false"),
    states!("a state that is an odd number of two", "", "^a=(2)$", "oval:odd:ste:1", "true"),
    states!("a state that wants nothing", "", "^a=(.)$", "oval:empty:ste:1", "unknown"),
    states!("a number that a text must not be less than", "", "^a=(.)$", "oval:least:ste:1", "error"),
    states!("a number that a number must not be less than", "", "^a=(.)$", "oval:leastint:ste:1", "true"),
];

fn text_state(id: &str, operator: &str, entities: &[(&str, &str)]) -> String {
    let entity = |(attributes, wanted): &(&str, &str)| {
        format!("<ind:subexpression {attributes}>{wanted}</ind:subexpression>\n")
    };
    let entities: String = entities.iter().map(entity).collect();
    format!(
        "<ind:textfilecontent54_state id=\"oval:{id}:ste:1\" version=\"1\" operator=\"{operator}\">\n{entities}</ind:textfilecontent54_state>\n"
    )
}

#[test]
fn several_states_and_operators_inside_one() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("two"), "a=1\na=2\n").unwrap();
    let small = (r#"datatype="int" operation="less than""#, "2");
    let states = [
        text_state("one", "AND", &[("", "1")]),
        text_state("two", "AND", &[("", "2")]),
        text_state("three", "AND", &[("", "3")]),
        text_state("small", "AND", &[small]),
        text_state("either", "OR", &[("", "1"), ("", "2")]),
        text_state("exactly", "ONE", &[("", "1"), small]),
        text_state("odd", "XOR", &[("", "2"), small]),
        text_state("empty", "AND", &[]),
        text_state("least", "AND", &[(r#"datatype="int" operation="greater than or equal" var_ref="oval:text:var:1""#, "")]),
        text_state("leastint", "AND", &[(r#"operation="greater than or equal" var_ref="oval:int:var:1""#, "")]),
        "<ind:textfilecontent54_state id=\"oval:line:ste:1\" version=\"1\">\n<ind:text operation=\"pattern match\">^a=</ind:text>\n\
         </ind:textfilecontent54_state>\n".to_owned(),
    ]
    .concat();
    let variable = |id: &str, datatype: &str| {
        format!(
            "<constant_variable id=\"oval:{id}:var:1\" version=\"1\" comment=\"x\" datatype=\"{datatype}\">\n<value>1</value>\n</constant_variable>\n"
        )
    };
    let variables = [variable("text", "string"), variable("int", "int")].concat();
    Table { kind: "ind:textfilecontent54", rows: STATES, parts: ["", &states, &variables] }
        .check(tree.path());
}

macro_rules! many {
    ($name:literal, $test:literal, $state:literal, $verdict:literal) => {
        row(
            $name,
            $test,
            "<set set_operator=\"UNION\">\n<object_reference>oval:many:obj:1</object_reference>\n</set>",
            $state,
            $verdict,
        )
    };
}

/// An object that is not complete: there may be more items than were found.
const INCOMPLETE: &[Row] = &[
    many!("any", r#"check_existence="any_exist""#, "", "true"),
    many!("at least one", "", "", "true"),
    many!("all", r#"check_existence="all_exist""#, "", "unknown"),
    many!("none", r#"check_existence="none_exist""#, "", "false"),
    many!("only one", r#"check_existence="only_one_exists""#, "", "false"),
    many!("those that are there are so", "", "oval:one:ste:1", "unknown"),
    many!("those that are there are not", "", "oval:two:ste:1", "false"),
    many!("one is so", r#"check="at least one""#, "oval:one:ste:1", "true"),
    many!("none that is there is so", r#"check="none satisfy""#, "oval:two:ste:1", "unknown"),
    many!("none should be so", r#"check="none satisfy""#, "oval:one:ste:1", "false"),
    many!("any, and those are so", r#"check_existence="any_exist""#, "oval:one:ste:1", "unknown"),
    many!("none, and a state", r#"check_existence="none_exist""#, "oval:one:ste:1", "false"),
];

#[test]
fn objects_that_are_not_complete() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    fs::create_dir(at("a")).unwrap();
    let files =
        |from: usize| (from..from + 500).for_each(|n| fs::write(at(&format!("a/{n}f")), "x\n").unwrap());
    files(0);
    // Directories that lead to one another: more paths than anybody can walk. Files come before them, whatever the order of the disk.
    for one in 0..10 {
        fs::create_dir_all(at(&format!("a/x/{one}"))).unwrap();
        for other in (0..10).filter(|other| *other != one) {
            symlink(format!("../{other}"), at(&format!("a/x/{one}/{other}"))).unwrap();
        }
    }
    files(500);
    // oscap walks them until it has a thousand items, and on while there is memory for them.
    let many = tempfile::tempdir().unwrap();
    fs::create_dir(many.path().join("a")).unwrap();
    for n in 0..3000 {
        fs::write(many.path().join(format!("a/{n}f")), "x\n").unwrap();
    }
    let object = "<unix:file_object id=\"oval:many:obj:1\" version=\"1\">\n\
                  <unix:filepath operation=\"pattern match\">^/a/.*f$</unix:filepath>\n</unix:file_object>\n";
    let state = |id: &str, name: &str| {
        format!(
            "<unix:file_state id=\"oval:{id}:ste:1\" version=\"1\">\n\
             <unix:filename operation=\"pattern match\">{name}</unix:filename>\n</unix:file_state>\n"
        )
    };
    let states = [state("one", "f$"), state("two", "g$")].concat();
    let table = Table { kind: "unix:file", rows: INCOMPLETE, parts: [object, &states, ""] };
    let environment = &[("OSCAP_PROBE_MEMORY_USAGE_RATIO", "0.000001")];
    let how = Asking { environment, below: Some(many.path()), ..Asking::default() };
    table.check_asking("5.11", tree.path(), &how);
}
