//! What rules and values take over from those they extend.

use crate::fixture::*;
use xccdf::{Rule, Severity, flatten};

#[test]
fn a_rule_takes_over_what_it_does_not_say() {
    let content = "<Rule id='xccdf_test_rule_old' abstract='true' selected='false' severity='high' weight='3'>\
         <title>T</title><platform idref='#p'/><fix system='s'>x</fix>\
         <check system='c'><check-content-ref href='h'/></check></Rule>\
         <Rule id='xccdf_test_rule_new' extends='old' weight='2'><title>: more</title>\
         <platform idref='#q'/></Rule>\
         <Rule id='xccdf_test_rule_own' extends='xccdf_test_rule_new' selected='true' severity='low'>\
         <check system='d'/></Rule>";
    let benchmark = benchmark(content);
    let flat = flatten(&benchmark).unwrap();
    let rules: Vec<&Rule> = flat.rules().collect();
    assert_eq!(rules.len(), 2, "the abstract one is gone");
    let new = flat.rule("new").unwrap();
    assert_eq!(new.selected, Some(false));
    assert_eq!((new.severity, new.weight), (Some(Severity::High), Some(2.0)));
    assert_eq!(new.head.title.plain(), "T: more");
    assert_eq!(new.platforms, ["#p", "#q"]);
    assert_eq!((new.fixes.len(), new.checks.len()), (1, 1));
    let own = flat.rule("own").unwrap();
    assert_eq!((own.selected, own.severity, own.weight), (Some(true), Some(Severity::Low), Some(2.0)));
    assert_eq!(own.checks.first().map(|check| check.system.as_str()), Some("d"));
    assert_eq!(selected(&resolved(&benchmark, &[], None)), "own");
}

#[test]
fn a_value_takes_over_selectors_and_type() {
    let content = "<Value id='xccdf_test_value_old' type='number'><value>1</value>\
         <value selector='x'>2</value><upper-bound>5</upper-bound></Value>\
         <Group id='xccdf_test_group_g'><Value id='xccdf_test_value_new' extends='old'>\
         <value>4</value></Value></Group>";
    let policy = resolved(&benchmark(content), &[], None);
    assert_eq!(policy.value("new").unwrap().content.to_string(), "4");
    let refine = |setting: &str| [tailoring("t.xml", &profile("p", "", setting))];
    let x = resolved(&benchmark(content), &refine("<refine-value idref='new' selector='x'/>"), None);
    assert_eq!(x.value("new").unwrap().content.to_string(), "2");
    let told = refine("<set-value idref='new'>6</set-value>");
    assert_says(&unresolved(&benchmark(content), &told, None), &["expected 5 or less"]);
}

#[test]
fn what_cannot_be_inherited() {
    for (content, pieces) in [
        (
            "<Rule id='xccdf_test_rule_a' extends='abd'/><Rule id='xccdf_test_rule_abc'/>",
            &["<Rule>", "extends \"abd\"", "did you mean"][..],
        ),
        (
            "<Rule id='xccdf_test_rule_a' extends='b'/><Rule id='xccdf_test_rule_b' extends='a'/>",
            &["extends itself"],
        ),
        ("<Rule id='xccdf_test_rule_a' extends='xccdf_test_rule_a'/>", &["extends itself"]),
    ] {
        let told = unresolved(&benchmark(content), &[], None);
        let first = told.first().unwrap();
        assert_says(std::slice::from_ref(first), pieces);
    }
}

#[test]
fn nothing_is_copied_when_nothing_is_inherited() {
    let benchmark = benchmark(&rule("a"));
    assert!(matches!(flatten(&benchmark).unwrap(), std::borrow::Cow::Borrowed(_)));
}
