//! What was collected for an object: items, and a flag that says how far the collecting got.

use crate::collector::{MAX_ITEMS, MAX_MESSAGES};
use crate::item::{Item, Status};
use crate::model::SetOperator;
use std::collections::HashSet;
use std::rc::Rc;

/// How far collecting got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// It failed.
    Error,
    /// All that there is was collected.
    Complete,
    /// Some was collected, and there may be more.
    Incomplete,
    /// There is nothing.
    DoesNotExist,
    /// Nobody looked.
    NotCollected,
    /// It has no meaning on this system.
    NotApplicable,
    /// Only a running system could tell, and this one is a directory.
    NotRunning,
    /// It is over a limit of ours: what was not found is not known to be missing.
    Beyond,
    /// The probe gave up without a result. oscap leaves a test out of the count then.
    GaveUp,
}

impl Flag {
    /// The flag of several parts of a variable: the worst one.
    pub fn join(self, other: Flag) -> Flag {
        let rank = |flag| match flag {
            Flag::Complete => 0,
            Flag::Incomplete => 1,
            Flag::DoesNotExist => 2,
            Flag::NotCollected => 3,
            Flag::NotApplicable => 4,
            Flag::NotRunning => 5,
            Flag::GaveUp | Flag::Error => 6,
            Flag::Beyond => 7,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// Whether nobody can tell, whatever else there is: oscap has no such thing, and takes what is not there for missing.
    pub fn is_unknowable(self) -> bool {
        matches!(self, Flag::NotRunning | Flag::Beyond)
    }

    /// Whether there may be values.
    pub fn has_values(self) -> bool {
        matches!(self, Flag::Complete | Flag::Incomplete)
    }
}

/// What was collected for an object.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    /// How far it got.
    pub flag: Flag,
    /// What was found, every item once.
    pub items: Vec<Rc<Item>>,
    /// What went wrong, for people.
    pub messages: Vec<String>,
}

impl Collection {
    /// Nothing, with a flag.
    pub fn none(flag: Flag) -> Collection {
        Collection { flag, items: Vec::new(), messages: Vec::new() }
    }

    /// Nothing, and why.
    pub fn failed(flag: Flag, message: impl Into<String>) -> Collection {
        Collection { messages: vec![message.into()], ..Collection::none(flag) }
    }

    /// The flag that items have of themselves.
    pub fn flag_of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Flag {
        let mut flag = Flag::DoesNotExist;
        for item in items {
            match item.status {
                Status::Error => return Flag::Error,
                Status::Exists => flag = Flag::Complete,
                Status::DoesNotExist => {}
            }
        }
        flag
    }

    /// Two collections made one.
    pub fn combine(self, other: Collection, operator: SetOperator) -> Collection {
        let flag = combined_flag(self.flag, other.flag, operator);
        let digests = |items: &[Rc<Item>]| items.iter().map(|item| item.digest()).collect::<HashSet<u64>>();
        let mut items = self.items;
        match operator {
            SetOperator::Union => {
                let known = digests(&items);
                items.extend(other.items.into_iter().filter(|item| !known.contains(&item.digest())));
            }
            SetOperator::Intersection => {
                let known = digests(&other.items);
                items.retain(|item| known.contains(&item.digest()));
            }
            SetOperator::Complement => {
                let known = digests(&other.items);
                items.retain(|item| !known.contains(&item.digest()));
            }
        }
        let mut messages = self.messages;
        messages.extend(other.messages);
        Collection { flag, items, messages }.without_nothing()
    }

    /// Leaves out all items but the first ones: there is more, and why it is not here.
    pub fn truncate(&mut self, count: usize, why: &str) {
        self.items.truncate(count);
        if matches!(self.flag, Flag::Complete | Flag::DoesNotExist) {
            self.flag = Flag::Incomplete;
        }
        self.messages.push(format!("{why}: the others are left out"));
    }

