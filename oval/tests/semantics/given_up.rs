//! Probes that give up: the test counts for nothing then, whatever it wants to exist.

use crate::bench::{Table, row};
use std::path::Path;

#[test]
fn mounts_by_patterns_that_are_none() {
    let by = |values: &str| -> String {
        let values: String = values.split(' ').map(|value| format!("<value>{value}</value>\n")).collect();
        format!(
            "<constant_variable id=\"oval:x:var:1\" version=\"1\" datatype=\"string\" comment=\"x\">\n{values}</constant_variable>\n"
        )
    };
    let object = "<linux:mount_point operation=\"pattern match\" var_ref=\"oval:x:var:1\" var_check=\"at least one\"/>";
    for (values, exist, none) in [
        ("^/$", "true", "false"),
        ("(", "unknown", "unknown"),
        ("^/$ (", "unknown", "unknown"),
        ("( ^/$", "unknown", "unknown"),
    ] {
        let rows = [
            row("there are some", "", object, "", exist),
            row("there are none", "check_existence=\"none_exist\"", object, "", none),
            row("whatever there is", "check_existence=\"any_exist\"", object, "", exist),
        ];
        let variables = by(values);
        Table { kind: "linux:partition", rows: &rows, parts: ["", "", &variables] }.check(Path::new("/"));
    }
}
