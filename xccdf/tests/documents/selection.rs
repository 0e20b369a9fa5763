//! Which rules are selected, and why.

use crate::fixture::*;
use xccdf::{Benchmark, Policy, Reason, Role, Severity, short_id};

/// Rules a and b, a group g with c and a group h in it with d.
fn tree() -> Benchmark {
    benchmark(&format!(
        "{}{}<Group id='xccdf_test_group_g'>{}<Group id='xccdf_test_group_h'>{}</Group></Group>",
        rule("a"),
        rule("b"),
        rule("c"),
        rule("d")
    ))
}

fn with_profile(benchmark: &Benchmark, content: &str) -> Policy {
    resolved(benchmark, &[tailoring("t.xml", &profile("p", "", content))], None)
}

fn reason(policy: &Policy, id: &str) -> String {
    describe(&policy.rule(id).unwrap().decision.reason)
}

fn describe(reason: &Reason) -> String {
    match reason {
        Reason::Benchmark => "benchmark".into(),
        Reason::Profile(origin) => {
            format!("{} of {}, line {}", short_id(&origin.profile), origin.source, origin.position.line)
        }
        Reason::Group { group, reason } => format!("in {}: {}", short_id(group), describe(reason)),
        Reason::Requires(ids) => {
            format!("requires {}", ids.iter().map(|id| short_id(id)).collect::<Vec<_>>().join("|"))
        }
        Reason::Conflicts(id) => format!("conflicts {}", short_id(id)),
    }
}

#[test]
fn by_full_id_short_id_foreign_id_and_the_last_word() {
    for (selects, expected) in [
        ("a", "a"),
        ("xccdf_test_rule_a", "a"),
        ("xccdf_org.ssgproject.content_rule_a", "a"),
        ("b a", "a b"),
        ("a -a", ""),
        ("-a a", "a"),
        ("a xccdf_other_rule_a -xccdf_test_rule_a", ""),
        ("a b c d -g", "a b"),
        ("a b c d -h", "a b c"),
        ("c d -g g", "c d"),
    ] {
        let stack = [tailoring("t.xml", &selecting("p", "", selects))];
        assert_eq!(selected(&resolved(&tree(), &stack, None)), expected, "{selects}");
    }
}

#[test]
fn the_reason_names_who_decided() {
    let policy = with_profile(
        &tree(),
        "\n<select idref='a' selected='true'/>\n<select idref='d' selected='true'/>\
         \n<select idref='g' selected='false'/>",
    );
    assert_eq!(reason(&policy, "a"), "p of t.xml, line 4");
    assert_eq!(reason(&policy, "b"), "benchmark");
    assert_eq!(reason(&policy, "c"), "benchmark");
    assert_eq!(reason(&policy, "d"), "in g: p of t.xml, line 6");
    let groups: Vec<bool> = policy.groups.iter().map(|group| group.decision.selected).collect();
    assert_eq!(groups, [false, false]);
}

#[test]
fn unknown_ids_are_errors_with_what_is_near() {
    let benchmark = benchmark(&rule("sshd_disable_root_login"));
    for (idref, pieces) in [
        ("sshd_disable_root_logn", &["t.xml:3:", "<select>", "did you mean sshd_disable_root_login?"][..]),
        ("xccdf_x_group_sshd_disable_root_login", &["unknown group"]),
        ("xccdf_x_value_sshd_disable_root_login", &["unknown value"]),
    ] {
        let stack = [tailoring("t.xml", &selecting("p", "", idref))];
        assert_says(&unresolved(&benchmark, &stack, None), pieces);
    }
    let several = [tailoring("t.xml", &selecting("p", "", "one two"))];
    assert_eq!(unresolved(&benchmark, &several, None).len(), 2);
}

#[test]
fn an_id_that_could_be_two_things_is_an_error() {
    let benchmark = benchmark(&format!("{}<Group id='xccdf_test_group_a'/>", rule("a")));
    let short = [tailoring("t.xml", &selecting("p", "", "a"))];
    let told = unresolved(&benchmark, &short, None);
    assert_says(&told, &["xccdf_test_rule_a, xccdf_test_group_a", "write the full id"]);
    let full = [tailoring("t.xml", &selecting("p", "", "xccdf_other_rule_a"))];
    assert_eq!(selected(&resolved(&benchmark, &full, None)), "a");
}

/// Rules in document order as `name: requires / conflicts`, all selected but those marked `-`.
#[test]
fn requirements_and_conflicts_in_document_order() {
    for (rules, expected, why) in [
        ("a: b / ; b: /", "a b", "a t.xml"),
        ("a: b / ; -b: /", "", "a requires b"),
        ("a: b,c / ; b: / ; -c: /", "a b", "a t.xml"),
        ("a: b;c / ; b: / ; -c: /", "b", "a requires c"),
        ("a: / b ; b: /", "b", "a conflicts b"),
        ("a: / b ; -b: /", "a", "a t.xml"),
        ("a: / b ; b: / a", "b", "a conflicts b"),
        // What is deselected counts as deselected for those after it, not for those before.
        ("a: / b ; b: / ; c: a /", "b", "c requires a"),
        ("c: a / ; a: / b ; b: /", "c b", "a conflicts b"),
    ] {
        let mut content = String::new();
        let mut selects = String::new();
        for rule in rules.split(" ; ").map(str::trim) {
            let (name, rest) = rule.split_once(':').unwrap();
            let (requires, conflicts) = rest.split_once('/').unwrap();
            selects.push_str(&format!("{name} "));
            let name = name.trim_start_matches('-');
            content.push_str(&format!("<Rule id='xccdf_test_rule_{name}' selected='false'>"));
            for any in requires.trim().split(';').filter(|any| !any.is_empty()) {
                content.push_str(&format!("<requires idref='{}'/>", any.replace(',', " ")));
            }
            if !conflicts.trim().is_empty() {
                content.push_str(&format!("<conflicts idref='{}'/>", conflicts.trim()));
            }
            content.push_str("</Rule>");
        }
        let stack = [tailoring("t.xml", &selecting("p", "", &selects))];
        let policy = resolved(&benchmark(&content), &stack, None);
        assert_eq!(selected(&policy), expected, "{rules}");
        let (rule, why) = why.split_once(' ').unwrap();
        assert!(reason(&policy, rule).contains(why), "{rules}: {}", reason(&policy, rule));
    }
}

