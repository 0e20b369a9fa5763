//! Objects: the values of their entities, then a probe, or other objects' items made one.
//!
//! Source: `probe_worker` and `probe_set_eval` of OpenSCAP 1.3.7.

use super::Evaluator;
use crate::collection::{Collection, Flag, Union};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{self, Check, Entity, Filter, Object, Set, Source};
use crate::probe::{self, Asked, Context, Request, Texts};
use crate::sieve::{self, Sieve, Wanted};
use std::rc::Rc;

/// The most combinations of variables' values that an object is collected for.
pub(super) const MAX_COMBINATIONS: usize = 100_000;

/// The deepest set of sets, as in oscap.
const MAX_SETS: usize = 8;

impl Evaluator<'_> {
    /// What an object came to, by id.
    pub(super) fn object(&self, id: &str) -> Rc<Collection> {
        if let Some(known) = self.objects.borrow().get(id) {
            return Rc::clone(known);
        }
        let collect = || match self.document.object(id) {
            Ok(object) => (object.set.is_some(), self.collect(&object)),
            Err(error) => (false, Collection::failed(Flag::NotCollected, error.to_string())),
        };
        let collected = self.guarded(id, || {
            let ((set, mut collection), refused) = self.patterns.watched(collect);
            // What was not searched for is not known to be missing.
            if let Some(why) = refused {
                collection.flag = Flag::Beyond;
                collection.messages.insert(0, why);
            }
            (set, collection)
        });
        match collected {
            Ok((set, collection)) => {
                let collection = Rc::new(self.bounded(set, collection));
                self.objects.borrow_mut().insert(id.to_owned(), Rc::clone(&collection));
                collection
            }
            // Not remembered: seen from elsewhere it may be no cycle.
            Err(why) => Rc::new(Collection::failed(Flag::Beyond, why)),
        }
    }

    /// What fits beside the items of all other objects: what was collected is always kept, so that nothing is collected twice.
    fn bounded(&self, set: bool, mut collection: Collection) -> Collection {
        let mut kept = self.kept.get();
        let fits = |item: &&Rc<Item>| {
            let more = kept + if set { super::SHARED } else { item.bytes() };
            let fits = more <= super::MAX_KEPT;
            kept = if fits { more } else { kept };
            fits
        };
        let count = collection.items.iter().take_while(fits).count();
        if count < collection.items.len() {
            let why = format!("the items of all objects are more than {} MiB", super::MAX_KEPT >> 20);
            collection.truncate(count, &why);
        }
        self.kept.set(kept);
        collection
    }

    fn collect(&self, object: &Object) -> Collection {
        if let Some(set) = &object.set {
            return self.set(set, 0);
        }
        let sieve = match self.sieve(&object.filters) {
            Ok(sieve) => sieve,
            Err(nothing) => return nothing,
        };
        if (object.family.as_str(), object.kind.as_str()) == ("independent", "variable") {
            return self.variable_object(object, &sieve);
        }
        let Some(probe) = probe::of_object(object) else {
            let why = format!("{} is not supported", model::named(&object.family, &object.kind, "object"));
            return Collection::failed(Flag::NotCollected, why);
        };
        if let (Some(what), false) = (probe.asks, self.system.is_running()) {
            let why = format!("only a running system tells {what}, not a directory given as root");
            return Collection::failed(Flag::NotRunning, why);
        }
        let mut entities = Vec::with_capacity(object.entities.len());
        for entity in &object.entities {
            match self.asked(entity) {
                Ok(asked) => entities.push(asked),
                Err(nothing) => return nothing,
            }
        }
        self.combinations(object, probe, &sieve, entities)
    }

    /// Collects for every combination of the variables' values and makes it one.
    fn combinations(
        &self,
        object: &Object,
        probe: &probe::Probe,
        sieve: &Sieve,
        entities: Vec<Asked>,
    ) -> Collection {
        let mut request = Request::new(object, entities);
        let count = request.combinations();
        if count > MAX_COMBINATIONS {
            return Collection::failed(
                Flag::Beyond,
                format!("{}: {count} combinations of values", object.id),
            );
        }
        let schema = self.document.schema(&object.family);
        let context = Context { system: self.system, patterns: &self.patterns, schema };
        let mut swept = self.swept(&object.id).map(Vec::into_iter);
        let mut whole = Union::default();
        loop {
            let mut collector = Collector::new(sieve, &self.patterns);
            match &mut swept {
                Some(parts) => collector.take(parts.next().unwrap_or_default()),
                None => (probe.collect)(&request, &context, &mut collector),
            }
            // What failed has failed, whatever the others find.
            let decided = whole.add(collector.finish());
            if decided || !request.next_combination() {
                return whole.finish();
            }
        }
    }

    /// An entity with its values; a variable that has none, or could not be computed, means that the object does not exist.
    pub(super) fn asked(&self, entity: &Entity) -> Result<Asked, Collection> {
        let (values, var_check) = match &entity.source {
            _ if entity.nil => (Texts::default(), None),
            Source::Literal(text) => (Texts::from([text.clone()]), None),
            Source::Variable(id) => {
                let variable = self.variable(id);
                if variable.flag.is_unknowable() {
                    return Err(Collection {
                        messages: variable.messages.clone(),
                        ..Collection::none(variable.flag)
                    });
                }
                if !variable.flag.has_values() || variable.values.is_empty() {
                    return Err(Collection::failed(
                        Flag::DoesNotExist,
                        format!("the variable {id} has no values"),
                    ));
                }
                (variable.texts(), Some(entity.var_check.unwrap_or(Check::All)))
            }
        };
        Ok(Asked {
            name: entity.name.clone(),
            datatype: entity.datatype,
            operation: entity.operation,
            var_check,
            values,
            current: 0,
        })
    }

    /// A `variable_object`: one item with every value of a variable, or none when it does not exist.
    fn variable_object(&self, object: &Object, sieve: &Sieve) -> Collection {
        let entity = object.entities.iter().find(|entity| entity.name == "var_ref");
        let Some(Entity { source: Source::Literal(id), datatype, .. }) = entity else {
            return Collection::failed(Flag::Error, format!("{}: no var_ref", object.id));
        };
        let id = id.trim();
        let variable = self.variable(id);
        match variable.flag {
            Flag::DoesNotExist => {
                return Collection::failed(Flag::DoesNotExist, format!("the variable {id} has no values"));
            }
            flag if flag.is_unknowable() => {
                return Collection { messages: variable.messages.clone(), ..Collection::none(flag) };
            }
            _ => {}
        }
        let mut fields = vec![Field::text("var_ref", id)];
        if variable.flag.has_values() {
            // The values are those of the object's entity, a string, whatever the variable is.
            let field =
                |value: &String| Field { datatype: *datatype, ..Field::text("value", value.as_str()) };
            fields.extend(variable.values.iter().map(|(_, value)| field(value)));
        }
        let mut collector = Collector::new(sieve, &self.patterns);
        collector.add(Item::new(fields));
        let mut collection = collector.finish();
        collection.messages.extend(variable.messages.iter().cloned());
        collection
    }

    fn set(&self, set: &Set, depth: usize) -> Collection {
        if depth > MAX_SETS {
            return Collection::failed(Flag::Error, format!("sets nest deeper than {MAX_SETS}"));
        }
        let sieve = match self.sieve(&set.filters) {
            Ok(sieve) => sieve,
            Err(nothing) => return nothing,
        };
        let members = set.sets.iter().map(|member| self.set(member, depth + 1));
        let objects = set.objects.iter().map(|id| {
            let mut collection = Collection::clone(&self.object(id));
            // A member that is not there, or of a kind nobody knows, is an error of the whole set.
            if collection.flag == Flag::NotCollected {
                collection.flag = Flag::GaveUp;
            }
            collection.items.retain(|item| {
                item.status != crate::item::Status::DoesNotExist
                    && sieve.passes(&self.patterns, item.as_ref())
            });
            collection.without_nothing()
        });
        let combined = members.chain(objects).reduce(|one, two| one.combine(two, set.operator));
        let mut combined = combined.unwrap_or_else(|| Collection::none(Flag::Error));
        if combined.flag == Flag::GaveUp {
            combined.flag = Flag::Error;
        }
        combined
    }

    /// Filters with the values of their states at hand; what comes of the object when there are none to be had.
    pub(super) fn sieve(&self, filters: &[Filter]) -> Result<Sieve, Collection> {
        let filter = |filter: &Filter| {
            let state = self.state(&filter.state).map_err(|why| Collection::failed(Flag::Error, why))?;
            let entities = state.entities.iter().map(|entity| self.wanted(entity));
            let entities = entities.collect::<Result<_, Collection>>()?;
            Ok(sieve::Filter { action: filter.action, operator: state.operator, entities })
        };
        Ok(Sieve::new(filters.iter().map(filter).collect::<Result<_, Collection>>()?))
    }

    fn wanted(&self, entity: &Entity) -> Result<Wanted, Collection> {
        let (values, var_check) = match &entity.source {
            Source::Literal(text) => (Texts::from([text.clone()]), None),
            Source::Variable(id) => {
                let variable = self.variable(id);
                if variable.flag.is_unknowable() {
                    return Err(Collection {
                        messages: variable.messages.clone(),
                        ..Collection::none(variable.flag)
                    });
                }
                let values = if variable.flag.has_values() { variable.texts() } else { Texts::default() };
                (values, Some(entity.var_check.unwrap_or(Check::All)))
            }
        };
        Ok(Wanted::new(entity, values, var_check))
    }
}
