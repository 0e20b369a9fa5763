//! Variables and functions.

use crate::bench::{Row, Table, row};
use std::fs;

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
