use super::*;
use crate::setting::testing::Tree;

const PASSWD_TEXT: &str = "root:x:0:0:root:/root:/bin/bash\nsync:x:4:65534:sync:/bin:/bin/sync\n\
    ann:x:1000:1000:Ann:/home/ann:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP_TEXT: &str = "root:x:0:\nshadow:x:42:\nsudo:x:27:ann\nann:x:1000:\nnogroup:x:65534:\n";

fn machine() -> Tree {
    shadow(Tree::new(), &format!("root:*:{}:0:99999:7:::\nann:$y$j9T$x:{}:0:99999:7:::\n", today(), today()))
}

fn shadow(tree: Tree, text: &str) -> Tree {
    tree.file("/etc/passwd", PASSWD_TEXT)
        .file("/etc/group", GROUP_TEXT)
        .file_with_mode("/etc/shadow", &format!("{text}sync:*:1::::::\n"), 0o640)
        .file_with_mode("/etc/gshadow", "root:*::\nshadow:*::bob\n", 0o640)
        .file("/etc/login.defs", "UID_MIN 1000\n#SYS_UID_MIN 101\n")
        .file("/etc/shells", "# valid\n/bin/sh\n/bin/bash\n")
        .dir("/home/ann", 0o700)
}

fn fails(account: Account, tree: &Tree) -> Finding {
    let finding = account.examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant(), "{account:?}");
    finding
}

fn days(field: days::Field, least: &str, most: &str) -> Account {
    Account::PasswordDays(PasswordDays { field, at_least: least.into(), at_most: most.into() })
}

#[test]
fn a_plain_machine_is_well() {
    let tree = machine();
    for account in [
        Account::UniqueUserIds,
        Account::UniqueUserNames,
        Account::UniqueGroupIds,
        Account::UniqueGroupNames,
        Account::PrimaryGroupsExist,
        Account::OnlyRootHasUidZero,
        Account::RootHasGidZero,
        Account::OnlyRootGroupHasGidZero,
        Account::RootHasPasswordOrLock,
        Account::PasswordsAreShadowed,
        Account::NoEmptyPasswords,
        Account::LastChangesArePast,
        Account::SystemAccountsHaveNoShell,
        Account::SystemAccountsHaveNoShellOrFalse,
        Account::UnlistedShellsAreLocked,
        Account::NologinIsNoValidShell,
        Account::EmptyGroup(EmptyGroup { group: "shadow".into(), create: false }),
    ] {
        let finding = account.examine(&tree.system()).unwrap();
        assert!(finding.is_compliant() && finding.changes.is_empty(), "{account:?}: {finding:?}");
        assert!(!account.describe().is_empty());
    }
}

#[test]
fn what_appears_twice_is_found_and_left_to_a_person() {
    for (account, file, text, found) in [
        (Account::UniqueUserIds, "/etc/passwd", "a:x:5:0::/:\nb:x:5:0::/:\n", "user id 5: a, b"),
        (Account::UniqueUserNames, "/etc/passwd", "a:x:5:0::/:\na:x:6:0::/:\n", "user name a: a, a"),
        (Account::UniqueGroupIds, "/etc/group", "a:x:5:\nb:x:5:\n", "group id 5: a, b"),
        (Account::UniqueGroupNames, "/etc/group", "a:x:5:\na:x:6:\n", "group name a: a, a"),
        (
            Account::PrimaryGroupsExist,
            "/etc/group",
            "root:x:0:\nnogroup:x:65534:\n",
            "ann: no group has id 1000",
        ),
        (Account::OnlyRootGroupHasGidZero, "/etc/group", "root:x:0:\ntoor:x:0:\n", "toor has id 0"),
    ] {
        let finding = fails(account, &machine().file(file, text));
        assert_eq!(finding.evidence[0].found, found);
        assert!(finding.manual.is_some() && finding.changes.is_empty());
    }
}

#[test]
fn a_second_root_is_locked_when_somebody_else_administers() {
    let passwd = format!("{PASSWD_TEXT}toor:x:0:0::/root:/bin/bash\n");
    let shadow_text = "root:*:1::::::\nann:!:1::::::\ntoor:$y$h:1::::::\n";
    let tree = shadow(Tree::new(), shadow_text).file("/etc/passwd", &passwd);
    tree.round_trip(&Account::OnlyRootHasUidZero);
    tree.applied(&Account::OnlyRootHasUidZero);
    assert!(tree.text("/etc/shadow").contains("toor:!$y$h:1::::::\n"));
    assert_eq!(tree.mode("/etc/shadow"), 0o640);
    let alone =
        shadow(Tree::new(), shadow_text).file("/etc/passwd", &passwd).file("/etc/group", "root:x:0:\n");
    assert!(fails(Account::OnlyRootHasUidZero, &alone).manual.is_some());
}

#[test]
fn an_empty_password_is_locked_but_not_an_administrators() {
    let passwd = format!("{PASSWD_TEXT}bob:x:1001:1000::/home/ann:/bin/bash\n");
    let tree = shadow(Tree::new(), "root:*:1::::::\nbob::1::::::\n").file("/etc/passwd", &passwd);
    tree.round_trip(&Account::NoEmptyPasswords);
    let tree = shadow(Tree::new(), "root::1::::::\n");
    assert!(fails(Account::NoEmptyPasswords, &tree).manual.unwrap().contains("root"));
    let tree = shadow(Tree::new(), "ann::1::::::\n");
    assert!(fails(Account::NoEmptyPasswords, &tree).manual.unwrap().contains("ann"));
}

