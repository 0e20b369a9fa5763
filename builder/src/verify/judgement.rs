//! The judgement: what may be as it is, and what must not.
//!
//! A failing rule is expected when the agent itself leaves it to a person (a disk layout, a boot password …) or when the user said that it
//! may fail. Everything else that fails is an objection; a rule that could not be looked at is trouble.

use serde::{Deserialize, Serialize};

use super::audit::{Audit, FirstBoot, Manual, Rule};
use crate::spec::Tier;

/// What may fail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// Rules that may fail.
    pub allowed: Vec<String>,
    /// How many others may.
    pub unexpected: usize,
    /// The least score, of 100.
    pub score: Option<f64>,
}

/// A rule with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule.
    pub rule: String,
    /// Why it fails, or may.
    pub reason: String,
}

/// How a machine was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Failures that are as they should be.
    pub expected: Vec<Reason>,
    /// Failures that are not.
    pub unexpected: Vec<Reason>,
    /// Rules that could not be looked at.
    pub errors: Vec<Reason>,
    /// What is wrong beside rules, in sentences.
    pub objections: Vec<String>,
}

impl Judgement {
    /// Judges a machine that was to harden itself to a tier.
    pub fn of(
        tier: Tier,
        first_boot: &FirstBoot,
        audit: &Audit,
        manual: &[Manual],
        limits: &Limits,
    ) -> Judgement {
        let mut judgement = Judgement::default();
        for rule in &audit.rules {
            judgement.rule(rule, manual, limits);
        }
        judgement.objections = objections(tier, first_boot, audit, limits);
        let found = judgement.unexpected.len();
        if found > limits.unexpected {
            let rules = if found == 1 { "rule fails that" } else { "rules fail that" };
            judgement.objections.push(match limits.unexpected {
                0 => format!("{found} {rules} should not"),
                most => format!("{found} {rules} should not; {most} may"),
            });
        }
        judgement
    }

    fn rule(&mut self, rule: &Rule, manual: &[Manual], limits: &Limits) {
        let reason = |reason: String| Reason { rule: rule.id.clone(), reason };
        let manual = manual.iter().find(|manual| manual.rule == rule.id);
        match rule.result.as_str() {
            "error" => self.errors.push(reason(rule.why())),
            "fail" | "unknown" if limits.allowed.contains(&rule.id) => {
                self.expected.push(reason(format!("allowed; {}", rule.why())));
            }
            "fail" | "unknown" => match manual {
                Some(manual) => self.expected.push(reason(manual.reason.clone())),
                None => self.unexpected.push(reason(rule.why())),
            },
            _ => {}
        }
    }
}

