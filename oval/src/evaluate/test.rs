//! Tests: how far the object's items got, how many exist, and what states they are in.
//!
//! Source: `_oval_result_test_evaluate_items` of OpenSCAP 1.3.7.

use super::Evaluator;
use super::evidence::{Evidence, Teller};
use crate::collection::{Collection, Flag};
use crate::item::{Item, Status};
use crate::model::{self, Check, Existence, State, Test};
use crate::verdict::{Tally, Verdict, by_existence};
use std::rc::Rc;

/// A test, evaluated. A verdict of `None` is that of a probe that gave up.
#[derive(Debug, Clone)]
pub(super) struct Tested {
    pub verdict: Option<Verdict>,
    pub evidence: Vec<Evidence>,
    /// What came of the first items, in the order of the object's; nothing when no states were looked at.
    pub judged: Vec<Verdict>,
    /// Whether it is about an installed package.
    pub package: bool,
}

impl Tested {
    fn because(verdict: Verdict, why: &str) -> Tested {
        Tested {
            verdict: Some(verdict),
            evidence: vec![Evidence::reason(why)],
            judged: Vec::new(),
            package: false,
        }
    }
}

impl Evaluator<'_> {
    /// A test by id.
    pub(super) fn test(&self, id: &str) -> Rc<Tested> {
        if let Some(known) = self.tests.borrow().get(id) {
            return Rc::clone(known);
        }
        let tested = Rc::new(match self.document.test(id) {
            Ok(test) => self.run(&test),
            Err(error) => Tested::because(Verdict::Unknown, &error.to_string()),
        });
        self.tests.borrow_mut().insert(id.to_owned(), Rc::clone(&tested));
        tested
    }

    fn run(&self, test: &Test) -> Tested {
        let kind = model::named(&test.family, &test.kind, "test");
        let Some(object) = &test.object else {
            return Tested::because(Verdict::Unknown, &format!("{kind} is not supported"));
        };
        // A test looks at no object but one of its own kind (`oval_probe_query_test`).
        if let Ok(other) = self.document.object(object)
            && (&other.family, &other.kind) != (&test.family, &test.kind)
        {
            let other = model::named(&other.family, &other.kind, "object");
            return Tested::because(Verdict::Unknown, &format!("{kind}: {object} is {other}"));
        }
        let states: Result<Vec<Rc<State>>, String> = test.states.iter().map(|id| self.state(id)).collect();
        let states = match states {
            Ok(states) => states,
            Err(why) => return Tested::because(Verdict::Unknown, &why),
        };
        let collection = self.object(object);
        if collection.flag == Flag::GaveUp {
            let evidence = collection.messages.iter().map(|message| Evidence::reason(message)).collect();
            return Tested { verdict: None, evidence, judged: Vec::new(), package: false };
        }
        let mut judged = Vec::new();
        let verdict = self.judge(test, &states, &collection, &mut judged);
        let evidence =
            Teller { evaluator: self, test, states: &states, collection: &collection }.tell(verdict, &judged);
        judged.truncate(super::results::MAX_ITEMS);
        let package = matches!(test.kind.as_str(), "dpkginfo" | "rpminfo");
        Tested { verdict: Some(verdict), evidence, judged, package }
    }

    fn judge(
        &self,
        test: &Test,
        states: &[Rc<State>],
        found: &Collection,
        judged: &mut Vec<Verdict>,
    ) -> Verdict {
        let count = |status| found.items.iter().filter(|item| item.status == status).count();
        let (exist, failed) = (count(Status::Exists), count(Status::Error));
        let mut state = || self.by_states(test, states, &found.items, judged);
        let whatever = test.existence == Existence::AnyExist && states.is_empty();
        match found.flag {
            Flag::NotRunning => Verdict::NotEvaluated,
            Flag::Error | Flag::GaveUp | Flag::Beyond | Flag::NotCollected | Flag::NotApplicable
                if whatever =>
            {
                Verdict::True
            }
            Flag::Error | Flag::GaveUp | Flag::Beyond => Verdict::Error,
            Flag::NotCollected => Verdict::Unknown,
            Flag::NotApplicable => Verdict::NotApplicable,
            Flag::DoesNotExist => matches!(test.existence, Existence::NoneExist | Existence::AnyExist).into(),
            Flag::Complete => match by_existence(test.existence, exist, failed) {
                Verdict::True if !states.is_empty() => state(),
                verdict => verdict,
            },
            Flag::Incomplete => match incomplete(test.existence, exist) {
                Verdict::True if !states.is_empty() => match (state(), test.check) {
                    (Verdict::True, Check::AtLeastOne) => Verdict::True,
                    (Verdict::False, _) => Verdict::False,
                    _ => Verdict::Unknown,
                },
                verdict => verdict,
            },
        }
    }

    fn by_states(
        &self,
        test: &Test,
        states: &[Rc<State>],
        items: &[Rc<Item>],
        judged: &mut Vec<Verdict>,
    ) -> Verdict {
        judged.extend(items.iter().map(|item| match item.status {
            Status::Error => Verdict::Error,
            Status::DoesNotExist => Verdict::False,
            Status::Exists => {
                let tally: Tally = states.iter().map(|state| self.in_state(item, state)).collect();
                tally.by_operator(test.operator)
            }
        }));
        judged.iter().copied().collect::<Tally>().by_check(test.check, Verdict::Error)
    }
}

/// Whether enough exists when there may be more than what was found.
fn incomplete(existence: Existence, exist: usize) -> Verdict {
    match (existence, exist) {
        (Existence::AnyExist, _) | (Existence::AtLeastOneExists, 1..) => Verdict::True,
        (Existence::NoneExist, 1..) | (Existence::OnlyOneExists, 2..) => Verdict::False,
        _ => Verdict::Unknown,
    }
}
