//! What has changed between two fleets, or between two results of one machine: newly failing, newly passing, changed policy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;
use xccdf::short_id;

use super::machine::{Finished, Machine};
use super::rules::Rules;
use super::{files, read};
use crate::report::Report;
use crate::report::clean::clean;
use crate::report::text::wrapped;

/// The changes.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of the structure.
    pub schema: u32,
    /// Machines of which something has changed, by name.
    pub machines: Vec<Change>,
    /// Machines that are the same.
    pub unchanged: usize,
    /// Machines of which there are results on the second side alone.
    pub new: Vec<String>,
    /// Machines of which there are results on the first side alone.
    pub gone: Vec<String>,
    /// Files that could not be read, with the reason.
    pub problems: Vec<String>,
}

/// What has changed of a machine.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Rules that are not met, or could not be judged, and were not so before.
    pub newly_failing: Vec<String>,
    /// Rules that are met and were not.
    pub newly_passing: Vec<String>,
    /// Rules that are not met though the machine was not asked before.
    pub newly_asked: Vec<String>,
    /// Rules that were not met and are no longer asked for, or are excepted or not for this machine now.
    pub no_longer_asked: Vec<String>,
    /// Exceptions that are over and were not.
    pub newly_over: Vec<String>,
    /// What is asked of it now, where that has changed: tier or profile, and digest.
    pub policy: Option<String>,
    /// The scores.
    pub score: [f64; 2],
}

impl Change {
    /// What has changed of one machine.
    pub fn between(then: &Report, now: &Report) -> Change {
        let mut rules = Rules::default();
        let mut kept = |report: &Report| Kept::of(report, rules.letters(report).unwrap_or_default());
        let (then, now) = (kept(then), kept(now));
        change(&then, &now, &rules)
    }

    fn is_nothing(&self) -> bool {
        let Change { newly_failing, newly_passing, newly_asked, no_longer_asked, newly_over, policy, .. } =
            self;
        let rules = [newly_failing, newly_passing, newly_asked, no_longer_asked, newly_over];
        rules.iter().all(|rules| rules.is_empty()) && policy.is_none()
    }
}

impl Comparison {
    /// Whether something is worse than before.
    pub fn is_worse(&self) -> bool {
        self.machines.iter().any(|own| {
            !own.newly_failing.is_empty() || !own.newly_asked.is_empty() || !own.newly_over.is_empty()
        })
    }
}

/// What is kept of a machine: letters, not reports.
struct Kept {
    name: String,
    letters: String,
    finished: Finished,
    policy: Policy,
    score: f64,
}

impl Kept {
    fn of(report: &Report, letters: String) -> Kept {
        let policy = &report.policy;
        Kept {
            name: report.host_name().to_owned(),
            letters,
            finished: Finished::of(report),
            policy: Policy {
                asked: short_id(policy.asked()).to_owned(),
                profile: short_id(&policy.profile).to_owned(),
                sha256: policy.sha256.clone(),
            },
            score: report.score.value,
        }
    }
}

/// What was asked of a machine.
struct Policy {
    /// The tier, or the profile.
    asked: String,
    profile: String,
    /// Empty in XCCDF and ARF, which have no place for it.
    sha256: String,
}

impl Policy {
    /// Whether it is another one, as far as both sides say what it is.
    fn differs(&self, other: &Policy) -> bool {
        let both = |one: &str, other: &str| !one.is_empty() && !other.is_empty();
        if both(&self.sha256, &other.sha256) {
            return self.sha256 != other.sha256 || self.asked != other.asked;
        }
        match both(&self.profile, &other.profile) {
            true => self.profile != other.profile,
            false => self.asked != other.asked,
        }
    }
}

/// A machine's id and its name; either may be empty.
type Identity = [String; 2];

/// Compares the results in two places, each a file or a directory.
///
/// # Errors
/// When one of them has no results. What cannot be read is a problem that is told with the changes.
pub fn compare(before: &PathBuf, after: &PathBuf) -> Result<Comparison> {
    let mut rules = Rules::default();
    let mut comparison = Comparison { schema: 1, ..Comparison::default() };
    let mut old = side(before, &mut rules, &mut comparison)?;
    let mut new = side(after, &mut rules, &mut comparison)?;
    // Two results of which each is of one machine are compared whatever the machines are called: a machine and its clone, say.
    if let (1, 1, Some(identity)) = (old.len(), new.len(), new.keys().next().cloned())
        && !old.contains_key(&identity)
    {
        old = old.into_values().map(|kept| (identity.clone(), kept)).collect();
    }
    for (identity, now) in &mut new {
        match counterpart(&old, identity).and_then(|identity| old.remove(&identity)) {
            None => comparison.new.push(now.name.clone()),
            Some(then) => {
                let change = change(&then, now, &rules);
                if change.is_nothing() { comparison.unchanged += 1 } else { comparison.machines.push(change) }
            }
        }
    }
    comparison.gone = old.into_values().map(|kept| kept.name).collect();
    comparison.machines.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(comparison)
}

