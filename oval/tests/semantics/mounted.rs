//! Mounted file systems: on which of them a search stays (`recurse_file_system`), and what is told of them.

use crate::bench::{Row, Table, row};
use std::fs;
use std::path::Path;
use std::process::Command;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;

/// What is looked for, in which file systems, and the verdict: `DIR` is the tree.
const ROWS: [(&str, &str, &str, &str, &str, &str); 18] = [
    (
        "local: the same file system",
        ONLY,
        "local",
        "<unix:path>DIR</unix:path>\n<unix:filename>here</unix:filename>",
        "down",
        "true",
    ),
    (
        "local: one of memory",
        ONLY,
        "local",
        "<unix:path>DIR</unix:path>\n<unix:filename>there</unix:filename>",
        "down",
        "true",
    ),
    (
        "local: not the kernel's",
        NONE,
        "local",
        "<unix:path>DIR</unix:path>\n<unix:filename>uptime</unix:filename>",
        "down",
        "true",
    ),
    (
        "local: not one that is the start",
        NONE,
        "local",
        "<unix:path>DIR/kernel</unix:path>\n<unix:filename>uptime</unix:filename>",
        "none",
        "true",
    ),
    (
        "local: not the kernel's directory",
        NONE,
        "local",
        "<unix:path>DIR/kernel</unix:path>\n<unix:filename xsi:nil=\"true\"/>",
        "none",
        "true",
    ),
    (
        "local: not a file of the kernel's",
        NONE,
        "local",
        "<unix:filepath>DIR/kernel/uptime</unix:filepath>",
        "none",
        "true",
    ),
    (
        "local: a file of memory",
        ONLY,
        "local",
        "<unix:filepath>DIR/memory/there</unix:filepath>",
        "none",
        "true",
    ),
    (
        "local: paths by pattern",
        ONLY,
        "local",
        "<unix:path operation=\"pattern match\">^DIR/(memory|kernel)$</unix:path>\n<unix:filename operation=\"pattern match\">^(there|uptime)$</unix:filename>",
        "none",
        "true",
    ),
    (
        "local: files by pattern",
        NONE,
        "local",
        "<unix:filepath operation=\"pattern match\">^DIR/kernel/uptime$</unix:filepath>",
        "none",
        "true",
    ),
    (
        "defined: the same file system",
        ONLY,
        "defined",
        "<unix:path>DIR</unix:path>\n<unix:filename>here</unix:filename>",
        "down",
        "true",
    ),
    (
        "defined: no other",
        NONE,
        "defined",
        "<unix:path>DIR</unix:path>\n<unix:filename>there</unix:filename>",
        "down",
        "true",
    ),
    (
        "defined: from another",
        ONLY,
        "defined",
        "<unix:path>DIR/memory</unix:path>\n<unix:filename>there</unix:filename>",
        "down",
        "true",
    ),
    (
        "defined: from the kernel's",
        ONLY,
        "defined",
        "<unix:path>DIR/kernel</unix:path>\n<unix:filename>uptime</unix:filename>",
        "none",
        "true",
    ),
    (
        "defined: a file of another",
        ONLY,
        "defined",
        "<unix:filepath>DIR/memory/there</unix:filepath>",
        "none",
        "true",
    ),
    (
        "defined: paths by pattern",
        NONE,
        "defined",
        "<unix:path operation=\"pattern match\">^DIR/(memory|kernel)$</unix:path>\n<unix:filename operation=\"pattern match\">^(there|uptime)$</unix:filename>",
        "none",
        "true",
    ),
    (
        "all: one of memory",
        ONLY,
        "all",
        "<unix:path>DIR</unix:path>\n<unix:filename>there</unix:filename>",
        "down",
        "true",
    ),
    (
        "all: the kernel's",
        ONLY,
        "all",
        "<unix:path>DIR</unix:path>\n<unix:filename>uptime</unix:filename>",
        "down",
        "true",
    ),
    (
        "all: a file of the kernel's",
        ONLY,
        "all",
        "<unix:filepath>DIR/kernel/uptime</unix:filepath>",
        "none",
        "true",
    ),
];

