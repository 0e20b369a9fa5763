//! What items are like depends on the version of the schema that the content was written for.

use crate::bench::{Row, Table, row};
use crate::probes::STATUS;
use std::fs;
use std::path::Path;

fn check(kind: &str, schema: &str, rows: &[Row], tree: &Path) {
    Table { kind, rows, parts: ["", STATES, ""] }.check_as(schema, tree);
}

const STATES: &str = r#"<unix:file_state id="oval:int:ste:1" version="1">
<unix:user_id datatype="int" operation="greater than or equal">0</unix:user_id>
</unix:file_state>
<unix:file_state id="oval:text:ste:1" version="1">
<unix:user_id operation="pattern match">^\d+$</unix:user_id>
</unix:file_state>
"#;

const FILTERED_INT: &str =
    "<unix:filepath>/f</unix:filepath>\n<filter action=\"exclude\">oval:int:ste:1</filter>";
const FILTERED_TEXT: &str =
    "<unix:filepath>/f</unix:filepath>\n<filter action=\"exclude\">oval:text:ste:1</filter>";

#[test]
fn fields_of_files() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "x\n").unwrap();
    let none = r#"check_existence="none_exist""#;
    let rows = [
        row("numbers are numbers", none, FILTERED_INT, "", "true"),
        row("and no texts", none, FILTERED_TEXT, "", "false"),
    ];
    check("unix:file", "5.8", &rows, tree.path());
    let rows = [
        row("numbers are texts", none, FILTERED_TEXT, "", "true"),
        row("and no numbers", none, FILTERED_INT, "", "false"),
    ];
    check("unix:file", "5.7", &rows, tree.path());
    let filepath = "<unix:filepath>/f</unix:filepath>";
    let rows = [
        row("no path", "", filepath, filepath, "unknown"),
        row(
            "no list for access control",
            "",
            filepath,
            "<unix:has_extended_acl datatype=\"boolean\">false</unix:has_extended_acl>",
            "false",
        ),
    ];
    check("unix:file", "5.5", &rows, tree.path());
    let text = "<ind:filepath>/f</ind:filepath>\n<ind:pattern operation=\"pattern match\">x</ind:pattern>\n\
                <ind:instance datatype=\"int\">1</ind:instance>";
    for (schema, verdict) in [("5.5", "unknown"), ("5.6", "true")] {
        let rows = [row("the path of a text", "", text, "<ind:filepath>/f</ind:filepath>", verdict)];
        check("ind:textfilecontent54", schema, &rows, tree.path());
    }
}

#[test]
fn fields_of_the_machine() {
    let here = Path::new("/");
    let proc = "<linux:mount_point>/proc</linux:mount_point>";
    let size = "<linux:block_size datatype=\"int\" operation=\"greater than\">0</linux:block_size>";
    for (schema, kind, verdict) in [
        ("5.9", "<linux:fs_type>PROC_SUPER_MAGIC</linux:fs_type>", "true"),
        ("5.10", "<linux:fs_type>proc</linux:fs_type>", "true"),
        ("5.11.1", size, "unknown"),
        ("5.11.2", size, "true"),
    ] {
        check("linux:partition", schema, &[row("a mount", "", proc, kind, verdict)], here);
    }
    let lines = "<unix:name>kernel.ostype</unix:name>";
    for schema in ["5.9", "5.10"] {
        let rows = [row("a setting", "", lines, "<unix:value>Linux</unix:value>", "true")];
        check("unix:sysctl", schema, &rows, here);
    }
    let lines = "<unix:name>fs.binfmt_misc.status</unix:name>";
    let rows = [row(
        "a setting",
        r#"check_existence="any_exist""#,
        lines,
        "<unix:value>enabled</unix:value>",
        "true",
    )];
    check("unix:sysctl", "5.9", &rows, here);
}

#[test]
fn fields_of_packages_and_passwords() {
    let tree = tempfile::tempdir().unwrap();
    for (name, content) in
        [("var/lib/dpkg/status", STATUS), ("etc/shadow", "a:$6$salt$hash:19000:1:365:7:30::\n")]
    {
        fs::create_dir_all(tree.path().join(name).parent().unwrap()).unwrap();
        fs::write(tree.path().join(name), content).unwrap();
    }
    let states = ["evr_string", "debian_evr_string"].map(|kind| {
        format!(
            "<linux:dpkginfo_state id=\"oval:{kind}:ste:1\" version=\"1\">\n<linux:evr datatype=\"{kind}\" operation=\"less than\">\
             9:1-1</linux:evr>\n</linux:dpkginfo_state>\n"
        )
    });
    let (rpm, debian) = (
        "<linux:name>telnet</linux:name>\n<filter action=\"exclude\">oval:evr_string:ste:1</filter>",
        "<linux:name>telnet</linux:name>\n<filter action=\"exclude\">oval:debian_evr_string:ste:1</filter>",
    );
    let none = r#"check_existence="none_exist""#;
    for (schema, verdicts) in [("5.11", ["true", "false"]), ("5.11.1", ["false", "true"])] {
        let rows = [
            row("a version like rpm's", none, rpm, "", verdicts[0]),
            row("a version of Debian", none, debian, "", verdicts[1]),
        ];
        let table = Table { kind: "linux:dpkginfo", rows: &rows, parts: ["", &states.concat(), ""] };
        table.check_lent(schema, tree.path(), &["var/lib/dpkg/status"]);
    }
    let method = "<unix:encrypt_method>SHA-512</unix:encrypt_method>";
    for (schema, verdict) in [("5.7", "unknown"), ("5.8", "true")] {
        let rows = [row("how it is encrypted", "", "<unix:username>a</unix:username>", method, verdict)];
        let table = Table { kind: "unix:shadow", rows: &rows, parts: ["", "", ""] };
        table.check_lent(schema, tree.path(), &["etc/shadow"]);
    }
}

/// Kinds of objects that older content cannot ask for. oscap gives up on them, and a criterion that gave up does not count.
#[test]
fn kinds_that_came_later() {
    let tree = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("f", tree.path().join("link")).unwrap();
    fs::write(tree.path().join("f"), "x\n").unwrap();
    let link = "<unix:filepath>/link</unix:filepath>";
    for (schema, verdict) in [("5.10", "unknown"), ("5.11", "true")] {
        check("unix:symlink", schema, &[row("a link", "", link, "", verdict)], tree.path());
    }
}
