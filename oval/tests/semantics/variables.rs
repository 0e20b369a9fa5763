//! Variables and functions.

use crate::bench::{Row, Table, row};
use std::fs;
use std::path::Path;

/// A variable object on a variable, and what its values should be.
macro_rules! value {
    ($name:literal, $test:literal, $variable:literal, $state:literal, $verdict:literal) => {
        row($name, $test, concat!("<ind:var_ref>oval:", $variable, ":var:1</ind:var_ref>"), $state, $verdict)
    };
}

const OBJECTS: &str = r#"<ind:textfilecontent54_object id="oval:numbers:obj:1" version="1">
<ind:filepath>/n</ind:filepath>
<ind:pattern operation="pattern match">^n=(\d+)$</ind:pattern>
<ind:instance datatype="int" operation="greater than or equal">1</ind:instance>
</ind:textfilecontent54_object>
<ind:textfilecontent54_object id="oval:nothing:obj:1" version="1">
<ind:filepath>/none</ind:filepath>
<ind:pattern operation="pattern match">^n=(\d+)$</ind:pattern>
<ind:instance datatype="int" operation="greater than or equal">1</ind:instance>
</ind:textfilecontent54_object>
<ind:textfilecontent54_object id="oval:groupless:obj:1" version="1">
<ind:filepath>/n</ind:filepath>
<ind:pattern operation="pattern match">^n=</ind:pattern>
<ind:instance datatype="int">1</ind:instance>
</ind:textfilecontent54_object>
"#;

macro_rules! local {
    ($name:literal, $datatype:literal, $component:literal) => {
        concat!(
            "<local_variable id=\"oval:",
            $name,
            ":var:1\" version=\"1\" comment=\"x\" datatype=\"",
            $datatype,
            "\">\n",
            $component,
            "\n</local_variable>\n"
        )
    };
}

fn variables() -> String {
    [
        "<constant_variable id=\"oval:two:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n<value>a</value>\n<value>b</value>\n</constant_variable>\n",
        "<external_variable id=\"oval:outside:var:1\" version=\"1\" comment=\"x\" datatype=\"string\"/>\n",
        local!("count", "int", "<count><object_component object_ref=\"oval:numbers:obj:1\" item_field=\"subexpression\"/></count>"),
        local!("unique", "int", "<count><unique><object_component object_ref=\"oval:numbers:obj:1\" item_field=\"subexpression\"/></unique></count>"),
        local!("countnothing", "int", "<count><object_component object_ref=\"oval:nothing:obj:1\" item_field=\"subexpression\"/></count>"),
        local!("repaired", "int", "<arithmetic arithmetic_operation=\"add\"><literal_component datatype=\"int\">0</literal_component><count><object_component object_ref=\"oval:nothing:obj:1\" item_field=\"subexpression\"/></count></arithmetic>"),
        local!("lacking", "string", "<object_component object_ref=\"oval:groupless:obj:1\" item_field=\"subexpression\"/>"),
        local!("nothing", "string", "<object_component object_ref=\"oval:nothing:obj:1\" item_field=\"subexpression\"/>"),
        local!("capture", "string", "<regex_capture pattern=\"x(.)\"><literal_component>abc</literal_component></regex_capture>"),
        local!("captured", "string", "<regex_capture pattern=\"b(.)\"><literal_component>abc</literal_component></regex_capture>"),
        local!("groups", "string", "<regex_capture pattern=\"(a)(b)\"><literal_component>abc</literal_component></regex_capture>"),
        local!("nogroup", "string", "<regex_capture pattern=\"b\"><literal_component>abc</literal_component></regex_capture>"),
        local!("emptygroup", "string", "<regex_capture pattern=\"(x)?b(c)\"><literal_component>abc</literal_component></regex_capture>"),
        local!("badcapture", "string", "<regex_capture pattern=\"(\"><literal_component>abc</literal_component></regex_capture>"),
        local!("uniquesum", "int", "<arithmetic arithmetic_operation=\"add\"><unique><literal_component datatype=\"int\">1</literal_component></unique><literal_component datatype=\"int\">2</literal_component></arithmetic>"),
        local!("sumunique", "int", "<arithmetic arithmetic_operation=\"add\"><literal_component datatype=\"int\">2</literal_component><unique><literal_component datatype=\"int\">1</literal_component></unique></arithmetic>"),
        local!("three", "string", "<concat><variable_component var_ref=\"oval:two:var:1\"/><literal_component>-</literal_component><variable_component var_ref=\"oval:two:var:1\"/></concat>"),
        local!("counted", "int", "<count><variable_component var_ref=\"oval:three:var:1\"/></count>"),
        local!("concatnothing", "string", "<concat><literal_component>x</literal_component><object_component object_ref=\"oval:nothing:obj:1\" item_field=\"subexpression\"/></concat>"),
        local!("concat", "string", "<concat><literal_component>x</literal_component><variable_component var_ref=\"oval:two:var:1\"/></concat>"),
        local!("split", "string", "<split delimiter=\",\"><literal_component>a,b,</literal_component></split>"),
        local!("sub", "string", "<substring substring_start=\"2\" substring_length=\"1\"><literal_component>755</literal_component></substring>"),
        local!("beyond", "string", "<substring substring_start=\"4\" substring_length=\"1\"><literal_component>755</literal_component></substring>"),
        local!("glob", "string", "<glob_to_regex><literal_component>/etc/*.d/?</literal_component></glob_to_regex>"),
        local!("escape", "string", "<escape_regex><literal_component>a.b/c-d</literal_component></escape_regex>"),
        local!("begin", "string", "<begin character=\"/\"><literal_component>etc</literal_component></begin>"),
        local!("end", "string", "<end character=\"/\"><literal_component>etc/</literal_component></end>"),
        local!("product", "int", "<arithmetic arithmetic_operation=\"multiply\"><literal_component datatype=\"int\">60</literal_component><literal_component datatype=\"int\">24</literal_component></arithmetic>"),
        local!("stringsum", "int", "<arithmetic arithmetic_operation=\"add\"><literal_component>1</literal_component><literal_component datatype=\"int\">2</literal_component></arithmetic>"),
        local!("sumstring", "int", "<arithmetic arithmetic_operation=\"add\"><literal_component datatype=\"int\">1</literal_component><literal_component>2</literal_component></arithmetic>"),
        local!("padded", "string", "<literal_component>09</literal_component>"),
        local!("paddedint", "int", "<literal_component>09</literal_component>"),
    ]
    .concat()
}

