use super::*;
use clap::ValueEnum;

use crate::plan::Left;

/// The report of a plan about one rule with this verdict.
fn report(verdict: Verdict, plan: Option<Plan>) -> Report {
    let policy = crate::policy::testing::policy(vec![crate::policy::testing::zero("kernel.a")]);
    let outcome = Outcome {
        rule: "kernel.a".into(),
        verdict,
        finding: Default::default(),
        reason: Some("why".into()),
        seconds: 0.0,
    };
    let mut report =
        Report::new(&policy, ContentInfo::default(), Host::default(), vec![outcome], "plan", now());
    report.plan = plan;
    report
}

fn step() -> Step {
    let change = crate::change::Change::write("/etc/a", "x\n");
    Step {
        rule: "kernel.a".into(),
        sentence: change.sentence(),
        change,
        diff: "+x".into(),
        effects: vec![],
        starts_from: None,
    }
}

#[test]
fn a_plan_ends_with_the_codes_of_the_contract() {
    let left = || vec![Left { rule: "kernel.a".into(), reason: "why".into() }];
    for (verdict, plan, exit) in [
        (Verdict::Pass, Plan::default(), Exit::Good),
        (Verdict::Fail, Plan { manual: left(), ..Plan::default() }, Exit::Good),
        (Verdict::Fail, Plan { steps: vec![step()], ..Plan::default() }, Exit::Deviates),
        (Verdict::Fail, Plan { deferred: left(), ..Plan::default() }, Exit::Deviates),
        (Verdict::Error, Plan { errors: left(), steps: vec![step()], ..Plan::default() }, Exit::Trouble),
    ] {
        assert_eq!(report(verdict, Some(plan.clone())).exit(), exit, "{verdict:?} {plan:?}");
    }
}

#[test]
fn one_reader_reads_audit_and_plan() {
    let mut planned = report(Verdict::Fail, Some(Plan { steps: vec![step()], ..Plan::default() }));
    planned.set_changes(&[step(), Step { rule: "other".into(), ..step() }]);
    let written = serde_json::to_value(&planned).unwrap();
    assert_eq!(written["action"], "plan");
    assert_eq!(written["rules"][0]["changes"], serde_json::json!(["write /etc/a"]));
    assert_eq!(written["plan"]["steps"][0]["change"]["change"], "write-file");
    assert_eq!(serde_json::from_value::<Report>(written).unwrap(), planned);
    let audited = serde_json::to_value(report(Verdict::Fail, None)).unwrap();
    assert!(audited.get("plan").is_none(), "{audited}");
}

/// What no document may be broken by.
const HOSTILE: &str =
    "</script><script>alert(1)</script>\",'`|\r\n=1+1\u{0}\u{1b}[2J\u{202e}\u{ffff}]]>&lt;\\";

/// A report in which everything that a machine or an owner may say is hostile.
fn hostile() -> Report {
    let long = HOSTILE.repeat((1 << 20) / HOSTILE.len());
    let evidence = |found: &str, holds| Evidence {
        found: found.to_owned(),
        wanted: HOSTILE.into(),
        place: HOSTILE.into(),
        state: crate::finding::State::Running,
        holds,
    };
    let exception = |expired| Exception {
        reason: HOSTILE.into(),
        owner: HOSTILE.into(),
        until: Some(HOSTILE.into()),
        expired,
        source: HOSTILE.into(),
    };
    let row = |id: &str, result| Row {
        id: id.to_owned(),
        xccdf_id: format!("xccdf_trempe_rule_{id}"),
        title: HOSTILE.into(),
        severity: "high".into(),
        result,
        references: References { cis: vec![HOSTILE.into()], anssi: vec![HOSTILE.into()] },
        reason: Some(HOSTILE.into()),
        evidence: vec![evidence(&long, false), evidence(HOSTILE, true)],
        changes: vec![HOSTILE.into(), long.clone()],
        diffs: vec![format!("+{HOSTILE}\n-{long}")],
        exception: None,
        seconds: 0.5,
    };
    let mut report = report(Verdict::Pass, None);
    report.rules = vec![
        row("fails", Verdict::Fail),
        row("errs", Verdict::Error),
        Row { exception: Some(exception(true)), ..row("over", Verdict::Pass) },
        Row { exception: Some(exception(false)), ..row("excepted", Verdict::NotSelected) },
    ];
    report.host = Host {
        name: HOSTILE.into(),
        os: HOSTILE.into(),
        os_version: HOSTILE.into(),
        kernel: HOSTILE.into(),
        machine_id: HOSTILE.into(),
    };
    report.policy.tier = HOSTILE.into();
    report.policy.tailoring = vec![HOSTILE.into()];
    report.problems = vec![long, HOSTILE.into()];
    report.notes = vec![HOSTILE.into()];
    report
}

