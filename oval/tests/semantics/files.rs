//! Which files an object means.

use crate::bench::{Row, Table, row};
use crate::lines;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;

/// `/d/a.conf`, `/d/b.txt`, `/d/sub/c.conf`, `/d/sub/deep/d.conf`, and links.
fn tree(root: &Path) {
    fs::create_dir_all(root.join("d/sub/deep")).unwrap();
    for file in ["d/a.conf", "d/b.txt", "d/sub/c.conf", "d/sub/deep/d.conf"] {
        fs::write(root.join(file), "x\n").unwrap();
    }
    symlink("a.conf", root.join("d/link.conf")).unwrap();
    symlink("gone", root.join("d/dangling")).unwrap();
    symlink("d", root.join("dlink")).unwrap();
    symlink("../..", root.join("d/sub/loop")).unwrap();
}

/// Paths, names, recursion and filters.
const ROWS: &[Row] = &[
    row(
        "filepath of a file",
        "",
        "<unix:filepath>/d/a.conf</unix:filepath>",
        "<unix:type>regular</unix:type>",
        "true",
    ),
    row("filepath of a directory", NONE, "<unix:filepath>/d</unix:filepath>", "", "true"),
    row(
        "filepath of a link is the link",
        "",
        "<unix:filepath>/d/link.conf</unix:filepath>",
        "<unix:type>symbolic link</unix:type>",
        "true",
    ),
    row(
        "filepath of a dangling link",
        "",
        "<unix:filepath>/d/dangling</unix:filepath>",
        "<unix:type>symbolic link</unix:type>",
        "true",
    ),
    row("filepath of nothing", NONE, "<unix:filepath>/d/none</unix:filepath>", "", "true"),
    row(
        "filepath by pattern",
        ONLY,
        "<unix:filepath operation=\"pattern match\">^/d/b.*$</unix:filepath>",
        "",
        "true",
    ),
    row(
        "a pattern bound to nothing",
        ONLY,
        "<unix:filepath operation=\"pattern match\">/d/b.txt</unix:filepath>",
        "",
        "true",
    ),
    row(
        "a pattern that no path starts with",
        NONE,
        "<unix:filepath operation=\"pattern match\">d/b.txt</unix:filepath>",
        "",
        "true",
    ),
    row(
        "name in a directory",
        ONLY,
        "<unix:path>/d</unix:path>\n<unix:filename>b.txt</unix:filename>",
        "",
        "true",
    ),
    row(
        "a name is never a directory's",
        NONE,
        "<unix:path>/d</unix:path>\n<unix:filename>sub</unix:filename>",
        "",
        "true",
    ),
    row(
        "names are not looked for below",
        NONE,
        "<unix:path>/d</unix:path>\n<unix:filename>c.conf</unix:filename>",
        "",
        "true",
    ),
    row(
        "nil name is the directory",
        ONLY,
        "<unix:path>/d</unix:path>\n<unix:filename xsi:nil=\"true\"/>",
        "<unix:type>directory</unix:type>",
        "true",
    ),
    row(
        "a linked path is followed",
        ONLY,
        "<unix:path>/dlink</unix:path>\n<unix:filename>b.txt</unix:filename>",
        "<unix:path>/dlink</unix:path>",
        "true",
    ),
    row(
        "a linked directory is the link",
        ONLY,
        "<unix:path>/dlink</unix:path>\n<unix:filename xsi:nil=\"true\"/>",
        "<unix:type>symbolic link</unix:type>",
        "true",
    ),
    row(
        "max_depth 0 is what is in it",
        NONE,
        "<unix:behaviors recurse_direction=\"down\" max_depth=\"0\" recurse=\"directories\"/>\n<unix:path>/d</unix:path>\n<unix:filename>c.conf</unix:filename>",
        "",
        "true",
    ),
    row(
        "max_depth 1 is one deeper",
        ONLY,
        "<unix:behaviors recurse_direction=\"down\" max_depth=\"1\" recurse=\"directories\"/>\n<unix:path>/d</unix:path>\n<unix:filename operation=\"pattern match\">^[cd].conf$</unix:filename>",
        "",
        "true",
    ),
    row(
        "no max_depth",
        ONLY,
        "<unix:behaviors recurse_direction=\"down\" recurse=\"directories\"/>\n<unix:path>/d</unix:path>\n<unix:filename>d.conf</unix:filename>",
        "",
        "true",
    ),
    row(
        "directories below",
        r#"check_existence="only_one_exists""#,
        "<unix:behaviors recurse_direction=\"down\" max_depth=\"0\" recurse=\"directories\"/>\n<unix:path>/d</unix:path>\n<unix:filename xsi:nil=\"true\"/>",
        "",
        "true",
    ),
    row(
        "links are listed by their names",
        ONLY,
        "<unix:behaviors recurse_direction=\"down\" recurse=\"directories\"/>\n<unix:path>/d</unix:path>\n<unix:filename>loop</unix:filename>",
        "<unix:type>symbolic link</unix:type>",
        "true",
    ),
    row(
        "recurse follows links by default, though not for ever",
        ONLY,
        "<unix:behaviors recurse_direction=\"down\"/>\n<unix:path>/d/sub</unix:path>\n<unix:filename>b.txt</unix:filename>",
        "",
        "false",
    ),
    row(
        "path by pattern",
        ONLY,
        "<unix:path operation=\"pattern match\">^/d/s.*$</unix:path>\n<unix:filename>d.conf</unix:filename>",
        "",
        "true",
    ),
    row(
        "a bad name pattern",
        NONE,
        "<unix:path>/d</unix:path>\n<unix:filename operation=\"pattern match\">(</unix:filename>",
        "",
        "error",
    ),
    row(
        "a name that is not",
        ONLY,
        "<unix:path>/d/sub/deep</unix:path>\n<unix:filename operation=\"not equal\">x</unix:filename>",
        "",
        "true",
    ),
    row(
        "no filepath for directories",
        "",
        "<unix:path>/d</unix:path>\n<unix:filename xsi:nil=\"true\"/>",
        "<unix:filepath>/d</unix:filepath>",
        "unknown",
    ),
    row(
        "a filter on a string for a number keeps all",
        ONLY,
        "<unix:filepath>/d/b.txt</unix:filepath>\n<filter action=\"exclude\">oval:text:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "a filter excludes",
        NONE,
        "<unix:filepath>/d/b.txt</unix:filepath>\n<filter action=\"exclude\">oval:size:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "a filter includes",
        ONLY,
        "<unix:filepath>/d/b.txt</unix:filepath>\n<filter action=\"include\">oval:size:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "include of a field it has not",
        NONE,
        "<unix:path>/d</unix:path>\n<unix:filename xsi:nil=\"true\"/>\n<filter action=\"include\">oval:path:ste:1</filter>",
        "",
        "true",
    ),
    row(
        "exclude of a field it has not",
        ONLY,
        "<unix:path>/d</unix:path>\n<unix:filename xsi:nil=\"true\"/>\n<filter action=\"exclude\">oval:path:ste:1</filter>",
        "",
        "true",
    ),
];