/// Components, functions and flags.
const VALUES: &[Row] = &[
    value!("a constant's values must all be so", "", "two", "<ind:value>a</ind:value>", "false"),
    value!(
        "one of a constant's values",
        "",
        "two",
        "<ind:value entity_check=\"at least one\">a</ind:value>",
        "true"
    ),
    value!("no external value", "", "outside", "<ind:value>a</ind:value>", "unknown"),
    value!("no external value, no state", r#"check_existence="all_exist""#, "outside", "", "true"),
    value!("count", "", "count", "<ind:value datatype=\"int\">3</ind:value>", "true"),
    value!("unique", "", "unique", "<ind:value datatype=\"int\">2</ind:value>", "true"),
    value!(
        "count of nothing is nothing",
        "",
        "countnothing",
        "<ind:value datatype=\"int\">0</ind:value>",
        "false"
    ),
    value!(
        "count of nothing, any_exist",
        r#"check_existence="any_exist""#,
        "countnothing",
        "<ind:value datatype=\"int\">5</ind:value>",
        "true"
    ),
    value!(
        "arithmetic makes it a number",
        "",
        "repaired",
        "<ind:value datatype=\"int\">0</ind:value>",
        "true"
    ),
    value!("an item without the field", "", "lacking", "<ind:value>a</ind:value>", "unknown"),
    value!("no items", "", "nothing", "<ind:value>a</ind:value>", "false"),
    value!("no match captures nothing", "", "capture", "<ind:value></ind:value>", "true"),
    value!("capture", "", "captured", "<ind:value>c</ind:value>", "true"),
    value!("only the first group is captured", "", "groups", "<ind:value>a</ind:value>", "true"),
    value!("a pattern without groups captures nothing", "", "nogroup", "<ind:value></ind:value>", "true"),
    value!("a group that took no part captures nothing", "", "emptygroup", "<ind:value></ind:value>", "true"),
    value!("a bad pattern captures nothing", "", "badcapture", "<ind:value></ind:value>", "unknown"),
    value!("what is unique is a text", "", "uniquesum", "<ind:value datatype=\"int\">3</ind:value>", "error"),
    value!(
        "added to a number it is one",
        "",
        "sumunique",
        "<ind:value datatype=\"int\">3</ind:value>",
        "true"
    ),
    value!("every combination is joined", "", "counted", "<ind:value datatype=\"int\">4</ind:value>", "true"),
    value!(
        "all combinations are joined",
        "",
        "three",
        "<ind:value operation=\"pattern match\">^[ab]-[ab]$</ind:value>",
        "true"
    ),
    value!("a concat with what does not exist", "", "concatnothing", "<ind:value>x</ind:value>", "false"),
    value!("concat", "", "concat", "<ind:value operation=\"pattern match\">^x[ab]$</ind:value>", "true"),
    value!(
        "split keeps the last",
        "",
        "split",
        "<ind:value entity_check=\"at least one\"></ind:value>",
        "true"
    ),
    value!("substring", "", "sub", "<ind:value>5</ind:value>", "true"),
    value!("substring beyond the end", "", "beyond", "<ind:value>5</ind:value>", "unknown"),
    value!("glob_to_regex", "", "glob", "<ind:value>^/etc/(?=[^.])[^/]*\\.d/[^./]$</ind:value>", "true"),
    value!("escape_regex", "", "escape", "<ind:value>a\\.b/c-d</ind:value>", "true"),
    value!("begin", "", "begin", "<ind:value>/etc</ind:value>", "true"),
    value!("end", "", "end", "<ind:value>etc/</ind:value>", "true"),
    value!("multiply", "", "product", "<ind:value datatype=\"int\">1440</ind:value>", "true"),
    value!("add to a string first", "", "stringsum", "<ind:value datatype=\"int\">3</ind:value>", "error"),
    value!("add a string", "", "sumstring", "<ind:value datatype=\"int\">3</ind:value>", "true"),
    value!(
        "a variable's values with its datatype, string",
        "",
        "padded",
        "<ind:value datatype=\"int\" var_ref=\"oval:nine:var:1\"/>",
        "false"
    ),
    value!(
        "a variable's values with its datatype, int",
        "",
        "paddedint",
        "<ind:value datatype=\"string\" var_ref=\"oval:nineint:var:1\"/>",
        "true"
    ),
    value!(
        "a state's variable without values",
        "",
        "two",
        "<ind:value var_ref=\"oval:outside:var:1\"/>",
        "error"
    ),
    value!(
        "var_check at least one",
        "",
        "captured",
        "<ind:value var_ref=\"oval:abc:var:1\" var_check=\"at least one\"/>",
        "true"
    ),
    value!("var_check all", "", "captured", "<ind:value var_ref=\"oval:abc:var:1\"/>", "false"),
    value!(
        "var_check only one",
        "",
        "captured",
        "<ind:value var_ref=\"oval:abc:var:1\" var_check=\"only one\"/>",
        "true"
    ),
    value!(
        "var_check none satisfy",
        "",
        "captured",
        "<ind:value var_ref=\"oval:abc:var:1\" var_check=\"none satisfy\"/>",
        "false"
    ),
];

#[test]
fn components_functions_and_flags() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("n"), "n=1\nn=2\nn=2\n").unwrap();
    let more = "<constant_variable id=\"oval:nine:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n<value>9</value>\n</constant_variable>\n\
                <constant_variable id=\"oval:nineint:var:1\" version=\"1\" comment=\"x\" datatype=\"int\">\n<value>9</value>\n</constant_variable>\n\
                <constant_variable id=\"oval:abc:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n<value>a</value>\n<value>b</value>\n<value>c</value>\n</constant_variable>\n";
    let variables = format!("{}{more}", variables());
    Table { kind: "ind:variable", rows: VALUES, parts: [OBJECTS, "", &variables] }.check(tree.path());
}

