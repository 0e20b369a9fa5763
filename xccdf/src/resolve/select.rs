//! Which rules are selected (section 7.2.3.3.2 has requirements and conflicts), and how they are judged.
//!
//! Items are visited in document order, as OpenSCAP does, and the order matters: an item that a
//! conflict or an unmet requirement deselects counts as deselected for those that follow. What an
//! item conflicts with or requires counts as selected by its own selection, whatever the groups
//! around it; a group is looked at again before each of its children.

use super::Layer;
use crate::benchmark::{Benchmark, Item};
use crate::error::{Error, Errors};
use crate::id::short_id;
use crate::index::{Index, Lost};
use crate::policy::{Decision, PolicyGroup, PolicyRule, Reason, Remark};
use crate::profile::{RefineRule, Select};
use crate::rule::{Role, Rule, Severity};
use std::collections::HashSet;
use std::ops::Range;

/// The outcome, in document order.
pub(super) struct Chosen {
    pub rules: Vec<PolicyRule>,
    pub groups: Vec<PolicyGroup>,
}

/// What is known of an item so far.
struct State {
    selected: bool,
    reason: Reason,
    remarks: Vec<Remark>,
    weight: f64,
    severity: Severity,
    role: Role,
    check_selector: String,
    /// Indices of what it requires and conflicts with.
    requires: Vec<Vec<usize>>,
    conflicts: Vec<usize>,
}

pub(super) fn select(
    benchmark: &Benchmark,
    index: &Index<'_>,
    layers: &[Layer<'_>],
    errors: &mut Errors,
) -> Chosen {
    let mut states: Vec<State> =
        index.nodes.iter().map(|node| initial(benchmark, index, node.item, errors)).collect();
    let refined: Vec<HashSet<&str>> = layers.iter().map(refined).collect();
    for (n, layer) in layers.iter().enumerate() {
        for select in &layer.profile.selects {
            apply_select(index, &mut states, layer, select, errors);
        }
        let later = || layers.iter().zip(&refined).skip(n + 1).filter(|(later, _)| !later.adds_to(layer));
        for refine in &layer.profile.refine_rules {
            // Replaced as a whole by a later one of the same id.
            if !later().any(|(_, ids)| ids.contains(short_id(&refine.idref))) {
                apply_refine(index, &mut states, layer, refine, errors);
            }
        }
    }
    let decisions = decide(index, &mut states);
    gather(index, states, decisions)
}

/// The short ids of what a profile refines.
fn refined<'a>(layer: &Layer<'a>) -> HashSet<&'a str> {
    layer.profile.refine_rules.iter().map(|refine| short_id(&refine.idref)).collect()
}

/// An item as the benchmark has it.
fn initial(benchmark: &Benchmark, index: &Index<'_>, item: &Item, errors: &mut Errors) -> State {
    let mut lookup = |id: &String, element: &str| match index.item(id) {
        Ok(found) => Some(found),
        Err(Lost { message, remedy }) => {
            let error = Error::new(&benchmark.source, message).at(item.head().position);
            errors.push(error.about(element).remedy(remedy));
            None
        }
    };
    let requires = item.requires().iter();
    let requires = requires.map(|any| any.iter().filter_map(|id| lookup(id, "requires")).collect());
    let requires = requires.collect();
    let conflicts = item.conflicts().iter().filter_map(|id| lookup(id, "conflicts")).collect();
    let rule = match item {
        Item::Rule(rule) => Some(rule),
        Item::Group(_) => None,
    };
    State {
        selected: item.selected(),
        reason: Reason::Benchmark,
        remarks: Vec::new(),
        weight: item.weight(),
        severity: rule.and_then(|rule| rule.severity).unwrap_or(Severity::Unknown),
        role: rule.and_then(|rule| rule.role).unwrap_or(Role::Full),
        check_selector: String::new(),
        requires,
        conflicts,
    }
}

fn apply_select(
    index: &Index<'_>,
    states: &mut [State],
    layer: &Layer<'_>,
    select: &Select,
    errors: &mut Errors,
) {
    let items = match index.items(&select.idref) {
        Ok(items) => items,
        Err(lost) => return errors.push(layer.error("select", select.position, lost)),
    };
    for n in items {
        if let Some(state) = states.get_mut(n) {
            state.selected = select.selected;
            state.reason = Reason::Profile(layer.origin(select.position));
            state.remarks.extend(layer.remarks(&select.remarks, select.position));
        }
    }
}

fn apply_refine(
    index: &Index<'_>,
    states: &mut [State],
    layer: &Layer<'_>,
    refine: &RefineRule,
    errors: &mut Errors,
) {
    let items = match index.items(&refine.idref) {
        Ok(items) => items,
        Err(lost) => return errors.push(layer.error("refine-rule", refine.position, lost)),
    };
    for n in items {
        let (Some(state), Some(node)) = (states.get_mut(n), index.nodes.get(n)) else { continue };
        state.weight = refine.weight.unwrap_or(state.weight);
        state.remarks.extend(layer.remarks(&refine.remarks, refine.position));
        let Item::Rule(rule) = node.item else { continue };
        state.severity = refine.severity.unwrap_or(state.severity);
        // OpenSCAP takes a refinement that does not speak of the role for one that says `full`.
        state.role = refine.role.unwrap_or(Role::Full);
        let Some(selector) = &refine.selector else { continue };
        if has_selector(rule, selector) {
            state.check_selector.clone_from(selector);
        } else {
            errors.push(layer.error("refine-rule", refine.position, no_check(rule, selector)));
        }
    }
}

