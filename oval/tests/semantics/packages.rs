//! Packages: of rpm, which Debian's rpm builds and installs into a small tree, and versions of dpkg's that have several hyphens.

use crate::bench::{Row, Table, row};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const NONE: &str = r#"check_existence="none_exist""#;
const ONLY: &str = r#"check_existence="only_one_exists""#;

const RECIPE: &str = "%global debug_package %{nil}
%global __os_install_post %{nil}
%global _binary_payload w0.gzdio
%global _build_id_links none
Name: gamma-libs
Version: 1.5
Release: 1
Summary: x
License: none
BuildArch: noarch
AutoReqProv: no
%description
x
%package -n alpha
Summary: x
Epoch: 2
Version: 1.0
Release: 3.el9
AutoReqProv: no
%description -n alpha
x
%package -n beta
Summary: x
Epoch: 0
Version: 1.5
Release: 1
%description -n beta
x
%install
mkdir -p %{buildroot}/opt/alpha %{buildroot}/opt/beta
for file in opt/alpha/conf opt/alpha/run opt/beta/gone opt/alpha/same; do echo x > %{buildroot}/$file; done
ln -s run %{buildroot}/opt/alpha/link
%files
%files -n alpha
%config /opt/alpha/conf
%attr(755,root,root) /opt/alpha/run
/opt/alpha/same
/opt/alpha/link
%files -n beta
/opt/beta/gone
%ghost /opt/beta/ghost
";

/// Runs a program, and what it says.
fn run(program: &mut Command) -> String {
    let output = program.output().unwrap();
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Signs a package with a new key; the key's id.
fn signed(work: &Path, package: &Path) -> String {
    let keys = work.join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o700)).unwrap();
    let gpg = || {
        let mut gpg = Command::new("gpg");
        gpg.arg("--homedir").arg(&keys).args(["--batch", "--passphrase", ""]);
        gpg
    };
    run(gpg().args(["--quick-gen-key", "x", "rsa2048", "sign", "never"]));
    run(Command::new("rpmsign")
        .args(["--define", "_gpg_name x", "--define", &format!("_gpg_path {}", keys.display())])
        // Debian's rpm looks for gpg2.
        .args(["--define", "__gpg /usr/bin/gpg"])
        .args(["--rpmv3", "--addsign"])
        .arg(package));
    let listed = run(gpg().args(["--list-keys", "--with-colons"]));
    run(Command::new("gpgconf").arg("--homedir").arg(&keys).args(["--kill", "all"]));
    let key = listed.lines().find(|line| line.starts_with("pub:")).and_then(|line| line.split(':').nth(4));
    key.unwrap().to_lowercase()
}

/// Installs the packages, one of them signed, then changes some of their files; the id of the key. `None` where nobody may, or there is no
/// rpm.
fn installed(tree: &Path) -> Option<String> {
    if !nix::unistd::geteuid().is_root() || Command::new("rpmbuild").arg("--version").output().is_err() {
        return None;
    }
    let work = tempfile::tempdir().unwrap();
    let recipe = work.path().join("alpha.spec");
    fs::write(&recipe, RECIPE).unwrap();
    run(Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--nodeps", "--define", &format!("_topdir {}", work.path().display())])
        .arg(&recipe));
    let built = work.path().join("RPMS/noarch");
    let key = signed(work.path(), &built.join("alpha-1.0-3.el9.noarch.rpm"));
    let built = fs::read_dir(built).unwrap().map(|file| file.unwrap().path());
    fs::create_dir_all(tree.join("var/lib/rpm")).unwrap();
    run(Command::new("rpm")
        .args(["-i", "--nodeps", "--noscripts", "--nosignature", "--ignorearch", "--ignoreos"])
        .args(["--dbpath", "/var/lib/rpm", "--root"])
        .arg(tree)
        .args(built));
    fs::create_dir_all(tree.join("usr/lib/rpm")).unwrap();
    // Red Hat's place for the database; Debian's rpm has another.
    let macros = fs::read_to_string("/usr/lib/rpm/macros").unwrap();
    fs::write(tree.join("usr/lib/rpm/macros"), format!("{macros}\n%_dbpath /var/lib/rpm\n")).unwrap();
    fs::copy("/usr/lib/rpm/rpmrc", tree.join("usr/lib/rpm/rpmrc")).unwrap();
    fs::write(tree.join("opt/alpha/conf"), "changed\n").unwrap();
    fs::set_permissions(tree.join("opt/alpha/run"), Permissions::from_mode(0o777)).unwrap();
    fs::remove_file(tree.join("opt/beta/gone")).unwrap();
    fs::remove_file(tree.join("opt/alpha/link")).unwrap();
    std::os::unix::fs::symlink("../beta", tree.join("opt/alpha/link")).unwrap();
    Some(key)
}