const TWO_PATHS: &str = "<constant_variable id=\"oval:paths:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n<value>/n</value>\n<value>/m</value>\n</constant_variable>\n\
                         <constant_variable id=\"oval:patterns:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n<value>^n=1$</value>\n<value>^n=2$</value>\n</constant_variable>\n\
                         <external_variable id=\"oval:outside:var:1\" version=\"1\" comment=\"x\" datatype=\"string\"/>\n";

macro_rules! asked {
    ($filepath:literal, $pattern:literal) => {
        concat!(
            $filepath,
            "\n",
            $pattern,
            "\n<ind:instance datatype=\"int\" operation=\"greater than or equal\">1</ind:instance>"
        )
    };
}

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;
const PATTERN_ALL: &str = asked!(
    "<ind:filepath var_ref=\"oval:paths:var:1\"/>",
    "<ind:pattern operation=\"pattern match\">^n=1$</ind:pattern>"
);
const PATTERN_ONE: &str = asked!(
    "<ind:filepath var_ref=\"oval:paths:var:1\" var_check=\"at least one\"/>",
    "<ind:pattern operation=\"pattern match\">^n=1$</ind:pattern>"
);
const UNION: &str = asked!(
    "<ind:filepath>/n</ind:filepath>",
    "<ind:pattern operation=\"pattern match\" var_ref=\"oval:patterns:var:1\"/>"
);
const NOTHING: &str = asked!(
    "<ind:filepath var_ref=\"oval:outside:var:1\"/>",
    "<ind:pattern operation=\"pattern match\">x</ind:pattern>"
);

