//! What engines are asked, and what is made of their answers.

use crate::stream::*;
use xccdf::cpe::Fact;
use xccdf::evaluate::{Answer, CheckSystem, Options, Request, Wanted, evaluate, system};
use xccdf::{CheckPart, Choice, Outcome, no_alias, resolve};

fn profile(content: &str) -> String {
    let profile = "<Profile id='xccdf_test_profile_p'><title>p</title></Profile>\n";
    collection("", &expanded(&format!("{profile}{content}")), &[])
}

fn rule(id: &str, attributes: &str, content: &str) -> String {
    format!("<Rule id='xccdf_test_rule_{id}' {attributes}><title>t</title>{content}</Rule>\n")
}

/// Takes note of what it is told beforehand.
#[derive(Default)]
struct Noting {
    inner: Table,
    wanted: Vec<Wanted>,
}

impl CheckSystem for Noting {
    fn evaluates(&self, system: &str) -> bool {
        self.inner.evaluates(system)
    }
    fn prepare(&mut self, wanted: &[Wanted]) {
        assert!(self.inner.asked.is_empty(), "told before the first question");
        self.wanted.extend_from_slice(wanted);
    }
    fn check(&mut self, request: &Request<'_>) -> Answer {
        self.inner.check(request)
    }
    fn definitions(&mut self, system: &str, href: &str) -> Option<Vec<String>> {
        self.inner.definitions(system, href)
    }
    fn holds(&mut self, fact: &Fact) -> Option<bool> {
        self.inner.holds(fact)
    }
}

#[test]
fn an_engine_is_told_beforehand_all_it_is_asked_and_nothing_of_what_is_not_selected() {
    let text = crate::verdicts::stream();
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let benchmark = checklist.benchmark().unwrap();
    let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap();
    let mut noting = Noting::default();
    let platforms = checklist.platforms().unwrap();
    evaluate(&benchmark, &policy, &platforms, &mut noting, &Options::default()).unwrap();
    let told: Vec<String> = noting
        .wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::Check { href, name, .. } => format!("{href} {}", name.as_deref().unwrap_or("all")),
            Wanted::Fact(fact) => format!("{} {}", fact.href, fact.name),
        })
        .collect();
    for asked in &noting.inner.asked {
        let whole = format!("{} all", asked.split(' ').next().unwrap());
        assert!(told.contains(asked) || told.contains(&whole), "{asked} was not announced");
    }
    let facts = noting.inner.asked.iter().filter(|asked| asked.starts_with("cpe-oval.xml")).count();
    let apart: std::collections::HashSet<&String> =
        noting.inner.asked.iter().filter(|asked| asked.starts_with("cpe-oval.xml")).collect();
    assert_eq!(facts, apart.len(), "each fact is asked once");
}

#[test]
fn nothing_is_asked_of_a_rule_that_is_not_selected() {
    let text = profile(&rule("a", "selected='false'", "[T]"));
    let mut table = Table::default();
    let (_, _, evaluation) = evaluated(&text, &mut table, &Options::default());
    assert_eq!(outcomes(&evaluation, "a"), "notselected");
    assert!(table.asked.is_empty());
}

#[test]
fn rules_can_be_asked_for_and_left_out_by_name() {
    let text = profile(&format!(
        "{}{}{}",
        rule("a", "selected='false'", "[T]"),
        rule("b", "", "[T]"),
        rule("c", "", "<requires idref='xccdf_test_rule_a'/>[F]")
    ));
    let told = |only: &[&str], without: &[&str]| {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let (only, without) = (owned(only), owned(without));
        let options = Options { only: &only, without: &without, ..Options::default() };
        let (_, _, evaluation) = evaluated(&text, &mut Table::default(), &options);
        ["a", "b", "c"].map(|id| outcomes(&evaluation, id)).join(" ")
    };
    assert_eq!(told(&[], &[]), "notselected pass notselected");
    // What is asked for is evaluated whatever it requires, and whatever is selected.
    assert_eq!(told(&["a", "xccdf_test_rule_c"], &[]), "pass notselected fail");
    assert_eq!(told(&[], &["b"]), "notselected notselected notselected");
    assert_eq!(told(&["a"], &["a"]), "notselected notselected notselected");
}

#[test]
fn a_rule_nobody_knows_is_an_error_with_what_is_near() {
    let text = profile(&rule("sshd_port", "", "[T]"));
    let content = source(&text);
    let benchmark = content.checklist(Choice::default()).unwrap().benchmark().unwrap();
    let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap();
    let only = ["sshd_prt".to_owned()];
    let options = Options { only: &only, ..Options::default() };
    let errors =
        evaluate(&benchmark, &policy, &Default::default(), &mut Table::default(), &options).unwrap_err();
    crate::fixture::assert_says(&errors.0, &["unknown rule \"sshd_prt\"", "did you mean sshd_port?"]);
}

