//! Objects and tests by the schema they are from: kinds of one name in two families have nothing in common, and a test looks at no object but
//! one of its own kind.

use crate::bench::{Row, Table, row};
use std::fs;

const NONE: &str = r#"check_existence="none_exist""#;
const ANY: &str = r#"check_existence="any_exist""#;

/// Objects of families that have no probes, about files that are there and not there.
const FOREIGN: &[Row] = &[
    row("a file that is there", "", "<win:filepath>/f</win:filepath>", "", "unknown"),
    row("a file that is not", NONE, "<win:filepath>C:\\Windows\\bad.dll</win:filepath>", "", "unknown"),
    row("whatever there is", ANY, "<win:filepath>/f</win:filepath>", "", "true"),
    row(
        "whatever there is, in a state",
        ANY,
        "<win:filepath>/f</win:filepath>",
        "<win:filename>f</win:filename>",
        "unknown",
    ),
];

/// Tests of an object that is of another kind.
const OTHERS: &[Row] = &[
    row("there are some", "", "", "", "unknown"),
    row("there are none", NONE, "", "", "unknown"),
    row("whatever there is", ANY, "", "", "unknown"),
];

const FILES: &str = r#"<unix:file_object id="oval:x:obj:1" version="1">
<unix:filepath>/f</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:x:obj:2" version="1">
<unix:filepath>/none</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:x:obj:3" version="1">
<unix:filepath>/f</unix:filepath>
</unix:file_object>
"#;

#[test]
fn a_family_has_its_own_objects() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "x\n").unwrap();
    Table { kind: "win:file", rows: FOREIGN, parts: [""; 3] }.check(tree.path());
}

#[test]
fn a_test_has_an_object_of_its_own_kind() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "x\n").unwrap();
    for kind in ["ind:textfilecontent54", "unix:symlink", "win:file"] {
        Table { kind, rows: OTHERS, parts: [FILES, "", ""] }.check(tree.path());
    }
}