/// Variables that objects refer to.
const ASKED: &[Row] = &[
    row("a path that is all of two", NONE, PATTERN_ALL, "", "true"),
    row("a path that is one of two", ONLY, PATTERN_ONE, "", "false"),
    row("a path that is one of two, some", "", PATTERN_ONE, "", "true"),
    row("patterns are taken one by one", ONLY, UNION, "", "false"),
    row("a variable without values means nothing", NONE, NOTHING, "", "true"),
    row("a variable without values, default existence", "", NOTHING, "", "false"),
    row(
        "any_exist of nothing does not look at the state",
        r#"check_existence="any_exist""#,
        NOTHING,
        "<ind:text var_ref=\"oval:outside:var:1\"/>",
        "true",
    ),
];

#[test]
fn variables_of_objects() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("n"), "n=1\nn=2\nn=2\n").unwrap();
    fs::write(tree.path().join("m"), "n=1\n").unwrap();
    Table { kind: "ind:textfilecontent54", rows: ASKED, parts: ["", "", TWO_PATHS] }.check(tree.path());
}

const BOTH: &str = asked!(
    "<ind:filepath var_ref=\"oval:paths:var:1\" var_check=\"at least one\"/>",
    "<ind:pattern operation=\"pattern match\" var_ref=\"oval:patterns:var:1\"/>"
);

/// Objects with two variables: `/n` has `n=1` and twice `n=2`, `/m` has `n=1`.
const COMBINED: &[Row] = &[
    row(
        "each file with each pattern",
        r#"check="only one""#,
        BOTH,
        "<ind:filepath>/m</ind:filepath>",
        "true",
    ),
    row("one match in both", "", BOTH, "<ind:text operation=\"pattern match\">^n=[12]$</ind:text>", "true"),
    row(
        "instances are counted for each",
        r#"check="only one""#,
        BOTH,
        "<ind:instance datatype=\"int\">2</ind:instance>",
        "true",
    ),
];

#[test]
fn two_variables_of_an_object() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("n"), "n=1\nn=2\nn=2\n").unwrap();
    fs::write(tree.path().join("m"), "n=1\n").unwrap();
    Table { kind: "ind:textfilecontent54", rows: COMBINED, parts: ["", "", TWO_PATHS] }.check(tree.path());
}

const ONE: &str = "var_check=\"at least one\"";

/// An entity whose values are those of the variable `oval:two:var:1`.
fn of_two(entity: &str, check: &str, more: &str) -> &'static str {
    format!("<{entity} var_ref=\"oval:two:var:1\" {check}/>\n{more}").leak()
}

/// Evaluates rows whose variable has two values.
fn check_two(kind: &str, values: [&str; 2], rows: &[Row], tree: &Path) {
    let values = values.map(|value| format!("<value>{value}</value>\n")).concat();
    let variable = format!(
        "<constant_variable id=\"oval:two:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n{values}</constant_variable>\n"
    );
    Table { kind, rows, parts: ["", "", &variable] }.check(tree);
}

#[test]
fn accounts_of_a_variable() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir(tree.path().join("etc")).unwrap();
    fs::write(tree.path().join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\na:x:1:1:a:/:/bin/sh\n")
        .unwrap();
    let none_of = of_two("unix:username", "var_check=\"none satisfy\"", "");
    let rows = [
        row("all of two", NONE, of_two("unix:username", "", ""), "", "true"),
        row("one of two", ONLY, of_two("unix:username", ONE, ""), "", "true"),
        row("none of two", ONLY, none_of, "<unix:username>a</unix:username>", "true"),
    ];
    check_two("unix:password", ["root", "zz"], &rows, tree.path());
}

#[test]
fn mounts_settings_and_sockets_of_a_variable() {
    let here = Path::new("/");
    let point = |check| of_two("linux:mount_point", check, "");
    // They are taken one by one, whatever the check.
    let rows =
        [row("all of two", ONLY, point(""), "", "true"), row("one of two", ONLY, point(ONE), "", "true")];
    check_two("linux:partition", ["/none", "/proc"], &rows, here);
    let name = |check| of_two("unix:name", check, "");
    let rows =
        [row("all of two", NONE, name(""), "", "true"), row("one of two", ONLY, name(ONE), "", "true")];
    check_two("unix:sysctl", ["kernel.none", "kernel.ostype"], &rows, here);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!(
        "<linux:local_address>127.0.0.1</linux:local_address>\n<linux:local_port datatype=\"int\">{}</linux:local_port>",
        socket.local_addr().unwrap().port()
    );
    let protocol = |check| of_two("linux:protocol", check, &port);
    let rows = [
        row("all of two", NONE, protocol(""), "", "true"),
        row("one of two", ONLY, protocol(ONE), "", "true"),
    ];
    check_two("linux:inetlisteningservers", ["udp", "tcp"], &rows, here);
}
