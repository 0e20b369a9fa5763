//! What paths select in YAML files, and how records compare.

use crate::bench::{Row, Table, row};
use std::fs;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;
const ANY: &str = r#"check_existence="any_exist""#;

const PLAIN: &str = "kind: List
Enabled: true
count: 0x10
octal: 0o17
old: 017
ratio: 1.50
none: ~
empty:
text: \"true\"
yes: yes
tagged: !!str 12
wrong: !!int x
own: !mine 12
bang: ! 12
large: 4294967297
list: [a, b, c]
'odd.key': dotted
nested:
  deep: [1, 2]
  more: {x: 1, y: [2, 3], x^: 4}
items:
- name: one
  fooBar: 1
- name: two
  fooBar: 2
mixed: [{a: 1}, 2]
matrix: [[1, 2], [3, 4]]
three: [[[1]]]
anchored: &here
  x: 9
alias: *here
out: {a: *here, b: 1}
lines: |
  one
  two
";

/// A value of a record: the fields that it should have.
macro_rules! record {
    ($($attributes:literal, $wanted:literal),*) => {
        concat!("<ind:value datatype=\"record\">\n", $("<field ", $attributes, ">", $wanted, "</field>\n",)* "</ind:value>")
    };
}

macro_rules! yaml {
    ($name:literal, $test:expr, $file:literal, $path:literal, $state:expr, $verdict:literal) => {
        row(
            $name,
            $test,
            concat!("<ind:filepath>/", $file, "</ind:filepath>\n<ind:yamlpath>", $path, "</ind:yamlpath>"),
            $state,
            $verdict,
        )
    };
    ($path:literal, $wanted:literal, $verdict:literal) => {
        yaml!($path, ONLY, "plain.yaml", $path, record!("name=\"#\"", $wanted), $verdict)
    };
}

/// Scalars, and what they are as text.
const SCALARS: &[Row] = &[
    yaml!(".kind", "List", "true"),
    yaml!("$.kind", "List", "true"),
    yaml!("kind", "List", "true"),
    yaml!("['kind']", "List", "true"),
    yaml!(".Enabled", "true", "true"),
    yaml!(".count", "16", "true"),
    yaml!(".octal", "15", "true"),
    yaml!(".old", "17", "true"),
    yaml!(".ratio", "1.500000", "true"),
    yaml!(".none", "(null)", "true"),
    yaml!(".empty", "(null)", "true"),
    yaml!(".text", "true", "true"),
    yaml!(".yes", "yes", "true"),
    yaml!(".tagged", "12", "true"),
    yaml!(".wrong", "x", "error"),
    yaml!(".own", "12", "true"),
    yaml!(".bang", "12", "true"),
    yaml!(".large", "1", "true"),
    yaml!("['odd.key']", "dotted", "true"),
    yaml!(".list[0]", "a", "true"),
    yaml!(".list[2]", "c", "true"),
    yaml!(".list[]", "a", "true"),
    yaml!(".nested.more.y[1]", "3", "true"),
    yaml!(".items[1].name", "two", "true"),
    yaml!(".items[1]['fooBar']", "2", "true"),
    yaml!("&amp;here.x", "9", "true"),
    yaml!("$kind", "x", "error"),
];

