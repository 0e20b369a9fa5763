//! Variables: constant, from outside, or computed.
//!
//! Source: `oval_probe_query_variable` of OpenSCAP 1.3.7: a local variable's values take on its datatype without being converted.

use super::Evaluator;
use crate::collection::Flag;
use crate::model::{Datatype, Variable};
use std::rc::Rc;

/// The most values of a variable.
pub(super) const MAX_VALUES: usize = 100_000;

/// The most bytes of all values of a variable.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// What a variable or component came to.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    pub flag: Flag,
    pub values: Vec<(Datatype, String)>,
    pub messages: Vec<String>,
}

impl Computed {
    /// Values, with a flag.
    pub fn new(flag: Flag, values: Vec<(Datatype, String)>) -> Computed {
        Computed { flag, values, messages: Vec::new() }
    }

    /// No values, and why.
    pub fn failed(why: impl Into<String>) -> Computed {
        Computed { messages: vec![why.into()], ..Computed::new(Flag::Error, Vec::new()) }
    }

    /// An error when there are more values than anything has.
    pub fn bounded(self) -> Computed {
        let bytes: usize = self.values.iter().map(|(_, value)| value.len()).sum();
        if self.values.len() > MAX_VALUES || bytes > MAX_BYTES {
            return Computed::failed(format!("a variable of {} values, {bytes} bytes", self.values.len()));
        }
        self
    }
}

impl Evaluator<'_> {
    /// A variable by id.
    pub(super) fn variable(&self, id: &str) -> Rc<Computed> {
        if let Some(known) = self.variables.borrow().get(id) {
            return Rc::clone(known);
        }
        match self.guarded(id, || self.compute(id)) {
            Ok(computed) => {
                let computed = Rc::new(computed);
                self.variables.borrow_mut().insert(id.to_owned(), Rc::clone(&computed));
                computed
            }
            Err(why) => Rc::new(Computed::failed(why)),
        }
    }

    fn compute(&self, id: &str) -> Computed {
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
