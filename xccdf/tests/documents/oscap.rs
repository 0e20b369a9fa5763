//! The tables of [`crate::verdicts`] and [`crate::scoring`], asked of `oscap` itself; and what `oscap` makes of
//! results that we write.

use crate::stream::*;
use crate::{fixture, scoring, settings, verdicts};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};
use xccdf::arf::{Arf, CheckReport};
use xccdf::evaluate::Options;
use xccdf::result::{FQDN, HOST_NAME, Identity, MAC, TailoringUsed, TargetFact};
use xccdf::{Choice, Tailoring, TestResult, score};

fn oscap(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("oscap");
    command.args(arguments).current_dir(directory);
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn accepted(directory: &Path, arguments: &[&str]) -> String {
    let output = oscap(directory, arguments);
    let told =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "oscap {arguments:?}: {told}");
    told
}

/// What oscap writes of an evaluation of a data stream with the profile `p`.
fn results(stream: &str) -> String {
    tailored_results(stream, None)
}

/// The same with a tailoring's text.
fn tailored_results(stream: &str, tailoring: Option<&str>) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("stream.xml"), stream).unwrap();
    // The schema does not know all that the standard allows, such as several checks of one engine.
    let arguments = ["xccdf", "eval", "--skip-valid", "--profile", "xccdf_test_profile_p", "--results"];
    let mut arguments = [&arguments[..], &["results.xml"]].concat();
    if let Some(tailoring) = tailoring {
        std::fs::write(directory.path().join("tailoring.xml"), tailoring).unwrap();
        arguments.extend(["--tailoring-file", "tailoring.xml"]);
    }
    arguments.push("stream.xml");
    let output = oscap(directory.path(), &arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 2)), "{told}");
    std::fs::read_to_string(directory.path().join("results.xml")).unwrap()
}