#[test]
fn the_password_of_root_is_a_hash_or_a_lock() {
    for (field, holds) in
        [("$y$j9T$a$b", true), ("$6$a$b", true), ("!", true), ("*", true), ("", false), ("plain", false)]
    {
        let tree = shadow(Tree::new(), &format!("root:{field}:1::::::\n"));
        assert_eq!(
            Account::RootHasPasswordOrLock.examine(&tree.system()).unwrap().is_compliant(),
            holds,
            "{field}"
        );
    }
}

#[test]
fn ages_are_set_where_nobody_is_shut_out() {
    let max = days(days::Field::Max, "1", "365");
    let tree = machine();
    tree.round_trip(&max);
    tree.applied(&max);
    assert!(tree.text("/etc/shadow").contains(&format!("ann:$y$j9T$x:{}:0:365:7:::\n", today())));
    tree.round_trip(&days(days::Field::Min, "1", "365"));
    let inactive = days(days::Field::Inactive, "0", "45");
    tree.round_trip(&inactive);
    tree.applied(&inactive);
    assert!(tree.text("/etc/shadow").contains(":0:365:7:45::\n"));
}

#[test]
fn an_old_password_is_not_made_to_run_out() {
    let line = |last: &str, max: &str| format!("ann:$y$x:{last}:0:{max}:7:::\n");
    let max = days(days::Field::Max, "1", "365");
    let old = (today() - 400).to_string();
    for last in [old.as_str(), ""] {
        let finding = fails(max.clone(), &shadow(Tree::new(), &line(last, "99999")));
        assert!(finding.manual.unwrap().contains("ann") && finding.changes.is_empty());
    }
    // It must be changed at the next login anyway.
    shadow(Tree::new(), &line("0", "99999")).round_trip(&max);
    let inactive = days(days::Field::Inactive, "0", "30");
    assert!(fails(inactive.clone(), &shadow(Tree::new(), &line(&old, "365"))).manual.is_some());
    shadow(Tree::new(), &line(&old, "99999")).round_trip(&inactive);
    // Locked accounts have no age to keep.
    let locked = shadow(Tree::new(), "ann:!$y$x:1:0:99999:7:::\n");
    assert!(max.examine(&locked.system()).unwrap().is_compliant());
}

#[test]
fn a_change_in_the_future_is_found() {
    let tree =
        shadow(Tree::new(), &format!("ann:$y$x:{}::::::\nroot:*:{}::::::\n", today() + 3, today() + 3));
    let finding = fails(Account::LastChangesArePast, &tree);
    assert_eq!(finding.evidence.len(), 1);
    assert_eq!(finding.evidence[0].found, "ann: in 3 days");
}

#[test]
fn groups_are_emptied_and_made() {
    let tree = machine().file("/etc/group", &GROUP_TEXT.replace("shadow:x:42:", "shadow:x:42:bob,eve"));
    let empty = Account::EmptyGroup(EmptyGroup { group: "shadow".into(), create: false });
    tree.round_trip(&empty);
    tree.applied(&empty);
    assert!(tree.text("/etc/gshadow").contains("shadow:*::\n"));
    let made = Account::EmptyGroup(EmptyGroup { group: "sugroup".into(), create: true });
    tree.round_trip(&made);
    tree.applied(&made);
    assert!(tree.text("/etc/group").ends_with("sugroup:x:999:\n"));
    let primary = machine().file("/etc/passwd", "bob:x:1001:42::/:/bin/sh\n");
    assert!(fails(empty, &primary).manual.unwrap().contains("bob"));
}

#[test]
fn false_is_no_shell_where_the_benchmark_says_so() {
    let tree = machine().file("/etc/passwd", "dhcp:x:110:110::/var/lib/dhcp:/usr/bin/false\n");
    assert!(Account::SystemAccountsHaveNoShellOrFalse.examine(&tree.system()).unwrap().is_compliant());
    fails(Account::SystemAccountsHaveNoShell, &tree);
}

#[test]
fn system_accounts_lose_their_shell_unless_they_administer() {
    let passwd = format!("{PASSWD_TEXT}postgres:x:110:110::/var/lib/postgresql:/bin/bash\n");
    let tree = machine().file("/etc/passwd", &passwd);
    tree.round_trip(&Account::SystemAccountsHaveNoShell);
    tree.applied(&Account::SystemAccountsHaveNoShell);
    assert!(tree.text("/etc/passwd").ends_with("/var/lib/postgresql:/usr/sbin/nologin\n"));
    let admin = machine().file("/etc/passwd", &passwd).file("/etc/group", "sudo:x:27:postgres\n");
    assert!(fails(Account::SystemAccountsHaveNoShell, &admin).manual.is_some());
    let reserved =
        machine().file("/etc/passwd", &passwd).file("/etc/login.defs", "SYS_UID_MIN 101\nSYS_UID_MAX 105\n");
    assert!(Account::SystemAccountsHaveNoShell.examine(&reserved.system()).unwrap().is_compliant());
}

#[test]
fn shells_that_are_not_listed_need_a_lock() {
    let tree = machine().file("/etc/shells", "/bin/sh\n");
    assert_eq!(
        fails(Account::UnlistedShellsAreLocked, &tree).evidence[0].found,
        "ann has /bin/bash and a password"
    );
    let tree = machine().file("/etc/shells", "/bin/bash\n/usr/sbin/nologin # no\n");
    tree.round_trip(&Account::NologinIsNoValidShell);
}
