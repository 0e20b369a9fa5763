//! Whether an item is in a state.
//!
//! Source: `eval_item` of OpenSCAP 1.3.7. Both values are text here: the wanted one's datatype says how they are understood, and with a
//! variable it is the variable's, not the state's.

use super::Evaluator;
use crate::collection::Flag;
use crate::compare;
use crate::item::{Field, Item, Part, Status, Value};
use crate::model::{Check, Datatype, Entity, Operation, Operator, Source, State};
use crate::verdict::{Tally, Verdict, by_field_existence};

impl Evaluator<'_> {
    pub(super) fn in_state(&self, item: &Item, state: &State) -> Verdict {
        let tally: Tally = state.entities.iter().map(|entity| self.entity(item, entity)).collect();
        tally.by_operator(state.operator)
    }

    /// Whether the item's fields are as an entity wants them. A field that the item has not is unknown.
    pub(super) fn entity(&self, item: &Item, entity: &Entity) -> Verdict {
        // oscap counts all fields of the item here, not those of the name.
        let count = |status| item.fields.iter().filter(|field| field.status == status).count();
        let (exist, failed) = (count(Status::Exists), count(Status::Error));
        match by_field_existence(entity.existence, exist, failed, count(Status::DoesNotExist)) {
            Verdict::True => {
                let verdicts = item.fields(&entity.name).map(|field| self.field(field, entity));
                verdicts.collect::<Tally>().by_check(entity.entity_check, Verdict::Error)
            }
            other => other,
        }
    }

    fn field(&self, field: &Field, entity: &Entity) -> Verdict {
        if field.status == Status::DoesNotExist {
            return Verdict::False;
        }
        match (&field.value, entity.datatype) {
            (Value::Record(parts), Datatype::Record) if entity.operation == Operation::Equals => {
                self.record(parts, entity)
            }
            // No value of its own, that it could be compared by.
            (Value::Record(_), _) => Verdict::Error,
            (value, _) => self.value(&value.text(), entity),
        }
    }

    /// Whether a record's values are as the fields of an entity want them. A field that the record has not is an error.
    fn record(&self, parts: &[Part], entity: &Entity) -> Verdict {
        let one = |field: &Entity| {
            let named = parts.iter().filter(|part| part.name == field.name);
            let tally: Tally = named.map(|part| self.value(&part.text, field)).collect();
            match tally.is_empty() {
                true => Verdict::Error,
                false => tally.by_check(field.entity_check, Verdict::Error),
            }
        };
        entity.fields.iter().map(one).collect::<Tally>().by_operator(Operator::And)
    }

    fn value(&self, found: &str, entity: &Entity) -> Verdict {
        match &entity.source {
            Source::Literal(wanted) => {
                compare::text(&self.patterns, entity.datatype, entity.operation, wanted, found)
            }
            Source::Variable(id) => {
                let variable = self.variable(id);
                match variable.flag {
                    Flag::NotRunning => return Verdict::NotEvaluated,
                    flag if !flag.has_values() => return Verdict::Error,
                    _ => {}
                }
                let one = |(datatype, wanted): &(Datatype, String)| {
                    compare::text(&self.patterns, *datatype, entity.operation, wanted, found)
                };
                let check = entity.var_check.unwrap_or(Check::All);
                variable.values.iter().map(one).collect::<Tally>().by_check(check, Verdict::Error)
            }
        }
    }
}
