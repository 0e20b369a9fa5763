//! Stage 3, inspect: a policy and a system become outcomes. Read only, in parallel, each rule by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::content::Applies;
use crate::finding::Finding;
use crate::policy::{Check, Policy, PolicyRule};
use crate::setting::Setting;
use crate::system::System;

/// A verdict, in XCCDF's words (NISTIR 7275 section 6.6.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The rule is met.
    Pass,
    /// The rule is not met.
    Fail,
    /// The rule was not met and has been made so.
    Fixed,
    /// Something could not be looked at: no verdict.
    Error,
    /// It was looked at and cannot be told.
    Unknown,
    /// The machine has nothing this rule is about.
    NotApplicable,
    /// It was not looked at, because it cannot be here.
    NotChecked,
    /// The policy does not ask for it.
    NotSelected,
    /// Told for information; neither good nor bad.
    Informational,
}

impl Verdict {
    /// The verdict of a word of XCCDF; `unknown` for any other.
    pub fn from_word(word: &str) -> Verdict {
        use Verdict::*;
        let all = [Pass, Fail, Fixed, Error, NotApplicable, NotChecked, NotSelected, Informational];
        all.into_iter().find(|verdict| verdict.as_str() == word).unwrap_or(Unknown)
    }

    /// The word XCCDF and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Fixed => "fixed",
            Verdict::Error => "error",
            Verdict::Unknown => "unknown",
            Verdict::NotApplicable => "notapplicable",
            Verdict::NotChecked => "notchecked",
            Verdict::NotSelected => "notselected",
            Verdict::Informational => "informational",
        }
    }
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The rule's short id.
    pub rule: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was looked at, and what would make it right.
    pub finding: Finding,
    /// Why, for the verdicts that evidence does not explain.
    pub reason: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// Inspects every rule of a policy, in the order of the policy. `progress` is called after each rule with the number done.
pub fn inspect(policy: &Policy, system: &System, progress: &(dyn Fn(usize) + Sync)) -> Vec<Outcome> {
    inspect_these(&policy.rules.iter().collect::<Vec<_>>(), system, progress)
}

/// As [`inspect`], for some rules; in their order.
pub fn inspect_these(
    rules: &[&PolicyRule],
    system: &System,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<Outcome>>> = rules.iter().map(|_| Mutex::new(None)).collect();
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((rule, slot)) = pick(rules, &slots, next.fetch_add(1, Ordering::Relaxed)) {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(inspect_rule(rule, system));
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn pick<'a>(
    rules: &[&'a PolicyRule],
    slots: &'a [Mutex<Option<Outcome>>],
    index: usize,
) -> Option<(&'a PolicyRule, &'a Mutex<Option<Outcome>>)> {
    rules.get(index).copied().zip(slots.get(index))
}

/// Inspects one rule.
pub fn inspect_rule(rule: &PolicyRule, system: &System) -> Outcome {
    let started = Instant::now();
    let (verdict, finding, reason) = judge(rule, system);
    Outcome { rule: rule.id.clone(), verdict, finding, reason, seconds: started.elapsed().as_secs_f64() }
}

fn judge(rule: &PolicyRule, system: &System) -> (Verdict, Finding, Option<String>) {
    if let Some(reason) = &rule.not_selected {
        return (Verdict::NotSelected, Finding::default(), Some(reason.clone()));
    }
    let Check::Setting { applies, .. } = &rule.check;
    match crate::content::all(applies, system) {
        Err(error) => return (Verdict::Error, Finding::default(), Some(format!("{error:#}"))),
        Ok(Applies::No(missing)) => return (Verdict::NotApplicable, Finding::default(), Some(missing)),
        Ok(Applies::Later(package)) => {
            let reason = format!("can be judged once {package} is installed");
            return (Verdict::NotChecked, Finding::default(), Some(reason));
        }
        Ok(Applies::Yes) => {}
    }
    let examined = rule.check.kind(system).and_then(|kind| kind.examine(system));
    match examined {
        Err(error) => (Verdict::Error, Finding::default(), Some(format!("{error:#}"))),
        Ok(finding) if finding.not_applicable.is_some() => {
            (Verdict::NotApplicable, Finding::default(), finding.not_applicable)
        }
        Ok(finding) if finding.is_compliant() && finding.not_checked.is_none() => {
            (Verdict::Pass, finding, None)
        }
        Ok(finding) if finding.evidence.iter().any(|evidence| !evidence.holds) => {
            (Verdict::Fail, finding, None)
        }
        Ok(finding) => {
            let reason =
                finding.not_checked.clone().unwrap_or_else(|| "nothing was found to look at".to_owned());
            (Verdict::NotChecked, finding, Some(reason))
        }
    }
}
