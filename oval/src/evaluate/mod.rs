//! Evaluation: from a definition's id to its verdict, collecting what is asked on the way and nothing else.
//!
//! ```text
//! definition ─▶ criteria ─▶ test ─▶ object ─▶ items      collected by probes, through the object's filters
//!                            │        └▶ variables ─▶ other objects
//!                            └▶ states ─▶ variables
//! ```
//!
//! Everything is remembered by id, so it is looked at once. How deep references may go is limited, and one that comes back to itself is
//! an error.

mod criteria;
mod date;
mod evidence;
mod function;
mod glob;
mod object;
mod results;
mod state;
mod sweep;
mod test;
#[cfg(test)]
mod tests;
mod time;
mod variable;
mod wording;

pub use evidence::Evidence;
pub use results::Machine;

use crate::collection::Collection;
use crate::document::Document;
use crate::error::Result;
use crate::model::{Class, State};
use crate::pattern::Patterns;
use crate::system::{Share, System};
use crate::verdict::Verdict;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The deepest chain of references: definitions that extend others, variables of variables, sets of sets.
const MAX_DEPTH: usize = 128;

/// How deep criteria and functions may nest, those of all definitions and variables on the way counted together.
const MAX_NESTED: usize = 256;

/// The most bytes of all objects' items together, those of other evaluations on the system too. An object that goes over it keeps what fits and is incomplete.
const MAX_KEPT: usize = 512 << 20;

/// What an item of a set costs, which is that of a member, in bytes.
const SHARED: usize = 16;

/// Values of external variables: id and values.
pub type Variables = HashMap<String, Vec<String>>;

/// What a definition came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the definition is about: for vulnerabilities and patches, true is bad.
    pub class: Class,
    /// Its title; empty when it has none.
    pub title: String,
    /// Its result.
    pub verdict: Verdict,
    /// What decided it, for people.
    pub evidence: Vec<Evidence>,
}

/// Evaluates definitions of one document on one system. What it has looked at it does not look at again.
pub struct Evaluator<'a> {
    document: &'a Document<'a>,
    system: &'a System,
    external: Variables,
    patterns: Patterns,
    definitions: RefCell<HashMap<String, Rc<criteria::Judged>>>,
    tests: RefCell<HashMap<String, Rc<test::Tested>>>,
    objects: RefCell<HashMap<String, Rc<Collection>>>,
    variables: RefCell<HashMap<String, Rc<variable::Computed>>>,
    states: RefCell<HashMap<String, Rc<State>>>,
    /// Ids whose evaluation has begun and not ended.
    open: RefCell<HashSet<String>>,
    /// How deep criteria and functions are nested at present.
    nested: Cell<usize>,
    /// The bytes of all items and of all variables' values that are kept, by all evaluations on the system; and of those values that functions
    /// are working on.
    kept: Share,
    values: Share,
    working: Cell<usize>,
    swept: RefCell<sweep::Swept>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator; `variables` are the values of external variables, by id: several values are possible, and a variable
    /// that has none here is "not collected".
    pub fn new(document: &'a Document<'a>, system: &'a System, variables: Variables) -> Self {
        let (kept, values) = system.shares();
        Evaluator {
            document,
            system,
            external: variables,
            patterns: Patterns::with(system.patience()),
            definitions: RefCell::default(),
            tests: RefCell::default(),
            objects: RefCell::default(),
            variables: RefCell::default(),
            states: RefCell::default(),
            open: RefCell::default(),
            nested: Cell::new(0),
            kept,
            values,
            working: Cell::new(0),
            swept: RefCell::default(),
        }
    }

    /// Evaluates a definition by id.
    ///
    /// # Errors
    /// When the document has no such definition, or it cannot be read. What is wrong with the parts it refers to is no error but a
    /// verdict, whose evidence says what.
    pub fn evaluate(&self, id: &str) -> Result<Outcome> {
        let definition = self.document.definition(id)?;
        let judged = self.definition(id);
        // A probe that gave up leaves no result; XCCDF calls that unknown.
        let verdict = judged.verdict.unwrap_or(Verdict::Unknown);
        let evidence = self.explain(&judged);
        Ok(Outcome { class: definition.class, title: definition.title, verdict, evidence })
    }

    /// Does something for an id unless that has begun already or goes too deep; the error says which.
    fn guarded<T>(&self, id: &str, work: impl FnOnce() -> T) -> std::result::Result<T, String> {
        if self.open.borrow().len() >= MAX_DEPTH {
            return Err(format!("{id}: references go deeper than {MAX_DEPTH}"));
        }
        if !self.open.borrow_mut().insert(id.to_owned()) {
            return Err(format!("{id} refers to itself"));
        }
        let done = work();
        self.open.borrow_mut().remove(id);
        Ok(done)
    }

    /// Does something one level further down; the error says that this is too deep.
    fn deeper<T>(&self, work: impl FnOnce() -> T) -> std::result::Result<T, String> {
        let level = self.nested.get();
        if level >= MAX_NESTED {
            return Err(format!("criteria or functions nest deeper than {MAX_NESTED}"));
        }
        self.nested.set(level + 1);
        let done = work();
        self.nested.set(level);
        Ok(done)
    }

    /// A state by id.
    fn state(&self, id: &str) -> std::result::Result<Rc<State>, String> {
        if let Some(known) = self.states.borrow().get(id) {
            return Ok(Rc::clone(known));
        }
        let state = Rc::new(self.document.state(id).map_err(|error| error.to_string())?);
        self.states.borrow_mut().insert(id.to_owned(), Rc::clone(&state));
        Ok(state)
    }
}
