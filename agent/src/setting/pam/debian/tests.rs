use super::*;
use crate::setting::Setting;
use crate::setting::pam::Pam;
use crate::setting::pam::faillock::Faillock;
use crate::setting::testing::Tree;

const UNIX: &str = "Name: Unix authentication
Default: yes
Priority: 256
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_unix.so nullok try_first_pass
Auth-Initial:
\t[success=end default=ignore]\tpam_unix.so nullok
Account-Type: Primary
Account:
\t[success=end new_authtok_reqd=done default=ignore]\tpam_unix.so
Session-Type: Additional
Session:
\trequired\tpam_unix.so
Password-Type: Primary
Password:
\t[success=end default=ignore]\tpam_unix.so obscure use_authtok try_first_pass yescrypt
Password-Initial:
\t[success=end default=ignore]\tpam_unix.so obscure yescrypt
";
const PWQUALITY: &str = "Name: Pwquality password strength checking
Default: yes
Priority: 1024
Conflicts: cracklib
Password-Type: Primary
Password:
\trequisite\t\t\tpam_pwquality.so retry=3
";
const UNIX_ACCOUNT: &str = "[success=end new_authtok_reqd=done default=ignore]\tpam_unix.so";

/// A common file with these lines in its blocks.
fn common(facility: &str, primary: &str, additional: &str) -> String {
    format!(
        "# comment\n\n{PRIMARY}\n{primary}{FALLBACK}\n{facility}\trequisite\t\t\tpam_deny.so\n\
         {facility}\trequired\t\t\tpam_permit.so\n{ADDITIONAL}\n{additional}{END}\n"
    )
}

/// A machine as Debian's installer leaves it.
fn machine() -> Tree {
    let session =
        common("session", "session\t[default=1]\t\t\tpam_permit.so\n", "session\trequired\tpam_unix.so \n");
    let record = format!("Module: null\n{NOTHING}\nModule: unix\nrequired\tpam_unix.so\n");
    ["unix", "deny", "permit", "faillock", "pwquality", "pwhistory"]
        .iter()
        .fold(Tree::new(), |tree, name| {
            tree.file(&format!("/lib/x86_64-linux-gnu/security/pam_{name}.so"), "")
        })
        .file("/usr/share/pam-configs/unix", UNIX)
        .file("/usr/share/pam-configs/pwquality", PWQUALITY)
        .file(
            "/etc/pam.d/common-auth",
            &common("auth", "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n", ""),
        )
        .file("/var/lib/pam/auth", "Module: unix\n[success=end default=ignore]\tpam_unix.so nullok\n")
        .file(
            "/etc/pam.d/common-account",
            &common(
                "account",
                "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n",
                "",
            ),
        )
        .file("/var/lib/pam/account", &format!("Module: unix\n{UNIX_ACCOUNT}\n"))
        .file(
            "/etc/pam.d/common-password",
            &common("password", "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n", ""),
        )
        .file(
            "/var/lib/pam/password",
            "Module: unix\n[success=end default=ignore]\tpam_unix.so obscure yescrypt\n",
        )
        .file("/etc/pam.d/common-session", &session)
        .file("/var/lib/pam/session", &record)
        .file("/etc/pam.d/common-session-noninteractive", &session)
        .file("/var/lib/pam/session-noninteractive", &record)
        .file("/var/lib/pam/seen", "unix\n")
}

fn read(tree: &Tree) -> Common {
    Common::read(&tree.system()).unwrap().unwrap()
}

fn faillock() -> Faillock {
    Faillock { auth: "common-auth".into(), account: "common-account".into() }
}

fn pam(json: &str) -> Pam {
    serde_json::from_str(json).unwrap()
}

#[test]
fn what_is_read_is_written_the_same() {
    let tree = machine();
    assert_eq!(read(&tree).changes(&tree.system()).unwrap(), []);
}

#[test]
fn faillock_takes_its_places_around_the_module_that_asks() {
    let tree = machine();
    tree.round_trip(&faillock());
    tree.applied(&faillock());
    let primary = "auth\trequired\tpam_faillock.so preauth\n\
                   auth\t[success=3 default=ignore]\tpam_unix.so nullok try_first_pass\n\
                   auth\t[default=die]\tpam_faillock.so authfail\n\
                   auth\tsufficient\tpam_faillock.so authsucc\n";
    assert_eq!(tree.text("/etc/pam.d/common-auth"), common("auth", primary, ""));
    let primary = "account\trequired\tpam_faillock.so \n\
                   account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n";
    assert_eq!(tree.text("/etc/pam.d/common-account"), common("account", primary, ""));
    assert_eq!(tree.text("/var/lib/pam/seen"), "trempe-faillock-first\nunix\ntrempe-faillock-last\n");
    assert!(tree.text("/var/lib/pam/auth").ends_with(
        "Module: trempe-faillock-last\n[default=die]\tpam_faillock.so authfail\nsufficient\tpam_faillock.so authsucc\n"
    ));
    assert_eq!(
        read(&tree).changes(&tree.system()).unwrap(),
        [],
        "the next run of the generator changes nothing"
    );
}