/// What is selected of structures, and what is not there.
const STRUCTURES: &[Row] = &[
    yaml!("no such key", NONE, "plain.yaml", ".nothing", "", "true"),
    yaml!("no such entry", NONE, "plain.yaml", ".list[9]", "", "true"),
    yaml!("a key of a sequence", NONE, "plain.yaml", ".list.a", "", "true"),
    yaml!("an entry of a mapping", NONE, "plain.yaml", ".nested[0]", "", "true"),
    yaml!("no file", NONE, "none.yaml", ".kind", "", "true"),
    yaml!("a path of nothing", NONE, "plain.yaml", "", "", "error"),
    yaml!("a bad path", NONE, "plain.yaml", ".a[", "", "error"),
    yaml!("a bad path, no file", NONE, "none.yaml", ".a[", "", "true"),
    yaml!("a bad file", NONE, "bad.yaml", ".a", "", "error"),
    yaml!("a bad file, any", ANY, "bad.yaml", ".a", "", "true"),
    yaml!("what is before the fault", NONE, "late.yaml", ".a", "", "error"),
    yaml!("not UTF-8", NONE, "latin.yaml", ".a", "", "error"),
    yaml!("an empty file", NONE, "empty.yaml", ".a", "", "true"),
    yaml!("all of an empty file", NONE, "empty.yaml", "$", "", "true"),
    yaml!("a document that is a scalar", ONLY, "scalar.yaml", "$", record!("name=\"#\"", "word"), "true"),
    yaml!("a document that is a sequence", ONLY, "sequence.yaml", "[1]", record!("name=\"#\"", "b"), "true"),
    yaml!("JSON", ONLY, "plain.json", ".a.b[0]", record!("name=\"#\"", "1"), "true"),
    yaml!(
        "several documents",
        ONLY,
        "several.yaml",
        ".a",
        record!("name=\"#\" entity_check=\"at least one\"", "2"),
        "true"
    ),
    yaml!("undefined aliases", ONLY, "undefined.yaml", ".b", record!("name=\"#\"", "1"), "true"),
    yaml!("an alias has no value", NONE, "plain.yaml", ".alias", "", "true"),
    yaml!("nor is it followed", NONE, "plain.yaml", ".alias.x", "", "true"),
    yaml!(
        "a mapping with an alias is out of step",
        "",
        "plain.yaml",
        ".out",
        record!("name=\"a\"", "b"),
        "true"
    ),
    yaml!("a sequence of scalars", ONLY, "plain.yaml", ".list", record!("name=\"#\"", "a"), "false"),
    yaml!(
        "one of them",
        ONLY,
        "plain.yaml",
        ".list",
        record!("name=\"#\" entity_check=\"at least one\"", "b"),
        "true"
    ),
    yaml!(
        "all of them by a pattern",
        ONLY,
        "plain.yaml",
        ".list[:]",
        record!("name=\"#\" operation=\"pattern match\"", "^[abc]$"),
        "true"
    ),
    yaml!(
        "some of them",
        ONLY,
        "plain.yaml",
        ".list[0,2]",
        record!("name=\"#\" operation=\"pattern match\"", "^[ac]$"),
        "true"
    ),
    yaml!(
        "a mapping",
        ONLY,
        "plain.yaml",
        ".items[0]",
        record!("name=\"name\"", "one", "name=\"foo^bar\" datatype=\"int\"", "1"),
        "true"
    ),
    yaml!(
        "a field that the mapping has not",
        ONLY,
        "plain.yaml",
        ".items[0]",
        record!("name=\"name\"", "one", "name=\"none\"", "1"),
        "error"
    ),
    yaml!(
        "or with one that is not so",
        ONLY,
        "plain.yaml",
        ".items[0]",
        record!("name=\"name\"", "two", "name=\"none\"", "1"),
        "false"
    ),
    yaml!(
        "a letter in the name",
        ONLY,
        "plain.yaml",
        ".nested.more['x^']",
        record!("name=\"#\"", "4"),
        "true"
    ),
    yaml!("all keys", ONLY, "plain.yaml", ".items[0].*", record!("name=\"name\"", "one"), "true"),
    yaml!(
        "all keys, said otherwise",
        ONLY,
        "plain.yaml",
        ".items[0][*]",
        record!("name=\"foo^bar\"", "1"),
        "true"
    ),
    yaml!(
        "some keys",
        ONLY,
        "plain.yaml",
        ".items[1]['name','fooBar']",
        record!("name=\"name\"", "two"),
        "true"
    ),
    yaml!(
        "a key of all",
        ONLY,
        "plain.yaml",
        ".items[:].name",
        record!("name=\"#\" operation=\"pattern match\"", "^(one|two)$"),
        "true"
    ),
    yaml!(
        "keys of all",
        ONLY,
        "plain.yaml",
        ".items[:]['name']",
        record!("name=\"#\" entity_check=\"at least one\"", "two"),
        "true"
    ),
    yaml!("mappings of a sequence", ONLY, "plain.yaml", ".items", record!("name=\"name\"", "one"), "false"),
    yaml!(
        "mappings of a sequence by a pattern",
        ONLY,
        "plain.yaml",
        ".items[:]",
        record!("name=\"name\" operation=\"pattern match\"", "^(one|two)$"),
        "true"
    ),
    yaml!(
        "a mapping with a sequence",
        ONLY,
        "plain.yaml",
        ".nested",
        record!("name=\"deep\" entity_check=\"at least one\" datatype=\"int\"", "2"),
        "error"
    ),
    yaml!(
        "a mapping with a sequence alone",
        ONLY,
        "plain.yaml",
        ".nested.more",
        record!("name=\"y\" entity_check=\"at least one\" datatype=\"int\"", "3"),
        "true"
    ),
    yaml!("a scalar behind a mapping", ONLY, "plain.yaml", ".mixed", record!("name=\"a\"", "2"), "false"),
    yaml!(
        "sequences of a sequence",
        ONLY,
        "plain.yaml",
        ".matrix",
        record!("name=\"#\" entity_check=\"at least one\"", "3"),
        "false"
    ),
    yaml!(
        "sequences of a sequence by a pattern",
        ONLY,
        "plain.yaml",
        ".matrix",
        record!("name=\"#\" operation=\"pattern match\"", "^[1-4]$"),
        "true"
    ),
    yaml!(
        "an entry of each",
        ONLY,
        "plain.yaml",
        ".matrix[:][0]",
        record!("name=\"#\" operation=\"pattern match\"", "^[13]$"),
        "true"
    ),
    yaml!("sequences too deep", ONLY, "plain.yaml", ".three", "", "error"),
    yaml!("all of a document", ONLY, "plain.yaml", "$", "", "error"),
    yaml!(
        "a text of lines",
        ONLY,
        "plain.yaml",
        ".lines",
        record!("name=\"#\" operation=\"pattern match\"", "^one$"),
        "false"
    ),
];