/// What is wrong beside rules.
fn objections(tier: Tier, first_boot: &FirstBoot, audit: &Audit, limits: &Limits) -> Vec<String> {
    let mut objections = Vec::new();
    if audit.policy.tier != tier.word() {
        let told = match audit.policy.tier.as_str() {
            "" => "no tier",
            other => other,
        };
        objections.push(format!(
            "the machine was told {} and is judged by {told}: the image says something that its seed cannot outdo, or its cloud-init did not read the seed",
            tier.word()
        ));
    }
    if first_boot.state != "done" {
        let notes = if first_boot.notes.is_empty() {
            String::new()
        } else {
            format!(": {}", first_boot.notes.join("; "))
        };
        objections.push(format!("the first boot ended as {}{notes}", first_boot.state));
    }
    objections.extend(first_boot.problems.iter().map(|problem| format!("first boot: {problem}")));
    objections.extend(audit.problems.iter().map(|problem| format!("audit: {problem}")));
    let expired = |rule: &&Rule| rule.exception.as_ref().is_some_and(|exception| exception.expired);
    objections.extend(
        audit.rules.iter().filter(expired).map(|rule| format!("the exception of {} is expired", rule.id)),
    );
    let unknown = |id: &&String| !audit.rules.iter().any(|rule| rule.id == **id);
    objections.extend(
        limits.allowed.iter().filter(unknown).map(|id| format!("--allow {id}: there is no such rule")),
    );
    if let Some(least) = limits.score.filter(|least| audit.score.value < *least) {
        objections.push(format!("the score is {:.1}, wanted {least:.1}", audit.score.value));
    }
    objections
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn audit(tier: &str, rules: &[Value]) -> Audit {
        let summary = json!({"pass": 1, "fail": 1, "fixed": 0, "error": 0, "unknown": 0, "notapplicable": 0, "notchecked": 0, "notselected": 0});
        let report = json!({"schema": 1, "agent": "0.1.0", "policy": {"tier": tier}, "score": {"value": 90.0}, "summary": summary, "rules": rules});
        Audit::read(&report.to_string()).unwrap()
    }

    fn rule(id: &str, result: &str) -> Value {
        json!({"id": id, "result": result, "evidence": [
            {"found": "as it should be", "wanted": "so", "where": "/a:1", "holds": true},
            {"found": "yes", "wanted": "no", "where": "/etc/x:3", "holds": result == "pass"}]})
    }

    fn done() -> FirstBoot {
        FirstBoot { phase: "after-provisioning".into(), state: "done".into(), ..FirstBoot::default() }
    }

    fn names(reasons: &[Reason]) -> Vec<&str> {
        reasons.iter().map(|reason| reason.rule.as_str()).collect()
    }

    #[test]
    fn a_failure_is_expected_when_a_person_must_mend_it_or_the_user_allowed_it() {
        let rules = [
            rule("a", "pass"),
            rule("by_hand", "fail"),
            rule("allowed", "fail"),
            rule("b", "fail"),
            rule("c", "error"),
        ];
        let manual = [Manual { rule: "by_hand".into(), reason: "disks are laid out at installation".into() }];
        let limits = Limits { allowed: vec!["allowed".into()], ..Limits::default() };
        let found = Judgement::of(Tier::Strict, &done(), &audit("strict", &rules), &manual, &limits);
        assert_eq!(names(&found.expected), ["by_hand", "allowed"]);
        assert_eq!(
            found.unexpected,
            [Reason { rule: "b".into(), reason: "/etc/x:3: yes, wanted no".into() }]
        );
        assert_eq!(names(&found.errors), ["c"]);
        assert_eq!(found.objections, ["1 rule fails that should not"]);
        let more = Limits { unexpected: 1, ..limits };
        assert!(
            Judgement::of(Tier::Strict, &done(), &audit("strict", &rules), &manual, &more)
                .objections
                .is_empty()
        );
    }

    #[test]
    fn what_is_wrong_beside_rules_is_an_objection() {
        let idle = FirstBoot { state: "idle".into(), notes: vec!["no tier is configured".into()], ..done() };
        let troubled = FirstBoot { problems: vec!["unknown key 'tiers'".into()], ..done() };
        let mut expired = rule("a", "pass");
        expired["exception"] =
            json!({"reason": "x", "owner": "", "until": "2026-01-01", "expired": true, "source": ""});
        let limits = Limits { allowed: vec!["typo".into()], unexpected: 0, score: Some(95.0) };
        for (tier, first_boot, limits, rules, expected) in [
            ("", &done(), &Limits::default(), vec![], "told light and is judged by no tier"),
            ("light", &idle, &Limits::default(), vec![], "ended as idle: no tier is configured"),
            ("light", &troubled, &Limits::default(), vec![], "first boot: unknown key 'tiers'"),
            ("light", &done(), &Limits::default(), vec![expired], "the exception of a is expired"),
            ("light", &done(), &limits, vec![rule("a", "pass")], "--allow typo: there is no such rule"),
            (
                "light",
                &done(),
                &Limits { score: Some(95.0), ..Limits::default() },
                vec![],
                "the score is 90.0, wanted 95.0",
            ),
        ] {
            let found = Judgement::of(Tier::Light, first_boot, &audit(tier, &rules), &[], limits).objections;
            assert!(found.iter().any(|it| it.contains(expected)), "{expected}: {found:?}");
        }
        assert_eq!(
            Judgement::of(
                Tier::Light,
                &done(),
                &audit("light", &[rule("a", "pass")]),
                &[],
                &Limits::default()
            ),
            Judgement::default()
        );
    }
}