#[test]
fn paths_names_and_recursion() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    let states = "<unix:file_state id=\"oval:text:ste:1\" version=\"1\">\n<unix:size>2</unix:size>\n</unix:file_state>\n\
                  <unix:file_state id=\"oval:size:ste:1\" version=\"1\">\n<unix:size datatype=\"int\">2</unix:size>\n</unix:file_state>\n\
                  <unix:file_state id=\"oval:path:ste:1\" version=\"1\">\n<unix:filepath>/d</unix:filepath>\n</unix:file_state>\n";
    Table { kind: "unix:file", rows: ROWS, parts: ["", states, ""] }.check(root.path());
}

/// oscap keeps no directory open, so it finds none there.
#[test]
fn directories_that_this_process_has_open_are_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("only-in-an-open-directory"), "").unwrap();
    let _open = fs::File::open(directory.path()).unwrap();
    let object = "<unix:behaviors recurse=\"symlinks and directories\" recurse_direction=\"down\" max_depth=\"-1\"/>\n\
                  <unix:path>/proc/self/fd</unix:path>\n<unix:filename>only-in-an-open-directory</unix:filename>";
    let rows = [row("what is open", NONE, object, "", "true")];
    Table { kind: "unix:file", rows: &rows, parts: [""; 3] }.check(Path::new("/"));
}

#[test]
fn what_may_not_be_read() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    for directory in ["d", "closed"] {
        fs::create_dir(at(directory)).unwrap();
    }
    for (file, mode) in [("d/open", 0o644), ("d/secret", 0o600), ("closed/open", 0o644)] {
        fs::write(at(file), "x\n").unwrap();
        fs::set_permissions(at(file), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    let rows = [
        row(
            "what a file is",
            "",
            "<unix:filepath>/d/secret</unix:filepath>",
            "<unix:uread datatype=\"boolean\">true</unix:uread>",
            "true",
        ),
        row(
            "a directory that is closed",
            NONE,
            "<unix:path>/closed</unix:path>\n<unix:filename>open</unix:filename>",
            "",
            "true",
        ),
        row(
            "a directory that is closed, on the way",
            ONLY,
            "<unix:behaviors recurse=\"directories\" recurse_direction=\"down\"/>\n<unix:path>/</unix:path>\n<unix:filename>open</unix:filename>",
            "",
            "true",
        ),
    ];
    Table { kind: "unix:file", rows: &rows, parts: [""; 3] }.check_as_nobody(tree.path());
    let rows = [
        row("a text", NONE, lines!("/d/secret", "z"), "", "error"),
        row("a text in a directory that is closed", NONE, lines!("/closed/open", "z"), "", "true"),
        row("a text that may be read", "", lines!("/d/open", "x"), "", "true"),
    ];
    Table { kind: "ind:textfilecontent54", rows: &rows, parts: [""; 3] }.check_as_nobody(tree.path());
}
