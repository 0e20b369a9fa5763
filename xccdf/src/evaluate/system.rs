//! The seam between a policy and what looks at the machine.

use crate::check::Import;
use crate::cpe::Fact;
use crate::result::Outcome;
use crate::value::{Content, Operator, ValueType};

/// The checking system of OVAL.
pub const OVAL: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
/// The checking system of SCE scripts.
pub const SCE: &str = "http://open-scap.org/page/SCE";

/// Checking engines, behind one door. An engine knows its documents by the `href` that checks name them by
/// (see [`crate::Checklist::document`]).
///
/// To add an engine, implement this for it, or for a type that hands each question to the engine it
/// is for.
pub trait CheckSystem {
    /// Whether checks of a system, a URI, can be evaluated at all. OpenSCAP can evaluate OVAL when any of
    /// the OVAL documents that the benchmark refers to is there, and SCE when it was built with it.
    fn evaluates(&self, system: &str) -> bool;

    /// Tells, once and before the first question, all that may be asked. An engine can load just that, and
    /// look at the machine for all of it at once.
    fn prepare(&mut self, wanted: &[Wanted]) {
        let _ = wanted;
    }

    /// Evaluates a check. [`Outcome::NotChecked`] says that the document or the definition is not there: the
    /// next reference of the check is tried. Results of OVAL definitions of class `vulnerability` and
    /// `patch` are pass for false and fail for true; of a whole document, all its definitions joined by
    /// [`all_of`].
    fn check(&mut self, request: &Request<'_>) -> Answer;

    /// The definitions of a document, in the order in which their results are to stand, for checks that give a result
    /// for each; `None` when the document is not there or the engine knows no definitions. OpenSCAP's order is
    /// that of the ids as text, the last first; the first result is the one that counts for the score.
    fn definitions(&mut self, system: &str, href: &str) -> Option<Vec<String>>;

    /// Whether a platform's check holds: only when its definition is true, not when it could not be found out. `None` when only a running
    /// system could tell and there is none: rules that hinge on it are `notchecked`.
    fn holds(&mut self, fact: &Fact) -> Option<bool>;
}

/// What is asked of an engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'a> {
    /// Full id of the rule.
    pub rule: &'a str,
    /// The engine, a URI.
    pub system: &'a str,
    /// The document.
    pub href: &'a str,
    /// The definition in it; the whole document when absent.
    pub name: Option<&'a str>,
    /// The values it is handed, in the order of the check. One name may come several times, with a value
    /// each. OpenSCAP keeps the values of a document from one check to the next, and with them what came of its
    /// definitions, until a check hands over another value for a name that has one: it then forgets all values, and what came of the
    /// definitions that lead to this name.
    pub exports: &'a [Exported],
    /// What is to be handed back.
    pub imports: &'a [Import],
}

/// A value that an engine is handed.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its name in the engine.
    pub name: String,
    /// Full id of the value.
    pub value_id: String,
    /// What it is.
    pub content: Content,
    /// Type of the content.
    pub value_type: ValueType,
    /// How the content is compared.
    pub operator: Operator,
}

/// What an engine answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What came of the check, before it is negated.
    pub outcome: Outcome,
    /// What is handed back, one for each import asked for; less when there is less.
    pub imports: Vec<String>,
    /// What else is to be said, for people.
    pub messages: Vec<String>,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Answer { outcome, imports: Vec::new(), messages: Vec::new() }
    }
}

/// Something that may be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A check of a selected rule. Asked only when the rule is applicable, and not when a reference before
    /// it gave a result.
    Check {
        /// The engine, a URI.
        system: String,
        /// The document.
        href: String,
        /// The definition in it; all of them when absent.
        name: Option<String>,
        /// The values it is handed.
        exports: Vec<Exported>,
    },
    /// A platform's check.
    Fact(Fact),
}

/// What the definitions of a whole document come to, for a check that wants one result for them: all
/// must pass (table 12 of the specification). A document without definitions is an error.
pub fn all_of(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let join = |a, b| super::junction::join(crate::check::Junction::And, a, b);
    outcomes.into_iter().reduce(join).unwrap_or(Outcome::Error)
}
