//! Texts cut between the bytes of a character.

use crate::bench::{Row, Table, row};

macro_rules! values {
    ($name:literal, $variable:literal, $state:literal, $verdict:literal) => {
        row($name, "", concat!("<ind:var_ref>oval:", $variable, ":var:1</ind:var_ref>"), $state, $verdict)
    };
}

const ROWS: &[Row] = &[
    values!("every byte is one", "count", r#"<ind:value datatype="int">3</ind:value>"#, "true"),
    values!("no two are the same", "different", r#"<ind:value datatype="int">3</ind:value>"#, "true"),
    values!(
        "the text among them",
        "split",
        r#"<ind:value entity_check="at least one">a</ind:value>"#,
        "true"
    ),
    values!(
        "the character is none",
        "split",
        r#"<ind:value entity_check="at least one">é</ind:value>"#,
        "false"
    ),
    values!(
        "a byte is no text",
        "half",
        r#"<ind:value operation="pattern match">.</ind:value>"#,
        "error, ours true"
    ),
    values!(
        "a byte is no text to match",
        "split",
        r#"<ind:value operation="pattern match">.</ind:value>"#,
        "error, ours true"
    ),
    values!("half a character", "half", "<ind:value>é</ind:value>", "false"),
];

const VARIABLES: &str = r#"<local_variable id="oval:split:var:1" version="1" comment="x" datatype="string">
<split delimiter=""><literal_component>aé</literal_component></split>
</local_variable>
<local_variable id="oval:count:var:1" version="1" comment="x" datatype="int">
<count><variable_component var_ref="oval:split:var:1"/></count>
</local_variable>
<local_variable id="oval:different:var:1" version="1" comment="x" datatype="int">
<count><unique><variable_component var_ref="oval:split:var:1"/></unique></count>
</local_variable>
<local_variable id="oval:half:var:1" version="1" comment="x" datatype="string">
<substring substring_start="1" substring_length="1"><literal_component>é</literal_component></substring>
</local_variable>
"#;

#[test]
fn characters_are_cut_into_bytes() {
    let tree = tempfile::tempdir().unwrap();
    Table { kind: "ind:variable", rows: ROWS, parts: ["", "", VARIABLES] }.check(tree.path());
}
