use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::inspect::Verdict::{self, *};
use crate::report::Row;
use crate::report::testing::{report, row};

/// A report: file, machine, when, rules.
type Written<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, Verdict)]);

/// A directory with the reports of machines.
fn results(reports: &[Written<'_>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, host, finished, rules) in reports {
        let rows: Vec<Row> = rules.iter().map(|(id, result)| row(id, *result)).collect();
        let text = serde_json::to_string(&report(host, finished, rows)).unwrap();
        fs::write(dir.path().join(file), text).unwrap();
    }
    dir
}

fn merged(dir: &TempDir, format: Format) -> (String, Totals) {
    let scratch = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::read(&[dir.path().to_owned()], format, scratch.path()).unwrap();
    let mut out = Vec::new();
    fleet.write(&mut out).unwrap();
    (String::from_utf8(out).unwrap(), fleet.totals)
}

#[test]
fn the_worst_machine_comes_first_and_the_newest_results_count() {
    let dir = results(&[
        ("1.json", "good", "2026-01-01T00:00:00Z", &[("a", Pass), ("b", Pass)]),
        ("2.json", "mended", "2026-01-02T00:00:00Z", &[("a", Fixed), ("b", Pass)]),
        ("3.json", "mended", "2026-01-01T00:00:00Z", &[("a", Fail), ("b", Fail)]),
        ("4.json", "bad", "2026-01-01T00:00:00Z", &[("b", Fail), ("c", Error)]),
        ("5.json", "late", "2026-01-01T00:00:00Z", &[("a", Pass)]),
        ("6.json", "late", "2026-01-03T00:00:00Z", &[("a", Fail), ("b", NotSelected)]),
    ]);
    fs::write(dir.path().join("7.json"), "{").unwrap();
    fs::write(dir.path().join("8.xml"), "<TestResult").unwrap();
    fs::write(dir.path().join("other.txt"), "not looked at").unwrap();
    let (text, totals) = merged(&dir, Format::Json);
    let told: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = told["machines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["host"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bad", "late", "good", "mended"]);
    assert_eq!((totals.machines, totals.deviating, totals.older), (4, 2, 2));
    let counts = |id: &str, word: &str| {
        let rule = told["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap();
        rule["machines"][word].as_u64().unwrap()
    };
    let found = [("a", "fail"), ("a", "pass"), ("a", "fixed"), ("b", "fail"), ("b", "pass"), ("c", "error")];
    assert_eq!(found.map(|(id, word)| counts(id, word)), [1, 1, 1, 1, 2, 1]);
    assert_eq!(totals.problems.len(), 2, "{:?}", totals.problems);
    assert!(totals.problems.iter().any(|problem| problem.contains("8.xml:1")), "{:?}", totals.problems);
}

/// Clones that share a machine-id are machines of their own; which results of one are newer, their moments say, not their letters.
#[test]
fn a_machine_is_known_by_its_id_and_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for (file, name, id, finished, result) in [
        ("1.json", "web1", "0a", "2026-01-01T10:00:00Z", Fail),
        ("2.json", "web2", "0a", "2026-01-01T10:00:00Z", Pass),
        ("3.json", "localhost", "0b", "2026-01-01T10:00:00Z", Pass),
        ("4.json", "localhost", "0c", "2026-01-01T10:00:00Z", Pass),
        ("5.json", "web1", "0a", "2026-01-01T11:30:00+02:00", Pass),
        ("6.json", "web2", "0a", "2026-01-01T09:30:00-02:00", Fail),
    ] {
        let mut report = report(name, finished, vec![row("a", result)]);
        report.host.machine_id = id.to_owned();
        fs::write(dir.path().join(file), serde_json::to_string(&report).unwrap()).unwrap();
    }
    let (text, totals) = merged(&dir, Format::Text);
    assert_eq!((totals.machines, totals.deviating, totals.older), (4, 2, 2), "{text}");
    let comparison = compare(&dir.path().join("1.json"), &dir.path().to_owned()).unwrap();
    assert_eq!((comparison.unchanged, comparison.new.len()), (1, 3), "{comparison:?}");
}