#[test]
fn a_profile_of_an_administrator_gives_way_to_ours() {
    let theirs = "Name: x\nDefault: yes\nPriority: 0\nAuth-Type: Primary\nAuth:\n\t[default=die]\tpam_faillock.so authfail\n";
    let record = "Module: unix\n[success=end default=ignore]\tpam_unix.so nullok\n\
                  Module: faillock\n[default=die]\tpam_faillock.so authfail\n";
    let primary = "auth\t[success=2 default=ignore]\tpam_unix.so nullok\nauth\t[default=die]\tpam_faillock.so authfail\n";
    let tree = machine()
        .file("/usr/share/pam-configs/faillock", theirs)
        .file("/etc/pam.d/common-auth", &common("auth", primary, ""))
        .file("/var/lib/pam/auth", record);
    tree.applied(&faillock());
    assert_eq!(tree.text("/etc/pam.d/common-auth").matches("authfail").count(), 1);
    assert!(faillock().examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn arguments_are_differences_that_the_generator_keeps() {
    let no_empty =
        pam(r#"{"service": "common-auth", "facility": "auth", "module": "pam_unix.so", "if_present": true,
        "arguments": [{"absent": "nullok"}]}"#);
    let tree = machine();
    tree.round_trip(&no_empty);
    tree.applied(&no_empty);
    assert!(tree.text("/etc/pam.d/common-auth").contains("auth\t[success=1 default=ignore]\tpam_unix.so \n"));
    assert!(tree.text("/var/lib/pam/auth").contains("nullok"), "the record is of the profile");
    tree.applied(&faillock());
    assert!(no_empty.examine(&tree.system()).unwrap().is_compliant());
    assert!(tree.text("/etc/pam.d/common-auth").contains("pam_unix.so try_first_pass\n"));
    assert_eq!(read(&tree).changes(&tree.system()).unwrap(), []);
}

#[test]
fn history_comes_between_quality_and_storing() {
    let history = pam(
        r#"{"service": "common-password", "facility": "password", "module": "pam_pwhistory.so",
        "controls": ["requisite", "required", "actions"], "profile": "trempe-pwhistory",
        "arguments": [{"value": {"name": "remember", "must": {"at_least": 24}}}, {"later_flag": "use_authtok"}]}"#,
    );
    let tree = machine();
    tree.round_trip(&history);
    tree.applied(&history);
    assert!(
        tree.text("/etc/pam.d/common-password")
            .contains("password\trequisite\tpam_pwhistory.so remember=24\n")
    );
    let quality =
        pam(r#"{"service": "common-password", "facility": "password", "module": "pam_pwquality.so",
        "controls": ["requisite", "required"], "profile": "pwquality"}"#);
    tree.applied(&quality);
    let primary = "password\trequisite\t\t\tpam_pwquality.so retry=3\n\
                   password\trequisite\tpam_pwhistory.so use_authtok remember=24\n\
                   password\t[success=1 default=ignore]\tpam_unix.so obscure use_authtok try_first_pass yescrypt\n";
    assert_eq!(tree.text("/etc/pam.d/common-password"), common("password", primary, ""));
    assert!(history.examine(&tree.system()).unwrap().is_compliant());
    assert_eq!(read(&tree).changes(&tree.system()).unwrap(), []);
}

#[test]
fn what_a_package_brings_is_installed_and_what_a_hand_changed_is_left() {
    let quality =
        pam(r#"{"service": "common-password", "facility": "password", "module": "pam_pwquality.so",
        "controls": ["requisite"], "profile": "no-such", "package": "libpam-pwquality"}"#);
    let tree = machine().packages(&["libpam-runtime"]);
    let both = ["libpam-pwquality", "cracklib-runtime"].map(str::to_owned);
    let install = |names: &[String]| Change::Packages { install: names.to_vec(), remove: vec![] };
    assert_eq!(quality.examine(&tree.system()).unwrap().changes, [install(&both)]);
    let known = Pam { profile: Some("pwquality".to_owned()), ..quality };
    let tree = tree.packages(&["libpam-runtime", "libpam-pwquality"]);
    let changes = known.examine(&tree.system()).unwrap().changes;
    assert_eq!(
        changes[0],
        install(&both[1..]),
        "without a dictionary nobody could change a password any more"
    );
    assert!(changes.len() > 1);
    let by_hand = tree
        .text("/etc/pam.d/common-auth")
        .replace(FALLBACK, &format!("auth optional pam_mine.so\n{FALLBACK}"));
    let tree = tree.file("/etc/pam.d/common-auth", &by_hand);
    let finding = faillock().examine(&tree.system()).unwrap();
    assert!(finding.manual.unwrap().contains("'optional pam_mine.so' is from no profile"));
}

#[test]
fn jumps_do_not_matter_for_what_a_line_is() {
    for (line, same) in [
        ("[success=end default=ignore]\tpam_unix.so x", "[success= default=ignore]\tpam_unix.so x"),
        ("[success=12 default=ignore] a", "[success= default=ignore] a"),
        ("[default=die]\ta b", "[default=die]\ta b"),
        ("required\tpam_2.so", "required\tpam_2.so"),
    ] {
        assert_eq!(without_jump(line), same);
    }
    assert_eq!(head_and_arguments("[a b]\t\tpam_x.so  one two "), ("[a b]\t\tpam_x.so", vec!["one", "two"]));
    assert_eq!(head_and_arguments("required pam_x.so"), ("required pam_x.so", vec![]));
    assert_eq!(control_and_module("[a b]\tpam_x.so"), ("[a b]", "pam_x.so"));
}
