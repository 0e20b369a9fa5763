use super::*;
use crate::setting::testing::Tree;

const DEBIAN: &str =
    "module(load=\"imuxsock\")\n$FileCreateMode 0640\n$IncludeConfig /etc/rsyslog.d/*.conf\n";

fn mode() -> Rsyslog {
    Rsyslog::FileMode("0640".into())
}

#[test]
fn a_strict_mode_anywhere_is_enough_and_a_loose_one_anywhere_is_not() {
    for (main, other, holds) in [
        (DEBIAN, "", true),
        ("$FileCreateMode 0600\n", "", true),
        ("$FileCreateMode 0644\n", "", false),
        (DEBIAN, "$FileCreateMode 0644\n", false),
        (DEBIAN, "action(type=\"omfile\" file=\"/x\" fileCreateMode=\"0666\")\n", false),
        ("module(load=\"builtin:omfile\" FileCreateMode=\"0640\")\n", "", true),
        ("module(load=\"imuxsock\")\n", "$FileCreateMode 0640\n", false),
    ] {
        let tree = Tree::new().file(MAIN, main).file("/etc/rsyslog.d/50-x.conf", other);
        assert_eq!(mode().examine(&tree.system()).unwrap().is_compliant(), holds, "{main}{other}");
        if !holds {
            tree.round_trip(&mode());
        }
    }
}

#[test]
fn modes_are_changed_in_place_and_nothing_else() {
    let other = "action(type=\"omfile\" dirCreateMode=\"0644\"\n       fileCreateMode=\"0644\") # 0644\n";
    let tree = Tree::new().file(MAIN, DEBIAN).file("/etc/rsyslog.d/50-x.conf", other);
    let changed = tree.applied(&mode());
    assert_eq!(
        changed.text("/etc/rsyslog.d/50-x.conf"),
        "action(type=\"omfile\" dirCreateMode=\"0644\"\n       fileCreateMode=\"0640\") # 0644\n"
    );
    assert_eq!(changed.text(MAIN), DEBIAN);
}

#[test]
fn a_missing_mode_goes_where_it_is_read_first() {
    let includes = "# head\ninclude(file=\"/etc/rsyslog.d/*.conf\" mode=\"optional\")\n";
    let changed = Tree::new().file(MAIN, includes);
    assert_eq!(changed.applied(&mode()).text(DROP_IN), format!("{OWNED_HEADER}$FileCreateMode 0640\n"));
    let alone = Tree::new().file(MAIN, "# head\nmodule(load=\"imuxsock\")\n");
    assert_eq!(
        alone.applied(&mode()).text(MAIN),
        "# head\n$FileCreateMode 0640\nmodule(load=\"imuxsock\")\n"
    );
}

#[test]
fn without_rsyslog_only_its_mode_fails() {
    let tree = Tree::new().packages(&[]);
    let finding = mode().examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant() && finding.manual.is_some());
    assert!(Rsyslog::NoListener {}.examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn a_bad_mode_is_an_error_with_its_place() {
    let tree = Tree::new().file(MAIN, "\n$FileCreateMode rw\n");
    let error = format!("{:#}", mode().examine(&tree.system()).unwrap_err());
    assert!(error.contains("/etc/rsyslog.conf:2") && error.contains("'rw'"), "{error}");
}

#[test]
fn listeners_of_both_syntaxes_are_commented_out() {
    let main = format!("{DEBIAN}#$ModLoad imudp\n$ModLoad imtcp.so\n$InputTCPServerRun 514\n");
    let other = "module(load=\"imudp\")\ninput(type=\"imudp\"\n  port=\"514\")\nmodule(load=\"imklog\")\n";
    let tree = Tree::new().file(MAIN, &main).file("/etc/rsyslog.d/50-x.conf", other);
    let setting = Rsyslog::NoListener {};
    tree.round_trip(&setting);
    let changed = tree.applied(&setting);
    assert_eq!(
        changed.text(MAIN),
        format!("{DEBIAN}#$ModLoad imudp\n# $ModLoad imtcp.so\n# $InputTCPServerRun 514\n")
    );
    assert_eq!(
        changed.text("/etc/rsyslog.d/50-x.conf"),
        "# module(load=\"imudp\")\n# input(type=\"imudp\"\n#   port=\"514\")\nmodule(load=\"imklog\")\n"
    );
}

#[test]
fn a_file_that_is_not_included_does_not_listen() {
    let tree = Tree::new()
        .file(MAIN, "module(load=\"imuxsock\")\n")
        .file("/etc/rsyslog.d/50-x.conf", "module(load=\"imudp\")\n");
    assert!(Rsyslog::NoListener {}.examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn files_that_include_each_other_are_an_error() {
    let tree = Tree::new()
        .file(MAIN, "$IncludeConfig /etc/rsyslog.d/*.conf\n")
        .file("/etc/rsyslog.d/x.conf", "$IncludeConfig /etc/rsyslog.conf\n");
    let error = Rsyslog::NoListener {}.examine(&tree.system()).unwrap_err().to_string();
    assert!(error.contains("include each other"), "{error}");
}

#[test]
fn every_forwarding_must_be_protected() {
    let pairs = [("protocol", "tcp"), ("StreamDriverMode", "1")];
    let setting = Rsyslog::Forwarding(pairs.map(|(name, value)| (name.to_owned(), Text::from(value))).into());
    let good = "action(type=\"omfwd\" target=\"l\" protocol=\"tcp\" streamdrivermode=\"1\")\n";
    for (text, holds) in [
        (good.to_owned(), true),
        (String::new(), false),
        (
            format!("{good}action(type=\"omfwd\" target=\"m\" protocol=\"udp\" StreamDriverMode=\"1\")\n"),
            false,
        ),
        (good.replace("target=\"l\" ", ""), false),
    ] {
        let tree = Tree::new().file(MAIN, &text);
        let finding = setting.examine(&tree.system()).unwrap();
        assert_eq!(finding.is_compliant(), holds, "{text}");
        assert_eq!(finding.changes, vec![]);
    }
}
