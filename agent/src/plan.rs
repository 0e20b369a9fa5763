//! Stage 4, plan: findings become an ordered list of changes, tried on an overlay of the machine.
//!
//! Rules that share a file are planned one after the other on what the ones before would leave, so the list can be carried out as
//! it stands and each step knows exactly its own part. Packages come first; rules that depend on a package which is not there
//! yet are decided once it is. Rules that decide who gets in come last.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::inspect::{Outcome, Verdict, inspect_rule};
use crate::policy::{Check, Policy, PolicyRule};
use crate::system::{PackageDelta, System};

/// One change, for one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// The change.
    pub change: Change,
    /// The change in a sentence.
    pub sentence: String,
    /// What it does to a file, as a unified diff; empty for other changes.
    pub diff: String,
    /// What must be told to running programs afterwards.
    pub effects: Vec<Effect>,
    /// Digest of the text that a write starts from: where something else is there by then, the step holds no longer.
    #[serde(skip)]
    pub starts_from: Option<String>,
}

/// The digest of a text that may not be there.
pub fn digest(text: Option<&str>) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(text.map_or_else(Vec::new, |text| [b"text:", text.as_bytes()].concat()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A rule for which there is no change now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// What would be done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The changes, in order.
    pub steps: Vec<Step>,
    /// Rules that a change above must come before: they are decided after it, and what they call for follows in another pass.
    pub deferred: Vec<Left>,
    /// Failing rules that only a person can mend.
    pub manual: Vec<Left>,
    /// Rules that could not be looked at: whether they call for changes is not known.
    pub errors: Vec<Left>,
    /// Every package that comes, changes or goes, with those that come and go along; see [`Plan::foresee`].
    pub packages: PackageDelta,
    /// Why that could not be told.
    pub unforeseen: Option<String>,
}

impl Plan {
    /// Asks the package manager what comes and goes along with the packages that the steps name.
    pub fn foresee(&mut self, system: &System) {
        let (mut install, mut remove) = (Vec::new(), Vec::new());
        for step in &self.steps {
            if let Change::Packages { install: more, remove: less } = &step.change {
                install.extend(more.iter().cloned());
                remove.extend(less.iter().cloned());
            }
        }
        if install.is_empty() && remove.is_empty() {
            return;
        }
        match system.package_delta(&install, &remove) {
            Ok(delta) => self.packages = delta,
            Err(error) => self.unforeseen = Some(format!("{error:#}")),
        }
    }

    /// Everything that must be told to running programs, once each.
    pub fn effects(&self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.steps.iter().flat_map(|step| step.effects.clone()).collect();
        effects.sort();
        effects.dedup();
        effects
    }

    /// Whether it says of no rule that something would change.
    pub fn changes_nothing(&self) -> bool {
        self.steps.is_empty() && self.deferred.is_empty()
    }

    /// Whether packages would be installed.
    pub fn installs(&self) -> bool {
        let brings =
            |step: &Step| matches!(&step.change, Change::Packages { install, .. } if !install.is_empty());
        self.steps.iter().any(brings)
    }
}

/// The order of work: what may be needed by others first, what may shut the door late, then what locks what others wrote, programs that
/// only take up what all others have written, and at the very end what takes stock of the machine.
fn stage(rule: &PolicyRule, outcome: &Outcome) -> u8 {
    let changes = &outcome.finding.changes;
    let packages = changes.iter().any(|change| matches!(change, Change::Packages { .. }));
    let takes_up = !changes.is_empty() && changes.iter().all(is_generated);
    let Check::Setting { ensure, .. } = &rule.check;
    match (packages, outcome.finding.last, takes_up, rule.access) {
        (true, ..) => 0,
        (_, true, ..) => LAST,
        (_, _, true, _) => 4,
        _ if ensure.locks() => 3,
        (_, _, _, true) => 2,
        _ => 1,
    }
}

const LAST: u8 = 5;

/// How often a rule is looked at again while it is planned: each of its parts that writes to the same file takes a turn.
const MAX_TURNS: usize = 32;

fn is_generated(change: &Change) -> bool {
    matches!(change, Change::Generate { .. })
}

/// Plans what would make every failing rule pass; a rule in error cannot be planned and is told. `system` ends up with all of it laid over.
///
/// # Errors
/// When the present state that a change starts from cannot be read.
pub fn plan(policy: &Policy, outcomes: &[Outcome], system: &mut System) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut failing: Vec<(&PolicyRule, &Outcome)> =
        policy.rules.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict == Verdict::Fail).collect();
    failing.sort_by_key(|(rule, outcome)| stage(rule, outcome));
    let (last, others): (Vec<_>, Vec<_>) =
        failing.into_iter().partition(|(rule, outcome)| stage(rule, outcome) == LAST);
    for (rule, _) in others {
        plan_rule(rule, system, &mut plan).with_context(|| format!("planning {}", rule.id))?;
    }
    generate_once(&mut plan.steps);
    for (rule, _) in last {
        // In a pass of its own: what others call for is only known, and taken up by running programs, once they are done.
        if plan.steps.is_empty() {
            plan_rule(rule, system, &mut plan).with_context(|| format!("planning {}", rule.id))?;
        } else {
            let reason = "it takes stock of the machine, so it comes after all other changes".to_owned();
            plan.deferred.push(Left { rule: rule.id.clone(), reason });
        }
    }
    if plan.installs() {
        plan.deferred.extend(called_up(policy, outcomes, system));
    }
    plan.errors = errors(outcomes);
    Ok(plan)
}