/// How records compare.
const RECORDS: &[Row] = &[
    yaml!(
        "as an int",
        ONLY,
        "plain.yaml",
        ".count",
        record!("name=\"#\" datatype=\"int\" operation=\"less than\"", "17"),
        "true"
    ),
    yaml!(
        "as a boolean",
        ONLY,
        "plain.yaml",
        ".Enabled",
        record!("name=\"#\" datatype=\"boolean\"", "true"),
        "true"
    ),
    yaml!("no number", ONLY, "plain.yaml", ".kind", record!("name=\"#\" datatype=\"int\"", "1"), "error"),
    yaml!(
        "a bad pattern",
        ONLY,
        "plain.yaml",
        ".kind",
        record!("name=\"#\" operation=\"pattern match\"", "("),
        "error"
    ),
    yaml!(
        "by a variable",
        ONLY,
        "plain.yaml",
        ".kind",
        record!("name=\"#\" var_ref=\"oval:kinds:var:1\" var_check=\"at least one\"", ""),
        "true"
    ),
    yaml!(
        "by all of a variable",
        ONLY,
        "plain.yaml",
        ".kind",
        record!("name=\"#\" var_ref=\"oval:kinds:var:1\"", ""),
        "false"
    ),
    yaml!(
        "another operation",
        ONLY,
        "plain.yaml",
        ".kind",
        "<ind:value datatype=\"record\" operation=\"not equal\">\n<field name=\"#\">x</field>\n</ind:value>",
        "error"
    ),
    yaml!(
        "no fields are wanted",
        ONLY,
        "plain.yaml",
        ".kind",
        "<ind:value datatype=\"record\"></ind:value>",
        "unknown"
    ),
    yaml!(
        "one of the records",
        ONLY,
        "plain.yaml",
        ".items[:]",
        "<ind:value datatype=\"record\" entity_check=\"at least one\">\n<field name=\"name\">two</field>\n</ind:value>",
        "true"
    ),
    yaml!(
        "none of the records",
        ONLY,
        "plain.yaml",
        ".items[:]",
        "<ind:value datatype=\"record\" entity_check=\"none satisfy\">\n<field name=\"name\">three</field>\n</ind:value>",
        "true"
    ),
    yaml!("the path", ONLY, "plain.yaml", ".kind", "<ind:yamlpath>.kind</ind:yamlpath>", "true"),
    yaml!("the file", ONLY, "plain.yaml", ".kind", "<ind:filename>plain.yaml</ind:filename>", "true"),
    row(
        "a text in the content",
        ONLY,
        "<ind:content>a: [1, x]</ind:content>\n<ind:yamlpath>.a[0]</ind:yamlpath>",
        record!("name=\"#\" datatype=\"int\"", "1"),
        "true",
    ),
    row(
        "a bad text in the content",
        NONE,
        "<ind:content>a: [1</ind:content>\n<ind:yamlpath>.a</ind:yamlpath>",
        "",
        "error",
    ),
    row(
        "files of a directory",
        ONLY,
        "<ind:path>/</ind:path>\n<ind:filename operation=\"pattern match\">^plain</ind:filename>\n<ind:yamlpath>.kind</ind:yamlpath>",
        "",
        "true",
    ),
    row(
        "paths of a variable",
        r#"check="only one""#,
        "<ind:filepath>/plain.yaml</ind:filepath>\n<ind:yamlpath var_ref=\"oval:paths:var:1\" var_check=\"at least one\"/>",
        record!("name=\"#\"", "List"),
        "true",
    ),
    row(
        "a record's field filtered",
        ONLY,
        "<ind:filepath>/plain.yaml</ind:filepath>\n<ind:yamlpath>.kind</ind:yamlpath>\n<filter action=\"exclude\">oval:list:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "the same that keeps",
        ONLY,
        "<ind:filepath>/plain.yaml</ind:filepath>\n<ind:yamlpath>.kind</ind:yamlpath>\n<filter action=\"include\">oval:list:ste:1</filter>",
        "",
        "true",
    ),
];

