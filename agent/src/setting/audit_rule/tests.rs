use super::*;
use crate::setting::testing::Tree;

const CHMOD: &str = "-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=unset -F key=perm_mod";

fn rules(lines: &[&str]) -> AuditRule {
    AuditRule { rules: lines.iter().map(|line| Text::from(*line)).collect() }
}

fn tree() -> Tree {
    let unit = "[Service]\nExecStartPost=-/sbin/augenrules --load\n";
    Tree::new()
        .file("/usr/lib/systemd/system/auditd.service", unit)
        .file("/etc/audit/rules.d/audit.rules", "-D\n-b 8192\n-f 1\n")
}

#[test]
fn inspect_change_inspect_and_roll_back() {
    tree().round_trip(&rules(&[CHMOD, "-w /etc/group -p wa -k id"]));
    tree().round_trip(&rules(&["-e 2"]));
    tree().round_trip(&rules(&["-c"]));
}

#[test]
fn what_is_missing_goes_where_it_takes_effect() {
    let tree = tree().file(RULES, "# ours\n-w /etc/hosts -p wa -k net\n");
    let changed = tree.applied(&rules(&[CHMOD, "-e 2", "-c"]));
    assert_eq!(changed.text(RULES), format!("# ours\n-w /etc/hosts -p wa -k net\n{CHMOD}\n"));
    assert_eq!(changed.text(LAST), format!("{OWNED_HEADER}-e 2\n"));
    assert_eq!(changed.text(FIRST), format!("{OWNED_HEADER}-c\n"));
    assert_eq!(changed.mode(LAST), 0o640);
    assert_eq!(changed.text("/etc/audit/rules.d/audit.rules"), "-D\n-b 8192\n-f 1\n");
}

#[test]
fn system_calls_with_the_same_conditions_share_a_line() {
    let tree = tree();
    let fchmod = CHMOD.replace("chmod", "fchmod");
    let other = CHMOD.replace("-S chmod", "-S rename").replace("perm_mod", "delete");
    tree.applied(&rules(&[CHMOD]));
    tree.applied(&rules(&[&other, "-w /etc/group -p wa -k id"]));
    tree.round_trip(&rules(&[&fchmod]));
    let text = tree.applied(&rules(&[&fchmod])).text(RULES);
    let merged = CHMOD.replace("-S chmod", "-S chmod,fchmod");
    assert_eq!(text, format!("{OWNED_HEADER}{merged}\n{other}\n-w /etc/group -p wa -k id\n"));
}

#[test]
fn a_rule_of_somebody_else_is_enough() {
    let tree = tree().file(
        "/etc/audit/rules.d/50-site.rules",
        "-a exit,always -S fchmod,chmod -F arch=b64 -F auid!=-1 -F auid>=1000 -k site\n-w /etc -p wa\n",
    );
    let finding = rules(&[CHMOD, "-w /etc/group -p wa -k id"]).examine(&tree.system()).unwrap();
    assert!(finding.is_compliant(), "{finding:?}");
    assert_eq!(finding.evidence[0].place, "/etc/audit/rules.d/50-site.rules:1");
    assert_eq!(finding.changes, vec![]);
}

#[test]
fn one_rule_for_each_architecture_is_enough_for_a_watch() {
    let both = "-a always,exit -F arch=b32 -F path=/etc/group -F perm=wa -k id\n\
                -a always,exit -F arch=b64 -F path=/etc/group -F perm=wa -k id\n";
    let watch = rules(&["-w /etc/group -p wa -k id"]);
    let whole = tree().file("/etc/audit/rules.d/50-site.rules", both);
    assert!(watch.examine(&whole.system()).unwrap().is_compliant());
    let half = tree().file("/etc/audit/rules.d/50-site.rules", both.lines().next().unwrap());
    assert!(!watch.examine(&half.system()).unwrap().is_compliant());
}