/// Rules about nothing that is there now, and about something that the packages to be installed bring.
fn called_up(policy: &Policy, outcomes: &[Outcome], system: &System) -> Vec<Left> {
    let absent = policy
        .rules
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| outcome.verdict == Verdict::NotApplicable)
        .map(|(rule, _)| inspect_rule(rule, system));
    absent
        .filter(|outcome| outcome.verdict == Verdict::NotChecked)
        .filter_map(|outcome| Some(Left { rule: outcome.rule, reason: outcome.reason? }))
        .collect()
}

fn errors(outcomes: &[Outcome]) -> Vec<Left> {
    let failed = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Error);
    failed
        .map(|outcome| Left {
            rule: outcome.rule.clone(),
            reason: outcome.reason.clone().unwrap_or_default(),
        })
        .collect()
}

/// Programs that write files from what other steps set run once, after all of them.
fn generate_once(steps: &mut Vec<Step>) {
    let generates = |step: &Step| matches!(step.change, Change::Generate { .. });
    let mut once: Vec<Step> = Vec::new();
    for step in steps.iter().filter(|step| generates(step)) {
        if !once.iter().any(|other| other.change == step.change) {
            once.push(step.clone());
        }
    }
    steps.retain(|step| !generates(step));
    steps.extend(once);
}

