use super::*;
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