/// What is told of a mount: name, test, mount point, state, verdict.
const MOUNTS: [(&str, &str, &str, &str, &str); 7] = [
    (
        "by its point",
        ONLY,
        "<linux:mount_point>DIR/memory</linux:mount_point>",
        "<linux:fs_type>tmpfs</linux:fs_type>",
        "true",
    ),
    (
        "relatime is told as bind too",
        ONLY,
        "<linux:mount_point>DIR/memory</linux:mount_point>",
        "<linux:mount_options entity_check=\"at least one\">bind</linux:mount_options>",
        "true",
    ),
    (
        "all options",
        ONLY,
        "<linux:mount_point>DIR/memory</linux:mount_point>",
        "<linux:mount_options operation=\"pattern match\">^(rw|relatime|bind|inode64)$</linux:mount_options>",
        "true",
    ),
    (
        "of two at a point the first",
        ONLY,
        "<linux:mount_point>DIR/over</linux:mount_point>",
        "<linux:fs_type>tmpfs</linux:fs_type>",
        "true",
    ),
    (
        "by pattern both",
        r#"check="only one""#,
        "<linux:mount_point operation=\"pattern match\">^DIR/over$</linux:mount_point>",
        "<linux:fs_type>ramfs</linux:fs_type>",
        "true",
    ),
    ("a directory that is no mount point", NONE, "<linux:mount_point>DIR</linux:mount_point>", "", "true"),
    (
        "no UUID is a field that does not exist",
        "",
        "<linux:mount_point>DIR/memory</linux:mount_point>",
        "<linux:uuid operation=\"pattern match\">^.*$</linux:uuid>",
        "false",
    ),
];

/// Where the tree is, for the one that looks at it.
const TREE: &str = "OVAL_MOUNTED_TREE";

/// Runs this test once more where a file system of memory and the kernel's own are mounted below a tree: what is mounted is a process's matter,
/// and not that of a thread.
#[test]
fn file_systems_that_a_search_stays_on() {
    if let Some(tree) = std::env::var_os(TREE) {
        return look(Path::new(&tree));
    }
    let tree = tempfile::tempdir().unwrap();
    for directory in ["memory", "kernel", "over"] {
        fs::create_dir(tree.path().join(directory)).unwrap();
    }
    let mounts = "mount -t tmpfs tmpfs \"$1/memory\" && mount -t proc proc \"$1/kernel\" && \
                  mount -t tmpfs tmpfs \"$1/over\" && mount -t ramfs ramfs \"$1/over\" || exit 0; \
                  shift; exec \"$@\" --exact mounted::file_systems_that_a_search_stays_on --nocapture";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", mounts, "sh"])
        .arg(tree.path())
        .arg(std::env::current_exe().unwrap())
        .env(TREE, tree.path())
        .output()
        .unwrap();
    // Where mounting is not allowed nobody can tell.
    let refused = !nix::unistd::geteuid().is_root();
    assert!(refused || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn look(tree: &Path) {
    for file in ["here", "memory/there"] {
        fs::write(tree.join(file), "x\n").unwrap();
    }
    let made = |(name, test, file_system, object, direction, verdict): &(
        &'static str,
        &'static str,
        &str,
        &str,
        &str,
        &'static str,
    )| {
        let object = object.replace("DIR", tree.to_str().unwrap());
        // The kernel's file system is deep and changes all the time.
        let depth = if *file_system == "all" || object.contains("uptime") { "1" } else { "-1" };
        let behaviors = format!(
            "<unix:behaviors recurse=\"directories\" recurse_direction=\"{direction}\" max_depth=\"{depth}\" \
             recurse_file_system=\"{file_system}\"/>\n{object}"
        );
        row(name, test, behaviors.leak(), "", verdict)
    };
    let rows: Vec<Row> = ROWS.iter().map(made).collect();
    Table { kind: "unix:file", rows: &rows, parts: [""; 3] }.check(Path::new("/"));
    let rows = MOUNTS.map(|(name, test, object, state, verdict)| {
        row(name, test, object.replace("DIR", tree.to_str().unwrap()).leak(), state, verdict)
    });
    Table { kind: "linux:partition", rows: &rows, parts: [""; 3] }.check(Path::new("/"));
}