const FILES: [(&str, &str); 10] = [
    ("plain.yaml", PLAIN),
    ("plain.json", "{\"a\": {\"b\": [1, \"x\"]}}\n"),
    ("bad.yaml", "a: [1\n"),
    ("late.yaml", "a: 1\n---\nb: [\n"),
    ("empty.yaml", ""),
    ("scalar.yaml", "word\n"),
    ("sequence.yaml", "- a\n- b\n"),
    ("several.yaml", "a: 1\n---\na: 2\n"),
    ("undefined.yaml", "a: *nowhere\nb: 1\n"),
    ("keys.yaml", "? [a, b]\n: 1\n? *x\n: 2\n"),
];

#[test]
fn paths_and_records() {
    let tree = tempfile::tempdir().unwrap();
    for (name, content) in FILES {
        fs::write(tree.path().join(name), content).unwrap();
    }
    fs::write(tree.path().join("latin.yaml"), b"a: \xe9\n").unwrap();
    let check = |rows| {
        let state = "<ind:yamlfilecontent_state id=\"oval:list:ste:1\" version=\"1\">\n<ind:value datatype=\"record\">\n\
                     <field name=\"#\">List</field>\n</ind:value>\n</ind:yamlfilecontent_state>\n";
        let variables = "<constant_variable id=\"oval:kinds:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n\
                         <value>Map</value>\n<value>List</value>\n</constant_variable>\n\
                         <constant_variable id=\"oval:paths:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n\
                         <value>.kind</value>\n<value>.text</value>\n</constant_variable>\n";
        Table { kind: "ind:yamlfilecontent", rows, parts: ["", state, variables] }
            .check_as("5.11.3", tree.path());
    };
    check(SCALARS);
    check(STRUCTURES);
    check(RECORDS);
    // oscap reads what is not there.
    check(&[yaml!("a key that is a sequence", NONE, "keys.yaml", ".a", "", "ends, ours error")]);
}

/// Fields of records as values of variables.
#[test]
fn fields_of_records_in_variables() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("plain.yaml"), PLAIN).unwrap();
    let object = |id: &str, path: &str| {
        format!(
            "<ind:yamlfilecontent_object id=\"oval:{id}:obj:1\" version=\"1\">\n<ind:filepath>/plain.yaml</ind:filepath>\n\
             <ind:yamlpath>{path}</ind:yamlpath>\n</ind:yamlfilecontent_object>\n"
        )
    };
    let variable = |id: &str, of: &str, field: &str| {
        format!(
            "<local_variable id=\"oval:{id}:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n\
             <object_component object_ref=\"oval:{of}:obj:1\" item_field=\"value\" {field}/>\n</local_variable>\n"
        )
    };
    let objects = [object("list", ".list"), object("items", ".items[:]"), object("none", ".x")].concat();
    let variables = [
        variable("list", "list", "record_field=\"#\""),
        variable("names", "items", "record_field=\"name\""),
        variable("lacking", "items", "record_field=\"x\""),
        variable("whole", "items", ""),
        variable("none", "none", "record_field=\"#\""),
        "<local_variable id=\"oval:norecord:var:1\" version=\"1\" comment=\"x\" datatype=\"string\">\n\
         <object_component object_ref=\"oval:list:obj:1\" item_field=\"filepath\" record_field=\"#\"/>\n</local_variable>\n"
            .to_owned(),
    ]
    .concat();
    macro_rules! value {
        ($name:literal, $variable:literal, $wanted:literal, $verdict:literal) => {
            row(
                $name,
                "",
                concat!("<ind:var_ref>oval:", $variable, ":var:1</ind:var_ref>"),
                concat!("<ind:value operation=\"pattern match\">", $wanted, "</ind:value>"),
                $verdict,
            )
        };
    }
    let rows = [
        value!("values of a sequence", "list", "^[abc]$", "true"),
        value!("names of all", "names", "^(one|two)$", "true"),
        value!("a field that is not there", "lacking", ".", "unknown"),
        value!("no field is named", "whole", ".", "unknown"),
        value!("no record", "norecord", ".", "unknown"),
        value!("nothing was selected", "none", ".", "false"),
    ];
    Table { kind: "ind:variable", rows: &rows, parts: [&objects, "", &variables] }
        .check_as("5.11.3", tree.path());
}
