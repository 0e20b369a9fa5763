use proptest::prelude::*;

use super::gdm::Gdm;
use super::keyfile::{assignments, with};
use super::*;
use crate::setting::testing::Tree;

fn automount() -> Dconf {
    Dconf {
        database: "local".into(),
        profile: "user".into(),
        key: "/org/gnome/desktop/media-handling/automount".into(),
        value: "false".into(),
        like: None,
        from: None,
        locked: true,
    }
}

fn idle() -> Dconf {
    Dconf {
        key: "/org/gnome/desktop/session/idle-delay".into(),
        value: "uint32 900".into(),
        from: Some(1),
        locked: false,
        ..automount()
    }
}

const PROFILE: &str = "/etc/dconf/profile/user";

/// The tree with the changes made, but for the database.
fn mended(mut tree: Tree, setting: &Dconf) -> Tree {
    for change in setting.changes(&tree.system(), &mut Finding::new()).unwrap() {
        let Change::WriteFile { path, content, .. } = change else { panic!("not a file: {change:?}") };
        tree = tree.file(&path.display().to_string(), &content);
    }
    tree
}

#[test]
fn everything_that_is_missing_is_added_and_stays() {
    let tree = mended(Tree::new(), &automount());
    assert_eq!(
        tree.text("/etc/dconf/db/local.d/00-trempe"),
        format!("{OWNED_HEADER}[org/gnome/desktop/media-handling]\nautomount=false\n")
    );
    assert!(tree.text("/etc/dconf/db/local.d/locks/00-trempe").ends_with("/media-handling/automount\n"));
    assert_eq!(tree.text(PROFILE), "user-db:user\nsystem-db:local\n");
    let tree = mended(tree, &idle());
    assert!(automount().examine(&tree.system()).unwrap().is_compliant());
    assert!(idle().examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn a_file_that_says_otherwise_is_changed_in_place() {
    let other = "/etc/dconf/db/local.d/50-x";
    let tree = Tree::new()
        .file(other, "[a]\nautomount=true\n[org/gnome/desktop/media-handling]\nautomount = true\n");
    let tree = mended(tree, &automount());
    assert_eq!(
        tree.text(other),
        "[a]\nautomount=true\n[org/gnome/desktop/media-handling]\nautomount=false\n"
    );
    assert!(!tree.has("/etc/dconf/db/local.d/00-trempe"));
}

#[test]
fn times_may_be_shorter_but_not_never() {
    for (value, good) in
        [("uint32 900", true), ("uint32 60", true), ("uint32 0", false), ("uint32 901", false), ("x", false)]
    {
        assert_eq!(idle().accepts(value), good, "{value}");
    }
}

#[test]
fn texts_may_be_others_that_look_alike() {
    let banner =
        Dconf { value: "'Members only.'".into(), like: Some("^[A-Z]\\w+ only\\.$".into()), ..automount() };
    for (text, changes) in
        [("'Friends only.'", 2), ("\"Friends only.\"", 2), ("'Friends'", 3), ("Friends only", 3)]
    {
        let file = format!("[org/gnome/desktop/media-handling]\nautomount={text}\n");
        let tree = Tree::new().file("/etc/dconf/db/local.d/50-x", &file);
        let found = banner.changes(&tree.system(), &mut Finding::new()).unwrap();
        assert_eq!(found.len(), changes, "{text}: lock, profile, and the text where it is bad");
    }
    for (like, said) in [("^Nobody", "change one of the two"), ("(", "no regular expression")] {
        let error = Dconf { like: Some(like.into()), ..banner.clone() }.like().unwrap_err();
        assert!(format!("{error:#}").contains(said), "{error:#}");
    }
}

#[test]
fn the_vendors_profile_is_kept() {
    let vendor = "user-db:user\nfile-db:/var/lib/gdm3/greeter-dconf-defaults\n";
    let tree = Tree::new().file("/usr/share/dconf/profile/gdm", vendor);
    let setting = Dconf { profile: "gdm".into(), database: "gdm".into(), ..automount() };
    let tree = mended(tree, &setting);
    assert_eq!(
        tree.text("/etc/dconf/profile/gdm"),
        "user-db:user\nsystem-db:gdm\nfile-db:/var/lib/gdm3/greeter-dconf-defaults\n"
    );
}

#[test]
fn elsewhere_than_on_the_machine_the_database_cannot_be_made() {
    let finding = automount().examine(&Tree::new().system()).unwrap();
    assert!(finding.manual.is_some() && finding.changes.is_empty());
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    let tree = || Tree::new().running().dir("/etc/dconf/db", 0o755);
    tree().round_trip(&automount());
    let other =
        || tree().file("/etc/dconf/db/local.d/50-x", "[org/gnome/desktop/media-handling]\nautomount=true\n");
    other().round_trip(&automount());
    other().file("/etc/dconf/db/local", "the database").round_trip(&idle());
}

#[test]
fn gdm_inspect_change_inspect_and_roll_back() {
    let xdmcp = Gdm { section: "xdmcp".into(), key: "Enable".into(), value: "false".into() };
    Tree::new()
        .file("/etc/gdm3/daemon.conf", "[daemon]\nEnable=true\n[xdmcp]\n\n[debug]\n")
        .round_trip(&xdmcp);
    Tree::new().file("/etc/gdm3/daemon.conf", "[xdmcp]\nEnable=true").round_trip(&xdmcp);
    Tree::new().file("/etc/gdm/custom.conf", "").round_trip(&xdmcp);
}

proptest! {
    #[test]
    fn what_is_set_is_found(text in "(?s)([\\[\\]=#\n a]|b=|\\[s\\]\n){0,30}") {
        let changed = with(&text, "s", "k", "v");
        let found = assignments(&changed);
        prop_assert!(found.iter().any(|one| one.section == "s" && one.key == "k" && one.value == "v"));
    }
}
