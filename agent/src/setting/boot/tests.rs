use std::path::Path;

use proptest::prelude::*;

use super::defaults::read;
use super::password::BootPassword;
use super::zipl::ZiplArgument;
use super::*;
use crate::setting::testing::Tree;

fn audit() -> KernelArgument {
    KernelArgument { name: "audit".into(), value: "1".into(), or_more: false }
}

fn menu(arguments: &str) -> String {
    format!(
        "set default=0\nmenuentry 'Debian' {{\n\tlinux /vmlinuz-6.1 root=/dev/vda1 {arguments}\n}}\nlinux16 /memtest\n"
    )
}

#[test]
fn settings_are_read_as_a_shell_reads_them() {
    let text = "# GRUB_CMDLINE_LINUX=\"no\"\nGRUB_DEFAULT=0\nGRUB_DISTRIBUTOR=`lsb_release -i 2> /dev/null || echo Debian`\n\
                A='quiet $x'; export B=\"a \\\"b\\\" ${A}\nc\"\nGRUB_CMDLINE_LINUX=$B\\ d\n";
    let mut variables = Variables::new();
    read(Path::new("f"), text, &mut variables).unwrap();
    let value = |name: &str| variables[name].value.as_str();
    assert_eq!(value("A"), "quiet $x");
    assert_eq!(value("B"), "a \"b\" quiet $x\nc");
    assert_eq!(value("GRUB_CMDLINE_LINUX"), "a \"b\" quiet $x\nc d");
    assert_eq!(variables["GRUB_CMDLINE_LINUX"].line, 6);
}

#[test]
fn code_about_the_arguments_is_an_error_with_its_line() {
    for (text, says) in [
        ("X=1\nif true; then GRUB_CMDLINE_LINUX=a; fi\n", "grub:2"),
        ("GRUB_CMDLINE_LINUX+=a\n", "does more than assign"),
        ("A=\"open\n", "quote is not closed"),
    ] {
        let tree = Tree::new().file(MAIN, text);
        let error = audit().examine(&tree.system()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn the_last_value_counts_in_settings_and_menu() {
    for (always, normal, entry, holds) in [
        ("audit=1", "quiet", "audit=1 quiet", true),
        ("audit=0 audit=1", "", "audit=0 audit=1", true),
        ("audit=1", "audit=0", "audit=1 audit=0", false),
        ("", "audit=1", "audit=1", false),
        ("audit=1", "", "", false),
        ("xaudit=1", "", "audit=1", false),
    ] {
        let tree = Tree::new()
            .file(
                MAIN,
                &format!("GRUB_CMDLINE_LINUX=\"{always}\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"{normal}\"\n"),
            )
            .file(MENUS[0], &menu(entry));
        assert_eq!(
            audit().examine(&tree.system()).unwrap().is_compliant(),
            holds,
            "{always}|{normal}|{entry}"
        );
    }
}

#[test]
fn a_drop_in_may_replace_the_arguments() {
    let tree = Tree::new()
        .file(MAIN, "GRUB_CMDLINE_LINUX=audit=1\n")
        .file("/etc/default/grub.d/x.cfg", "GRUB_CMDLINE_LINUX=console=ttyS0\n")
        .file(MENUS[0], &menu("audit=1"));
    let finding = audit().examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant());
    assert_eq!(finding.evidence[0].place, "/etc/default/grub.d/x.cfg:1");
}

#[test]
fn larger_numbers_may_be_as_good() {
    let limit = KernelArgument { name: "audit_backlog_limit".into(), value: "8192".into(), or_more: true };
    for (value, good) in [("8192", true), ("10000", true), ("64", false), ("x", false)] {
        assert_eq!(limit.accepts(value), good, "{value}");
    }
}

#[test]
fn arguments_of_others_stay_in_our_drop_in() {
    let first = with_argument(OWNED_HEADER, ALWAYS, "audit", "audit=1");
    let both = with_argument(&first, ALWAYS, "security", "security=apparmor");
    let line = |argument: &str| format!("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {argument}\"\n");
    assert_eq!(both, format!("{OWNED_HEADER}{}{}", line("audit=1"), line("security=apparmor")));
    assert_eq!(with_argument(&both, ALWAYS, "security", "security=apparmor"), both);
    let mut variables = Variables::new();
    read(Path::new("a"), "GRUB_CMDLINE_LINUX=quiet\n", &mut variables).unwrap();
    read(Path::new("b"), &both, &mut variables).unwrap();
    assert_eq!(variables[ALWAYS].value, "quiet audit=1 security=apparmor");
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    let tree = |always: &str, normal: &str| {
        let settings = format!("GRUB_CMDLINE_LINUX=\"{always}\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"{normal}\"\n");
        Tree::new().running().file(MAIN, &settings).dir("/boot/grub", 0o755)
    };
    tree("quiet", "").file(MENUS[0], &menu("quiet")).round_trip(&audit());
    tree("audit=0", "quiet").file(MENUS[0], &menu("audit=0 quiet")).round_trip(&audit());
    tree("", "splash audit=0").file(MENUS[0], &menu("splash audit=0")).round_trip(&audit());
    tree("audit=1", "").file(MENUS[0], &menu("")).round_trip(&audit());
    tree("quiet", "").round_trip(&audit());
    let other = format!("{OWNED_HEADER}GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX apparmor=1\"\n");
    let tree = tree("", "").file(DROP_IN, &other);
    tree.round_trip(&audit());
    assert!(tree.applied(&audit()).text(MENUS[0]).contains(" apparmor=1 audit=1 "));
}

#[test]
fn elsewhere_than_on_the_machine_it_is_left_to_a_person() {
    let finding = audit().examine(&Tree::new().system()).unwrap();
    assert!(!finding.is_compliant() && finding.manual.is_some() && finding.changes.is_empty());
}

#[test]
fn a_boot_password_needs_a_name_and_a_hash() {
    let hash = "password_pbkdf2 root grub.pbkdf2.sha512.10000.AA.BB";
    for (text, holds) in [
        (format!("set superusers=\"root\"\n{hash}\n"), true),
        (format!("  set superusers=root\n\t{hash}\n"), true),
        (hash.to_owned(), false),
        ("set superusers=\"root\"\npassword root secret\n".to_owned(), false),
        (String::new(), false),
    ] {
        let finding = BootPassword {}.examine(&Tree::new().file(MENUS[0], &text).system()).unwrap();
        assert_eq!((finding.is_compliant(), finding.manual.is_none()), (holds, holds), "{text}");
    }
}

#[test]
fn zipl_entries_and_new_kernels_have_the_argument() {
    let zipl = ZiplArgument { argument: "audit=1".into() };
    let tree = Tree::new().file("/boot/loader/entries/a.conf", "title A\noptions root=x audit=1\n");
    assert!(!zipl.examine(&tree.system()).unwrap().is_compliant());
    let tree = tree.file("/etc/kernel/cmdline", "audit=1\n");
    assert!(zipl.examine(&tree.system()).unwrap().is_compliant());
    let tree = tree.file("/boot/loader/entries/b.conf", "options root=x audit=10\n");
    let finding = zipl.examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant() && finding.changes.is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s)(A=|GRUB_CMDLINE_LINUX|export |[\"'`$\\\\{}# \n;=é]|x){0,40}") {
        drop(read(Path::new("f"), &text, &mut Variables::new()));
    }
}