/// Who it was before: the machine of this id and name, or, where one of the two sides says no id, the only one of the name.
fn counterpart(old: &BTreeMap<Identity, Kept>, identity: &Identity) -> Option<Identity> {
    if old.contains_key(identity) {
        return Some(identity.clone());
    }
    let [id, name] = identity;
    let like = |own: &&Identity| own[1] == *name && !name.is_empty() && (id.is_empty() || own[0].is_empty());
    let mut alike = old.keys().filter(like);
    alike.next().filter(|_| alike.next().is_none()).cloned()
}

/// As [`super::spill::Spill::settle`]: results that say no id are those of the one machine of their name, where there is just one.
fn settle(kept: &mut BTreeMap<Identity, Kept>) {
    for own in kept.keys().filter(|own| own[0].is_empty()).cloned().collect::<Vec<_>>() {
        let mut alike =
            kept.keys().filter(|other| other[1] == own[1] && !own[1].is_empty() && !other[0].is_empty());
        let (Some(other), None) = (alike.next().cloned(), alike.next()) else { continue };
        let Some(without) = kept.remove(&own) else { continue };
        if kept.get(&other).is_some_and(|known| without.finished.is_after(&known.finished)) {
            kept.insert(other, without);
        }
    }
}

/// The newest results of each machine.
fn side(path: &PathBuf, rules: &mut Rules, comparison: &mut Comparison) -> Result<BTreeMap<Identity, Kept>> {
    let mut kept: BTreeMap<Identity, Kept> = BTreeMap::new();
    let (files, unread) = files::all(std::slice::from_ref(path));
    comparison.problems.extend(unread);
    for file in files {
        let read = read::report(&file).and_then(|report| {
            let letters = rules.letters(&report)?;
            Ok((report, letters))
        });
        let (report, letters) = match read {
            Ok(read) => read,
            Err(error) => {
                comparison.problems.push(format!("{error:#}"));
                continue;
            }
        };
        let machine = Machine::new(&file, &report, &letters);
        let (identity, name) = (machine.identity().map(str::to_owned), machine.name().to_owned());
        let own = Kept { name, ..Kept::of(&report, letters.clone()) };
        if kept.get(&identity).is_none_or(|known| !known.finished.is_after(&own.finished)) {
            kept.insert(identity, own);
        }
    }
    settle(&mut kept);
    if kept.is_empty() {
        match comparison.problems.first() {
            Some(problem) => bail!("{}: no results of any machine: {problem}", path.display()),
            None => bail!("{}: no results of any machine", path.display()),
        }
    }
    Ok(kept)
}

fn change(then: &Kept, now: &Kept, rules: &Rules) -> Change {
    let mut change = Change { name: now.name.clone(), score: [then.score, now.score], ..Change::default() };
    if now.policy.differs(&then.policy) {
        change.policy = Some(format!("{} {}", now.policy.asked, now.policy.sha256).trim().to_owned());
    }
    let letters = |kept: &Kept| {
        kept.letters.chars().chain(std::iter::repeat('.')).take(rules.all.len()).collect::<Vec<_>>()
    };
    for ((rule, before), after) in rules.all.iter().zip(letters(then)).zip(letters(now)) {
        let (was, is) = (before.to_ascii_lowercase(), after.to_ascii_lowercase());
        let bad = |letter: char| "feu".contains(letter);
        let id = || rule.id.clone();
        match (bad(was), bad(is)) {
            (false, true) if was == '.' || was == 'w' => change.newly_asked.push(id()),
            (false, true) => change.newly_failing.push(id()),
            (true, false) if "px".contains(is) => change.newly_passing.push(id()),
            (true, false) => change.no_longer_asked.push(id()),
            _ => {}
        }
        if after.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            change.newly_over.push(id());
        }
    }
    change
}

impl Comparison {
    /// The changes for people, within 80 columns.
    pub fn sentences(&self) -> String {
        let mut out = String::new();
        for own in &self.machines {
            let [then, now] = own.score;
            out.push_str(&wrapped(
                &format!("{}: score {then:.2} before, {now:.2} now", clean(&own.name)),
                "",
                "  ",
            ));
            if let Some(policy) = &own.policy {
                out.push_str(&wrapped(policy, "  another policy: ", "    "));
            }
            for (what, rules) in [
                ("  newly failing ", &own.newly_failing),
                ("  newly asked, and failing ", &own.newly_asked),
                ("  newly passing ", &own.newly_passing),
                ("  no longer asked, and was failing ", &own.no_longer_asked),
                ("  exception over ", &own.newly_over),
            ] {
                rules.iter().for_each(|rule| out.push_str(&wrapped(rule, what, "    ")));
            }
        }
        for (what, names) in [("new: ", &self.new), ("gone: ", &self.gone), ("problem: ", &self.problems)] {
            names.iter().for_each(|name| out.push_str(&wrapped(name, what, "  ")));
        }
        let changed = self.machines.len();
        let machines = if changed == 1 { "machine" } else { "machines" };
        out.push_str(&format!("{changed} {machines} changed, {} did not\n", self.unchanged));
        out
    }
}
