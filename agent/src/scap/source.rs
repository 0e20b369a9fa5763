//! An OVAL document that rules refer to: the values they have handed to it, and what came of its definitions.
//!
//! Values come and stay as OpenSCAP 1.3.7 lets them (`oval_agent.c`), so the order of the rules decides:
//!
//! - A variable keeps its value from one check to the next, and a check that hands over none sees what those before it did.
//! - What has come of a definition stays, whatever values come after it.
//! - A check that hands over another value for a variable that has one clears them all, before its own are set; what came of the definitions
//!   that lead to this variable is forgotten, of all others it stays.
//!
//! So that the disk is walked once, a document is evaluated under all values that will come, and only a definition that must not see one of them
//! yet, or must see another, is evaluated apart.

use std::collections::HashMap;

use oval::{Document, Evaluator, Outcome, System, Variables};
use xccdf::Content;
use xccdf::evaluate::system::Exported;

/// So many evaluations of a document are kept for its results, each under other values.
const MOST_KEPT: usize = 8;

/// An OVAL document and what asks it.
pub struct Source<'a> {
    document: &'a Document<'a>,
    system: &'a System,
    /// The values handed over so far.
    bound: Variables,
    /// The first under all values that will come, the others under some that had come by then.
    evaluations: Vec<Evaluation<'a>>,
    /// The definitions that will be asked for.
    expected: Vec<String>,
    /// What has come of definitions.
    known: HashMap<String, Outcome>,
}

struct Evaluation<'a> {
    values: Variables,
    evaluator: Evaluator<'a>,
}

impl<'a> Source<'a> {
    /// A document on a system; `coming` are the first values of each variable that checks will hand over, `expected` the definitions that
    /// will be asked for, all when `None`.
    pub fn new(
        document: &'a Document<'a>,
        system: &'a System,
        coming: Variables,
        expected: Option<Vec<String>>,
    ) -> Source<'a> {
        let evaluator = Evaluator::new(document, system, coming.clone());
        let expected = expected.unwrap_or_else(|| document.definitions().map(str::to_owned).collect());
        evaluator.expect(expected.iter().map(String::as_str));
        let evaluations = vec![Evaluation { values: coming, evaluator }];
        Source { document, system, bound: Variables::new(), evaluations, expected, known: HashMap::new() }
    }

    /// The definitions, in the order in which a check for all of them takes them: that of their ids as text, the last first.
    pub fn definitions(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.document.definitions().map(str::to_owned).collect();
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids
    }

    /// Whether it has this definition.
    pub fn has(&self, id: &str) -> bool {
        self.document.has_definition(id)
    }

    /// Takes the values of a check.
    pub fn hand_over(&mut self, exports: &[Exported]) {
        let mut values = values(exports);
        values.retain(|name, _| self.document.has_external_variable(name));
        let conflicts: Vec<&String> =
            values.iter().filter(|(name, own)| self.conflict(name, own)).map(|(name, _)| name).collect();
        if !conflicts.is_empty() {
            let document = self.document;
            self.known.retain(|id, _| {
                let leads_to = document.external_variables(id);
                !conflicts.iter().any(|name| leads_to.contains(name.as_str()))
            });
            self.bound.clear();
        }
        for (name, values) in values {
            self.bound.entry(name).or_insert(values);
        }
    }

    fn conflict(&self, name: &str, values: &[String]) -> bool {
        let bound = self.bound.get(name);
        bound.is_some_and(|own| own.len() != values.len() || own.iter().any(|own| !values.contains(own)))
    }

    /// What comes of a definition, or came of it before.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn ask(&mut self, id: &str) -> oval::Result<Outcome> {
        if let Some(known) = self.known.get(id) {
            return Ok(known.clone());
        }
        let bound = std::mem::take(&mut self.bound);
        let outcome = self.evaluation(id, &bound).evaluate(id);
        self.bound = bound;
        let outcome = outcome?;
        self.known.insert(id.to_owned(), outcome.clone());
        Ok(outcome)
    }

    /// What comes of the definition of a platform. Rules' values are not for those.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn ask_for_platform(&mut self, id: &str) -> oval::Result<Outcome> {
        self.evaluation(id, &Variables::new()).evaluate(id)
    }

    /// All that was evaluated; of definitions that were evaluated under several values, the first of them first.
    pub fn evaluators(&self) -> impl Iterator<Item = &Evaluator<'a>> {
        self.evaluations.iter().map(|own| &own.evaluator)
    }

    /// An evaluation under values that are the same for all that a definition leads to.
    fn evaluation(&mut self, id: &str, values: &Variables) -> &Evaluator<'a> {
        let same = |own: &Evaluation<'_>| {
            own.values == *values
                || self
                    .document
                    .external_variables(id)
                    .iter()
                    .all(|name| own.values.get(*name) == values.get(*name))
        };
        let place = match self.evaluations.iter().position(same) {
            Some(place) => place,
            None => self.begin(values),
        };
        // Never empty, and the place is one of it.
        &self.evaluations[place].evaluator
    }

    /// Begins an evaluation under other values, of what is yet to be asked and leads to any.
    fn begin(&mut self, values: &Variables) -> usize {
        let evaluator = Evaluator::new(self.document, self.system, values.clone());
        let open = self.expected.iter().filter(|id| !self.known.contains_key(*id));
        let touched = open.filter(|id| !self.document.external_variables(id).is_empty());
        evaluator.expect(touched.map(String::as_str));
        if self.evaluations.len() == MOST_KEPT {
            self.evaluations.remove(1);
        }
        self.evaluations.push(Evaluation { values: values.clone(), evaluator });
        self.evaluations.len() - 1
    }
}

/// The values that a check hands over, by the variable that takes them; each once.
pub fn values(exports: &[Exported]) -> Variables {
    let mut variables = Variables::new();
    for export in exports {
        let values: &mut Vec<String> = variables.entry(export.name.clone()).or_default();
        let further = match &export.content {
            Content::One(value) => std::slice::from_ref(value),
            Content::List(all) => all,
        };
        for value in further {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    variables
}
