//! An object's filters, ready to be put to candidates.
//!
//! Probes compare more strictly than results (`probe_item_filtered` and `probe_entste_cmp` of oscap): a field must be of the wanted
//! datatype, an absent field is false, and neither an error nor an unknown leaves anything out.

use crate::collector::Candidate;
use crate::compare;
use crate::item::{Field, Status, Value};
use crate::model::{Check, Datatype, FilterAction, Operation, Operator};
use crate::pattern::Patterns;
use crate::verdict::{Tally, Verdict};
use std::rc::Rc;

/// The filters of an object, in order.
#[derive(Default)]
pub(crate) struct Sieve {
    filters: Vec<Filter>,
}

/// A filter with its state's values at hand.
pub(crate) struct Filter {
    /// What happens to the items the state holds for.
    pub action: FilterAction,
    /// How the entities become one.
    pub operator: Operator,
    /// What the item's fields should be.
    pub entities: Vec<Wanted>,
    /// The engine for patterns.
    pub patterns: Rc<Patterns>,
}

/// A state's entity with its values at hand.
pub(crate) struct Wanted {
    /// Its name.
    pub name: String,
    /// How its values are understood.
    pub datatype: Datatype,
    /// How they are compared.
    pub operation: Operation,
    /// How many of an item's fields must compare.
    pub entity_check: Check,
    /// How many values must compare, when they are a variable's.
    pub var_check: Option<Check>,
    /// The values; none when a variable has none.
    pub values: Vec<String>,
}

impl Sieve {
    /// From filters, in order.
    pub fn new(filters: Vec<Filter>) -> Sieve {
        Sieve { filters }
    }

    /// Whether no filter leaves a candidate out.
    pub fn passes(&self, candidate: &dyn Candidate) -> bool {
        self.filters.iter().all(|filter| {
            !matches!(
                (filter.judge(candidate), filter.action),
                (Verdict::True, FilterAction::Exclude) | (Verdict::False, FilterAction::Include)
            )
        })
    }
}

impl Filter {
    fn judge(&self, candidate: &dyn Candidate) -> Verdict {
        let mut tally = Tally::default();
        for wanted in &self.entities {
            let mut of_name = Tally::default();
            candidate.each_field(&wanted.name, &mut |field| of_name.add(wanted.judge(&self.patterns, field)));
            tally.add(if of_name.is_empty() {
                Verdict::False
            } else {
                of_name.by_check(wanted.entity_check, Verdict::Unknown)
            });
        }
        tally.by_operator(self.operator)
    }
}

impl Wanted {
    fn judge(&self, patterns: &Patterns, field: &Field) -> Verdict {
        match field.status {
            Status::DoesNotExist => return Verdict::False,
            Status::Error => return Verdict::Error,
            Status::Exists => {}
        }
        if field.datatype != self.datatype {
            return Verdict::Error;
        }
        self.judge_value(patterns, &field.value)
    }

    fn judge_value(&self, patterns: &Patterns, value: &Value) -> Verdict {
        if self.values.is_empty() {
            return Verdict::Error;
        }
        let one = |wanted: &String| compare::typed(patterns, self.datatype, self.operation, wanted, value);
        let verdict = match self.var_check {
            Some(check) => self.values.iter().map(one).collect::<Tally>().by_check(check, Verdict::Unknown),
            None => self.values.first().map_or(Verdict::Error, one),
        };
        if verdict == Verdict::NotEvaluated { Verdict::Error } else { verdict }
    }
}
