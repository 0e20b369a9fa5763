//! Other tools take what we write, and we take what they write. Needs `oscap` and `autotailor`.

use crate::fixture::*;
use proptest::option::of;
use proptest::prelude::*;
use std::path::Path;
use std::process::{Command, Output};
use xccdf::{Benchmark, Tailoring, no_alias, resolve};

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Asserts that OpenSCAP finds a benchmark valid: by the schema of XCCDF 1.2, and by the rules that
/// the schema cannot say.
pub fn assert_valid(benchmark: &[u8]) {
    validate(benchmark, &[]);
}

/// Asserts that OpenSCAP finds a document valid by the schema of XCCDF 1.2. There is no more to ask
/// of a tailoring, and of a large benchmark the rest would take minutes.
pub fn assert_fits_schema(document: &[u8]) {
    validate(document, &["--skip-schematron"]);
}

fn validate(document: &[u8], options: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("document.xml");
    std::fs::write(&file, document).unwrap();
    let mut command = Command::new("oscap");
    let output = run(command.args(["xccdf", "validate"]).args(options).arg(&file));
    let told = String::from_utf8_lossy(&output.stderr);
    let shown: String = String::from_utf8_lossy(document).chars().take(10_000).collect();
    assert!(output.status.success(), "{told}\n{shown}");
}

/// Rules a, b and c, a value and a profile, under ids as the SCAP Security Guide forms them.
fn guide() -> Benchmark {
    let content = format!(
        "<Profile id='xccdf_test_profile_base'><title>Base</title>\
         <select idref='xccdf_test_rule_a' selected='true'/></Profile>\
         <Value id='xccdf_test_value_v' type='number'><value>1</value><value selector='two'>2</value></Value>\
         {}{}{}",
        rule("a"),
        rule("b"),
        rule("c")
    );
    let text = benchmark_text(&content).replace("xccdf_test_", "xccdf_org.ssgproject.content_");
    Benchmark::parse(text.as_bytes(), "guide.xml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn autotailor(content: &Path, arguments: &[&str]) -> Tailoring {
    let file = content.with_extension("tailoring");
    let mut command = Command::new("autotailor");
    command.args(arguments).arg("-o").arg(&file).arg(content).arg("base");
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::read(&file).unwrap();
    Tailoring::parse(&written, "auto.xml").unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn what_autotailor_writes_resolves_here_and_against_other_content() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("guide.xml");
    std::fs::write(&file, guide().to_xml().unwrap()).unwrap();
    let tailoring = autotailor(&file, &["-s", "b", "-u", "a", "-v", "v=7"]);
    let named = autotailor(&file, &["-s", "c", "-p", "mine"]);
    let ours = Benchmark::parse(
        String::from_utf8(guide().to_xml().unwrap())
            .unwrap()
            .replace("org.ssgproject.content", "org.example")
            .replace("profile_base", "profile_standard")
            .as_bytes(),
        "ours.xml",
    )
    .unwrap();
    let alias = |id: &str| (xccdf::short_id(id) == "base").then(|| "standard".to_owned());
    for benchmark in [guide(), ours] {
        let policy = resolve(&benchmark, std::slice::from_ref(&tailoring), None, &alias).unwrap();
        assert_eq!(selected(&policy), "b");
        assert_eq!(policy.value("v").unwrap().content.to_string(), "7");
        let both = [tailoring.clone(), named.clone()];
        let policy = resolve(&benchmark, &both, None, &alias).unwrap();
        assert_eq!(selected(&policy), "b c");
    }
}

#[test]
fn oscap_reads_our_files_and_selects_the_same() {
    let benchmark = guide();
    let own = "<Profile id='xccdf_test_profile_own' extends='xccdf_org.ssgproject.content_profile_base'>\
         <title>Own</title><select idref='xccdf_org.ssgproject.content_rule_c' selected='true'/>\
         <refine-value idref='xccdf_org.ssgproject.content_value_v' selector='two'/></Profile>";
    let tailoring = tailoring("own.xml", own);
    let policy = resolve(&benchmark, std::slice::from_ref(&tailoring), None, &no_alias).unwrap();
    assert_eq!(selected(&policy), "a c");

    let results = oscap(&benchmark, &tailoring);
    let judged = |rule: &str| judged(&results, &format!("xccdf_org.ssgproject.content_rule_{rule}"));
    assert_eq!(["a", "b", "c"].map(judged), [true, false, true]);
    assert!(results.contains("content_value_v\">2</set-value>"), "the value by its selector");
}

/// What OpenSCAP writes of an evaluation with the profile `own` of a tailoring.
fn oscap(benchmark: &Benchmark, tailoring: &Tailoring) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("benchmark.xml"), benchmark.to_xml().unwrap()).unwrap();
    std::fs::write(path("own.xml"), tailoring.to_xml().unwrap()).unwrap();
    let mut command = Command::new("oscap");
    command.args(["xccdf", "eval", "--profile", "xccdf_test_profile_own"]);
    command.arg("--tailoring-file").arg(path("own.xml")).arg("--results").arg(path("results.xml"));
    let output = run(command.arg(path("benchmark.xml")));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(path("results.xml")).unwrap()
}

