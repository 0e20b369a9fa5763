//! How values are compared.

use crate::bench::{Row, Table, row};
use crate::lines;
use std::fs;

macro_rules! captured {
    ($name:literal, $pattern:literal, $attributes:literal, $wanted:literal, $verdict:literal) => {
        row(
            $name,
            "",
            lines!("/f", $pattern),
            concat!("<ind:subexpression ", $attributes, ">", $wanted, "</ind:subexpression>"),
            $verdict,
        )
    };
}

/// Datatypes and operations.
const ROWS: &[Row] = &[
    captured!("int is decimal", "^mode=(.*)$", r#"datatype="int""#, "640", "true"),
    captured!("int with a tail", "^trail=(.*)$", r#"datatype="int""#, "7", "error"),
    captured!("int of nothing", "^empty=(.*)$", r#"datatype="int""#, "0", "error"),
    captured!("int greater", "^mode=(.*)$", r#"datatype="int" operation="greater than""#, "639", "true"),
    captured!("bitwise and", "^bits=(.*)$", r#"datatype="int" operation="bitwise and""#, "2", "true"),
    captured!(
        "bitwise and of a bit not set",
        "^bits=(.*)$",
        r#"datatype="int" operation="bitwise and""#,
        "1",
        "false"
    ),
    captured!("bitwise or", "^bits=(.*)$", r#"datatype="int" operation="bitwise or""#, "7", "true"),
    captured!(
        "bitwise or of too few",
        "^bits=(.*)$",
        r#"datatype="int" operation="bitwise or""#,
        "3",
        "false"
    ),
    captured!("int by pattern", "^bits=(.*)$", r#"datatype="int" operation="pattern match""#, "6", "error"),
    captured!("boolean of anything", "^word=(.*)$", r#"datatype="boolean""#, "false", "true"),
    captured!("string equals", "^word=(.*)$", "", "Yes", "true"),
    captured!("string case", "^word=(.*)$", "", "yes", "false"),
    captured!("case insensitive", "^word=(.*)$", r#"operation="case insensitive equals""#, "yES", "true"),
    captured!(
        "case insensitive not equal",
        "^word=(.*)$",
        r#"operation="case insensitive not equal""#,
        "yES",
        "false"
    ),
    captured!("string order", "^word=(.*)$", r#"operation="greater than""#, "A", "error"),
    captured!("pattern is a search", "^word=(.*)$", r#"operation="pattern match""#, "e", "true"),
    captured!("a bad pattern", "^word=(.*)$", r#"operation="pattern match""#, "(", "error"),
    captured!("empty is empty", "^empty=(.*)$", "", "", "true"),
    captured!(
        "version order",
        "^version=(.*)$",
        r#"datatype="version" operation="greater than""#,
        "1.9",
        "true"
    ),
    captured!(
        "version with fewer fields",
        "^version=(.*)$",
        r#"datatype="version" operation="greater than""#,
        "1.10",
        "true"
    ),
    captured!("version equals", "^version=(.*)$", r#"datatype="version""#, "1-10-2", "true"),
    captured!(
        "evr without epoch is older",
        "^evr=(.*)$",
        r#"datatype="evr_string" operation="greater than""#,
        "2.3-4",
        "true"
    ),
    captured!(
        "evr release",
        "^evr=(.*)$",
        r#"datatype="evr_string" operation="less than""#,
        "1:2.3-10",
        "true"
    ),
    captured!(
        "debian evr",
        "^evr=(.*)$",
        r#"datatype="debian_evr_string" operation="greater than""#,
        "1:2.3~rc1-4",
        "true"
    ),
    captured!("float tolerance", "^float=(.*)$", r#"datatype="float""#, "1.0", "true"),
    captured!("binary", "^word=(.*)$", r#"datatype="binary""#, "yES", "true"),
    captured!("ipv4 that is none", "^word=(.*)$", r#"datatype="ipv4_address""#, "10.0.0.1", "error"),
];

#[test]
fn datatypes_and_operations() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(
        tree.path().join("f"),
        "mode=0640\nword=Yes\ntrail=7x\nversion=1.10.2\nevr=1:2.3-4\nempty=\nbits=6\nfloat=1.0000000000001\n",
    )
    .unwrap();
    Table { kind: "ind:textfilecontent54", rows: ROWS, parts: ["", "", ""] }.check(tree.path());
}

const ORDER: [&str; 8] = [
    "equals",
    "not equal",
    "greater than",
    "greater than or equal",
    "less than",
    "less than or equal",
    "subset of",
    "superset of",
];

/// What is found, what is wanted, and the verdicts of the operations in their order.
const ADDRESSES: &[(&str, &str, &str)] = &[
    ("10.1.2.3", "10.1.2.3", "TFFTFTTT"),
    ("10.1.2.3", "10.1.2.4", "FTFFTTFF"),
    ("10.1.2.3", "10.1.2.0/24", "FTEEEETF"),
    ("10.1.2.0/24", "10.1.0.0/16", "FTEEEETF"),
    ("10.1.2.0/24", "10.1.2.0/255.255.255.0", "TFFTFTTT"),
    ("10.1.0.0/255.255.0.0", "10.1.2.0/24", "FTEEEEFT"),
    ("10.1.2.3/0", "10.1.2.3/32", "TFFTFTTT"),
    ("10.1.2.3/0", "10.9.9.9/8", "FTEEEETF"),
    ("10.1.2.3/255.0.255.0", "10.9.2.9/255.0.255.0", "FTFTFTTT"),
    ("10.1.2.3/255.0.255.0", "10.0.0.0/255.0.0.0", "FTEEEETF"),
    ("2001:db8::1", "2001:db8::1", "TFFTFTTT"),
    ("2001:db8::1", "2001:db8::/32", "FTEEEETF"),
    ("2001:db8::/32", "2001:db8:1::/48", "FTEEEEFT"),
    ("2001:db8::1/64", "2001:db8::2/64", "FTFTFTTT"),
    ("nonsense", "10.1.2.3", "E"),
    ("10.1.2.3/33", "10.1.2.3", "E"),
];

#[test]
fn addresses_and_networks() {
    let tree = tempfile::tempdir().unwrap();
    let (mut file, mut rows) = (String::new(), Vec::new());
    for (n, (found, wanted, verdicts)) in ADDRESSES.iter().enumerate() {
        file += &format!("ip{n}={found}\n");
        let kind = if wanted.contains(':') { "ipv6_address" } else { "ipv4_address" };
        for (operation, verdict) in ORDER.into_iter().zip(verdicts.chars()) {
            let object = format!(
                "<ind:filepath>/f</ind:filepath>\n<ind:pattern operation=\"pattern match\">^ip{n}=(.*)$</ind:pattern>\n\
                 <ind:instance datatype=\"int\">1</ind:instance>"
            );
            let state = format!(
                "<ind:subexpression datatype=\"{kind}\" operation=\"{operation}\">{wanted}</ind:subexpression>"
            );
            let verdict = match verdict {
                'T' => "true",
                'F' => "false",
                _ => "error",
            };
            rows.push(row(
                format!("{found} {operation} {wanted}").leak(),
                "",
                object.leak(),
                state.leak(),
                verdict,
            ));
        }
    }
    fs::write(tree.path().join("f"), file).unwrap();
    Table { kind: "ind:textfilecontent54", rows: &rows, parts: ["", "", ""] }.check(tree.path());
}
