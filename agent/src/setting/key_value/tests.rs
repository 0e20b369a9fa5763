use super::*;
use crate::setting::testing::Tree;
use proptest::prelude::*;

const AUDITD: &str = "/etc/audit/auditd.conf";
const JOURNALD: &str = "/etc/systemd/journald.conf";

fn auditd(key: &str, value: &str) -> KeyValue {
    KeyValue {
        file: AUDITD.into(),
        style: Style::Spaced,
        section: String::new(),
        key: key.into(),
        value: value.into(),
        compare: Compare::OneOf,
        placeholder: None,
        main_file: false,
        unit: None,
    }
}

fn journald(key: &str, value: &str) -> KeyValue {
    KeyValue {
        file: "journald.conf".into(),
        style: Style::Systemd,
        section: "Journal".into(),
        main_file: true,
        unit: Some("systemd-journald.service".into()),
        ..auditd(key, value)
    }
}

#[test]
fn spaced_values_are_compared_in_any_case_and_changed_in_place() {
    let text = "# daemon\nmax_log_file_action = ROTATE\nspace_left = 75\n";
    let tree = Tree::new().file(AUDITD, text);
    assert!(
        auditd("max_log_file_action", "keep_logs|rotate").examine(&tree.system()).unwrap().is_compliant()
    );
    let keep = auditd("max_log_file_action", "keep_logs");
    tree.round_trip(&keep);
    assert_eq!(
        tree.applied(&keep).text(AUDITD),
        "# daemon\nmax_log_file_action = keep_logs\nspace_left = 75\n"
    );
}

#[test]
fn a_key_that_is_missing_is_added_at_the_end() {
    let tree = Tree::new().file(AUDITD, "space_left = 75\n");
    let full = auditd("disk_full_action", "halt|single");
    tree.round_trip(&full);
    assert_eq!(tree.applied(&full).text(AUDITD), "space_left = 75\ndisk_full_action = halt\n");
}

#[test]
fn the_last_of_two_lines_counts() {
    let tree = Tree::new().file(AUDITD, "space_left = 75\nSpace_Left = 25\n");
    let finding = auditd("space_left", "75").examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant());
    assert_eq!(finding.evidence[0].place, "/etc/audit/auditd.conf:2");
}

#[test]
fn numbers_may_be_larger() {
    let at_least = |text: &str| {
        let setting = KeyValue { compare: Compare::AtLeast, ..auditd("max_log_file", "6") };
        let finding = setting.examine(&Tree::new().file(AUDITD, text).system());
        finding.map(|finding| finding.is_compliant())
    };
    assert!(at_least("max_log_file = 8\n").unwrap());
    assert!(at_least("max_log_file = 6\n").unwrap());
    assert!(!at_least("max_log_file = 5\n").unwrap());
    let error = format!("{:#}", at_least("max_log_file = many\n").unwrap_err());
    assert!(error.contains("auditd.conf:1") && error.contains("'many'"), "{error}");
}

#[test]
fn a_line_that_the_daemon_refuses_is_an_error_with_its_place() {
    let tree = Tree::new().file(AUDITD, "space_left = 75\nspace_left=80\n");
    let error = format!("{:#}", auditd("space_left", "75").examine(&tree.system()).unwrap_err());
    assert!(error.contains("/etc/audit/auditd.conf:2"), "{error}");
}

#[test]
fn drop_ins_overrule_the_main_file_by_name_and_etc_hides() {
    let storage = journald("Storage", "persistent");
    let tree = Tree::new()
        .file(JOURNALD, "[Journal]\nStorage=persistent\n")
        .file("/usr/lib/systemd/journald.conf.d/b.conf", "[Journal]\nStorage=none\n")
        .file("/etc/systemd/journald.conf.d/b.conf", "[Journal]\n# hides\n")
        .file("/usr/lib/systemd/journald.conf.d/a.conf", "[Other]\nStorage=none\n");
    assert!(storage.examine(&tree.system()).unwrap().is_compliant());
    let tree = tree.file("/run/systemd/journald.conf.d/c.conf", "[Journal]\nStorage=volatile\n");
    let finding = storage.examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant());
    assert_eq!(finding.evidence[0].place, "/run/systemd/journald.conf.d/c.conf:2");
    tree.round_trip(&storage);
}

