//! Sets of objects: operators, filters, and what becomes of members that found nothing, failed or are not there.

use crate::bench::{Row, Table, row};
use std::fs;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;
const ANY: &str = r#"check_existence="any_exist""#;

macro_rules! set {
    ($operator:literal, $($member:literal),*) => {
        concat!(
            "<set set_operator=\"", $operator, "\">\n",
            $("<object_reference>oval:", $member, ":obj:1</object_reference>\n",)*
            "</set>"
        )
    };
}

macro_rules! filtered {
    ($action:literal, $state:literal, $($member:literal),*) => {
        concat!(
            "<set set_operator=\"UNION\">\n",
            $("<object_reference>oval:", $member, ":obj:1</object_reference>\n",)*
            "<filter action=\"", $action, "\">oval:", $state, ":ste:1</filter>\n</set>"
        )
    };
}

macro_rules! named {
    ($pattern:literal) => {
        concat!("<unix:filename operation=\"pattern match\">", $pattern, "</unix:filename>")
    };
}

/// `ab`, `bc` and `no` are files; `bad` is an error, `odd` of a kind that no probe knows, `one` a set by itself.
const ROWS: &[Row] = &[
    row("union has all", "", set!("UNION", "ab", "bc"), named!("^[abc]$"), "true"),
    row("union has the first", r#"check="only one""#, set!("UNION", "ab", "bc"), named!("^a$"), "true"),
    row(
        "union has what both have once",
        r#"check="only one""#,
        set!("UNION", "ab", "bc"),
        named!("^b$"),
        "true",
    ),
    row("union has the last", r#"check="only one""#, set!("UNION", "ab", "bc"), named!("^c$"), "true"),
    row("union is more than one", ONLY, set!("UNION", "ab", "bc"), "", "false"),
    row("intersection is one", ONLY, set!("INTERSECTION", "ab", "bc"), named!("^b$"), "true"),
    row("complement is one", ONLY, set!("COMPLEMENT", "ab", "bc"), named!("^a$"), "true"),
    row("complement of the same", NONE, set!("COMPLEMENT", "ab", "ab"), "", "true"),
    row("intersection of the same", ONLY, set!("INTERSECTION", "ab", "ab"), "", "false"),
    row("union with nothing", "", set!("UNION", "ab", "no"), named!("^[ab]$"), "true"),
    row("intersection with nothing", NONE, set!("INTERSECTION", "ab", "no"), "", "true"),
    row("complement with nothing", "", set!("COMPLEMENT", "ab", "no"), named!("^[ab]$"), "true"),
    row("nothing without something", NONE, set!("COMPLEMENT", "no", "ab"), "", "true"),
    row("union of nothing", NONE, set!("UNION", "no", "no"), "", "true"),
    row("union with an error", "", set!("UNION", "ab", "bad"), "", "error"),
    row(
        "union with an error, one is so",
        r#"check="at least one""#,
        set!("UNION", "bad", "ab"),
        named!("^a$"),
        "error",
    ),
    row("union with an error, any", ANY, set!("UNION", "no", "bad"), "", "true"),
    row("intersection with an error", NONE, set!("INTERSECTION", "ab", "bad"), "", "error"),
    row("intersection of nothing with an error", NONE, set!("INTERSECTION", "no", "bad"), "", "true"),
    row("intersection of an error with nothing", NONE, set!("INTERSECTION", "bad", "no"), "", "error"),
    row("complement with an error", NONE, set!("COMPLEMENT", "ab", "bad"), "", "error"),
    row("nothing without an error", NONE, set!("COMPLEMENT", "no", "bad"), "", "true"),
    row("union with what nobody knows", "", set!("UNION", "ab", "odd"), "", "error"),
    row("intersection with what nobody knows", NONE, set!("INTERSECTION", "no", "odd"), "", "error"),
    row("complement with what nobody knows", NONE, set!("COMPLEMENT", "no", "odd"), "", "error"),
    row("what nobody knows, any", ANY, set!("UNION", "odd", "odd"), "", "true"),
    row("a member that is not there", "", set!("UNION", "gone"), "", "error"),
    row("a filter of one member excludes", ONLY, filtered!("exclude", "b", "ab"), named!("^a$"), "true"),
    row(
        "a filter of both members includes",
        ONLY,
        filtered!("include", "b", "ab", "bc"),
        named!("^b$"),
        "true",
    ),
    row("a filter leaves nothing", NONE, filtered!("include", "large", "ab", "bc"), "", "true"),
    row(
        "a filter of text for a number keeps all",
        "",
        filtered!("exclude", "text", "ab"),
        named!("^[ab]$"),
        "true",
    ),
    row(
        "sets of sets",
        ONLY,
        "<set set_operator=\"COMPLEMENT\">\n<set>\n<object_reference>oval:ab:obj:1</object_reference>\n\
         <object_reference>oval:bc:obj:1</object_reference>\n</set>\n<set>\n<object_reference>oval:ab:obj:1</object_reference>\n</set>\n</set>",
        named!("^c$"),
        "true",
    ),
    row("a filter of a variable's values", ONLY, filtered!("exclude", "named", "ab"), named!("^b$"), "true"),
    row("a filter of all of a variable's values", "", filtered!("exclude", "namedall", "ab"), "", "true"),
    row(
        "a filter that keeps a variable's values",
        ONLY,
        filtered!("include", "named", "ab"),
        named!("^a$"),
        "true",
    ),
    row(
        "a filter of a variable without values leaves nothing out",
        "",
        filtered!("exclude", "none", "ab"),
        "",
        "true",
    ),
    row("nor does one that keeps", "", filtered!("include", "none", "ab"), "", "true"),
    row("a filter of a text's values for a number", NONE, filtered!("exclude", "sizes", "ab"), "", "true"),
    row("a filter of a number's values for a text", "", filtered!("exclude", "numbers", "ab"), "", "true"),
    row(
        "two filters",
        NONE,
        "<set>\n<object_reference>oval:ab:obj:1</object_reference>\n<filter action=\"exclude\">oval:named:ste:1</filter>\n<filter action=\"exclude\">oval:b:ste:1</filter>\n</set>",
        "",
        "true",
    ),
    row(
        "a filter of an object",
        ONLY,
        "<unix:filepath operation=\"pattern match\">^/d/[ab]$</unix:filepath>\n<filter action=\"exclude\">oval:named:ste:1</filter>",
        named!("^b$"),
        "true",
    ),
    row(
        "a filter of an object by a variable without values",
        "",
        "<unix:filepath operation=\"pattern match\">^/d/[ab]$</unix:filepath>\n<filter action=\"exclude\">oval:none:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "the same that keeps",
        "",
        "<unix:filepath operation=\"pattern match\">^/d/[ab]$</unix:filepath>\n<filter action=\"include\">oval:none:ste:1</filter>",
        "",
        "true",
    ),
    row("a set that is a member", ONLY, set!("UNION", "one"), named!("^a$"), "true"),
    row("without a set that is a member", ONLY, set!("COMPLEMENT", "ab", "one"), named!("^b$"), "true"),
];

/// Rows that end oscap with a fault of its own: what refers to itself is an error here.
const RINGS: &[Row] = &[
    row("two sets that are members of one another", "", set!("UNION", "ring"), "", "ends, ours error"),
    row("with something beside", ANY, set!("UNION", "ring", "ab"), named!("^[ab]$"), "ends, ours error"),
];

const OBJECTS: &str = r#"<unix:file_object id="oval:ab:obj:1" version="1">
<unix:filepath operation="pattern match">^/d/[ab]$</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:bc:obj:1" version="1">
<unix:filepath operation="pattern match">^/d/[bc]$</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:no:obj:1" version="1">
<unix:filepath operation="pattern match">^/d/z$</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:bad:obj:1" version="1">
<unix:path>/d</unix:path>
<unix:filename operation="pattern match">(</unix:filename>
</unix:file_object>
<unix:gconf_object id="oval:odd:obj:1" version="1">
<unix:key>x</unix:key>
<unix:source>x</unix:source>
</unix:gconf_object>
<unix:file_object id="oval:one:obj:1" version="1">
<set>
<object_reference>oval:ab:obj:1</object_reference>
<filter action="exclude">oval:b:ste:1</filter>
</set>
</unix:file_object>
"#;

const RING: &str = r#"<unix:file_object id="oval:ring:obj:1" version="1">
<set>
<object_reference>oval:ring:obj:2</object_reference>
</set>
</unix:file_object>
<unix:file_object id="oval:ring:obj:2" version="1">
<set>
<object_reference>oval:ring:obj:1</object_reference>
</set>
</unix:file_object>
"#;

const STATES: &str = r#"<unix:file_state id="oval:b:ste:1" version="1">
<unix:filename>b</unix:filename>
</unix:file_state>
<unix:file_state id="oval:large:ste:1" version="1">
<unix:size datatype="int" operation="greater than">9</unix:size>
</unix:file_state>
<unix:file_state id="oval:text:ste:1" version="1">
<unix:size>2</unix:size>
</unix:file_state>
<unix:file_state id="oval:named:ste:1" version="1">
<unix:filename var_ref="oval:names:var:1" var_check="at least one"/>
</unix:file_state>
<unix:file_state id="oval:namedall:ste:1" version="1">
<unix:filename var_ref="oval:names:var:1"/>
</unix:file_state>
<unix:file_state id="oval:none:ste:1" version="1">
<unix:filename var_ref="oval:outside:var:1" var_check="at least one"/>
</unix:file_state>
<unix:file_state id="oval:sizes:ste:1" version="1">
<unix:size datatype="int" var_ref="oval:sizes:var:1" var_check="at least one"/>
</unix:file_state>
<unix:file_state id="oval:numbers:ste:1" version="1">
<unix:size var_ref="oval:numbers:var:1" var_check="at least one"/>
</unix:file_state>
"#;

const VARIABLES: &str = r#"<constant_variable id="oval:names:var:1" version="1" comment="x" datatype="string">
<value>z</value>
<value>a</value>
</constant_variable>
<constant_variable id="oval:sizes:var:1" version="1" comment="x" datatype="string">
<value>9</value>
<value>2</value>
</constant_variable>
<constant_variable id="oval:numbers:var:1" version="1" comment="x" datatype="int">
<value>2</value>
</constant_variable>
<external_variable id="oval:outside:var:1" version="1" comment="x" datatype="string"/>
"#;

#[test]
fn operators_filters_and_members() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir(tree.path().join("d")).unwrap();
    for name in ["d/a", "d/b", "d/c"] {
        fs::write(tree.path().join(name), "x\n").unwrap();
    }
    Table { kind: "unix:file", rows: ROWS, parts: [OBJECTS, STATES, VARIABLES] }.check(tree.path());
    let objects = [OBJECTS, RING].concat();
    Table { kind: "unix:file", rows: RINGS, parts: [&objects, STATES, VARIABLES] }.check(tree.path());
}

/// How deep sets may nest. Debian's oscap ends at a deeper one.
#[test]
fn depth() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir(tree.path().join("d")).unwrap();
    fs::write(tree.path().join("d/a"), "x\n").unwrap();
    let nested = |levels: usize| -> &'static str {
        let (open, close) = ("<set>\n".repeat(levels), "</set>\n".repeat(levels));
        format!("{open}<object_reference>oval:ab:obj:1</object_reference>\n{close}").leak()
    };
    let rows = [
        row("sets inside eight sets", ONLY, nested(9), "", "true"),
        row("one deeper", ONLY, nested(10), "", "ends, ours error"),
    ];
    Table { kind: "unix:file", rows: &rows, parts: [OBJECTS, STATES, VARIABLES] }.check(tree.path());
}