fn written(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    let standard = |format, out: &mut dyn std::io::Write| xccdf::write(report, None, format, out);
    report.write(format, &mut out, &text::Style::default(), &standard).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn no_format_is_broken_by_what_a_machine_says() {
    let report = hostile();
    for format in Format::value_variants() {
        let text = written(&report, *format);
        let name = format!("{format:?}");
        if *format == Format::Json {
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
            continue;
        }
        let steers = text.chars().find(|c| clean::steers(*c) && !(*format == Format::Csv && *c == '\r'));
        assert_eq!(steers, None, "{name} holds what steers a terminal");
        assert!(text.len() < 1 << 20, "{name} has {} bytes", text.len());
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, if *format == Format::Html { 1 } else { text_scripts(*format, &text) }, "{name}");
    }
}

/// How often a format that has no markup may say so.
fn text_scripts(format: Format, text: &str) -> usize {
    match format {
        Format::Text | Format::Csv | Format::Sarif | Format::Prometheus => text.matches("<script").count(),
        _ => 0,
    }
}

/// Whoever reads only one of the formats must not take it for settled.
#[test]
fn a_page_of_six_hundred_rules_that_fail_is_small() {
    let evidence = |line: u32| Evidence {
        found: "PermitRootLogin without-password".into(),
        wanted: "PermitRootLogin no".into(),
        place: format!("/etc/ssh/sshd_config.d/50-cloud-init.conf:{line}"),
        state: crate::finding::State::Running,
        holds: false,
    };
    let mut many = report(Verdict::Pass, None);
    many.rules = (0..600)
        .map(|n| Row {
            title: "Nobody logs in as root by way of the network".into(),
            evidence: (0..3).map(evidence).collect(),
            changes: vec!["write /etc/ssh/sshd_config.d/00-trempe.conf".into()],
            ..super::testing::row(&format!("sshd_disable_root_login_{n}"), Verdict::Fail)
        })
        .collect();
    let page = written(&many, Format::Html);
    assert_eq!(page.matches("50-cloud-init.conf:2").count(), 600);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn an_exception_that_is_over_is_a_finding_where_its_rule_is_met_too() {
    let report = hostile();
    let sarif: serde_json::Value = serde_json::from_str(&written(&report, Format::Sarif)).unwrap();
    let kinds: Vec<(&str, &str)> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["ruleId"].as_str().unwrap(), result["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("fails", "fail"), ("errs", "open"), ("over", "fail"), ("excepted", "notApplicable")]);
    let junit = written(&report, Format::Junit);
    let case = |id: &str| {
        let from = junit.find(&format!("name=\"{id} ")).unwrap();
        junit[from..].split("</testcase>").next().unwrap().to_owned()
    };
    assert!(case("over").contains("<failure") && case("excepted").contains("<skipped"), "{junit}");
}

#[test]
fn a_line_of_the_text_fits_a_terminal() {
    let mut report = report(Verdict::Fail, None);
    let long = "word ".repeat(60);
    report.host.name = "a-machine-with-a-name-of-many-letters.example.org".into();
    report.policy.tier = "strict".into();
    report.policy.tailoring = vec!["/etc/trempe/tailoring.d/a-file-with-a-long-name-of-words.xml".into()];
    let row = &mut report.rules[0];
    row.id = "audit_rules_for_a_file_with_a_name_of_which_nobody_knows_the_end".into();
    row.title = long.clone();
    row.reason = Some(long.clone());
    row.evidence = vec![Evidence {
        found: long.clone(),
        wanted: long.clone(),
        place: "/etc/a:1".into(),
        state: crate::finding::State::Persistent,
        holds: false,
    }];
    report.summary = Summary {
        pass: 300,
        fixed: 120,
        fail: 110,
        error: 12,
        unknown: 10,
        notapplicable: 123,
        notchecked: 12,
        notselected: 9,
    };
    let text = written(&report, Format::Text);
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn what_fails_comes_before_what_was_mended() {
    let mut report = report(Verdict::Fixed, None);
    let fixed = Row { severity: "high".into(), ..report.rules[0].clone() };
    let low = Row { id: "low".into(), severity: "low".into(), result: Verdict::Fail, ..fixed.clone() };
    let high = Row { id: "high".into(), result: Verdict::Fail, ..fixed.clone() };
    let unasked = Row { result: Verdict::NotSelected, exception: None, ..fixed.clone() };
    report.rules = vec![unasked, fixed, low, high];
    let order: Vec<&str> = report.worst_first().iter().map(|row| row.id.as_str()).collect();
    assert_eq!(order, ["high", "low", "kernel.a"]);
}
