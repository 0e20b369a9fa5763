use super::*;
use crate::setting::testing::Tree;

const SU: &str = "# auth required pam_wheel.so\nauth sufficient pam_rootok.so\n@include common-auth\n@include common-account\n";
const AUTH: &str =
    "auth [success=1 default=ignore] pam_unix.so nullok try_first_pass\nauth requisite pam_deny.so\n";

fn pam(json: &str) -> Pam {
    serde_json::from_str(json).unwrap()
}

fn wheel() -> Pam {
    pam(r#"{"service": "su", "facility": "auth", "module": "pam_wheel.so", "controls": ["required"],
        "after": "pam_rootok.so", "arguments": [{"flag": "use_uid"},
        {"value": {"name": "group", "must": {"equals": "sugroup"}}}]}"#)
}

fn machine() -> Tree {
    ["unix", "deny", "wheel", "rootok", "pwquality"]
        .iter()
        .fold(Tree::new(), |tree, name| {
            tree.file(&format!("/lib/x86_64-linux-gnu/security/pam_{name}.so"), "")
        })
        .file("/etc/pam.d/su", SU)
        .file("/etc/pam.d/common-auth", AUTH)
        .file("/etc/pam.d/common-account", "account required pam_unix.so\n")
}

#[test]
fn a_new_line_comes_behind_the_one_named() {
    let tree = machine();
    tree.round_trip(&wheel());
    tree.applied(&wheel());
    let wanted = SU.replace(
        "@include common-auth",
        "auth required pam_wheel.so use_uid group=sugroup\n@include common-auth",
    );
    assert_eq!(tree.text("/etc/pam.d/su"), wanted);
}

#[test]
fn a_line_that_is_there_gets_its_arguments_and_keeps_the_rest() {
    let before = SU.replace(
        "@include common-auth",
        "auth  required\tpam_wheel.so group=wheel root_only # ours\n@include common-auth",
    );
    let tree = machine().file("/etc/pam.d/su", &before);
    tree.applied(&wheel());
    assert!(
        tree.text("/etc/pam.d/su")
            .contains("auth  required\tpam_wheel.so root_only use_uid group=sugroup # ours\n")
    );
}

#[test]
fn another_control_is_for_a_person() {
    let tree = machine().file("/etc/pam.d/su", "auth sufficient pam_wheel.so trust\n");
    let finding = wheel().examine(&tree.system()).unwrap();
    assert!(finding.manual.unwrap().contains("pam_wheel.so has another control"));
}

#[test]
fn included_lines_count_and_are_changed_where_they_are() {
    let no_empty = pam(r#"{"service": "su", "facility": "auth", "module": "pam_unix.so", "if_present": true,
        "arguments": [{"absent": "nullok"}]}"#);
    let tree = machine();
    let finding = no_empty.examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence[0].place, "/etc/pam.d/common-auth:1");
    tree.round_trip(&no_empty);
    tree.applied(&no_empty);
    assert!(
        tree.text("/etc/pam.d/common-auth")
            .starts_with("auth [success=1 default=ignore] pam_unix.so try_first_pass\n")
    );
}

#[test]
fn what_may_be_missing_is_good_when_it_is() {
    let no_remember = pam(r#"{"service": "common-password", "facility": "password", "module": "pam_unix.so",
        "if_present": true, "arguments": [{"absent": "remember"}]}"#);
    assert!(no_remember.examine(&machine().system()).unwrap().is_compliant());
    let needed = Pam { if_present: false, ..no_remember };
    let finding = needed.examine(&machine().system()).unwrap();
    assert!(finding.manual.unwrap().contains("there is no /etc/pam.d/common-password"));
}

fn minlen() -> conf::PamConf {
    serde_json::from_str(
        r#"{"file": "/etc/security/pwquality.conf", "key": "minlen", "must": {"at_least": 14},
        "module": "pam_pwquality.so", "service": "common-password", "facility": "password"}"#,
    )
    .unwrap()
}

#[test]
fn the_main_file_is_read_last_and_an_argument_overrides_it() {
    let tree = machine()
        .file("/etc/security/pwquality.conf", "# minlen = 8\nminlen = 8\n")
        .file("/etc/security/pwquality.conf.d/50-own.conf", "minlen = 20\n");
    let finding = minlen().examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence[0].place, "/etc/security/pwquality.conf:2");
    tree.round_trip(&minlen());
    let tree = tree
        .file("/etc/security/pwquality.conf", "minlen = 14\n")
        .file("/etc/pam.d/common-password", "password requisite pam_pwquality.so retry=3 minlen=6\n");
    assert!(!minlen().examine(&tree.system()).unwrap().is_compliant());
    tree.round_trip(&minlen());
    tree.applied(&minlen());
    assert_eq!(tree.text("/etc/pam.d/common-password"), "password requisite pam_pwquality.so retry=3\n");
}

#[test]
fn a_value_nobody_set_is_added_to_the_main_file() {
    let root = conf::PamConf { key: "enforce_for_root".into(), must: None, ..minlen() };
    let tree = Tree::new().file("/etc/security/pwquality.conf", "# enforce_for_root\n");
    tree.round_trip(&root);
    tree.applied(&root);
    assert_eq!(tree.text("/etc/security/pwquality.conf"), "# enforce_for_root\nenforce_for_root\n");
}

#[test]
fn what_the_module_needs_comes_first() {
    let dictionary = conf::PamConf { needs: Some("cracklib-runtime".into()), ..minlen() };
    let changes = |tree: &Tree| dictionary.examine(&tree.system()).unwrap().changes;
    let install = vec!["cracklib-runtime".to_owned()];
    let without = changes(&Tree::new().packages(&["libpwquality1"]));
    assert_eq!(without[0], Change::Packages { install, remove: vec![] });
    assert_eq!(without.len(), 2);
    assert_eq!(changes(&Tree::new().packages(&["cracklib-runtime"])).len(), 1);
}
