use proptest::prelude::*;

use super::fstab::{has_option, with_line, with_option};
use super::partition::Partition;
use super::*;
use crate::setting::testing::Tree;

const UNIT: &str = "/usr/lib/systemd/system/tmp.mount";
const UNIT_DROP_IN: &str = "/etc/systemd/system/tmp.mount.d/zz-trempe.conf";

fn tmp(option: &str) -> MountOption {
    MountOption { target: "/tmp".into(), option: option.into(), listed: false }
}

fn shm(option: &str) -> MountOption {
    MountOption { target: "/dev/shm".into(), option: option.into(), listed: true }
}

fn unit_tree() -> Tree {
    Tree::new()
        .file(UNIT, "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777,nosuid,nodev\n")
        .link("/usr/lib/systemd/system/local-fs.target.wants/tmp.mount", "../tmp.mount")
}

#[test]
fn the_last_of_an_option_and_its_opposite_counts() {
    for (options, holds) in [
        ("defaults", false),
        ("noexec", true),
        ("exec,noexec", true),
        ("noexec,exec", false),
        ("noexecutive", false),
    ] {
        let options: Vec<String> = options.split(',').map(str::to_owned).collect();
        assert_eq!(has_option(&options, "noexec"), holds, "{options:?}");
    }
}

#[test]
fn only_the_option_field_changes() {
    for (line, changed) in [
        ("/dev/b\t/tmp  ext4   defaults\t0 2  # x\n", "/dev/b\t/tmp  ext4   defaults,noexec\t0 2  # x\n"),
        ("/dev/b /tmp ext4 rw,exec", "/dev/b /tmp ext4 rw,noexec"),
        ("  /dev/b /tmp ext4\n", "  /dev/b /tmp ext4 defaults,noexec\n"),
    ] {
        assert_eq!(with_option(&format!("# one\n{line}"), 2, "noexec"), format!("# one\n{changed}"));
    }
}

#[test]
fn every_entry_of_the_place_needs_the_option() {
    let tree =
        Tree::new().file(FSTAB, "/dev/a / ext4 defaults 0 1\n/dev/b /tmp ext4 nodev\n/dev/c /tmp ext4 rw\n");
    let finding = tmp("nodev").examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence.iter().map(|e| e.holds).collect::<Vec<_>>(), [true, false]);
    assert_eq!(finding.evidence[1].place, "/etc/fstab:3");
    let changed = tree.applied(&tmp("nodev"));
    assert_eq!(
        changed.text(FSTAB),
        "/dev/a / ext4 defaults 0 1\n/dev/b /tmp ext4 nodev\n/dev/c /tmp ext4 rw,nodev\n"
    );
}

#[test]
fn a_unit_keeps_its_options_in_our_drop_in() {
    let tree = unit_tree();
    assert!(tmp("nodev").examine(&tree.system()).unwrap().is_compliant());
    let changed = tree.applied(&tmp("noexec"));
    assert!(changed.text(UNIT_DROP_IN).ends_with("[Mount]\nOptions=mode=1777,nosuid,nodev,noexec\n"));
    assert!(tmp("noexec").examine(&changed.system()).unwrap().is_compliant());
}

#[test]
fn apt_gets_another_directory_to_run_things_from() {
    let tree = unit_tree().dir("/etc/apt/apt.conf.d", 0o755);
    assert!(tree.applied(&tmp("noexec")).text(APT_DROP_IN).contains("ExtractTemplates"));
}

#[test]
fn what_systemd_mounts_by_itself_is_listed_with_all_its_options() {
    let tree = Tree::new().file(FSTAB, "/dev/a / ext4 defaults 0 1");
    assert_eq!(
        tree.applied(&shm("nodev")).text(FSTAB),
        "/dev/a / ext4 defaults 0 1\ntmpfs /dev/shm tmpfs defaults,nosuid,nodev 0 0\n"
    );
    assert!(tree.applied(&shm("noexec")).text(FSTAB).ends_with("defaults,nosuid,nodev,noexec 0 0\n"));
}

#[test]
fn where_nothing_is_mounted_there_is_nothing_to_judge() {
    assert!(tmp("nodev").examine(&Tree::new().system()).unwrap().not_applicable.is_some());
}

#[test]
fn a_partition_is_looked_for_where_it_will_be() {
    let partition = |target: &str| Partition { target: target.into(), implicit: target == "/dev/shm" };
    let tree = unit_tree().file(FSTAB, "/dev/b /home ext4 defaults 0 2\n");
    for (target, holds) in [("/tmp", true), ("/home", true), ("/var", false)] {
        assert_eq!(partition(target).examine(&tree.system()).unwrap().is_compliant(), holds, "{target}");
    }
    assert!(partition("/dev/shm").examine(&tree.system()).unwrap().not_checked.is_some());
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    unit_tree().round_trip(&tmp("noexec"));
    let mounted = "/dev/a / ext4 rw,relatime 0 0\ntmpfs /tmp tmpfs rw,nosuid,size=1024k 0 0\n";
    unit_tree().running().file("/proc/self/mounts", mounted).round_trip(&tmp("noexec"));
    Tree::new().file(FSTAB, "/dev/b /tmp ext4\n").round_trip(&tmp("nosuid"));
    Tree::new().dir("/etc", 0o755).round_trip(&shm("noexec"));
    // A drop-in that replaces the options of an fstab entry counts as well as the entry.
    Tree::new()
        .file(FSTAB, "/dev/b /tmp ext4 noexec\n")
        .file("/etc/systemd/system/tmp.mount.d/a.conf", "[Mount]\nOptions=rw\n")
        .round_trip(&tmp("noexec"));
}

proptest! {
    #[test]
    fn no_text_makes_the_editor_panic(text in "(?s).{0,120}", line in 0usize..6) {
        drop(with_option(&text, line, "nodev"));
        drop(with_line(&text, "x"));
    }
}