macro_rules! package {
    ($name:literal, $test:expr, $operation:literal, $package:literal, $state:literal, $verdict:literal) => {
        row(
            $name,
            $test,
            concat!("<linux:name operation=\"", $operation, "\">", $package, "</linux:name>"),
            $state,
            $verdict,
        )
    };
}

const INFO: &[Row] = &[
    package!("by name", ONLY, "equals", "alpha", "<linux:version>1.0</linux:version>", "true"),
    package!("not there", NONE, "equals", "alp", "", "true"),
    package!("a part of a name", NONE, "equals", "gamma", "", "true"),
    package!("by pattern", ONLY, "pattern match", "^gamma", "<linux:name>gamma-libs</linux:name>", "true"),
    package!("others", "", "not equal", "alpha", "<linux:version>1.5</linux:version>", "true"),
    package!(
        "all",
        r#"check="only one""#,
        "pattern match",
        ".",
        "<linux:release>3.el9</linux:release>",
        "true"
    ),
    package!("no such operation", NONE, "case insensitive equals", "ALPHA", "", "unknown"),
    package!("the epoch", "", "equals", "alpha", "<linux:epoch>2</linux:epoch>", "true"),
    package!("no epoch", "", "equals", "gamma-libs", "<linux:epoch>(none)</linux:epoch>", "true"),
    package!("an epoch of none", "", "equals", "beta", "<linux:epoch>0</linux:epoch>", "true"),
    package!("the architecture", "", "equals", "alpha", "<linux:arch>noarch</linux:arch>", "true"),
    package!(
        "the version has its epoch",
        "",
        "equals",
        "alpha",
        "<linux:evr datatype=\"evr_string\">2:1.0-3.el9</linux:evr>",
        "true"
    ),
    package!(
        "an older one",
        "",
        "equals",
        "alpha",
        "<linux:evr datatype=\"evr_string\" operation=\"less than\">2:1.0-10.el9</linux:evr>",
        "true"
    ),
    package!(
        "a newer one",
        "",
        "equals",
        "alpha",
        "<linux:evr datatype=\"evr_string\" operation=\"greater than\">0:9.0-1</linux:evr>",
        "true"
    ),
    package!(
        "none is 0 there",
        "",
        "equals",
        "gamma-libs",
        "<linux:evr datatype=\"evr_string\">0:1.5-1</linux:evr>",
        "true"
    ),
    package!(
        "without an epoch it is newer",
        "",
        "equals",
        "gamma-libs",
        "<linux:evr datatype=\"evr_string\" operation=\"greater than\">1.5-1</linux:evr>",
        "true"
    ),
    package!(
        "the whole name",
        "",
        "equals",
        "alpha",
        "<linux:extended_name>alpha-2:1.0-3.el9.noarch</linux:extended_name>",
        "true"
    ),
];

const ANY: &str = "<linux:epoch operation=\"pattern match\">.*</linux:epoch>\n<linux:version operation=\"pattern match\">.*</linux:version>\n\
                   <linux:release operation=\"pattern match\">.*</linux:release>\n<linux:arch operation=\"pattern match\">.*</linux:arch>\n";