#[test]
fn groups_require_and_conflict_as_rules_do() {
    let content = format!(
        "{}<Group id='xccdf_test_group_g'><conflicts idref='a'/>{}\
         <Group id='xccdf_test_group_h'>{}</Group></Group>\
         <Rule id='xccdf_test_rule_d' selected='false'><requires idref='c'/></Rule>",
        rule("a"),
        rule("b"),
        rule("c")
    );
    let benchmark = benchmark(&content);
    let stack = [tailoring("t.xml", &selecting("p", "", "a b c d"))];
    let policy = resolved(&benchmark, &stack, None);
    assert_eq!(selected(&policy), "a");
    assert_eq!(reason(&policy, "b"), "in g: conflicts a");
    assert_eq!(reason(&policy, "c"), "in g: conflicts a");
    assert_eq!(reason(&policy, "d"), "requires c");
    let stack = [tailoring("t.xml", &selecting("p", "", "b c d"))];
    assert_eq!(selected(&resolved(&benchmark, &stack, None)), "b c d");
}

/// A selected rule in a deselected group counts as selected for requirements and conflicts.
#[test]
fn requirements_look_at_the_item_alone() {
    let content = format!(
        "<Group id='xccdf_test_group_g'>{}</Group>\
         <Rule id='xccdf_test_rule_b'><requires idref='a'/></Rule>\
         <Rule id='xccdf_test_rule_c'><conflicts idref='a'/></Rule>",
        rule("a")
    );
    let stack = [tailoring("t.xml", &selecting("p", "", "a -g"))];
    assert_eq!(selected(&resolved(&benchmark(&content), &stack, None)), "b");
}

#[test]
fn references_inside_the_benchmark_must_lead_somewhere() {
    for (content, pieces) in [
        ("<requires idref='abc abd'/>", &["<requires>", "unknown rule or group \"abd\""][..]),
        ("<conflicts idref='xccdf_x_rule_abd'/>", &["<conflicts>", "did you mean abc?"]),
        (
            "<check system='s'><check-export value-id='v' export-name='e'/></check>",
            &["<check-export>", "unknown value \"v\""],
        ),
    ] {
        let rules = format!("{}<Rule id='xccdf_test_rule_x'>{content}</Rule>", rule("abc"));
        assert_says(&unresolved(&benchmark(&rules), &[], None), pieces);
    }
}

#[test]
fn clusters_are_selected_together() {
    let content = "<Rule id='xccdf_test_rule_a' cluster-id='set' selected='false'/>\
         <Rule id='xccdf_test_rule_b' selected='false'/>\
         <Group id='xccdf_test_group_g' cluster-id='set' selected='false'>\
         <Rule id='xccdf_test_rule_c'/></Group>";
    let stack = [tailoring("t.xml", &selecting("p", "", "set"))];
    assert_eq!(selected(&resolved(&benchmark(content), &stack, None)), "a c");
}

#[test]
fn rules_are_refined_and_remarks_kept() {
    let content = "<Rule id='xccdf_test_rule_a' severity='low' weight='2' role='unscored'>\
         <check system='s' selector='deep'/></Rule><Rule id='xccdf_test_rule_b'/>";
    let policy = with_profile(
        &benchmark(content),
        "<select idref='a' selected='true'><remark>first</remark></select>\
         <refine-rule idref='a' severity='high'><remark>second</remark></refine-rule>\
         <refine-rule idref='a' role='full' weight='0.5' selector='deep'/>",
    );
    let a = policy.rule("a").unwrap();
    assert_eq!((a.severity, a.role, a.weight), (Severity::High, Role::Full, 0.5));
    assert_eq!(a.check_selector, "deep");
    let remarks: Vec<&str> = a.remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(remarks, ["first", "second"]);
    let b = policy.rule("b").unwrap();
    assert_eq!((b.severity, b.role, b.weight), (Severity::Unknown, Role::Full, 1.0));

    let wrong = profile("p", "", "<refine-rule idref='a' selector='shallow'/>");
    let told = unresolved(&benchmark(content), &[tailoring("t.xml", &wrong)], None);
    assert_says(&told, &["no check with selector \"shallow\"", "there are: deep"]);
}

#[test]
fn a_remark_on_a_group_is_told_of_its_rules() {
    let policy = with_profile(
        &tree(),
        "<select idref='d' selected='true'/>\
         <select idref='g' selected='false'><remark>no use here</remark></select>",
    );
    let d = policy.rule("d").unwrap();
    assert_eq!(d.remarks.first().map(|remark| remark.text.as_str()), Some("no use here"));
}

#[test]
fn every_rule_stays_in_document_order() {
    let policy = with_profile(&tree(), "<select idref='d' selected='true'/>");
    let ids: Vec<&str> = policy.rules.iter().map(|rule| short_id(&rule.id)).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
}