/// Plans one rule in turns: the parts of a rule do not know of each other, so what a second one would write to a file of the
/// first is worked out anew on what the first would leave.
fn plan_rule(rule: &PolicyRule, system: &mut System, plan: &mut Plan) -> Result<()> {
    let left = |reason: String| Left { rule: rule.id.clone(), reason };
    if !rule.check_only.is_empty() {
        plan.manual.push(left(rule.check_only.clone()));
        return Ok(());
    }
    for turn in 0..MAX_TURNS {
        // Looked at again on what the steps so far would leave: another rule may have mended it, or changed the same file.
        let outcome = inspect_rule(rule, system);
        match outcome.verdict {
            Verdict::Fail => {}
            Verdict::NotChecked | Verdict::Error | Verdict::Unknown => {
                plan.deferred.push(left(outcome.reason.unwrap_or_else(|| "cannot be told yet".to_owned())));
                return Ok(());
            }
            _ => return Ok(()),
        }
        let finding = outcome.finding;
        if turn > 0 && (finding.manual.is_some() || finding.changes.is_empty()) {
            return Ok(());
        }
        if let Some(reason) = finding.manual {
            plan.manual.push(left(reason));
            return Ok(());
        }
        if finding.changes.is_empty() {
            plan.manual.push(left("there is no change that would mend it".to_owned()));
            return Ok(());
        }
        if !system.is_running()
            && finding.changes.iter().any(|change| matches!(change, Change::Packages { .. }))
        {
            plan.manual.push(left("packages come and go where the machine runs, not with --root".to_owned()));
            return Ok(());
        }
        if !plan_turn(rule, finding, system, plan)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Plans the changes of a finding up to the first that writes to a file already written by one before it; returns whether there
/// was such a one.
fn plan_turn(rule: &PolicyRule, finding: Finding, system: &mut System, plan: &mut Plan) -> Result<bool> {
    let mut written: Vec<PathBuf> = Vec::new();
    let mut rest = finding.changes.into_iter().peekable();
    while let Some(change) = rest.next() {
        if let Change::WriteFile { path, .. } = &change {
            written.push(path.clone());
        }
        let again = matches!(rest.peek(), Some(Change::WriteFile { path, .. }) if written.contains(path));
        let effects = if again || rest.peek().is_none() { finding.effects.clone() } else { Vec::new() };
        plan_change(&rule.id, change, effects, system, plan)?;
        if again {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The steps of changes that no rule asks for. `name` stands for them where rules have their ids. `system` ends up with all of it laid
/// over.
///
/// # Errors
/// When the present state that a change starts from cannot be read.
pub fn steps_of(name: &str, changes: &[Change], system: &mut System) -> Result<Vec<Step>> {
    let mut plan = Plan::default();
    for change in changes {
        plan_change(name, change.clone(), Vec::new(), system, &mut plan)?;
    }
    Ok(plan.steps)
}

fn plan_change(
    rule: &str,
    change: Change,
    effects: Vec<Effect>,
    system: &mut System,
    plan: &mut Plan,
) -> Result<()> {
    // One run of a program is enough, when nothing was written since.
    let mut latest = plan.steps.iter_mut().rev().take_while(|step| is_generated(&step.change));
    if let Some(step) = latest.find(|step| step.change == change) {
        step.effects.extend(effects);
        return Ok(());
    }
    let diff = diff(system, &change)?;
    let sentence = change.sentence();
    let starts_from = match &change {
        Change::WriteFile { path, .. } => Some(digest(system.read_text(path)?.as_deref())),
        _ => None,
    };
    system.pretend(&change)?;
    plan.steps.push(Step { rule: rule.to_owned(), sentence, change, diff, effects, starts_from });
    Ok(())
}

/// Files whose second field is a secret, which no diff shows.
const SECRETS: [&str; 4] = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// The text with its secrets hidden. What says only that there is no password is none.
fn without_secrets(text: &str) -> String {
    let hidden = |line: &str| {
        let mut fields: Vec<&str> = line.split(':').collect();
        match fields.get_mut(1) {
            Some(secret) if !matches!(*secret, "" | "!" | "!!" | "*" | "!*") => *secret = "(hidden)",
            _ => {}
        }
        fields.join(":")
    };
    text.split_inclusive('\n').map(hidden).collect()
}

/// What a change does to a file, as a unified diff against what the machine has now.
fn diff(system: &System, change: &Change) -> Result<String> {
    let (path, new) = match change {
        Change::WriteFile { path, content, .. } => (path, content.as_str()),
        Change::RemoveFile { path } => (path, ""),
        _ => return Ok(String::new()),
    };
    let mut old = system.read_text(path)?;
    let name = path.display().to_string();
    let mut new = std::borrow::Cow::Borrowed(new);
    if SECRETS.contains(&name.as_str()) {
        old = old.as_deref().map(without_secrets);
        new = without_secrets(&new).into();
    }
    let below = name.trim_start_matches('/');
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(old.as_ref().map_or("/dev/null".to_owned(), |_| format!("a/{below}")));
    let removed = matches!(change, Change::RemoveFile { .. });
    options.set_modified_filename(if removed { "/dev/null".to_owned() } else { format!("b/{below}") });
    Ok(options.create_patch(old.as_deref().unwrap_or_default(), &new).to_string())
}

#[cfg(test)]
mod tests;