#[test]
fn a_rule_that_says_never_takes_it_away() {
    for (never, suppresses) in [
        ("-a never,task", true),
        ("-a task,never", true),
        ("-a never,exit -F arch=b64 -S chmod", true),
        ("-A never,exit -S all", true),
        ("-a never,exit -F arch=b64 -S chmod -F uid=999", false),
        ("-a never,task -F uid=999", false),
        ("-a never,exit -F arch=b32 -S chmod", false),
    ] {
        let others = format!("# site\n{never}\n-w /srv -p wa\n");
        let tree = tree()
            .file("/etc/audit/rules.d/10-site.rules", &others)
            .file("/etc/audit/rules.d/20-site.rules", &format!("{CHMOD}\n"));
        let finding = rules(&[CHMOD]).examine(&tree.system()).unwrap();
        assert_eq!(finding.is_compliant(), !suppresses, "{never}");
        if suppresses {
            assert_eq!(finding.evidence[0].place, "/etc/audit/rules.d/10-site.rules:2");
            tree.round_trip(&rules(&[CHMOD]));
            let changed = tree.applied(&rules(&[CHMOD]));
            assert_eq!(changed.text("/etc/audit/rules.d/10-site.rules"), "# site\n-w /srv -p wa\n");
            assert!(!changed.has(RULES));
        }
    }
}

#[test]
fn a_later_never_does_no_harm() {
    let tree = tree()
        .file("/etc/audit/rules.d/10-site.rules", &format!("{CHMOD}\n-a never,exit -F arch=b64 -S chmod\n"));
    assert!(rules(&[CHMOD]).examine(&tree.system()).unwrap().is_compliant());
}

#[test]
fn the_last_of_an_option_counts_and_is_mended_where_it_stands() {
    let tree = tree().file(LAST, "-e 2\n").file("/etc/audit/rules.d/zz.rules", "# mine\n-e 1\n-w /srv\n");
    let finding = rules(&["-e 2"]).examine(&tree.system()).unwrap();
    assert_eq!(finding.evidence[0].place, "/etc/audit/rules.d/zz.rules:2");
    let changed = tree.applied(&rules(&["-e 2"]));
    assert_eq!(changed.text("/etc/audit/rules.d/zz.rules"), "# mine\n-e 2\n-w /srv\n");
}

#[test]
fn rules_that_auditctl_loads_go_before_the_lock() {
    let unit = "[Service]\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n";
    let tree = Tree::new()
        .file("/usr/lib/systemd/system/auditd.service", unit)
        .file("/etc/audit/audit.rules", "-D\n-w /srv -p wa\n-e 2\n");
    tree.round_trip(&rules(&[CHMOD]));
    let changed = tree.applied(&rules(&[CHMOD]));
    assert_eq!(changed.text("/etc/audit/audit.rules"), format!("-D\n-w /srv -p wa\n{CHMOD}\n-e 2\n"));
}

#[test]
fn without_a_unit_that_loads_rules_only_a_person_can_help() {
    let tree = Tree::new().file(RULES, &format!("{CHMOD}\n"));
    let finding = rules(&[CHMOD]).examine(&tree.system()).unwrap();
    assert!(!finding.is_compliant());
    assert!(finding.manual.unwrap().contains("no unit loads audit rules"));
    assert_eq!(finding.changes, vec![]);
}

fn with_kernel(locked: bool, lines: &[&str]) -> Finding {
    let parse = |line: &&str| match rule::parse(line).unwrap() {
        Some(AuditLine::Rule(rule)) => (line.to_string(), rule),
        other => panic!("{other:?}"),
    };
    let kernel = AuditKernel { locked, rules: lines.iter().map(parse).collect() };
    let wanted = Wanted { text: CHMOD, line: rule::parse(CHMOD).unwrap().unwrap() };
    let (mut finding, mut plan) = (Finding::new(), Plan::default());
    examine_kernel(&wanted, &kernel, &mut finding, &mut plan);
    let files = AuditFiles { loader: Loader::Augenrules, lines: vec![] };
    plan.settle(&Tree::new().system(), &files, Some(&kernel), &mut finding).unwrap();
    finding
}

#[test]
fn rules_the_kernel_lacks_are_loaded_or_wait_for_a_reboot() {
    assert!(with_kernel(false, &[CHMOD]).is_compliant());
    let open = with_kernel(false, &[]);
    assert!(matches!(open.changes.as_slice(), [Change::Generate { tool: Tool::Augenrules, .. }]));
    let locked = with_kernel(true, &[]);
    assert!(locked.manual.unwrap().contains("after a reboot"));
    assert_eq!(locked.changes, vec![]);
}

#[test]
fn a_wanted_line_that_is_none_is_an_error() {
    let error = format!("{:#}", rules(&["-w"]).examine(&tree().system()).unwrap_err());
    assert!(error.contains("reading the wanted rule '-w'"), "{error}");
}
