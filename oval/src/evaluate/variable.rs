//! Variables: constant, from outside, or computed.
//!
//! Source: `oval_probe_query_variable` of OpenSCAP 1.3.7: a local variable's values take on its datatype without being converted.

use super::Evaluator;
use crate::collection::Flag;
use crate::model::{Datatype, Variable};
use crate::probe::Texts;
use std::cell::OnceCell;
use std::rc::Rc;

/// The most values of a variable.
pub(super) const MAX_VALUES: usize = 100_000;

/// The most bytes of all values of a variable.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// The most bytes of all variables' values together.
const MAX_KEPT: usize = 128 << 20;

/// The most bytes of the values that functions are working on, those inside one another counted together.
pub(super) const MAX_WORKING: usize = 64 << 20;

/// What a variable or component came to.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    pub flag: Flag,
    pub values: Vec<(Datatype, String)>,
    pub messages: Vec<String>,
    texts: OnceCell<Texts>,
}

impl Computed {
    /// Values, with a flag.
    pub fn new(flag: Flag, values: Vec<(Datatype, String)>) -> Computed {
        Computed { flag, values, messages: Vec::new(), texts: OnceCell::new() }
    }

    /// No values, and why.
    pub fn failed(why: impl Into<String>) -> Computed {
        Computed { messages: vec![why.into()], ..Computed::new(Flag::Error, Vec::new()) }
    }

    /// No values, as that goes over a limit, and which.
    pub fn beyond(why: impl Into<String>) -> Computed {
        Computed { messages: vec![why.into()], ..Computed::new(Flag::Beyond, Vec::new()) }
    }

    /// The same, with what went wrong.
    #[must_use]
    pub fn with_messages(self, messages: Vec<String>) -> Computed {
        Computed { messages, ..self }
    }

    /// The values alone, for all who look for them.
    pub fn texts(&self) -> Texts {
        let texts = || self.values.iter().map(|(_, text)| text.clone()).collect();
        self.texts.get_or_init(texts).clone()
    }

    /// How much memory the values take.
    pub fn bytes(&self) -> usize {
        self.values.iter().map(|(_, value)| size_of::<(Datatype, String)>() + value.len()).sum()
    }

    /// An error when there are more values than anything has.
    pub fn bounded(self) -> Computed {
        let bytes: usize = self.values.iter().map(|(_, value)| value.len()).sum();
        if self.values.len() > MAX_VALUES || bytes > MAX_BYTES {
            return Computed::beyond(format!("a variable of {} values, {bytes} bytes", self.values.len()));
        }
        self
    }
}

fn too_much() -> String {
    format!("all variables have more than {} MiB of values", MAX_KEPT >> 20)
}

impl Evaluator<'_> {
    /// A variable by id.
    pub(super) fn variable(&self, id: &str) -> Rc<Computed> {
        if let Some(known) = self.variables.borrow().get(id) {
            return Rc::clone(known);
        }
        match self.guarded(id, || self.patterns.watched(|| self.compute(id))) {
            Ok((computed, refused)) => {
                let computed = refused.map_or(computed, Computed::beyond);
                let computed = Rc::new(self.fitting(computed));
                self.variables.borrow_mut().insert(id.to_owned(), Rc::clone(&computed));
                computed
            }
            Err(why) => Rc::new(Computed::beyond(why)),
        }
    }

    /// An error when there are more values in all than fit: for this variable, and then for all others.
    fn fitting(&self, computed: Computed) -> Computed {
        let bytes = self.values.get().saturating_add(computed.bytes());
        self.values.set(bytes);
        if bytes <= MAX_KEPT || computed.values.is_empty() {
            return computed;
        }
        Computed::beyond(too_much())
    }

    fn compute(&self, id: &str) -> Computed {
        if self.values.get() > MAX_KEPT {
            return Computed::beyond(too_much());
        }
        let typed = |datatype: Datatype, values: Vec<String>| {
            let flag = if values.is_empty() { Flag::NotCollected } else { Flag::Complete };
            Computed::new(flag, values.into_iter().map(|value| (datatype, value)).collect())
        };
        match self.document.variable(id) {
            Err(error) => Computed::failed(error.to_string()),
            Ok(Variable::Constant { datatype, values }) => typed(datatype, values),
            Ok(Variable::External { datatype }) => {
                typed(datatype, self.external.get(id).cloned().unwrap_or_default())
            }
            Ok(Variable::Local { datatype, component }) => {
                let mut computed = self.component(&component);
                if computed.flag.has_values() && computed.values.is_empty() {
                    computed.flag = Flag::Error;
                    computed.messages.push(format!("the variable {id} came to no value"));
                }
                computed.values.iter_mut().for_each(|(own, _)| *own = datatype);
                computed
            }
        }
    }
}
