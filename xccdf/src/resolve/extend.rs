//! What rules and values inherit: an item that extends another takes
//! over what it does not say itself, and has the other's lists before its own.
//!
//! A group's `extends` is ignored, as XCCDF 1.2 made it obsolete; a profile's is a matter of
//! [`super::chain`].

use crate::benchmark::{Benchmark, Group, Head, Item};
use crate::error::{Error, Errors};
use crate::id::{did_you_mean, short_id};
use crate::rule::Rule;
use crate::text::Text;
use crate::value::{Keyed, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most items that may inherit from one another.
const LONGEST: usize = 64;

/// The benchmark with every inheritance carried out and every abstract item gone; the benchmark
/// itself when it has none, as is usual.
///
/// # Errors
/// Items that extend what is not there, or extend one another in a circle.
pub fn flatten(benchmark: &Benchmark) -> Result<Cow<'_, Benchmark>, Errors> {
    let heads = benchmark.walk().map(Item::head).chain(benchmark.values().map(|value| &value.head));
    if !heads.into_iter().any(|head| head.is_abstract || head.extends.is_some()) {
        return Ok(Cow::Borrowed(benchmark));
    }
    let mut flat = Flat {
        source: &benchmark.source,
        rules: benchmark.rules().map(|rule| (rule.head.id.as_str(), rule)).collect(),
        values: benchmark.values().map(|value| (value.head.id.as_str(), value)).collect(),
        errors: Errors::default(),
    };
    let values = flat.values(&benchmark.values);
    let items = flat.items(&benchmark.items);
    let errors = flat.errors;
    errors.none_or(Cow::Owned(Benchmark { values, items, ..benchmark.clone() }))
}

/// Something that can extend another of its kind.
trait Heir: Clone {
    const ELEMENT: &'static str;
    fn head(&self) -> &Head;
    /// Takes over from the item it extends.
    fn inherit(&mut self, from: Self);
}

struct Flat<'a> {
    source: &'a str,
    rules: BTreeMap<&'a str, &'a Rule>,
    values: BTreeMap<&'a str, &'a Value>,
    errors: Errors,
}

impl Flat<'_> {
    fn items(&mut self, items: &[Item]) -> Vec<Item> {
        let mut flat = Vec::new();
        for item in items.iter().filter(|item| !item.head().is_abstract) {
            match item {
                Item::Rule(rule) => match heir(self.source, &self.rules, rule) {
                    Ok(rule) => flat.push(Item::Rule(Box::new(rule))),
                    Err(error) => self.errors.push(error),
                },
                Item::Group(group) => {
                    let (values, items) = (self.values(&group.values), self.items(&group.items));
                    let head = Head { extends: None, ..group.head.clone() };
                    let group = Group { head, values, items, ..group.as_ref().clone() };
                    flat.push(Item::Group(Box::new(group)));
                }
            }
        }
        flat
    }

    fn values(&mut self, values: &[Value]) -> Vec<Value> {
        let mut flat = Vec::new();
        for value in values.iter().filter(|value| !value.head.is_abstract) {
            match heir(self.source, &self.values, value) {
                Ok(value) => flat.push(value),
                Err(error) => self.errors.push(error),
            }
        }
        flat
    }
}

/// An item with what it inherits.
fn heir<T: Heir>(source: &str, known: &BTreeMap<&str, &T>, item: &T) -> Result<T, Error> {
    let wrong = |message: String, remedy: String| {
        Error::new(source, message).at(item.head().position).about(T::ELEMENT).remedy(remedy)
    };
    let mut line: Vec<&T> = vec![item];
    while let Some(id) = line.last().and_then(|last| last.head().extends.as_deref()) {
        let alike = || known.values().find(|other| short_id(&other.head().id) == short_id(id));
        let Some(next) = known.get(id).or_else(alike) else {
            let near = did_you_mean(id, known.keys().copied());
            return Err(wrong(format!("extends {id:?}, which is not known"), near));
        };
        if line.iter().any(|seen| seen.head().id == next.head().id) {
            return Err(wrong(format!("{id:?} extends itself"), "take one extends out".to_owned()));
        }
        line.push(next);
        if line.len() > LONGEST {
            return Err(wrong(format!("inherits from more than {LONGEST} others"), String::new()));
        }
    }
    let mut elders = line.into_iter().rev().cloned();
    let Some(mut whole) = elders.next() else { return Ok(item.clone()) };
    for mut younger in elders {
        younger.inherit(whole);
        whole = younger;
    }
    Ok(whole)
}

fn prepend<T>(own: &mut Vec<T>, mut inherited: Vec<T>) {
    inherited.append(own);
    *own = inherited;
}

/// A text of one's own follows the inherited one.
fn join(own: &mut Text, inherited: Text) {
    prepend(&mut own.nodes, inherited.nodes);
}

/// What is said for a selector outdoes what is inherited for it.
fn keyed<T>(own: &mut Vec<Keyed<T>>, inherited: Vec<Keyed<T>>) {
    for keyed in inherited {
        if !own.iter().any(|other| other.selector == keyed.selector) {
            own.push(keyed);
        }
    }
}

fn inherit_head(own: &mut Head, from: Head) {
    own.extends = None;
    own.hidden = own.hidden.or(from.hidden);
    own.prohibit_changes = own.prohibit_changes.or(from.prohibit_changes);
    own.version = own.version.take().or(from.version);
    join(&mut own.title, from.title);
    join(&mut own.description, from.description);
    prepend(&mut own.warnings, from.warnings);
    prepend(&mut own.references, from.references);
}

impl Heir for Rule {
    const ELEMENT: &'static str = "Rule";

    fn head(&self) -> &Head {
        &self.head
    }

    fn inherit(&mut self, from: Rule) {
        inherit_head(&mut self.head, from.head);
        self.selected = self.selected.or(from.selected);
        self.weight = self.weight.or(from.weight);
        self.severity = self.severity.or(from.severity);
        self.role = self.role.or(from.role);
        self.multiple = self.multiple.or(from.multiple);
        join(&mut self.rationale, from.rationale);
        prepend(&mut self.platforms, from.platforms);
        // What the other requires is not taken over, as in OpenSCAP (`xccdf_resolve_rule`).
        prepend(&mut self.conflicts, from.conflicts);
        prepend(&mut self.idents, from.idents);
        prepend(&mut self.fixes, from.fixes);
        if self.checks.is_empty() && self.complex_check.is_none() {
            self.checks = from.checks;
            self.complex_check = from.complex_check;
        }
    }
}

impl Heir for Value {
    const ELEMENT: &'static str = "Value";

    fn head(&self) -> &Head {
        &self.head
    }

    fn inherit(&mut self, from: Value) {
        inherit_head(&mut self.head, from.head);
        self.value_type = self.value_type.or(from.value_type);
        self.operator = self.operator.or(from.operator);
        self.interactive = self.interactive.or(from.interactive);
        self.interface_hint = self.interface_hint.take().or(from.interface_hint);
        keyed(&mut self.instances, from.instances);
        keyed(&mut self.defaults, from.defaults);
        keyed(&mut self.matches, from.matches);
        keyed(&mut self.lower_bounds, from.lower_bounds);
        keyed(&mut self.upper_bounds, from.upper_bounds);
        for choices in from.choices {
            if !self.choices.iter().any(|own| own.selector == choices.selector) {
                self.choices.push(choices);
            }
        }
        prepend(&mut self.sources, from.sources);
    }
}
