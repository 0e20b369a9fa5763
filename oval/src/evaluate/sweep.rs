//! The objects that look through whole trees, found beforehand among all that will be asked for, so that one pass over the disk does for
//! them together ([`crate::walk::sweep`]). It runs while other objects are collected; who asks for one of these waits for it.

use super::Evaluator;
use crate::model::Object;
use crate::probe::{self, Request};
use crate::sieve::Sieve;
use crate::walk::sweep::{Granted, Sweep, Wish, is_sweepable};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the text of every object has in it that goes down a tree.
const DOWN: &str = "recurse_direction";

/// What came of the sweep: by object, the parts of each combination of its variables' values.
#[derive(Default)]
pub(super) struct Swept {
    under_way: Option<(Sweep, Vec<Place>)>,
    done: HashMap<String, Vec<Granted>>,
}

/// Whose wish it is: the object, and whether there is one for this combination of values.
struct Place {
    object: String,
    wished: bool,
}

impl Evaluator<'_> {
    /// Tells which definitions will be asked for, so that the disk is gone over once for all of them. What is not told here is
    /// evaluated all the same.
    pub fn expect<'i>(&self, definitions: impl IntoIterator<Item = &'i str>) {
        let (mut wishes, mut places) = (Vec::new(), Vec::new());
        for id in self.down_from(definitions) {
            let Ok(object) = self.document.object(&id) else { continue };
            self.wish(&object, &mut wishes, &mut places);
        }
        if wishes.is_empty() {
            return;
        }
        // Without a thread to be had, each object goes its own way.
        if let Ok(sweep) = Sweep::start(self.system.files(), wishes, self.patterns.patience()) {
            self.swept.borrow_mut().under_way = Some((sweep, places));
        }
    }

    /// The ids of the objects that may go down a tree, among all that definitions lead to.
    fn down_from<'i>(&self, definitions: impl IntoIterator<Item = &'i str>) -> Vec<String> {
        let mut open: Vec<&str> = Vec::new();
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for definition in definitions {
            open.extend(self.document.own_id(definition));
            while let Some(id) = open.pop() {
                if !seen.insert(id) {
                    continue;
                }
                let Some(text) = self.document.text_of(id) else { continue };
                if self.document.is_object(id) && text.contains(DOWN) {
                    found.push(id.to_owned());
                }
                open.extend(self.document.ids_in(text));
            }
        }
        found
    }

    /// What an object wishes for, when it is one for a sweep.
    fn wish(&self, object: &Object, wishes: &mut Vec<Wish>, places: &mut Vec<Place>) {
        let look = probe::of_object(object).and_then(|probe| probe.look);
        // Items of older content are others: such an object goes its own way.
        let modern = self.document.schema(&object.family) >= probe::file::MODERN;
        let Some(look) = look.filter(|_| object.set.is_none() && modern) else { return };
        let Ok(sieve) = self.sieve(&object.filters) else { return };
        let asked: Result<Vec<_>, _> = object.entities.iter().map(|entity| self.asked(entity)).collect();
        let Ok(asked) = asked else { return };
        let mut request = Request::new(object, asked);
        if !is_sweepable(&request, self.system) || request.combinations() > super::object::MAX_COMBINATIONS {
            return;
        }
        let sieve: Arc<Sieve> = Arc::new(sieve);
        loop {
            let wish = Wish::of(&request, self.system, &self.patterns, &sieve, look);
            places.push(Place { object: object.id.clone(), wished: wish.is_some() });
            wishes.extend(wish);
            if !request.next_combination() {
                return;
            }
        }
    }

    /// What a sweep found for an object, one for each combination of its variables' values; `None` when it was not part of one.
    pub(super) fn swept(&self, object: &str) -> Option<Vec<Granted>> {
        let under_way = self
            .swept
            .borrow_mut()
            .under_way
            .take_if(|(_, places)| places.iter().any(|place| place.object == object));
        if let Some((sweep, places)) = under_way
            && let Some(granted) = sweep.finish()
        {
            let mut granted = granted.into_iter();
            let mut swept = self.swept.borrow_mut();
            let mut abandoned = HashSet::new();
            for place in places {
                let own = if place.wished { granted.next().unwrap_or_default() } else { Granted::default() };
                if own.abandoned {
                    abandoned.insert(place.object.clone());
                }
                swept.done.entry(place.object).or_default().push(own);
            }
            swept.done.retain(|object, _| !abandoned.contains(object));
        }
        self.swept.borrow_mut().done.remove(object)
    }
}
