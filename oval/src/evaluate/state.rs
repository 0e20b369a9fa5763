//! Whether an item is in a state.
//!
//! Source: `eval_item` of OpenSCAP 1.3.7. Both values are text here: the wanted one's datatype says how they are understood, and with a
//! variable it is the variable's, not the state's.

use super::Evaluator;
use crate::collection::Flag;
use crate::compare;
use crate::item::{Field, Item, Status};
use crate::model::{Check, Datatype, Entity, Source, State};
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
        self.value(&field.value.text(), entity)
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
