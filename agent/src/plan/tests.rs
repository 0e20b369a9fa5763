use super::*;
use crate::content::{Condition, Names};
use crate::inspect::inspect;
use crate::policy::testing::{policy, rule, zero};
use crate::setting::Kind;
use crate::setting::package::Package;
use crate::setting::sysctl::Sysctl;
use crate::setting::testing::Tree;

fn planned(tree: &Tree, rules: Vec<PolicyRule>) -> Plan {
    let policy = policy(rules);
    let mut system = tree.system();
    let outcomes = inspect(&policy, &system, &|_| ());
    plan(&policy, &outcomes, &mut system).unwrap()
}

fn install(name: &str) -> PolicyRule {
    rule("wants_package", vec![], Kind::Package(Package::Installed(Names::One(name.into()))))
}

fn ids(left: &[Left]) -> Vec<&str> {
    left.iter().map(|left| left.rule.as_str()).collect()
}

#[test]
fn a_rule_that_could_not_be_looked_at_is_told_with_its_reason() {
    // A package database that is no file.
    let tree = Tree::new().dir("/var/lib/dpkg/status", 0o755);
    let plan = planned(&tree, vec![install("aide"), zero("kernel.a")]);
    assert_eq!(ids(&plan.errors), ["wants_package"]);
    assert!(plan.errors[0].reason.contains("/var/lib/dpkg/status"), "{plan:?}");
    assert_eq!(plan.steps[0].rule, "kernel.a", "the others are planned all the same");
}

#[test]
fn what_packages_bring_is_decided_after_them() {
    let about = |package: &str| {
        let applies = vec![Condition::Package(Names::One(package.into()))];
        rule(&format!("about_{package}"), applies, Kind::Package(Package::Installed(Names::One("x".into()))))
    };
    let tree = Tree::new().packages(&["base"]).running();
    let plan = planned(&tree, vec![about("aide"), about("other"), install("aide")]);
    assert_eq!(ids(&plan.deferred), ["about_aide"]);
    assert_eq!(plan.deferred[0].reason, "can be judged once aide is installed");
    assert!(plan.installs() && !plan.changes_nothing());
    let without = planned(&tree, vec![about("aide"), about("other")]);
    assert!(without.deferred.is_empty() && without.changes_nothing());
}

/// A plan says of a mounted image what a run can do there.
#[test]
fn packages_of_an_image_that_does_not_run_are_left_to_who_builds_it() {
    let plan = planned(&Tree::new().packages(&["base"]), vec![install("aide"), zero("kernel.a")]);
    assert_eq!((ids(&plan.manual), plan.steps.len()), (vec!["wants_package"], 1), "{plan:?}");
    assert!(plan.manual[0].reason.contains("not with --root"), "{plan:?}");
}

/// A power cut between the two would leave a lock that the next boot puts on no rules at all.
#[test]
fn the_lock_of_the_audit_rules_is_planned_after_them() {
    let audit = |id: &str, line: &str| {
        let kind = serde_json::from_value(serde_json::json!({"audit_rule": {"rules": [line]}})).unwrap();
        rule(id, vec![], kind)
    };
    let unit = "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load\n";
    let tree =
        Tree::new().file("/usr/lib/systemd/system/auditd.service", unit).dir("/etc/audit/rules.d", 0o750);
    let shut = PolicyRule { access: true, ..zero("kernel.a") };
    let plan =
        planned(&tree, vec![audit("lock", "-e 2"), audit("watch", "-w /etc/passwd -p wa -k id"), shut]);
    let order: Vec<&str> = plan.steps.iter().map(|step| step.rule.as_str()).collect();
    assert_eq!(order, ["watch", "kernel.a", "lock"], "{plan:#?}");
}

#[test]
fn the_parts_of_a_rule_that_share_a_file_are_planned_on_each_other() {
    let part = |key: &str| Kind::Sysctl(Sysctl { key: key.into(), value: "0".into(), also: vec![] });
    let parts = Kind::All(vec![part("kernel.a"), part("kernel.b"), part("kernel.c")]);
    let plan = planned(&Tree::new(), vec![rule("all", vec![], parts)]);
    let written: Vec<&str> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::WriteFile { content, .. } => Some(content.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(written.len(), 3);
    assert!(written[2].ends_with("kernel.a = 0\nkernel.b = 0\nkernel.c = 0\n"), "{written:?}");
}

#[test]
fn a_diff_shows_no_secret() {
    let before = "root:!::\nops:$6$salt$hash::ann\nadm:*::ann\n";
    let tree = Tree::new().file("/etc/gshadow", before);
    let change = Change::WriteFile {
        path: "/etc/gshadow".into(),
        content: before.replace(":ann", ":").replace("$hash", "$other"),
        mode: 0o640,
    };
    let shown = diff(&tree.system(), &change).unwrap();
    assert!(shown.contains("-ops:(hidden)::ann\n-adm:*::ann\n+ops:(hidden)::\n+adm:*::\n"), "{shown}");
    assert!(!shown.contains("salt"), "{shown}");
}