    /// The same; complete with nothing in it is nothing that exists.
    pub fn without_nothing(mut self) -> Collection {
        if self.flag == Flag::Complete && self.items.is_empty() {
            self.flag = Flag::DoesNotExist;
        }
        self
    }
}

/// Many collections made one, with bounded items and messages.
#[derive(Default)]
pub(crate) struct Union {
    whole: Option<Collection>,
    /// The digests of its items, once there is more than one part.
    known: HashSet<u64>,
}

impl Union {
    /// Takes one more; true when no other can change what comes of it.
    pub fn add(&mut self, part: Collection) -> bool {
        // A probe that gave up gives up for all parts, whatever those before came to.
        let Some(whole) = self.whole.as_mut().filter(|_| part.flag != Flag::GaveUp) else {
            let flag = part.flag;
            self.whole = Some(part);
            return matches!(flag, Flag::Error | Flag::GaveUp | Flag::Beyond);
        };
        if self.known.is_empty() {
            self.known.extend(whole.items.iter().map(|item| item.digest()));
        }
        whole.flag = combined_flag(whole.flag, part.flag, SetOperator::Union);
        for item in part.items {
            if !self.known.insert(item.digest()) {
                continue;
            }
            if whole.items.len() >= MAX_ITEMS {
                whole.truncate(MAX_ITEMS, &format!("more than {MAX_ITEMS} items"));
                return true;
            }
            whole.items.push(item);
        }
        for message in part.messages {
            if whole.messages.len() < MAX_MESSAGES && !whole.messages.contains(&message) {
                whole.messages.push(message);
            }
        }
        if whole.flag == Flag::Complete && whole.items.is_empty() {
            whole.flag = Flag::DoesNotExist;
        }
        matches!(whole.flag, Flag::Error | Flag::Beyond)
    }

    /// What they are together.
    pub fn finish(self) -> Collection {
        self.whole.unwrap_or_else(|| Collection::none(Flag::DoesNotExist))
    }
}

/// The tables of `probe_cobj_combine_flags` of oscap 1.3.7. What nobody can tell stays so.
fn combined_flag(one: Flag, two: Flag, operator: SetOperator) -> Flag {
    use Flag::{Complete, DoesNotExist, Error, GaveUp, Incomplete, NotApplicable, NotCollected};
    if let Some(flag) = [one, two].into_iter().find(|flag| flag.is_unknowable()) {
        return flag;
    }
    match (operator, one, two) {
        (_, GaveUp, _) | (_, _, GaveUp) | (_, Error, _) => Error,
        (SetOperator::Union | SetOperator::Intersection, _, Error) => match (operator, one) {
            (SetOperator::Intersection, DoesNotExist) => DoesNotExist,
            _ => Error,
        },
        (SetOperator::Union, Incomplete, _) | (SetOperator::Union, _, Incomplete) => Incomplete,
        (SetOperator::Union, NotCollected, NotApplicable | NotCollected)
        | (SetOperator::Union, NotApplicable, NotCollected) => NotCollected,
        (SetOperator::Union, NotCollected, _) | (SetOperator::Union, _, NotCollected) => Incomplete,
        (SetOperator::Union, Complete, _) | (SetOperator::Union, _, Complete) => Complete,
        (SetOperator::Union, DoesNotExist, _) | (SetOperator::Union, _, DoesNotExist) => DoesNotExist,
        (SetOperator::Union, ..) => NotApplicable,
        (SetOperator::Intersection, DoesNotExist, _) | (SetOperator::Intersection, _, DoesNotExist) => {
            DoesNotExist
        }
        (SetOperator::Intersection, Incomplete, NotApplicable) => NotApplicable,
        (SetOperator::Intersection, Incomplete, _) => Incomplete,
        (SetOperator::Intersection, Complete, NotApplicable) => Complete,
        (SetOperator::Intersection, NotCollected, _) => NotCollected,
        (SetOperator::Intersection, _, two) => two,
        (SetOperator::Complement, Complete, Complete | DoesNotExist) => Complete,
        (SetOperator::Complement, Incomplete, Complete | DoesNotExist) => Incomplete,
        (SetOperator::Complement, DoesNotExist, NotApplicable) => Error,
        (SetOperator::Complement, DoesNotExist, _) => DoesNotExist,
        (SetOperator::Complement, NotCollected, NotApplicable | Error) => Error,
        (SetOperator::Complement, NotCollected, _) => NotCollected,
        (SetOperator::Complement, ..) => Error,
    }
}