#[test]
fn a_vendors_drop_in_with_a_letter_is_overruled() {
    let forward = journald("ForwardToSyslog", "no");
    let tree = Tree::new()
        .file(JOURNALD, "[Journal]\n#ForwardToSyslog=no\n#MaxLevelStore=debug\n")
        .file("/usr/lib/systemd/journald.conf.d/syslog.conf", "# vendor\n[Journal]\nForwardToSyslog=yes\n");
    tree.round_trip(&forward);
    let changed = tree.applied(&forward);
    assert_eq!(
        changed.text(JOURNALD),
        "[Journal]\n#ForwardToSyslog=no\nForwardToSyslog=no\n#MaxLevelStore=debug\n"
    );
    let own = changed.text("/etc/systemd/journald.conf.d/zz-trempe.conf");
    assert_eq!(own, format!("{OWNED_HEADER}[Journal]\nForwardToSyslog=no\n"));
}

#[test]
fn keys_of_one_area_share_a_drop_in() {
    let coredump = |key: &str, value: &str| KeyValue {
        file: "coredump.conf".into(),
        section: "Coredump".into(),
        main_file: false,
        ..journald(key, value)
    };
    let tree = Tree::new();
    tree.applied(&coredump("Storage", "none"));
    let changed = tree.applied(&coredump("ProcessSizeMax", "0"));
    assert_eq!(
        changed.text("/etc/systemd/coredump.conf.d/zz-trempe.conf"),
        format!("{OWNED_HEADER}[Coredump]\nStorage=none\nProcessSizeMax=0\n")
    );
    assert!(!changed.has("/etc/systemd/coredump.conf"));
}

#[test]
fn a_drop_in_behind_ours_is_changed_where_it_stands() {
    let storage = journald("Storage", "persistent");
    let tree = Tree::new()
        .file(JOURNALD, "[Journal]\n")
        .file("/etc/systemd/journald.conf.d/zzz.conf", "[Journal]\nStorage=none\nCompress=yes\n");
    tree.round_trip(&storage);
    let changed = tree.applied(&storage);
    assert_eq!(
        changed.text("/etc/systemd/journald.conf.d/zzz.conf"),
        "[Journal]\nStorage=persistent\nCompress=yes\n"
    );
}

#[test]
fn booleans_have_many_spellings_and_an_empty_value_is_the_default() {
    for (text, holds) in [
        ("[Journal]\nCompress=on\n", true),
        ("[Journal]\nCompress = yes\n", true),
        ("[Journal]\nCompress=no\n", false),
        ("[Journal]\nCompress=yes\nCompress=\n", false),
        ("Compress=yes\n", false),
        ("[Journal]\n;Compress=yes\n", false),
    ] {
        let tree = Tree::new().file(JOURNALD, text);
        let finding = journald("Compress", "yes").examine(&tree.system()).unwrap();
        assert_eq!(finding.is_compliant(), holds, "{text}");
        assert_eq!(finding.effects.len(), usize::from(!holds));
    }
}

#[test]
fn lists_need_one_and_get_all() {
    let servers = KeyValue {
        file: "timesyncd.conf".into(),
        section: "Time".into(),
        compare: Compare::Lists,
        main_file: false,
        ..journald("NTP", "a.example,b.example")
    };
    let tree = Tree::new().file("/etc/systemd/timesyncd.conf", "[Time]\nNTP=x.example b.example\n");
    assert!(servers.examine(&tree.system()).unwrap().is_compliant());
    let tree = Tree::new().file("/etc/systemd/timesyncd.conf", "[Time]\nNTP=ab.example\n");
    tree.round_trip(&servers);
    let own = tree.applied(&servers).text("/etc/systemd/timesyncd.conf.d/zz-trempe.conf");
    assert!(own.ends_with("[Time]\nNTP=a.example b.example\n"));
}

#[test]
fn a_placeholder_is_never_written() {
    let url = KeyValue { placeholder: Some("remote".into()), ..journald("URL", "remote") };
    let finding = url.examine(&Tree::new().system()).unwrap();
    assert!(finding.manual.unwrap().contains("'remote' only stands for a value"));
    let chosen = KeyValue { value: "https://logs.example".into(), ..url };
    Tree::new().round_trip(&chosen);
}

proptest! {
    #[test]
    fn never_panics_and_what_is_set_is_read(
        text in "([\\[\\]#;= a-zA-Z]{0,20}\n){0,8}",
        key in "[a-z]{1,5}",
    ) {
        for (style, section) in [(Style::Spaced, ""), (Style::Systemd, "S")] {
            drop(parse(style, Path::new("f"), &text));
            let changed = set(style, &text, section, &key, "v");
            if let Ok(found) = parse(style, Path::new("f"), &changed) {
                let last = found.into_iter().rev().find(|one| style.same_key(&one.key, &key) && one.section == section);
                prop_assert_eq!(last.map(|one| one.value), Some("v".to_owned()));
            }
        }
    }
}
