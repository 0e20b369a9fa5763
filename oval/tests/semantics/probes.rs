//! What each kind of object finds, on a small tree or on the machine itself.

use crate::bench::{Row, Table, row};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;
const ANY: &str = r#"check_existence="any_exist""#;

/// A file below a directory, with its directories.
fn plant(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn check(kind: &str, rows: &[Row], tree: &Path) {
    Table { kind, rows, parts: ["", "", ""] }.check(tree);
}

pub const STATUS: &str = "Package: telnet\nStatus: install ok installed\nPriority: standard\nSection: net\nMaintainer: x <x@example.org>\n\
Architecture: amd64\nVersion: 0.17-44\nDescription: x\n\nPackage: gone\nStatus: deinstall ok config-files\nPriority: standard\nSection: net\n\
Maintainer: x <x@example.org>\nArchitecture: amd64\nVersion: 1.0\nDescription: x\n\nPackage: held\nStatus: hold ok installed\nPriority: standard\n\
Section: net\nMaintainer: x <x@example.org>\nArchitecture: amd64\nVersion: 2:1.0~rc1-3\nDescription: x\n\n";

#[test]
fn packages() {
    let tree = tempfile::tempdir().unwrap();
    plant(tree.path(), "var/lib/dpkg/status", STATUS);
    let rows = [
        row(
            "installed",
            ONLY,
            "<linux:name>telnet</linux:name>",
            "<linux:version>0.17</linux:version>",
            "true",
        ),
        row("only its configuration", NONE, "<linux:name>gone</linux:name>", "", "true"),
        row("held", "", "<linux:name>held</linux:name>", "<linux:epoch>2</linux:epoch>", "true"),
        row(
            "older",
            "",
            "<linux:name>held</linux:name>",
            "<linux:evr datatype=\"debian_evr_string\" operation=\"less than\">2:1.0-3</linux:evr>",
            "true",
        ),
        row(
            "the epoch is told",
            "",
            "<linux:name>telnet</linux:name>",
            "<linux:evr>0:0.17-44</linux:evr>",
            "true",
        ),
        row("not there", NONE, "<linux:name>vim</linux:name>", "", "true"),
    ];
    let table = Table { kind: "linux:dpkginfo", rows: &rows, parts: ["", "", ""] };
    table.check_lent("5.11", tree.path(), &["var/lib/dpkg/status"]);
}

#[test]
fn links() {
    let tree = tempfile::tempdir().unwrap();
    plant(tree.path(), "etc/target", "x\n");
    for (link, target) in [
        ("to", "etc/target"),
        ("chain", "/to"),
        ("gone", "etc/none"),
        ("circle", "circle"),
        ("etc/up", "../etc"),
    ] {
        symlink(target, tree.path().join(link)).unwrap();
    }
    macro_rules! link {
        ($name:literal, $test:expr, $path:literal, $leads:literal, $verdict:literal) => {
            row(
                $name,
                $test,
                concat!("<unix:filepath>", $path, "</unix:filepath>"),
                concat!("<unix:canonical_path>", $leads, "</unix:canonical_path>"),
                $verdict,
            )
        };
    }
    let rows = [
        link!("a link", "", "/to", "/etc/target", "true"),
        link!("a chain of links", "", "/chain", "/etc/target", "true"),
        link!("a link to a directory", "", "/etc/up", "/etc", "true"),
        link!("no link", ANY, "/etc/target", "x", "true"),
        link!("not there", "", "/none", "x", "false"),
        link!("a link that leads nowhere", ANY, "/gone", "x", "error"),
        link!("a circle", "", "/circle", "x", "error"),
    ];
    check("unix:symlink", &rows, tree.path());
}

#[test]
fn accounts() {
    let tree = tempfile::tempdir().unwrap();
    plant(
        tree.path(),
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\n# note\na:x:1000:1001:A,,,:/home/a:\nbad:x:one:2:::\n",
    );
    let rows = [
        row(
            "an account",
            ONLY,
            "<unix:username>root</unix:username>",
            "<unix:user_id datatype=\"int\">0</unix:user_id>",
            "true",
        ),
        row(
            "accounts by pattern",
            ONLY,
            "<unix:username operation=\"pattern match\">^(a|bad)$</unix:username>",
            "<unix:home_dir>/home/a</unix:home_dir>",
            "true",
        ),
        row(
            "no shell is empty",
            "",
            "<unix:username>a</unix:username>",
            "<unix:login_shell></unix:login_shell>",
            "true",
        ),
        row("nobody", NONE, "<unix:username>zz</unix:username>", "", "true"),
    ];
    check("unix:password", &rows, tree.path());
}

#[test]
fn passwords() {
    let tree = tempfile::tempdir().unwrap();
    plant(
        tree.path(),
        "etc/shadow",
        "root:*:19000:0:99999:7:::\na:$6$salt$hash:19000:1:365:7:30::\nb:$y$j9T$salt$hash:::::::\nc:!:0:0:0:0:0:0:\n",
    );
    let rows = [
        row(
            "how it is encrypted",
            "",
            "<unix:username>a</unix:username>",
            "<unix:encrypt_method>SHA-512</unix:encrypt_method>",
            "true",
        ),
        row(
            "a method oscap does not know",
            "",
            "<unix:username>b</unix:username>",
            "<unix:encrypt_method>DES</unix:encrypt_method>",
            "unknown",
        ),
        row(
            "not set",
            "",
            "<unix:username>b</unix:username>",
            "<unix:chg_req datatype=\"int\">-1</unix:chg_req>",
            "true",
        ),
        row(
            "set",
            "",
            "<unix:username>a</unix:username>",
            "<unix:exp_inact datatype=\"int\">30</unix:exp_inact>",
            "true",
        ),
        row("locked", "", "<unix:username>c</unix:username>", "<unix:password>!</unix:password>", "true"),
    ];
    let table = Table { kind: "unix:shadow", rows: &rows, parts: ["", "", ""] };
    table.check_lent("5.11", tree.path(), &["etc/shadow"]);
}

macro_rules! xpath {
    ($name:literal, $test:expr, $file:literal, $xpath:literal, $state:literal, $verdict:literal) => {
        row(
            $name,
            $test,
            concat!("<ind:filepath>", $file, "</ind:filepath>\n<ind:xpath>", $xpath, "</ind:xpath>"),
            $state,
            $verdict,
        )
    };
}

/// What XPath expressions find.
const XML: &[Row] = &[
    xpath!("an attribute", ONLY, "/plain.xml", "/zone/@target", "<ind:value_of>DROP</ind:value_of>", "true"),
    xpath!(
        "all values of a file are one item",
        ONLY,
        "/plain.xml",
        "/zone/service/@name",
        "<ind:value_of entity_check=\"at least one\">http</ind:value_of>",
        "true"
    ),
    xpath!("a text", "", "/plain.xml", "/zone/short/text()", "<ind:value_of>Public</ind:value_of>", "true"),
    xpath!("nothing", NONE, "/plain.xml", "/zone/port", "", "true"),
    xpath!(
        "an element has no value",
        "",
        "/plain.xml",
        "/zone/short",
        "<ind:value_of>Public</ind:value_of>",
        "unknown"
    ),
    xpath!(
        "namespaces do not matter",
        "",
        "/space.xml",
        "/zone/service/@name",
        "<ind:value_of>ssh</ind:value_of>",
        "true"
    ),
    xpath!(
        "a document type",
        "",
        "/bus.conf",
        "/busconfig/policy/@user",
        "<ind:value_of>root</ind:value_of>",
        "true"
    ),
    xpath!(
        "declarations in the file",
        "",
        "/subset.xml",
        "/a/b/text()",
        "<ind:value_of>x</ind:value_of>",
        "true"
    ),
    xpath!("not well-formed", NONE, "/broken.xml", "/a", "", "error"),
    xpath!("no file", NONE, "/none.xml", "/a", "", "true"),
];

#[test]
fn files_that_are_xml() {
    let tree = tempfile::tempdir().unwrap();
    plant(
        tree.path(),
        "plain.xml",
        "<?xml version='1.0'?>\n<zone target='DROP'><service name='ssh'/><service name='http'/><short>Public</short></zone>\n",
    );
    plant(tree.path(), "space.xml", "<z:zone xmlns:z='urn:z'><z:service z:name='ssh'/></z:zone>\n");
    plant(
        tree.path(),
        "bus.conf",
        "<?xml version=\"1.0\"?>\n<!-- x -->\n<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
         \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><policy user=\"root\"/></busconfig>\n",
    );
    plant(
        tree.path(),
        "subset.xml",
        "<!DOCTYPE a [<!ELEMENT a ANY><!ENTITY gt2 \"]>\">]>\n<a><b>x</b></a>\n",
    );
    plant(tree.path(), "broken.xml", "<a><b></a>\n");
    check("ind:xmlfilecontent", XML, tree.path());
}

#[test]
fn digests() {
    let tree = tempfile::tempdir().unwrap();
    plant(tree.path(), "d/x", "x\n");
    macro_rules! hash {
        ($name:literal, $test:expr, $operation:literal, $kind:literal, $state:literal, $verdict:literal) => {
            row(
                $name,
                $test,
                concat!(
                    "<ind:filepath>/d/x</ind:filepath>\n<ind:hash_type operation=\"",
                    $operation,
                    "\">",
                    $kind,
                    "</ind:hash_type>"
                ),
                $state,
                $verdict,
            )
        };
    }
    let rows = [
        hash!("MD5", ONLY, "equals", "MD5", "<ind:hash>401b30e3b8b5d629635a5c613cdb7919</ind:hash>", "true"),
        hash!(
            "SHA-256",
            ONLY,
            "equals",
            "SHA-256",
            "<ind:hash>73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac</ind:hash>",
            "true"
        ),
        hash!("another", "", "equals", "SHA-1", "<ind:hash>0</ind:hash>", "false"),
    ];
    check("ind:filehash58", &rows, tree.path());
}

#[test]
fn labels() {
    let tree = tempfile::tempdir().unwrap();
    plant(tree.path(), "d/x", "x\n");
    // Files without a label are items in error: nothing of them can be told.
    let label = "<linux:filepath>/d/x</linux:filepath>";
    let rows = [
        row("an item in error", "", label, "", "error"),
        row("no item may be in error", NONE, label, "", "error"),
        row("without a state any may be", ANY, label, "", "true"),
        row(
            "not even when one would do",
            r#"check="at least one""#,
            label,
            "<linux:type>x</linux:type>",
            "error",
        ),
    ];
    check("linux:selinuxsecuritycontext", &rows, tree.path());
    plant(tree.path(), "d/y", "x\n");
    if xattr::set(tree.path().join("d/y"), "security.selinux", b"system_u:object_r:etc_t:s0\0").is_err() {
        return;
    }
    let both =
        "<linux:path>/d</linux:path>\n<linux:filename operation=\"pattern match\">^[xy]$</linux:filename>";
    let rows = [
        row(
            "a label",
            ONLY,
            "<linux:filepath>/d/y</linux:filepath>",
            "<linux:type>etc_t</linux:type>",
            "true",
        ),
        row(
            "another label",
            "",
            "<linux:filepath>/d/y</linux:filepath>",
            "<linux:user>root</linux:user>",
            "false",
        ),
        row("one in error beside one that exists", "", both, "", "error"),
        row("the same, any", ANY, both, "", "true"),
        row("the same, any in a state", ANY, both, "<linux:type>etc_t</linux:type>", "error"),
        row("the same, none", NONE, both, "", "error"),
        row("the same, only one", ONLY, both, "", "error"),
        row("the same, all", r#"check_existence="all_exist""#, both, "", "error"),
    ];
    check("linux:selinuxsecuritycontext", &rows, tree.path());
}

/// A kernel without SELinux has no switches; oscap's probe gives up then.
#[test]
fn switches_of_selinux() {
    if Path::new("/sys/fs/selinux/booleans").exists() {
        return;
    }
    let name = "<linux:name>x</linux:name>";
    let rows = [
        row("a switch", "", name, "", "unknown"),
        row("none", NONE, name, "", "unknown"),
        row("any", ANY, name, "", "unknown"),
        row(
            "in a state",
            "",
            name,
            "<linux:current_status datatype=\"boolean\">true</linux:current_status>",
            "unknown",
        ),
    ];
    check("linux:selinuxboolean", &rows, Path::new("/"));
}

/// What the machine says: only what is so on each.
#[test]
fn settings_of_the_kernel() {
    let here = Path::new("/");
    let rows = [
        row(
            "a setting",
            ONLY,
            "<unix:name>kernel.ostype</unix:name>",
            "<unix:value>Linux</unix:value>",
            "true",
        ),
        row(
            "by pattern",
            ONLY,
            "<unix:name operation=\"pattern match\">^kernel\\.ost.pe$</unix:name>",
            "<unix:value>Linux</unix:value>",
            "true",
        ),
        row(
            "blanks stay as they are",
            "",
            "<unix:name>kernel.printk</unix:name>",
            "<unix:value operation=\"pattern match\">^\\d+\\t\\d+\\t\\d+\\t\\d+$</unix:value>",
            "true",
        ),
        row("no such setting", NONE, "<unix:name>kernel.none</unix:name>", "", "true"),
    ];
    check("unix:sysctl", &rows, here);
}

#[test]
fn what_is_mounted() {
    let here = Path::new("/");
    let rows = [
        row(
            "what is mounted",
            ONLY,
            "<linux:mount_point>/proc</linux:mount_point>",
            "<linux:fs_type>proc</linux:fs_type>",
            "true",
        ),
        row(
            "an option",
            "",
            "<linux:mount_point operation=\"pattern match\">^/proc$</linux:mount_point>",
            "<linux:mount_options entity_check=\"at least one\">rw</linux:mount_options>",
            "true",
        ),
        row(
            "a field that does not exist is not unequal either",
            "",
            "<linux:mount_point>/proc</linux:mount_point>",
            "<linux:uuid operation=\"not equal\">x</linux:uuid>",
            "false",
        ),
        row("nothing is mounted", NONE, "<linux:mount_point>/none</linux:mount_point>", "", "true"),
    ];
    check("linux:partition", &rows, here);
}

#[test]
fn kernel_processes_and_network() {
    let here = Path::new("/");
    let machine = "<unix:machine_class operation=\"pattern match\">^(x86_64|aarch64)$</unix:machine_class>";
    let processor =
        "<unix:processor_type operation=\"pattern match\">^(x86_64|aarch64)$</unix:processor_type>";
    let rows = [
        row("the kernel", ONLY, "<!-- all -->", "<unix:os_name>Linux</unix:os_name>", "true"),
        row("the machine", ONLY, "<!-- all -->", machine, "true"),
        row("its processor is the same", ONLY, "<!-- all -->", processor, "true"),
    ];
    check("unix:uname", &rows, here);
    let rows = [row("the family", ONLY, "<!-- all -->", "<ind:family>unix</ind:family>", "true")];
    check("ind:family", &rows, here);
    let rows = [
        row(
            "a variable",
            ONLY,
            "<ind:pid datatype=\"int\" xsi:nil=\"true\"/>\n<ind:name>PATH</ind:name>",
            "<ind:value operation=\"pattern match\">/</ind:value>",
            "true",
        ),
        row(
            "no such variable",
            NONE,
            "<ind:pid datatype=\"int\" xsi:nil=\"true\"/>\n<ind:name>NO_SUCH_VARIABLE</ind:name>",
            "",
            "true",
        ),
    ];
    check("ind:environmentvariable58", &rows, here);
    let rows = [
        row(
            "the loopback interface",
            "",
            "<unix:name>lo</unix:name>",
            "<unix:flag entity_check=\"at least one\">LOOPBACK</unix:flag>",
            "true",
        ),
        row("no such interface", NONE, "<unix:name>none0</unix:name>", "", "true"),
    ];
    check("unix:interface", &rows, here);
    let first = "<unix:command_line operation=\"pattern match\">.</unix:command_line>\n<unix:pid datatype=\"int\">1</unix:pid>";
    let rows = [row("the first process", ONLY, first, "<unix:ppid datatype=\"int\">0</unix:ppid>", "true")];
    check("unix:process58", &rows, here);
    let rows = [row(
        "no socket",
        NONE,
        "<linux:protocol>tcp</linux:protocol>\n<linux:local_address>203.0.113.1</linux:local_address>\n\
         <linux:local_port datatype=\"int\">1</linux:local_port>",
        "",
        "true",
    )];
    check("linux:inetlisteningservers", &rows, here);
}

/// Without a manager of services nobody can tell about units.
#[test]
fn units_without_systemd() {
    if Path::new("/run/systemd/system").exists() {
        return;
    }
    let unit = "<linux:unit>a.service</linux:unit>";
    let rows = [row("dependencies", NONE, unit, "", "error")];
    check("linux:systemdunitdependency", &rows, Path::new("/"));
    let property = "<linux:unit>a.service</linux:unit>\n<linux:property operation=\"pattern match\">^Load</linux:property>";
    let rows = [row("properties", NONE, property, "", "error"), row("any", ANY, property, "", "true")];
    check("linux:systemdunitproperty", &rows, Path::new("/"));
}