/// Whether the results say anything else of a rule than that it is not selected.
fn judged(results: &str, rule: &str) -> bool {
    let from = results.find(&format!("<rule-result idref=\"{rule}\"")).unwrap();
    let rest = &results[from..];
    !rest[..rest.find("</rule-result>").unwrap()].contains("<result>notselected</result>")
}

/// A tree of groups and rules: for each item its depth, whether it is a rule, and what it requires
/// and conflicts with, by number.
fn tree(items: &[(usize, bool, Option<usize>, Option<usize>)]) -> Benchmark {
    let kind = |n: usize| if items[n % items.len()].1 { "rule" } else { "group" };
    let id = |n: usize| format!("xccdf_test_{}_n{}", kind(n), n % items.len());
    let mut content = String::new();
    let mut open = 0;
    for (n, (depth, is_rule, requires, conflicts)) in items.iter().enumerate() {
        content.push_str(&"</Group>".repeat(open - open.min(*depth)));
        open = open.min(*depth);
        let element = if *is_rule { "Rule" } else { "Group" };
        content.push_str(&format!("<{element} id='{}' selected='false'><title>t</title>", id(n)));
        content.push_str(&requires.map_or(String::new(), |n| format!("<requires idref='{}'/>", id(n))));
        content.push_str(&conflicts.map_or(String::new(), |n| format!("<conflicts idref='{}'/>", id(n))));
        if *is_rule {
            content.push_str("</Rule>");
        } else {
            open += 1;
        }
    }
    benchmark(&format!("{content}{}", "</Group>".repeat(open)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Requirements, conflicts and groups come to the same for OpenSCAP and for us.
    #[test]
    fn oscap_decides_the_same(
        items in proptest::collection::vec(
            (0usize..3, prop::bool::weighted(0.6), of(0usize..8), of(0usize..8)), 1..9),
        selects in proptest::collection::vec(prop::bool::weighted(0.8), 9),
    ) {
        let benchmark = tree(&items);
        let ids: Vec<String> = benchmark.walk().map(|item| item.head().id.clone()).collect();
        let chosen: Vec<String> = ids.iter().zip(&selects)
            .map(|(id, taken)| if *taken { id.clone() } else { format!("-{id}") }).collect();
        let own = [tailoring("own.xml", &selecting("own", "", &chosen.join(" ")))];
        let policy = resolved(&benchmark, &own, None);
        let results = oscap(&benchmark, &own[0]);
        for rule in &policy.rules {
            prop_assert_eq!(rule.decision.selected, judged(&results, &rule.id), "{:?}", rule);
        }
    }
}
