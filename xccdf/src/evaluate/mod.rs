//! Evaluation: from a policy and an engine to the result of every rule.
//!
//! Rules are taken in document order. A rule ends at the first of these that holds (section 7.2.3 of the
//! specification, and what OpenSCAP 1.3.7 does where it leaves room):
//!
//! | when | result |
//! |---|---|
//! | it is left out, or others are asked for by name, or the policy does not select it | notselected |
//! | its role is `unchecked` | notchecked |
//! | it, a group around it or the benchmark is for platforms none of which is here | notapplicable |
//! | whether these platforms are here only a running system can tell, and there is none | notchecked |
//! | no check of it can be evaluated | notchecked |
//! | none of its check's references leads anywhere | notchecked |
//! | its role is `unscored` and its check a single one | informational |
//! | otherwise | what the engine answers, turned by `negate` |
//!
//! One file each: [`system`] is the seam to engines, `rule` and `check` are the table above, `junction` joins
//! results, `wanted` tells engines beforehand what will be asked.

mod check;
mod junction;
mod rule;
pub mod sce;
pub mod system;
mod wanted;

use crate::benchmark::{Benchmark, Item};
use crate::cpe::{Applicability, Platforms};
use crate::error::{Error, Errors};
use crate::id::did_you_mean;
use crate::index::Index;
use crate::policy::{BoundValue, Policy, PolicyRule};
use crate::resolve::flatten;
use crate::result::RuleResult;
use std::collections::{HashMap, HashSet};

pub use system::{Answer, CheckSystem, Exported, Request, Wanted, all_of};

/// Limits a run to some rules, and tells the time.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Full or short ids of the only rules to evaluate, whatever the policy selects; all it selects when
    /// empty.
    pub only: &'a [String],
    /// Full or short ids of rules not to evaluate.
    pub without: &'a [String],
    /// Tells the time, RFC 3339, for the time of each result.
    pub clock: Option<&'a dyn Fn() -> String>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// What came of each rule, in document order. A check that gives a result for each definition gives
    /// several for its rule.
    pub results: Vec<RuleResult>,
    /// Platforms found to be here, as the benchmark names them, in the order found.
    pub platforms: Vec<String>,
}

/// Evaluates a policy of a benchmark.
///
/// # Errors
/// Rules asked for or left out that the benchmark does not have; items that extend what is not there.
pub fn evaluate(
    benchmark: &Benchmark,
    policy: &Policy,
    platforms: &Platforms,
    system: &mut dyn CheckSystem,
    options: &Options<'_>,
) -> Result<Evaluation, Errors> {
    let benchmark = &*flatten(benchmark)?;
    let index = Index::new(benchmark);
    let mut run = Run {
        benchmark,
        policy,
        rules: policy.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect(),
        values: policy.values.iter().map(|value| (value.id.as_str(), value)).collect(),
        only: named(benchmark, &index, options.only)?,
        without: named(benchmark, &index, options.without)?,
        index: &index,
        applicability: Applicability::new(platforms),
        applicable: HashMap::new(),
        system,
        clock: options.clock,
    };
    let wanted = wanted::wanted(&run, platforms);
    run.system.prepare(&wanted);
    let mut results = Vec::new();
    for (n, node) in index.nodes.iter().enumerate() {
        if let Item::Rule(rule) = node.item {
            results.extend(run.rule(n, rule));
        }
    }
    let platforms = run.applicability.here().to_vec();
    Ok(Evaluation { results, platforms })
}

/// The rules that ids name, by their place in the index.
fn named(benchmark: &Benchmark, index: &Index<'_>, ids: &[String]) -> Result<HashSet<usize>, Errors> {
    let mut found = HashSet::new();
    let mut errors = Errors::default();
    let is_rule = |n: &usize| matches!(index.nodes.get(*n).map(|node| node.item), Some(Item::Rule(_)));
    for id in ids {
        if let Some(n) = index.item(id).ok().filter(is_rule) {
            found.insert(n);
        } else {
            let remedy = did_you_mean(id, benchmark.rules().map(|rule| rule.head.id.as_str()));
            errors.push(Error::new(&benchmark.source, format!("unknown rule {id:?}")).remedy(remedy));
        }
    }
    errors.none_or(found)
}

/// A run under way.
struct Run<'a> {
    benchmark: &'a Benchmark,
    policy: &'a Policy,
    rules: HashMap<&'a str, &'a PolicyRule>,
    values: HashMap<&'a str, &'a BoundValue>,
    only: HashSet<usize>,
    without: HashSet<usize>,
    index: &'a Index<'a>,
    applicability: Applicability<'a>,
    /// Whether the item at a place of the index is applicable, as far as it was asked.
    applicable: HashMap<usize, Option<bool>>,
    system: &'a mut dyn CheckSystem,
    clock: Option<&'a dyn Fn() -> String>,
}

impl Run<'_> {
    /// Whether a rule is to be looked at.
    fn selected(&self, n: usize, id: &str) -> bool {
        if self.without.contains(&n) {
            false
        } else if self.only.is_empty() {
            self.rules.get(id).is_some_and(|rule| rule.decision.selected)
        } else {
            self.only.contains(&n)
        }
    }
}