/// What of a package's files differs.
const FILES: [(&str, &str, &str, &str, &str, &str, &str); 21] = [
    (
        "a changed size",
        ONLY,
        "",
        "equals",
        "/opt/alpha/conf",
        "<linux:size_differs>fail</linux:size_differs>",
        "true",
    ),
    (
        "a changed content",
        ONLY,
        "",
        "equals",
        "/opt/alpha/conf",
        "<linux:filedigest_differs>fail</linux:filedigest_differs>",
        "true",
    ),
    (
        "the same mode",
        ONLY,
        "",
        "equals",
        "/opt/alpha/conf",
        "<linux:mode_differs>pass</linux:mode_differs>",
        "true",
    ),
    (
        "a configuration",
        ONLY,
        "",
        "equals",
        "/opt/alpha/conf",
        "<linux:configuration_file datatype=\"boolean\">true</linux:configuration_file>",
        "true",
    ),
    ("no configurations", NONE, "noconfigfiles=\"true\"", "equals", "/opt/alpha/conf", "", "true"),
    (
        "a changed mode",
        ONLY,
        "",
        "equals",
        "/opt/alpha/run",
        "<linux:mode_differs>fail</linux:mode_differs>",
        "true",
    ),
    (
        "a mode that is not looked at",
        ONLY,
        "nomode=\"true\"",
        "equals",
        "/opt/alpha/run",
        "<linux:mode_differs>not performed</linux:mode_differs>",
        "true",
    ),
    (
        "a digest that is not looked at",
        ONLY,
        "nofiledigest=\"true\"",
        "equals",
        "/opt/alpha/conf",
        "<linux:filedigest_differs>not performed</linux:filedigest_differs>",
        "true",
    ),
    (
        "the owner",
        ONLY,
        "",
        "equals",
        "/opt/alpha/run",
        "<linux:ownership_differs>pass</linux:ownership_differs>",
        "true",
    ),
    (
        "the same content",
        ONLY,
        "",
        "equals",
        "/opt/alpha/same",
        "<linux:filedigest_differs>pass</linux:filedigest_differs>",
        "true",
    ),
    (
        "a file that is gone",
        "",
        "",
        "equals",
        "/opt/beta/gone",
        "<linux:size_differs>not performed</linux:size_differs>",
        "true",
    ),
    ("all files that are gone with it", ONLY, "", "equals", "/opt/beta/gone", "", "false"),
    (
        "a link that leads elsewhere",
        ONLY,
        "",
        "equals",
        "/opt/alpha/link",
        "<linux:link_mismatch>fail</linux:link_mismatch>",
        "true",
    ),
    (
        "a ghost",
        "check=\"only one\"",
        "",
        "equals",
        "/opt/beta/ghost",
        "<linux:ghost_file datatype=\"boolean\">true</linux:ghost_file>",
        "true",
    ),
    (
        "no ghosts, but what is gone",
        ONLY,
        "noghostfiles=\"true\"",
        "equals",
        "/opt/beta/ghost",
        "<linux:ghost_file datatype=\"boolean\">false</linux:ghost_file>",
        "true",
    ),
    ("no file of it", NONE, "", "equals", "/opt/alpha/none", "", "true"),
    (
        "the group",
        ONLY,
        "",
        "equals",
        "/opt/alpha/run",
        "<linux:group_differs>pass</linux:group_differs>",
        "true",
    ),
    (
        "all its files",
        "check=\"only one\"",
        "",
        "pattern match",
        "^/opt/alpha/",
        "<linux:mode_differs>fail</linux:mode_differs>",
        "true",
    ),
    ("its epoch", "", "", "equals", "/opt/alpha/same", "<linux:epoch>2</linux:epoch>", "true"),
    ("its version", "", "", "equals", "/opt/alpha/same", "<linux:version>1.0</linux:version>", "true"),
    ("other files", NONE, "", "pattern match", "^/usr/", "", "true"),
];

#[test]
fn of_rpm() {
    let tree = tempfile::tempdir().unwrap();
    let Some(key) = installed(tree.path()) else { return };
    let lent = ["usr/lib/rpm", "var/lib", "opt"];
    Table { kind: "linux:rpminfo", rows: INFO, parts: [""; 3] }.check_lent("5.11", tree.path(), &lent);
    let keyed = |name, package: &str, key: &str| {
        let object = format!("<linux:name>{package}</linux:name>");
        let state = format!("<linux:signature_keyid>{key}</linux:signature_keyid>");
        row(name, "", object.leak(), state.leak(), "true")
    };
    let rows = [keyed("signed", "alpha", &key), keyed("not signed", "beta", "0")];
    Table { kind: "linux:rpminfo", rows: &rows, parts: [""; 3] }.check_lent("5.11", tree.path(), &lent);
    let made = |(name, test, behaviors, operation, path, state, verdict): &(
        &'static str,
        &'static str,
        &str,
        &str,
        &str,
        &'static str,
        &'static str,
    )| {
        let object = format!(
            "<linux:behaviors {behaviors}/>\n<linux:name operation=\"pattern match\">.*</linux:name>\n{ANY}\
             <linux:filepath operation=\"{operation}\">{path}</linux:filepath>"
        );
        row(name, test, object.leak(), state, verdict)
    };
    let rows: Vec<Row> = FILES.iter().map(made).collect();
    Table { kind: "linux:rpmverifyfile", rows: &rows, parts: [""; 3] }.check_lent(
        "5.11.1",
        tree.path(),
        &lent,
    );
}

const HYPHENS: &str = "Package: hyphens\nStatus: install ok installed\nPriority: standard\nSection: net\nMaintainer: x <x@example.org>\n\
Architecture: amd64\nVersion: 1:2.3-rc1-1\nDescription: x\n\n";

#[test]
fn the_first_hyphen_of_a_version_of_debian() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("var/lib/dpkg")).unwrap();
    fs::write(tree.path().join("var/lib/dpkg/status"), HYPHENS).unwrap();
    macro_rules! part {
        ($what:literal, $is:literal) => {
            row(
                $what,
                "",
                "<linux:name>hyphens</linux:name>",
                concat!("<linux:", $what, ">", $is, "</linux:", $what, ">"),
                "true",
            )
        };
    }
    let rows = [
        part!("epoch", "1"),
        part!("version", "2.3"),
        part!("release", "rc1-1"),
        part!("evr", "1:2.3-rc1-1"),
    ];
    let table = Table { kind: "linux:dpkginfo", rows: &rows, parts: ["", "", ""] };
    table.check_lent("5.11", tree.path(), &["var/lib/dpkg/status"]);
}
