use super::*;
use crate::setting::testing::Tree;

fn one(path: &str) -> File {
    File {
        path: Names::One(path.into()),
        sort: Sort::File,
        name: None,
        except: vec![],
        owner: None,
        group: None,
        mode: Some(Mode(0o640)),
    }
}

fn tree() -> Tree {
    Tree::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n")
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    tree().file_with_mode("/etc/at.allow", "ann\n", 0o666).round_trip(&one("/etc/at.allow"));
    tree()
        .file_with_mode("/var/log/a.log", "", 0o644)
        .file_with_mode("/var/log/b.log", "", 0o600)
        .file_with_mode("/var/log/apt/c.log", "", 0o755)
        .round_trip(&one("/var/log/**/*.log"));
}

#[test]
fn stricter_modes_and_others_are_left_alone() {
    let tree = tree()
        .file_with_mode("/var/log/a.log", "", 0o644)
        .file_with_mode("/var/log/b.log", "", 0o400)
        .file_with_mode("/var/log/c.txt", "", 0o644);
    let tree = tree.applied(&one("/var/log/*.log"));
    let modes = ["/var/log/a.log", "/var/log/b.log", "/var/log/c.txt"].map(|path| tree.mode(path));
    assert_eq!(modes, [0o640, 0o400, 0o644]);
}

#[test]
fn nothing_there_and_links_are_as_wanted() {
    let tree = tree().link("/etc/motd", "/run/motd").file_with_mode("/run/motd", "", 0o666);
    for path in ["/etc/motd", "/etc/none"] {
        let finding = one(path).examine(&tree.system()).unwrap();
        assert!(finding.is_compliant());
        assert_eq!(finding.evidence[0].found, "there is none");
    }
}

#[test]
fn exceptions_are_paths_or_names() {
    let tree = tree()
        .file_with_mode("/var/log/history.log", "", 0o644)
        .file_with_mode("/var/log/apt/term.log", "", 0o644)
        .file_with_mode("/var/log/syslog", "", 0o644);
    let file = File { except: vec!["history.log*".into(), "/var/log/apt/*".into()], ..one("/var/log/**/*") };
    let finding = file.examine(&tree.system()).unwrap();
    assert_eq!(finding.changes.len(), 1);
    assert_eq!(finding.evidence[0].place, "/var/log/syslog");
}

#[test]
fn names_may_be_chosen_by_an_expression() {
    let tree = tree().file("/home/ann/.bashrc", "").file("/home/ann/.bash.old", "");
    let file = File { name: Some(r"^\.[\w\- ]+$".into()), ..one("~/.*") };
    let finding = file.examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence.len(), 1);
    assert_eq!(finding.evidence[0].place, "/home/ann/.bashrc");
    let error = File { name: Some("(".into()), ..one("~/.*") }.examine(&tree.system()).unwrap_err();
    assert!(format!("{error:#}").contains("'('"), "{error:#}");
}

#[test]
fn directories_are_asked_for_by_name() {
    let file = File { sort: Sort::Directory, mode: Some(Mode(0o700)), ..one("/etc/cron.d") };
    let tree = tree().dir("/etc/cron.d", 0o755);
    assert!(one("/etc/cron.d").examine(&tree.system()).unwrap().is_compliant());
    tree.round_trip(&file);
}

#[test]
fn what_the_next_boot_would_widen_is_kept_narrow() {
    let tree = tree()
        .file_with_mode("/var/log/wtmp", "", 0o664)
        .file("/usr/lib/tmpfiles.d/var.conf", "f /var/log/wtmp 0664 root utmp -\n")
        .file(DROP_IN, "z /boot/x 0600 - -\n");
    let finding = one("/var/log/wtmp").examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence[1].place, "/usr/lib/tmpfiles.d/var.conf:1");
    tree.round_trip(&one("/var/log/wtmp"));
    assert_eq!(
        tree.applied(&one("/var/log/wtmp")).text(DROP_IN),
        "z /boot/x 0600 - -\nz /var/log/wtmp 0640 - -\n"
    );
}

#[test]
fn many_bad_files_are_counted_and_all_are_mended() {
    let tree = (0..60).fold(tree(), |tree, n| tree.file(&format!("/var/log/{n}.log"), ""));
    let finding = one("/var/log/*").examine(&tree.system()).unwrap();
    assert_eq!((finding.evidence.len(), finding.changes.len()), (51, 60));
    assert_eq!(finding.evidence[50].found, "10 more that are not as wanted");
    tree.round_trip(&one("/var/log/*"));
}
