//! Results as files hold them: those that we write, and those of others.

use std::io::BufReader;

use xccdf::result::{BenchmarkUsed, HOST_NAME, Recorded, TargetFact};
use xccdf::score::Score;
use xccdf::{Limits, NAMESPACE, Outcome, Role, RuleResult, Severity, TestResult};

fn read(text: &str) -> Result<Recorded, String> {
    Recorded::read(BufReader::new(text.as_bytes()), "r.xml", &Limits::default())
        .map_err(|errors| errors.to_string())
}

fn result() -> TestResult {
    let rule = RuleResult {
        rule: "xccdf_test_rule_a".to_owned(),
        outcome: Outcome::Fail,
        role: Role::Full,
        severity: Severity::High,
        weight: 1.0,
        version: None,
        time: Some("2026-01-01T00:00:00Z".to_owned()),
        idents: vec![],
        messages: vec!["found <x> & \"y\"".to_owned()],
        check: None,
    };
    TestResult {
        id: "xccdf_test_testresult_t".to_owned(),
        title: "Audit".to_owned(),
        benchmark: BenchmarkUsed {
            href: "b.xml".into(),
            id: "xccdf_test_benchmark_b".into(),
            version: "1".into(),
        },
        start: Some("2026-01-01T00:00:00Z".to_owned()),
        end: "2026-01-01T00:00:01Z".to_owned(),
        profile: Some("xccdf_test_profile_p".to_owned()),
        targets: vec!["web1".to_owned()],
        facts: vec![TargetFact::new(HOST_NAME, "web1")],
        results: vec![rule],
        scores: vec![Score { system: xccdf::score::DEFAULT.to_owned(), value: 62.5, maximum: 100.0 }],
        ..TestResult::default()
    }
}

#[test]
fn what_is_written_is_read_again() {
    let text = String::from_utf8(result().to_xml().unwrap()).unwrap();
    assert_eq!(read(&text).unwrap().results, [result()]);
}

#[test]
fn results_are_found_inside_whatever_holds_them_with_the_titles_of_their_rules() {
    let own = String::from_utf8(result().to_xml().unwrap()).unwrap();
    let own = own.split_once("?>").unwrap().1;
    let rule = |id: &str| {
        format!(
            "<Rule id='xccdf_test_rule_{id}'><title>The <b>title</b>\n of {id}</title><title>other</title><description><title/></description></Rule>"
        )
    };
    let text = format!(
        "<a:report xmlns:a='urn:a'><a:content><Benchmark xmlns='{NAMESPACE}'><Group><title>group</title>{}{}</Group></Benchmark></a:content>
         <a:content>{own}</a:content><a:content>{own}</a:content></a:report><!-- end -->",
        rule("a"),
        rule("unasked")
    );
    let recorded = read(&text).unwrap();
    assert_eq!(recorded.results, [result(), result()]);
    let titles: Vec<_> = recorded.titles.into_iter().collect();
    assert_eq!(titles, [("xccdf_test_rule_a".to_owned(), "The title of a".to_owned())]);
}

#[test]
fn what_decides_is_not_guessed() {
    let with = |inside: &str| {
        format!("<TestResult xmlns='{NAMESPACE}' odd='1'><unknown><x/></unknown>{inside}</TestResult>")
    };
    assert_eq!(read(&with("")).unwrap().results.len(), 1);
    for (inside, said) in [
        ("<rule-result idref='r'><result>good</result></rule-result>", "the result of r is \"good\""),
        ("<rule-result idref='r'></rule-result>", "the result of r is \"\""),
        ("<rule-result><result>pass</result></rule-result>", "idref"),
        ("<rule-result idref='r'><result>pass</result>", "r.xml:1"),
    ] {
        let error = read(&with(inside)).unwrap_err();
        assert!(error.contains(said), "{inside}: {error}");
    }
    assert_eq!(read("<html/>").unwrap(), Recorded::default());
    assert!(read("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>").unwrap_err().contains("DOCTYPE"));
    assert!(read("").unwrap_err().contains("empty"));
}