#[test]
fn a_result_has_the_reference_that_counted_and_what_was_handed_back() {
    let check = "<check system='urn:engine'><check-import import-name='stdout'/>\
         <check-content-ref href='a.sh'/><check-content-ref href='b.sh'/></check>";
    let text =
        profile(&format!("{}{}", rule("a", "", check), rule("b", "", "<check system='OVAL'>@N@F</check>")));
    let mut table = Table { systems: vec!["urn:engine"], ..Table::default() };
    let clock = || "2025-01-01T00:00:00Z".to_owned();
    let options = Options { clock: Some(&clock), ..Options::default() };
    let (_, _, evaluation) = evaluated(&text, &mut table, &options);
    let check = |n: usize| match &evaluation.results[n].check {
        Some(CheckPart::Check(check)) => check,
        other => panic!("{other:?}"),
    };
    assert_eq!(check(0).content_refs.len(), 1);
    assert_eq!(check(0).content_refs[0].href, "a.sh");
    assert_eq!(check(0).imports[0].content, "stdout of it");
    assert_eq!(check(1).content_refs[0].name, Some(definition('F')));
    assert_eq!(evaluation.results[1].outcome, Outcome::Fail);
    assert_eq!(evaluation.results[1].time.as_deref(), Some("2025-01-01T00:00:00Z"));
    assert_eq!(table.asked, ["a.sh all", "oval.xml oval:t:def:5", "oval.xml oval:t:def:2"]);
}

#[test]
fn platforms_found_here_are_told() {
    let (_, _, evaluation) =
        evaluated(&crate::verdicts::stream(), &mut Table::default(), &Options::default());
    for platform in ["#true", "true", "#or", "cpe:/o:test:true:1", "cpe:/o:test:true"] {
        assert!(evaluation.platforms.iter().any(|found| found == platform), "{platform}");
    }
    for platform in ["#false", "#nothing", "cpe:/o:test:false:1"] {
        assert!(!evaluation.platforms.iter().any(|found| found == platform), "{platform}");
    }
}

/// Platforms, `?` being one that only a running system could tell: what hinges on it is not checked and says so, and never taken for not
/// applicable.
#[test]
fn what_hinges_on_a_platform_that_nobody_can_look_at_is_not_checked() {
    let test = |id: &str, test: &str| {
        format!("<cpe:platform id='{id}'><cpe:logical-test {test}</cpe:logical-test></cpe:platform>\n")
    };
    let specification = [
        test("dark", "operator='AND' negate='false'>%N"),
        test("not_dark", "operator='AND' negate='true'>%N"),
        test("dark_and_true", "operator='AND' negate='false'>%N%T"),
        test("dark_and_false", "operator='AND' negate='false'>%N%F"),
        test("dark_or_true", "operator='OR' negate='false'>%N%T"),
        test("dark_or_false", "operator='OR' negate='false'>%N%F"),
        test("false", "operator='AND' negate='false'>%F"),
    ];
    let cases = [
        ("dark", "notchecked"),
        ("not_dark", "notchecked"),
        ("dark_and_true", "notchecked"),
        ("dark_and_false", "notapplicable"),
        ("dark_or_true", "fail"),
        ("dark_or_false", "notchecked"),
    ];
    let platform = |id: &str| format!("<platform idref='#{id}'/>");
    let mut rules: String =
        cases.iter().map(|(id, _)| rule(id, "", &format!("{}[F]", platform(id)))).collect();
    let group = |id: &str, platform: &str, rule: &str| {
        format!("<Group id='xccdf_test_group_{id}'><title>g</title>{platform}{rule}</Group>\n")
    };
    rules +=
        &group("a", &platform("dark"), &rule("in_dark", "", &format!("{}[F]", platform("dark_or_true"))));
    rules += &group("b", &platform("dark"), &rule("in_dark_false", "", &format!("{}[F]", platform("false"))));
    let profile = "<Profile id='xccdf_test_profile_p'><title>p</title></Profile>\n";
    let specification =
        format!("<cpe:platform-specification>\n{}</cpe:platform-specification>\n", specification.concat());
    let text = collection(&expanded(&specification), &expanded(&format!("{profile}{rules}")), &[]);
    let mut table = Table { dark: Some(definition('N')), ..Table::default() };
    let (_, _, evaluation) = evaluated(&text, &mut table, &Options::default());
    for (id, expected) in
        cases.into_iter().chain([("in_dark", "notchecked"), ("in_dark_false", "notapplicable")])
    {
        assert_eq!(outcomes(&evaluation, id), expected, "{id}");
    }
    let told = |result: &&xccdf::RuleResult| result.outcome == Outcome::NotChecked;
    for result in evaluation.results.iter().filter(told) {
        assert_eq!(result.messages, ["whether it applies only a running system can tell"]);
    }
}

#[test]
fn an_engine_that_is_not_there_leaves_rules_unchecked() {
    struct Nobody;
    impl CheckSystem for Nobody {
        fn evaluates(&self, _: &str) -> bool {
            false
        }
        fn check(&mut self, request: &Request<'_>) -> Answer {
            panic!("asked {request:?}")
        }
        fn definitions(&mut self, system: &str, _: &str) -> Option<Vec<String>> {
            panic!("asked {system}")
        }
        fn holds(&mut self, _: &Fact) -> Option<bool> {
            Some(false)
        }
    }
    let text = profile(&format!(
        "{}{}",
        rule("a", "", "[T]"),
        rule("b", "", "<complex-check operator='AND'>[T]</complex-check>")
    ));
    let content = source(&text);
    let benchmark = content.checklist(Choice::default()).unwrap().benchmark().unwrap();
    let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap();
    let evaluation =
        evaluate(&benchmark, &policy, &Default::default(), &mut Nobody, &Options::default()).unwrap();
    assert_eq!(
        (outcomes(&evaluation, "a"), outcomes(&evaluation, "b")),
        ("notchecked".into(), "notchecked".into())
    );
    assert_eq!(system::SCE, "http://open-scap.org/page/SCE");
}
