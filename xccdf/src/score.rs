//! Scores (NISTIR 7275r4 section 7.3), computed as OpenSCAP does: in single precision, by the weights that the
//! benchmark itself gives, and of several results of one rule by the first.

use crate::benchmark::{Benchmark, Item};
use crate::result::{Outcome, RuleResult};
use crate::rule::Role;
use std::collections::HashMap;

/// The model that weighs groups and what is in them, level by level.
pub const DEFAULT: &str = "urn:xccdf:scoring:default";
/// The model that adds up the weights of rules.
pub const FLAT: &str = "urn:xccdf:scoring:flat";
/// The model that counts rules.
pub const FLAT_UNWEIGHTED: &str = "urn:xccdf:scoring:flat-unweighted";
/// The model that knows all or nothing.
pub const ABSOLUTE: &str = "urn:xccdf:scoring:absolute";

/// A score.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// The model, a URI.
    pub system: String,
    /// What was reached.
    pub value: f32,
    /// What could have been.
    pub maximum: f32,
}

/// The scores that a benchmark asks for: one for each of its models, or the default model's.
pub fn scores(benchmark: &Benchmark, results: &[RuleResult]) -> Vec<Score> {
    let default = [DEFAULT.to_owned()];
    let models = if benchmark.models.is_empty() { &default[..] } else { &benchmark.models };
    models.iter().filter_map(|model| score(benchmark, results, model)).collect()
}

/// The score by one model; `None` for a model that is not known.
pub fn score(benchmark: &Benchmark, results: &[RuleResult], system: &str) -> Option<Score> {
    let mut counted = HashMap::new();
    for result in results {
        counted.entry(result.rule.as_str()).or_insert_with(|| passed(result));
    }
    let of = |value: f32, maximum: f32| Some(Score { system: system.to_owned(), value, maximum });
    match system {
        DEFAULT => of(level(&benchmark.items, &counted).unwrap_or(0.0), 100.0),
        FLAT => {
            let sum = flat(benchmark, &counted, |weight| weight);
            of(sum.0, sum.1)
        }
        FLAT_UNWEIGHTED => {
            let sum = flat(benchmark, &counted, |_| 1.0);
            of(sum.0, sum.1)
        }
        ABSOLUTE => {
            let sum = flat(benchmark, &counted, |weight| weight);
            of(if sum.0.total_cmp(&sum.1).is_eq() { 1.0 } else { 0.0 }, sum.1)
        }
        _ => None,
    }
}

/// Whether a rule counts, and if so whether it is as it should be.
fn passed(result: &RuleResult) -> Option<bool> {
    if result.role == Role::Unscored {
        return None;
    }
    match result.outcome {
        Outcome::Pass | Outcome::Fixed => Some(true),
        Outcome::Fail | Outcome::Error | Outcome::Unknown => Some(false),
        Outcome::NotApplicable | Outcome::NotChecked | Outcome::NotSelected | Outcome::Informational => None,
    }
}

type Counted<'a> = HashMap<&'a str, Option<bool>>;

/// The score of a level of the tree, 0 to 100; `None` when nothing in it counts.
fn level(items: &[Item], counted: &Counted<'_>) -> Option<f32> {
    let (mut sum, mut weights, mut any) = (0.0f32, 0.0f32, false);
    for item in items {
        let own = match item {
            Item::Group(group) => level(&group.items, counted),
            Item::Rule(rule) => {
                let passed = counted.get(rule.head.id.as_str()).copied().flatten();
                passed.map(|passed| if passed { 100.0 } else { 0.0 })
            }
        };
        let Some(own) = own else { continue };
        let weight = single(item.weight());
        sum += own * weight;
        weights += weight;
        any = true;
    }
    any.then_some(if weights == 0.0 { sum } else { sum / weights })
}

/// Reached, and to be reached.
fn flat(benchmark: &Benchmark, counted: &Counted<'_>, weigh: impl Fn(f32) -> f32) -> (f32, f32) {
    sums(&benchmark.items, counted, &weigh)
}

fn sums(items: &[Item], counted: &Counted<'_>, weigh: &impl Fn(f32) -> f32) -> (f32, f32) {
    let (mut reached, mut most) = (0.0, 0.0);
    for item in items {
        let own = match item {
            Item::Group(group) => sums(&group.items, counted, weigh),
            Item::Rule(rule) => match counted.get(rule.head.id.as_str()).copied().flatten() {
                None => continue,
                Some(passed) => {
                    let weight = weigh(single(item.weight()));
                    (if passed { weight } else { 0.0 }, weight)
                }
            },
        };
        reached += own.0;
        most += own.1;
    }
    (reached, most)
}

#[allow(clippy::cast_possible_truncation, reason = "weights are small numbers, and OpenSCAP's are single")]
fn single(weight: f64) -> f32 {
    weight as f32
}