/// Members that mean nothing on the system: packages of rpm without rpm's configuration.
#[test]
fn members_that_are_not_applicable() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("usr/lib/rpm")).unwrap();
    let object = |id: &str| {
        format!(
            "<linux:rpminfo_object id=\"oval:{id}:obj:1\" version=\"1\">\n<linux:name>{id}</linux:name>\n</linux:rpminfo_object>\n"
        )
    };
    let nothing = "<linux:rpminfo_object id=\"oval:nothing:obj:1\" version=\"1\">\n\
                   <linux:name var_ref=\"oval:outside:var:1\"/>\n</linux:rpminfo_object>\n";
    let objects = [object("one"), object("two"), nothing.to_owned()].concat();
    let rows = [
        row("by itself", NONE, "<linux:name>x</linux:name>", "", "not applicable"),
        row("by itself, any", ANY, "<linux:name>x</linux:name>", "", "true"),
        row(
            "by an operation that there is not",
            NONE,
            "<linux:name operation=\"case insensitive equals\">x</linux:name>",
            "",
            "not applicable",
        ),
        row("union", NONE, set!("UNION", "one", "two"), "", "not applicable"),
        row("union, any", ANY, set!("UNION", "one", "two"), "", "true"),
        row("intersection", NONE, set!("INTERSECTION", "one", "two"), "", "not applicable"),
        row("complement", NONE, set!("COMPLEMENT", "one", "two"), "", "error"),
        row("union with nothing", NONE, set!("UNION", "one", "nothing"), "", "true"),
        row("nothing with it", NONE, set!("UNION", "nothing", "one"), "", "true"),
        row("intersection with nothing", NONE, set!("INTERSECTION", "one", "nothing"), "", "true"),
        row("nothing without it", NONE, set!("COMPLEMENT", "nothing", "one"), "", "error"),
        row("it without nothing", NONE, set!("COMPLEMENT", "one", "nothing"), "", "error"),
    ];
    let table = Table { kind: "linux:rpminfo", rows: &rows, parts: [&objects, "", VARIABLES] };
    table.check_lent("5.11", tree.path(), &["usr/lib/rpm"]);
}
