use proptest::prelude::*;

use super::config::{Files, with_directive, with_value};
use super::*;
use crate::setting::testing::Tree;

/// The main file as Debian ships it, without its comments.
const DEBIAN: &str = "\
# comment
Include /etc/ssh/sshd_config.d/*.conf
#PermitRootLogin prohibit-password
UsePAM yes
Subsystem sftp /usr/lib/openssh/sftp-server
";

fn root_login() -> Sshd {
    Sshd {
        keyword: "PermitRootLogin".into(),
        value: "no".into(),
        also: vec![],
        compare: Compare::Same,
        required: "0".into(),
    }
}

fn machine(main: &str) -> Tree {
    Tree::new().packages(&["openssh-server"]).file_with_mode(MAIN, main, 0o600)
}

fn read(tree: &Tree) -> Vec<String> {
    let system = tree.system();
    let directives = Files::new(&system).directives().unwrap();
    directives.iter().map(|found| format!("{}: {}", found.place(), found.sentence())).collect()
}

#[test]
fn lines_are_read_as_the_daemon_reads_them() {
    for (line, value) in [
        ("PermitRootLogin no", "no"),
        ("  permitrootlogin\tno  ", "no"),
        ("PermitRootLogin=no", "no"),
        ("PermitRootLogin = \"no\" # why", "no"),
        ("PermitRootLogin 'no'", "no"),
        ("AllowUsers a \"b c\" d#e #f", "a b c d#e"),
    ] {
        let tree = machine(line);
        let system = tree.system();
        let found = Files::new(&system).directives().unwrap();
        assert_eq!(found[0].value(), value, "{line}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    for (text, says) in [
        ("UsePAM yes\nPermitRootLogin\n", "sshd_config:2"),
        ("PermitRootLogin \"no\n", "quote is not closed"),
        ("PermitRootLogin # no\n", "has no value"),
        ("Include /etc/ssh/sshd_config\n", "too deeply"),
    ] {
        let error = root_login().examine(&machine(text).system()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let bare = Tree::new().packages(&["openssh-server"]);
    assert!(root_login().examine(&bare.system()).unwrap_err().to_string().contains("no such file"));
}

#[test]
fn includes_are_read_in_place_and_in_the_order_of_their_names() {
    let tree = machine("Include sshd_config.d/*.conf other\nUsePAM yes\n")
        .file("/etc/ssh/sshd_config.d/20-b.conf", "UsePAM no\n")
        .file("/etc/ssh/sshd_config.d/10-a.conf", "Match User x\nUsePAM no\n")
        .file("/etc/ssh/sshd_config.d/.hidden.conf", "UsePAM no\n")
        .file("/etc/ssh/other", "Port 1\n");
    assert_eq!(
        read(&tree),
        [
            "/etc/ssh/sshd_config.d/10-a.conf:2: UsePAM no (Match User x)",
            "/etc/ssh/sshd_config.d/20-b.conf:1: UsePAM no",
            "/etc/ssh/other:1: Port 1",
            "/etc/ssh/sshd_config:2: UsePAM yes",
        ]
    );
}

#[test]
fn an_include_inside_of_a_block_is_conditional() {
    let tree =
        machine("Match User x\nInclude in\nMatch all\nUsePAM no\n").file("/etc/ssh/in", "UsePAM yes\n");
    assert_eq!(
        read(&tree),
        ["/etc/ssh/in:1: UsePAM yes (Match User x)", "/etc/ssh/sshd_config:4: UsePAM no (Match all)"]
    );
}

#[test]
fn the_first_value_counts() {
    let tree = machine("PermitRootLogin no\nPermitRootLogin yes\n");
    assert!(root_login().examine(&tree.system()).unwrap().is_compliant());
    let tree = machine("PermitRootLogin yes\nPermitRootLogin no\n");
    let finding = root_login().examine(&tree.system()).unwrap();
    assert_eq!(
        (finding.is_compliant(), finding.evidence[0].place.as_str()),
        (false, "/etc/ssh/sshd_config:1")
    );
}

#[test]
fn values_are_compared_as_the_keyword_needs() {
    let case = |compare, wanted: &str, found: &str| {
        Sshd { compare, value: wanted.into(), ..root_login() }.accepts(found)
    };
    use Compare::*;
    for (compare, wanted, found, good) in [
        (Same, "no", "NO", true),
        (Same, "/etc/issue.net", "/etc/Issue.net", false),
        (AtMost, "10", "0", true),
        (AtMost, "10", "11", false),
        (Limit, "60", "1m", true),
        (Limit, "60", "1m1s", false),
        (Limit, "60", "0", false),
        (Limit, "60", "", false),
        (Limit, "60", "x", false),
        (Limit, "60", "99999999999999999999", false),
        (Among, "a,b", "b", true),
        (Among, "a,b", "b,c", false),
        (Among, "a,b", "-c", false),
        (Among, "a,b", "", false),
        (Among, "-c", "-c", true),
        (StartLimits, "10:30:60", "5:40:60", true),
        (StartLimits, "10:30:60", "10:30:100", false),
        (StartLimits, "10:30:60", "10", false),
    ] {
        assert_eq!(case(compare, wanted, found), good, "{compare:?} {wanted}: {found}");
    }
}

#[test]
fn without_a_daemon_there_is_nothing_to_configure() {
    let tree = Tree::new().packages(&["sudo"]);
    let with = |required: &str| Sshd { required: required.into(), ..root_login() };
    assert!(with("0").examine(&tree.system()).unwrap().is_compliant());
    let wanted = with("2").examine(&tree.system()).unwrap();
    assert!(!wanted.is_compliant() && wanted.changes.len() == 1);
    let unwanted = with("1").examine(&machine(DEBIAN).system()).unwrap();
    assert!(!unwanted.is_compliant() && unwanted.manual.is_some());
}

#[test]
fn where_our_drop_in_wins_no_other_file_is_touched() {
    let main = DEBIAN.to_owned() + "PermitRootLogin yes\n";
    let late = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
    let tree = machine(&main).file(DROP_IN, "LogLevel INFO\n").file(late, "PermitRootLogin yes\n");
    let changed = tree.applied(&root_login());
    assert_eq!(changed.text(DROP_IN), "LogLevel INFO\nPermitRootLogin no\n");
    assert_eq!((changed.text(MAIN), changed.text(late).as_str()), (main, "PermitRootLogin yes\n"));
}

#[test]
fn a_value_that_the_main_file_sets_before_its_include_is_mended_where_it_stands() {
    let tree = machine("PermitRootLogin yes\nInclude sshd_config.d/*.conf\nPermitRootLogin yes\n");
    let changed = tree.applied(&root_login());
    assert_eq!(changed.text(MAIN), "PermitRootLogin no\nInclude sshd_config.d/*.conf\nPermitRootLogin yes\n");
}

#[test]
fn without_an_include_the_main_file_alone_is_changed() {
    let tree = machine("# head\nPermitRootLogin yes # for now\nMatch User x\n  PermitRootLogin yes\n");
    let changed = tree.applied(&root_login());
    assert_eq!(
        changed.text(MAIN),
        "# head\nPermitRootLogin no # for now\nMatch User x\n  PermitRootLogin no\n"
    );
    assert!(!changed.has(DROP_IN));
}

#[test]
fn a_file_that_is_read_before_ours_is_mended() {
    let early = "/etc/ssh/sshd_config.d/00-cloud.conf";
    let tree = machine(DEBIAN).file(early, "Port 22\nPermitRootLogin yes\n");
    assert_eq!(tree.applied(&root_login()).text(early), "Port 22\nPermitRootLogin no\n");
}

#[test]
fn a_later_drop_in_is_left_alone_but_for_its_match_blocks() {
    let late = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
    let tree =
        machine(DEBIAN).file(late, "PermitRootLogin yes\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n");
    assert!(root_login().examine(&tree.system()).unwrap().evidence[1].found.contains("Match Address"));
    assert_eq!(
        tree.applied(&root_login()).text(late),
        "PermitRootLogin yes\nMatch Address 10.0.0.0/8\nPermitRootLogin no\n"
    );
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    machine(DEBIAN).round_trip(&root_login());
    machine("Match User x\nPermitRootLogin yes").round_trip(&root_login());
    machine("").round_trip(&root_login());
    let limits = Sshd {
        keyword: "MaxStartups".into(),
        value: "10:30:60".into(),
        compare: Compare::StartLimits,
        ..root_login()
    };
    machine("MaxStartups 10:30:100\nInclude sshd_config.d/*.conf\n").round_trip(&limits);
}

#[test]
fn an_access_list_must_hold_for_everybody() {
    let access = access::SshdAccess::default();
    let none = access.examine(&machine("Match User x\nAllowUsers x\n").system()).unwrap();
    assert!(!none.is_compliant() && none.manual.is_some());
    assert!(access.examine(&machine("AllowGroups ssh\n").system()).unwrap().is_compliant());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,200}") {
        let tree = machine(&text);
        let system = tree.system();
        drop(Files::new(&system).directives());
        drop(with_directive(&text, "UsePAM", "yes"));
        (0..4).for_each(|line| drop(with_value(&text, line, "yes")));
    }

    #[test]
    fn numbers_never_panic(text in "[0-9smhdwSx:,]{0,24}") {
        let _ = (number(&text), among(&text, "a"), start_limits(&text, "10:30:60"));
    }
}
