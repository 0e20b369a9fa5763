//! What has changed between two fleets, or between two results of one machine: newly failing, newly passing, changed policy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use super::machine::{Finished, Machine};
use super::rules::Rules;
use super::{files, read};
use crate::report::Report;
use crate::report::clean::clean;
use crate::report::text::wrapped;

/// The changes.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Drift {
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
        let mut kept = |report: &Report| Kept {
            name: report.host_name().to_owned(),
            letters: rules.letters(report).unwrap_or_default(),
            finished: Finished::of(report),
            policy: (short(report.policy.asked()), report.policy.sha256.clone()),
            score: report.score.value,
        };
        let (then, now) = (kept(then), kept(now));
        change(&then, &now, &rules)
    }

    fn is_nothing(&self) -> bool {
        let Change { newly_failing, newly_passing, newly_asked, newly_over, policy, .. } = self;
        [newly_failing, newly_passing, newly_asked, newly_over].iter().all(|rules| rules.is_empty())
            && policy.is_none()
    }
}

impl Drift {
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
    policy: (String, String),
    score: f64,
}

/// Compares the results in two places, each a file or a directory.
///
/// # Errors
/// When one of them has no results. What cannot be read is a problem that is told with the changes.
pub fn compare(before: &PathBuf, after: &PathBuf) -> Result<Drift> {
    let mut rules = Rules::default();
    let mut drift = Drift { schema: 1, ..Drift::default() };
    let mut old = side(before, &mut rules, &mut drift)?;
    let mut new = side(after, &mut rules, &mut drift)?;
    // Two results of which each is of one machine are compared whatever the machines are called: a machine and its clone, say.
    if let (1, 1, Some(identity)) = (old.len(), new.len(), new.keys().next().cloned())
        && !old.contains_key(&identity)
    {
        old = old.into_values().map(|kept| (identity.clone(), kept)).collect();
    }
    for (identity, now) in &mut new {
        match old.remove(identity) {
            None => drift.new.push(now.name.clone()),
            Some(then) => {
                let change = change(&then, now, &rules);
                if change.is_nothing() { drift.unchanged += 1 } else { drift.machines.push(change) }
            }
        }
    }
    drift.gone = old.into_values().map(|kept| kept.name).collect();
    drift.machines.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(drift)
}

/// The newest results of each machine.
fn side(path: &PathBuf, rules: &mut Rules, drift: &mut Drift) -> Result<BTreeMap<[String; 2], Kept>> {
    let mut kept: BTreeMap<[String; 2], Kept> = BTreeMap::new();
    for file in files::all(std::slice::from_ref(path))? {
        let read = read::report(&file).and_then(|report| {
            let letters = rules.letters(&report)?;
            Ok((report, letters))
        });
        let (report, letters) = match read {
            Ok(read) => read,
            Err(error) => {
                drift.problems.push(format!("{error:#}"));
                continue;
            }
        };
        let machine = Machine::new(&file, &report, &letters);
        let (identity, name) = (machine.identity().map(str::to_owned), machine.name().to_owned());
        let finished = Finished::of(&report);
        if kept.get(&identity).is_some_and(|own| own.finished.is_after(&finished)) {
            continue;
        }
        let policy = (short(report.policy.asked()), report.policy.sha256.clone());
        let score = report.score.value;
        kept.insert(identity, Kept { name, letters, finished, policy, score });
    }
    if kept.is_empty() {
        match drift.problems.first() {
            Some(problem) => bail!("{}: no results of any machine: {problem}", path.display()),
            None => bail!("{}: no results of any machine", path.display()),
        }
    }
    Ok(kept)
}

fn short(asked: &str) -> String {
    xccdf::short_id(asked).to_owned()
}

fn change(then: &Kept, now: &Kept, rules: &Rules) -> Change {
    let mut change = Change { name: now.name.clone(), score: [then.score, now.score], ..Change::default() };
    if then.policy != now.policy {
        change.policy = Some(format!("{} {}", now.policy.0, now.policy.1).trim().to_owned());
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
            _ => {}
        }
        if after.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            change.newly_over.push(id());
        }
    }
    change
}

impl Drift {
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
                ("  exception over ", &own.newly_over),
            ] {
                rules.iter().for_each(|rule| out.push_str(&wrapped(rule, what, "    ")));
            }
        }
        for (what, names) in [("new: ", &self.new), ("gone: ", &self.gone), ("problem: ", &self.problems)] {
            names.iter().for_each(|name| out.push_str(&wrapped(name, what, "  ")));
        }
        let changed = self.machines.len();
        out.push_str(&format!("{changed} machines changed, {} did not\n", self.unchanged));
        out
    }
}
