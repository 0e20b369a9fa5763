//! What decided a verdict, in words a person understands: where, what was found, what was wanted. No ids.

use super::Evaluator;
use crate::collection::Collection;
use crate::item::{Field, Item, Status};
use crate::model::{Check, Entity, Existence, Object, Operation, Source, State, Test};
use crate::verdict::Verdict;
use std::rc::Rc;

/// The most items told of one test.
const MAX_ITEMS: usize = 10;

/// The most characters told of one value.
const MAX_TEXT: usize = 200;

/// The most values told of one variable.
const MAX_VALUES: usize = 8;

/// Fields that are secrets whoever asks.
const SECRET: &str = "password";

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
        let mut evidence: Vec<Evidence> = Vec::new();
        if undecided || self.collection.items.is_empty() {
            evidence.extend(self.collection.messages.iter().map(|message| Evidence::reason(message)));
        }
        if !judged.is_empty() {
            evidence.extend(self.items_judged(verdict, judged));
        } else if self.collection.items.is_empty() && !undecided {
            let wanted = self.expectation();
            evidence.push(Evidence { place: String::new(), found: "nothing".to_owned(), wanted });
        } else {
            let wanted = self.expectation();
            let items = self.collection.items.iter().take(MAX_ITEMS);
            evidence.extend(items.map(|item| Evidence {
                place: place(item),
                found: describe(item),
                wanted: wanted.clone(),
            }));
        }
        if evidence.is_empty() {
            evidence.push(Evidence::reason(&format!("the {} test is {}", self.test.kind, verdict.word())));
        }
        evidence
    }

    /// How many items the test wants, in words.
    fn expectation(&self) -> String {
        let object = self.test.object.as_ref().and_then(|id| self.evaluator.document.object(id).ok());
        let what = object.map(|object| self.sought(&object)).unwrap_or_default();
        match self.test.existence {
            Existence::NoneExist => format!("none: {what}"),
            Existence::AnyExist => what,
            Existence::OnlyOneExists => format!("exactly one: {what}"),
            Existence::AllExist | Existence::AtLeastOneExists => format!("at least one: {what}"),
        }
    }

    /// What an object looks for, in words.
    fn sought(&self, object: &Object) -> String {
        if object.set.is_some() {
            return format!("{} of several kinds", object.kind);
        }
        let shown = |entity: &Entity| {
            let operation = entity.operation;
            let value = self.values(entity);
            match operation {
                _ if entity.nil => String::new(),
                Operation::Equals => format!("{} {value}", entity.name),
                other => format!("{} {} {value}", entity.name, other.word()),
            }
        };
        let noise = |entity: &&Entity| !matches!(entity.name.as_str(), "instance" | "pid");
        let parts: Vec<String> =
            object.entities.iter().filter(noise).map(shown).filter(|part| !part.is_empty()).collect();
        let filtered = if object.filters.is_empty() { "" } else { ", without those the content leaves out" };
        format!("{} with {}{filtered}", object.kind, parts.join(", "))
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
        if item.status == Status::Error {
            return vec![Evidence {
                place: place(item),
                found: "it cannot be read".to_owned(),
                wanted: String::new(),
            }];
        }
        let entities = self.states.iter().flat_map(|state| &state.entities);
        let told = |entity: &&Entity| self.evaluator.entity(item, entity) == own;
        let mut entities: Vec<&Entity> = entities.clone().filter(told).collect();
        if entities.is_empty() {
            entities = self.states.iter().flat_map(|state| &state.entities).collect();
        }
        let evidence = |entity: &Entity| Evidence {
            place: place(item),
            found: found(item, entity),
            wanted: self.wanted(entity),
        };
        entities.into_iter().map(evidence).collect()
    }

    fn wanted(&self, entity: &Entity) -> String {
        let value = if entity.mask { "(hidden)".to_owned() } else { self.values(entity) };
        let not = match self.test.check {
            Check::NoneExist | Check::NoneSatisfy => "not: ",
            _ => "",
        };
        match entity.operation {
            Operation::Equals => format!("{not}{} {value}", entity.name),
            other => format!("{not}{} {} {value}", entity.name, other.word()),
        }
    }

    /// The values of an entity, in words.
    fn values(&self, entity: &Entity) -> String {
        match &entity.source {
            Source::Literal(text) => quoted(text),
            Source::Variable(id) => {
                let variable = self.evaluator.variable(id);
                let mut shown: Vec<String> =
                    variable.values.iter().take(MAX_VALUES).map(|(_, value)| quoted(value)).collect();
                if variable.values.len() > MAX_VALUES {
                    shown.push(format!("{} more", variable.values.len() - MAX_VALUES));
                }
                match shown.as_slice() {
                    [] => "(a value that is not there)".to_owned(),
                    [only] => only.clone(),
                    several => format!("one of {}", several.join(", ")),
                }
            }
        }
    }
}

/// What an item has where an entity wants something.
fn found(item: &Item, entity: &Entity) -> String {
    let fields: Vec<&Field> = item.fields(&entity.name).collect();
    if fields.is_empty() {
        return format!("no {}", entity.name);
    }
    if entity.mask || entity.name == SECRET {
        return format!("{} (hidden)", entity.name);
    }
    let shown: Vec<String> = fields.iter().take(MAX_VALUES).map(|field| value(field)).collect();
    format!("{} {}", entity.name, shown.join(", "))
}

fn value(field: &Field) -> String {
    match field.status {
        Status::Exists => quoted(&field.value.text()),
        Status::DoesNotExist => "not there".to_owned(),
        Status::Error => "not readable".to_owned(),
    }
}

/// An item in words.
fn describe(item: &Item) -> String {
    if item.status == Status::Error {
        return "it cannot be read".to_owned();
    }
    let text = |name: &str| item.fields(name).next().map(|field| field.value.text().into_owned());
    if let (Some(kind), Some(user), Some(group)) = (text("type"), text("user_id"), text("group_id")) {
        return format!("{kind}, mode {}, user {user}, group {group}", mode(item));
    }
    if let Some(line) = text("text") {
        return quoted(line.trim());
    }
    let known = item.fields.iter().filter(|field| field.status == Status::Exists && field.name != SECRET);
    shortened(
        &known
            .map(|field| format!("{} {}", field.name, quoted(&field.value.text())))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// The permission bits of a file item, as `ls` writes them in numbers.
fn mode(item: &Item) -> String {
    let names = [
        "suid", "sgid", "sticky", "uread", "uwrite", "uexec", "gread", "gwrite", "gexec", "oread", "owrite",
        "oexec",
    ];
    let set = |name: &str| item.fields(name).any(|field| field.value == crate::item::Value::Bool(true));
    let bits = names.iter().fold(0, |bits, name| bits << 1 | u16::from(set(name)));
    format!("{bits:04o}")
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

fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