/// An audit's JSON and its ARF lie side by side: they are one machine's, whichever is read first, and the newer counts.
#[test]
fn results_without_an_id_are_those_of_the_one_machine_of_that_name() {
    for (finished, deviating) in [("2026-01-01T10:00:00Z", 0), ("2026-01-02T10:00:00Z", 1)] {
        for order in [["1.json", "2.arf"], ["2.json", "1.arf"]] {
            let dir = tempfile::tempdir().unwrap();
            let path = |name: &str| dir.path().join(name);
            let mut own = report("web1", "2026-01-01T10:00:00Z", vec![row("a", Pass)]);
            own.host.machine_id = "0a".to_owned();
            fs::write(path(order[0]), serde_json::to_string(&own).unwrap()).unwrap();
            let mut out = Vec::new();
            let other = report("web1", finished, vec![row("a", Fail)]);
            crate::report::xccdf::write(&other, None, crate::report::Format::Arf, &mut out).unwrap();
            fs::write(path(order[1]), out).unwrap();
            let (text, totals) = merged(&dir, Format::Json);
            assert_eq!(
                (totals.machines, totals.older, totals.deviating),
                (1, 1, deviating),
                "{order:?}: {text}"
            );
            let told: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["rules"][0]["machines"]["fail"], deviating, "{text}");
            let comparison = compare(&path(order[0]), &dir.path().to_owned()).unwrap();
            assert_eq!((comparison.new.len(), comparison.gone.len()), (0, 0), "{comparison:?}");
            assert_eq!(comparison.machines.len(), deviating, "{comparison:?}");
        }
    }
    // Two machines of one name: nobody knows whose they are.
    let dir = results(&[("3.json", "localhost", "2026", &[("a", Fail)])]);
    for id in ["0a", "0b"] {
        let mut own = report("localhost", "2026", vec![row("a", Pass)]);
        own.host.machine_id = id.to_owned();
        fs::write(dir.path().join(format!("{id}.json")), serde_json::to_string(&own).unwrap()).unwrap();
    }
    assert_eq!(merged(&dir, Format::Text).1.machines, 3);
}

/// Whose own audit does not end well is not as it should be here, either.
#[test]
fn exceptions_that_are_over_and_problems_of_a_run_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let keep = |name: &str, report: crate::report::Report| {
        fs::write(dir.path().join(name), serde_json::to_string(&report).unwrap()).unwrap();
    };
    let over = crate::policy::Exception {
        reason: "old clients".to_owned(),
        owner: String::new(),
        until: Some("2020-01-01".to_owned()),
        expired: true,
        source: String::new(),
    };
    keep("1.json", report("over", "2026", vec![Row { exception: Some(over), ..row("a", Pass) }]));
    let mut stuck = report("stuck", "2026", vec![row("a", Pass)]);
    stuck.problems = vec!["the lock could not be taken".to_owned()];
    keep("2.json", stuck);
    keep("3.json", report("good", "2026", vec![row("a", Pass)]));
    let (text, totals) = merged(&dir, Format::Text);
    assert_eq!((totals.deviating, totals.overdue, totals.troubled), (2, 1, 1), "{text}");
    assert!(text.contains("  problem: the lock could not be taken"), "{text}");
    let (page, _) = merged(&dir, Format::Html);
    assert!(
        page.contains("problem: the lock could not be taken") && page.contains("<b>1</b> as they should be")
    );
    let (json, _) = merged(&dir, Format::Json);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["fleet"]["troubled"], 1, "{json}");
}

#[test]
fn every_format_tells_every_machine() {
    let rules: &[(&str, Verdict)] =
        &[("a", Fail), ("a_rule_with_a_name_that_is_far_longer_than_any_line_of_a_terminal_has", Error)];
    let dir = results(&[
        ("1.json", "one", "2026", rules),
        ("2.json", "two-with-a-long-name-of-many-letters", "2026", rules),
    ]);
    for format in [Format::Text, Format::Json, Format::Html, Format::Csv] {
        let (text, _) = merged(&dir, format);
        assert!(text.contains("one") && text.contains("two-with"), "{format:?}: {text}");
        if format == Format::Text {
            assert!(text.lines().all(|line| line.chars().count() <= 82), "{text}");
        }
    }
}

#[test]
fn results_of_nobody_are_an_error_that_says_why() {
    let empty = tempfile::tempdir().unwrap();
    let read = |dir: &TempDir| {
        let read = Fleet::read(&[dir.path().to_owned()], Format::Text, dir.path());
        read.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(read(&empty), "no results of any machine");
    for (content, said) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[]", "neither a report"),
        ("{\"schema\": 1}", "not a report of the agent"),
        ("<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2'/>", "no XCCDF 1.2 results"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("r.json"), content).unwrap();
        assert!(read(&dir).contains(said), "{content:?}: {}", read(&dir));
    }
}

