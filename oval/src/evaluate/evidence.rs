//! What decided a verdict, in words a person understands: where, what was found, what was wanted. No ids.

use super::Evaluator;
use super::wording::{Words, described, found};
use crate::collection::{Collection, Flag};
use crate::item::{Item, Status};
use crate::model::{Check, Entity, Existence, Object, State, Test};
use crate::verdict::Verdict;
use std::rc::Rc;

/// The most items told of one test.
const MAX_ITEMS: usize = 10;

/// What decided a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `file`, `file:line`, or what else was asked; empty when that is no one place.
    pub place: String,
    /// What was found, or why nothing could be.
    pub found: String,
    /// What was wanted; empty when that does not matter.
    pub wanted: String,
}

impl Evidence {
    /// Why something could not be decided.
    pub(super) fn reason(why: &str) -> Evidence {
        Evidence { place: String::new(), found: why.to_owned(), wanted: String::new() }
    }
}

/// Tells about one test.
pub(super) struct Teller<'a> {
    pub evaluator: &'a Evaluator<'a>,
    pub test: &'a Test,
    pub states: &'a [Rc<State>],
    pub collection: &'a Collection,
}

impl Teller<'_> {
    /// What decided the test; `judged` has the verdict of each item when states were looked at.
    pub fn tell(&self, verdict: Verdict, judged: &[Verdict]) -> Vec<Evidence> {
        let undecided = !matches!(verdict, Verdict::True | Verdict::False);
        let items = &self.collection.items;
        let mut evidence: Vec<Evidence> = Vec::new();
        if undecided {
            evidence.extend(self.collection.messages.iter().map(|message| Evidence::reason(message)));
        }
        if !judged.is_empty() {
            evidence.extend(self.items_judged(verdict, judged));
        } else if items.is_empty() && !undecided {
            evidence.push(self.nothing());
        } else {
            let wanted = self.expectation();
            evidence.extend(items.iter().take(MAX_ITEMS).map(|item| Evidence {
                place: place(item),
                found: described(item),
                wanted: wanted.clone(),
            }));
        }
        if evidence.is_empty() {
            let object = self.object().map(|object| self.words().sought(&object)).unwrap_or_default();
            evidence.push(Evidence::reason(&format!("{}: {object}", verdict.word())));
        }
        evidence
    }

    fn words(&self) -> Words<'_> {
        Words(self.evaluator)
    }

    fn object(&self) -> Option<Object> {
        self.evaluator.document.object(self.test.object.as_ref()?).ok()
    }

    /// That there was nothing to be found.
    fn nothing(&self) -> Evidence {
        let object = self.object();
        let what = match object.as_ref().map(|object| object.kind.as_str()) {
            Some("dpkginfo" | "rpminfo") => "not installed",
            Some("partition") => "no file system of its own",
            _ => "nothing",
        };
        // What went wrong on the way is the reason.
        let failed = self.collection.messages.first().filter(|_| self.collection.flag != Flag::DoesNotExist);
        Evidence {
            place: object.map(|object| self.words().place(&object)).unwrap_or_default(),
            found: failed.map_or(what, String::as_str).to_owned(),
            wanted: self.expectation(),
        }
    }

    /// What the test wants to be there, in words.
    fn expectation(&self) -> String {
        let Some(object) = self.object() else { return String::new() };
        let what = self.words().sought(&object);
        match self.test.existence {
            Existence::NoneExist => self.words().unwanted(&object),
            Existence::OnlyOneExists => format!("exactly once: {what}"),
            Existence::AnyExist | Existence::AllExist | Existence::AtLeastOneExists => what,
        }
    }

    /// Items whose verdict decided the test's, with the fields that are not as wanted.
    fn items_judged(&self, verdict: Verdict, judged: &[Verdict]) -> Vec<Evidence> {
        let bad = match self.test.check {
            Check::NoneExist | Check::NoneSatisfy => Verdict::True,
            _ => Verdict::False,
        };
        let deciding = |own: Verdict| match verdict {
            Verdict::True => true,
            Verdict::False => own == bad || self.test.check == Check::OnlyOne,
            other => own == other || own == Verdict::Unknown,
        };
        let items = self.collection.items.iter().zip(judged).filter(|(_, own)| deciding(**own));
        items.take(MAX_ITEMS).flat_map(|(item, own)| self.item_judged(item, *own)).collect()
    }

    fn item_judged(&self, item: &Item, own: Verdict) -> Vec<Evidence> {
        let told = |found: String, wanted: String| Evidence { place: place(item), found, wanted };
        if item.status == Status::Error {
            return vec![told(described(item), String::new())];
        }
        if item.fields("uread").next().is_some() {
            // A dozen bits are one mode to a person.
            let conditions: Vec<String> =
                self.states.iter().map(|state| self.words().condition(state)).collect();
            return vec![told(described(item), self.not(&conditions.join(" and ")))];
        }
        let all = || self.states.iter().flat_map(|state| &state.entities);
        let mut entities: Vec<&Entity> =
            all().filter(|entity| self.evaluator.entity(item, entity) == own).collect();
        if entities.is_empty() {
            entities = all().collect();
        }
        let evidence = |entity: &Entity| told(found(item, entity), self.not(&self.words().wanted(entity)));
        entities.into_iter().map(evidence).collect()
    }

    /// The contrary where the test wants no item to be so.
    fn not(&self, wanted: &str) -> String {
        match self.test.check {
            Check::NoneExist | Check::NoneSatisfy => format!("not: {wanted}"),
            _ => wanted.to_owned(),
        }
    }
}

fn place(item: &Item) -> String {
    match &item.place {
        Some(place) => match place.line {
            Some(line) => format!("{}:{line}", place.path),
            None => place.path.clone(),
        },
        None => String::new(),
    }
}