fn has_selector(rule: &Rule, selector: &str) -> bool {
    selector.is_empty() || rule.all_checks().iter().any(|check| check.selector == selector)
}

fn no_check(rule: &Rule, selector: &str) -> Lost {
    let checks = rule.all_checks();
    let known: Vec<&str> = checks.iter().map(|check| check.selector.as_str()).collect();
    let known: Vec<&str> = known.into_iter().filter(|selector| !selector.is_empty()).collect();
    let remedy = if known.is_empty() {
        "its checks have no selectors".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    Lost { message: format!("no check with selector {selector:?}"), remedy }
}

/// Visits every item and says whether it is selected, groups around it considered.
fn decide(index: &Index<'_>, states: &mut [State]) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::with_capacity(states.len());
    for (n, node) in index.nodes.iter().enumerate() {
        let outside = node.parent.and_then(|parent| closed(index, states, &decisions, parent));
        let Some(state) = states.get(n) else { continue };
        let own = Decision { selected: state.selected, reason: state.reason.clone() };
        let decision = match (outside, node.item) {
            (Some(reason), _) if own.selected => Decision { selected: false, reason },
            (None, Item::Rule(_)) if own.selected => match obstacle(index, states, n) {
                Some(reason) => {
                    deselect(states, n..n + 1, &reason);
                    Decision { selected: false, reason }
                }
                None => own,
            },
            _ => own,
        };
        decisions.push(decision);
    }
    decisions
}

/// Why a group lets none of its children through; `None` when it does. A group is looked at before
/// each child, and may fall to a conflict in between.
fn closed(index: &Index<'_>, states: &mut [State], decisions: &[Decision], group: usize) -> Option<Reason> {
    let (node, state) = (index.nodes.get(group)?, states.get(group)?);
    let decision = decisions.get(group)?;
    if !decision.selected && matches!(decision.reason, Reason::Group { .. }) {
        return Some(decision.reason.clone());
    }
    let by = |reason: Reason| Reason::Group { group: node.item.head().id.clone(), reason: Box::new(reason) };
    if !state.selected {
        return Some(by(state.reason.clone()));
    }
    let reason = obstacle(index, states, group)?;
    let inside = by(reason.clone());
    deselect(states, group..group + 1, &reason);
    deselect(states, group + 1..node.end, &inside);
    Some(inside)
}

/// What keeps a selected item from being selected.
fn obstacle(index: &Index<'_>, states: &[State], n: usize) -> Option<Reason> {
    let state = states.get(n)?;
    let selected = |n: &usize| states.get(*n).is_some_and(|state| state.selected);
    let id = |n: &usize| index.nodes.get(*n).map(|node| node.item.head().id.clone());
    if let Some(other) = state.conflicts.iter().find(|n| selected(n)) {
        return id(other).map(Reason::Conflicts);
    }
    let unmet = state.requires.iter().find(|any| !any.iter().any(selected))?;
    Some(Reason::Requires(unmet.iter().filter_map(id).collect()))
}

/// Deselects what is selected still.
fn deselect(states: &mut [State], items: Range<usize>, reason: &Reason) {
    let states = states.get_mut(items).unwrap_or_default();
    for state in states.iter_mut().filter(|state| state.selected) {
        state.selected = false;
        state.reason = reason.clone();
    }
}

fn gather(index: &Index<'_>, states: Vec<State>, decisions: Vec<Decision>) -> Chosen {
    let mut chosen = Chosen { rules: Vec::new(), groups: Vec::new() };
    let group_remarks: Vec<Vec<Remark>> = states.iter().map(|state| state.remarks.clone()).collect();
    for ((node, state), decision) in index.nodes.iter().zip(states).zip(decisions) {
        let id = node.item.head().id.clone();
        if let Item::Group(_) = node.item {
            // A group may have fallen after its own turn, when its children were visited.
            let fallen = decision.selected && !state.selected;
            let decision = if fallen { Decision { selected: false, reason: state.reason } } else { decision };
            chosen.groups.push(PolicyGroup { id, decision, weight: state.weight });
            continue;
        }
        let mut remarks = state.remarks;
        if let Reason::Group { group, .. } = &decision.reason
            && let Ok(group) = index.item(group)
        {
            remarks.extend(group_remarks.get(group).cloned().unwrap_or_default());
        }
        chosen.rules.push(PolicyRule {
            id,
            decision,
            remarks,
            severity: state.severity,
            weight: state.weight,
            role: state.role,
            check_selector: state.check_selector,
        });
    }
    chosen
}