#[test]
fn results_that_are_written_as_xccdf_are_read_as_they_were() {
    let dir = results(&[(
        "1.json",
        "web1",
        "2026-01-01T00:00:00Z",
        &[("a", Pass), ("b", Fail), ("c", NotSelected)],
    )]);
    let ours = read::report(&dir.path().join("1.json")).unwrap();
    for (format, name) in [(crate::report::Format::Xccdf, "r.xml"), (crate::report::Format::Arf, "r.arf")] {
        let mut out = Vec::new();
        crate::report::xccdf::write(&ours, None, format, &mut out).unwrap();
        fs::write(dir.path().join(name), out).unwrap();
        let again = read::report(&dir.path().join(name)).unwrap();
        assert_eq!(again.host.name, "web1");
        assert_eq!((again.summary, &again.finished, again.score.value), (ours.summary, &ours.finished, 50.0));
        let verdicts = |report: &crate::report::Report| -> Vec<(String, Verdict, String)> {
            report.rules.iter().map(|row| (row.id.clone(), row.result, row.severity.clone())).collect()
        };
        assert_eq!(verdicts(&again), verdicts(&ours));
    }
}

#[test]
fn what_changed_between_two_fleets() {
    let before = results(&[
        ("1.json", "same", "2026", &[("a", Pass)]),
        ("2.json", "worse", "2026", &[("a", Pass), ("b", Fail), ("d", NotSelected), ("e", Fail)]),
        ("3.json", "gone", "2026", &[("a", Pass)]),
    ]);
    let after = results(&[
        ("1.json", "same", "2027", &[("a", Fixed)]),
        (
            "2.json",
            "worse",
            "2027",
            &[("a", Fail), ("b", Pass), ("c", Fail), ("d", NotSelected), ("e", NotApplicable)],
        ),
        ("4.json", "new", "2027", &[("a", Fail)]),
    ]);
    let comparison = compare(&before.path().to_owned(), &after.path().to_owned()).unwrap();
    assert_eq!(
        (comparison.unchanged, &comparison.new, &comparison.gone),
        (1, &vec!["new".to_owned()], &vec!["gone".to_owned()])
    );
    let [worse] = comparison.machines.as_slice() else { panic!("{comparison:?}") };
    assert_eq!((worse.name.as_str(), &worse.newly_failing), ("worse", &vec!["a".to_owned()]));
    assert_eq!((&worse.newly_passing, &worse.newly_asked), (&vec!["b".to_owned()], &vec!["c".to_owned()]));
    assert!(comparison.is_worse());
    assert_eq!(worse.no_longer_asked, ["e"]);
    assert!(
        comparison.sentences().contains("worse: score 50.00 before, 50.00 now\n  newly failing a\n"),
        "{}",
        comparison.sentences()
    );
    // One file against another, whatever the machines are called.
    let (one, other) = (before.path().join("1.json"), after.path().join("4.json"));
    assert_eq!(compare(&one, &other).unwrap().machines.len(), 1);
}

/// An ARF says the profile and no digest, and a tier's profile has another name than the tier.
#[test]
fn one_audit_as_json_and_as_an_arf_has_one_policy() {
    let dir = tempfile::tempdir().unwrap();
    let mut own = report("m", "2026-01-01T00:00:00Z", vec![row("a", Pass)]);
    own.policy.profile = "xccdf_trempe_profile_standard_debian12".to_owned();
    let (json, arf) = (dir.path().join("r.json"), dir.path().join("r.arf"));
    fs::write(&json, serde_json::to_vec(&own).unwrap()).unwrap();
    for (profile, changed) in [("standard", 0), ("strict", 1)] {
        own.policy.profile = format!("xccdf_trempe_profile_{profile}_debian12");
        let mut out = Vec::new();
        crate::report::xccdf::write(&own, None, crate::report::Format::Arf, &mut out).unwrap();
        fs::write(&arf, out).unwrap();
        assert_eq!(compare(&json, &arf).unwrap().machines.len(), changed, "{profile}");
    }
}

#[test]
fn another_policy_is_told_even_where_no_verdict_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let keep = |side: &str, tier: &str, sha256: &str| {
        let mut report = report("m", "2026-01-01T00:00:00Z", vec![row("a", Verdict::Pass)]);
        report.policy.tier = tier.to_owned();
        report.policy.sha256 = sha256.to_owned();
        let path = dir.path().join(format!("{side}.json"));
        std::fs::write(&path, serde_json::to_vec(&report).unwrap()).unwrap();
        path
    };
    let before = keep("before", "standard", "a");
    for (tier, sha256, told) in
        [("standard", "a", None), ("strict", "b", Some("strict b")), ("standard", "c", Some("standard c"))]
    {
        let comparison = compare(&before, &keep("after", tier, sha256)).unwrap();
        let policies: Vec<_> = comparison.machines.iter().map(|own| own.policy.as_deref()).collect();
        assert_eq!(policies, told.map(Some).into_iter().collect::<Vec<_>>(), "{tier} {sha256}");
        assert_eq!(comparison.unchanged, usize::from(told.is_none()));
        assert!(!comparison.is_worse(), "a policy alone makes no machine worse");
        if let Some(told) = told {
            assert!(comparison.sentences().contains(told), "{}", comparison.sentences());
        }
    }
}