/// The outcomes of a rule, `+` between them.
fn judged(results: &str, rule: &str) -> String {
    let open = format!("<rule-result idref=\"xccdf_test_rule_{rule}\"");
    let each = results.split(&open).skip(1);
    let outcome = |rest: &str| {
        let inside = rest.split("</rule-result>").next().unwrap_or_default();
        inside.split("<result>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or("none").to_owned()
    };
    each.map(outcome).collect::<Vec<_>>().join("+")
}

/// The outcome of each rule, by its full id.
pub fn judged_by_id(results: &str) -> HashMap<String, String> {
    let each = results.split("<rule-result idref=\"").skip(1);
    let one = |rest: &str| {
        let id = rest.split('"').next()?.to_owned();
        let outcome = rest.split("<result>").nth(1)?.split('<').next()?.to_owned();
        Some((id, outcome))
    };
    each.filter_map(one).collect()
}

#[test]
fn oscap_gives_each_rule_the_same() {
    let results = results(&verdicts::stream());
    let cases = verdicts::RULES.iter().map(|(id, _, _, expected)| (id, expected));
    let grouped = verdicts::GROUPED.iter().map(|(id, _, _, _, expected)| (id, expected));
    let wrong: Vec<String> = cases
        .chain(grouped)
        .map(|(id, expected)| (id, expected, judged(&results, id)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(id, expected, found)| format!("{id}: the table says {expected:?}, oscap says {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn oscap_gives_the_same_scores() {
    let mut wrong = Vec::new();
    for (name, rules, expected) in scoring::SCORED {
        let results = results(&scoring::stream(rules, &scoring::MODELS));
        let attribute = |rest: &str, name: &str| {
            rest.split(&format!("{name}=\""))
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap_or("")
                .to_owned()
        };
        let each = results.split("<score ").skip(1).map(|rest| {
            let value = rest.split('>').nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
            let maximum = attribute(rest, "maximum");
            (attribute(rest, "system"), value.parse().unwrap(), maximum.parse().unwrap())
        });
        let told = scoring::told(&each.collect::<Vec<_>>());
        if told != *expected {
            wrong.push(format!("{name}: oscap says {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Outcome, severity and weight of a rule.
fn judged_fully(results: &str, rule: &str) -> String {
    let open = format!("<rule-result idref=\"xccdf_test_rule_{rule}\"");
    let tag = results.split(&open).nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
    let attribute = |name: &str| {
        let rest = tag.split(&format!("{name}=\"")).nth(1);
        rest.and_then(|rest| rest.split('"').next()).unwrap_or("none").to_owned()
    };
    let weight: f64 = attribute("weight").parse().unwrap_or(f64::NAN);
    format!("{} {} {weight}", judged(results, rule), attribute("severity"))
}

#[test]
fn oscap_inherits_settings_the_same() {
    let text = fixture::tailoring_text(&settings::own());
    for (stream, tailoring) in [(settings::stream(true), None), (settings::stream(false), Some(&*text))] {
        let results = tailored_results(&stream, tailoring);
        let wrong = settings::wrong(|rule| judged_fully(&results, rule));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// A result of the verdicts' data stream, with everything in it.
fn full(checklist: &xccdf::Checklist<'_>, text: &str, tailoring: &Tailoring) -> TestResult {
    let clock = || "2025-01-01T00:00:00+00:00".to_owned();
    let options = Options { clock: Some(&clock), ..Options::default() };
    let (benchmark, policy, evaluation) = evaluated(text, &mut Table::default(), &options);
    TestResult {
        title: "A look".to_owned(),
        tailoring: Some(TailoringUsed::new(tailoring, "own.xml")),
        start: Some("2025-01-01T00:00:00+00:00".to_owned()),
        end: "2025-01-01T00:00:01+00:00".to_owned(),
        test_system: Some("cpe:/a:trempe:agent:1".to_owned()),
        identity: Some(Identity { name: "root".to_owned(), authenticated: false, privileged: true }),
        targets: vec!["machine".to_owned()],
        addresses: vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()],
        facts: vec![
            TargetFact::new(HOST_NAME, "machine"),
            TargetFact::new(FQDN, "machine.example.org"),
            TargetFact::new(MAC, "00:00:5E:00:53:01"),
        ],
        scores: score::scores(&benchmark, &evaluation.results),
        platforms: evaluation.platforms,
        results: evaluation.results,
        ..TestResult::new(&benchmark, &policy, checklist.href())
    }
}

fn tailoring() -> Tailoring {
    let own = crate::fixture::profile("own", "xccdf_test_profile_p", "");
    crate::fixture::tailoring("own.xml", &own)
}

#[test]
fn a_result_in_its_benchmark_is_valid_and_makes_a_report() {
    let text = verdicts::valid_stream();
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let result = full(&checklist, &text, &tailoring());
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut within = Vec::new();
    result.write_within(&checklist, &mut within).unwrap();
    std::fs::write(path("within.xml"), &within).unwrap();
    std::fs::write(path("alone.xml"), result.to_xml().unwrap()).unwrap();
    let within = String::from_utf8(within).unwrap();
    assert!(within.contains("<tailoring-file href=\"own.xml\" id=\"xccdf_test_tailoring_t\""), "{within}");
    // By the rules that the schema cannot say too; those want the rules and values that a result alone does not have.
    accepted(directory.path(), &["xccdf", "validate", "within.xml"]);
    accepted(directory.path(), &["xccdf", "validate", "--skip-schematron", "alone.xml"]);
    let told = accepted(directory.path(), &["info", "within.xml"]);
    assert!(told.contains("Test Results:") && told.contains(&result.id), "{told}");
    accepted(directory.path(), &["xccdf", "generate", "report", "--output", "report.html", "within.xml"]);
    let report = std::fs::read_to_string(path("report.html")).unwrap();
    assert!(report.contains(">machine<"), "the report names the machine");
    // What oscap read from it is what was written.
    for (id, _, _, expected) in verdicts::RULES.iter().filter(|(id, ..)| verdicts::is_valid(id)) {
        assert_eq!(judged(&within, id), *expected, "{id}");
    }
}

#[test]
fn an_arf_is_valid_and_makes_a_report() {
    let text = verdicts::valid_stream();
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let own = tailoring();
    let result = full(&checklist, &text, &own);
    let directory = tempfile::tempdir().unwrap();
    let report = |out: &mut dyn std::io::Write| out.write_all(b"<x xmlns='urn:report'/>");
    let reports = [CheckReport { href: "oval.xml", write: &report }];
    for (name, tailoring, reports) in
        [("tailored.xml", Some(&own), &[][..]), ("plain.xml", None, &reports[..])]
    {
        let arf = Arf { checklist: &checklist, result: &result, tailoring, reports };
        let mut written = Vec::new();
        arf.write(&mut written).unwrap();
        std::fs::write(directory.path().join(name), &written).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.contains("href=\"#check0\""), !reports.is_empty());
        assert_eq!(written.contains("scap_org.trempe_comp_tailoring"), tailoring.is_some());
        let info = accepted(directory.path(), &["info", name]);
        assert!(info.contains("Result Data Stream"), "{info}");
        accepted(directory.path(), &["xccdf", "generate", "report", "--output", "report.html", name]);
    }
    accepted(directory.path(), &["ds", "rds-validate", "tailored.xml"]);
}

#[test]
fn an_arf_of_an_xccdf_document_alone_is_valid() {
    let text = crate::fixture::benchmark_text(
        "<Profile id='xccdf_test_profile_p'><title>p</title></Profile>\
         <Rule id='xccdf_test_rule_r'><title>r</title></Rule>",
    );
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let own = tailoring();
    let result = full(&checklist, &text, &own);
    let directory = tempfile::tempdir().unwrap();
    for (name, tailoring) in [("tailored.xml", Some(&own)), ("plain.xml", None)] {
        let mut written = Vec::new();
        Arf { checklist: &checklist, result: &result, tailoring, reports: &[] }.write(&mut written).unwrap();
        std::fs::write(directory.path().join(name), &written).unwrap();
        accepted(directory.path(), &["ds", "rds-validate", name]);
        accepted(directory.path(), &["xccdf", "generate", "report", "--output", "report.html", name]);
    }
}
