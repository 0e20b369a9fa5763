//! An object's filters, ready to be put to candidates.
//!
//! Probes compare more strictly than results (`probe_item_filtered` and `probe_entste_cmp` of oscap): a field must be of the wanted
//! datatype, an absent field is false, and neither an error nor an unknown leaves anything out.

use crate::collector::Candidate;
use crate::compare;
use crate::item::{Field, Status, Value};
use crate::model::{Check, Datatype, Entity, FilterAction, Operation, Operator};
use crate::pattern::Patterns;
use crate::probe::Texts;
use crate::verdict::{Tally, Verdict};

/// The filters of an object, in order. Plain data: threads may share it, each with patterns of its own.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    filters: Vec<Filter>,
}

/// A filter with its state's values at hand.
#[derive(Debug)]
pub(crate) struct Filter {
    /// What happens to the items the state holds for.
    pub action: FilterAction,
    /// How the entities become one.
    pub operator: Operator,
    /// What the item's fields should be.
    pub entities: Vec<Wanted>,
}

/// A state's entity with its values at hand.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Its name.
    name: String,
    /// How its values are understood.
    datatype: Datatype,
    /// How they are compared.
    operation: Operation,
    /// How many of an item's fields must compare.
    entity_check: Check,
    /// How many values must compare, when they are a variable's.
    var_check: Option<Check>,
    /// The values; none when a variable has none.
    values: Texts,
    /// The values as the numbers they start with, for an entity that is a number.
    numbers: Vec<i64>,
}

impl Sieve {
    /// From filters, in order.
    pub fn new(filters: Vec<Filter>) -> Sieve {
        Sieve { filters }
    }

    /// Whether no filter leaves a candidate out.
    pub fn passes(&self, patterns: &Patterns, candidate: &dyn Candidate) -> bool {
        self.filters.iter().all(|filter| {
            !matches!(
                (filter.judge(patterns, candidate), filter.action),
                (Verdict::True, FilterAction::Exclude) | (Verdict::False, FilterAction::Include)
            )
        })
    }
}

impl Filter {
    fn judge(&self, patterns: &Patterns, candidate: &dyn Candidate) -> Verdict {
        let mut tally = Tally::default();
        for wanted in &self.entities {
            let mut of_name = Tally::default();
            candidate.each_field(&wanted.name, &mut |field| of_name.add(wanted.judge(patterns, field)));
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
    /// An entity of a state and its values.
    pub fn new(entity: &Entity, values: Texts, var_check: Option<Check>) -> Wanted {
        let numbers = match entity.datatype {
            Datatype::Int => values.iter().map(|value| compare::leading_int(value)).collect(),
            _ => Vec::new(),
        };
        Wanted {
            name: entity.name.clone(),
            datatype: entity.datatype,
            operation: entity.operation,
            entity_check: entity.entity_check,
            var_check,
            numbers,
            values,
        }
    }

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
        let verdict = match (self.datatype, value) {
            // Asked of every file of a disk, against every account there is.
            (Datatype::Int, Value::Int(found)) => {
                self.by_check(&self.numbers, |wanted| compare::int(self.operation, *wanted, *found))
            }
            _ => self.by_check(&self.values, |wanted| {
                compare::typed(patterns, self.datatype, self.operation, wanted, value)
            }),
        };
        if verdict == Verdict::NotEvaluated { Verdict::Error } else { verdict }
    }

    fn by_check<T>(&self, values: &[T], one: impl Fn(&T) -> Verdict) -> Verdict {
        match self.var_check {
            Some(check) => values.iter().map(one).collect::<Tally>().by_check(check, Verdict::Unknown),
            None => values.first().map_or(Verdict::Error, one),
        }
    }
}
