//! Definitions and criteria.

use super::Evaluator;
use super::evidence::Evidence;
use super::test::Tested;
use crate::model::Criteria;
use crate::verdict::{Tally, Verdict};
use std::collections::HashSet;
use std::rc::Rc;

/// The most evidence told of one definition.
const MAX_EVIDENCE: usize = 50;

/// A definition, evaluated. A verdict of `None` is that of a probe that gave up: it counts for nothing.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub verdict: Option<Verdict>,
    node: Node,
}

/// A node of the criteria, evaluated.
#[derive(Debug, Clone)]
enum Node {
    /// Nothing to evaluate, and why.
    Nothing(String),
    All {
        verdict: Option<Verdict>,
        negate: bool,
        members: Vec<Node>,
    },
    Test {
        negate: bool,
        test: Rc<Tested>,
    },
    Definition {
        negate: bool,
        definition: Rc<Judged>,
    },
}

impl Node {
    fn verdict(&self) -> Option<Verdict> {
        let (verdict, negate) = match self {
            Node::Nothing(_) => (Some(Verdict::NotEvaluated), false),
            Node::All { verdict, negate, .. } => (*verdict, *negate),
            Node::Test { negate, test } => (test.verdict, *negate),
            Node::Definition { negate, definition } => (definition.verdict, *negate),
        };
        verdict.map(|verdict| if negate { verdict.negate() } else { verdict })
    }
}

impl Evaluator<'_> {
    /// A definition by id. Every criterion is evaluated, as in oscap, so that all that is wrong is told and in the results.
    pub(super) fn definition(&self, id: &str) -> Rc<Judged> {
        if let Some(known) = self.definitions.borrow().get(id) {
            return Rc::clone(known);
        }
        let node = self.guarded(id, || match self.document.definition(id) {
            Ok(definition) => match definition.criteria {
                Some(criteria) => self.criteria(&criteria),
                None => Node::Nothing(format!("{id} has no criteria")),
            },
            Err(error) => Node::Nothing(error.to_string()),
        });
        let cyclic = node.is_err();
        let judged = match node {
            Ok(node) => Judged { verdict: node.verdict(), node },
            Err(why) => Judged { verdict: Some(Verdict::Error), node: Node::Nothing(why) },
        };
        let judged = Rc::new(judged);
        if !cyclic {
            self.definitions.borrow_mut().insert(id.to_owned(), Rc::clone(&judged));
        }
        judged
    }

    fn criteria(&self, criteria: &Criteria) -> Node {
        match criteria {
            Criteria::Test { id, negate } => Node::Test { negate: *negate, test: self.test(id) },
            Criteria::Definition { id, negate } => {
                Node::Definition { negate: *negate, definition: self.definition(id) }
            }
            Criteria::All { operator, negate, members } => {
                let members = self.deeper(|| members.iter().map(|member| self.criteria(member)).collect());
                let members: Vec<Node> = match members {
                    Ok(members) => members,
                    Err(why) => {
                        let (verdict, members) = (Some(Verdict::Error), vec![Node::Nothing(why)]);
                        return Node::All { verdict, negate: *negate, members };
                    }
                };
                let tally: Tally = members.iter().filter_map(Node::verdict).collect();
                Node::All { verdict: Some(tally.by_operator(*operator)), negate: *negate, members }
            }
        }
    }

    /// What decided a definition: the evidence of the tests whose verdict made it what it is.
    pub(super) fn explain(&self, judged: &Judged) -> Vec<Evidence> {
        let mut gathered = Gathered::default();
        gathered.gather(&judged.node, 0);
        let mut evidence = gathered.evidence;
        evidence.truncate(MAX_EVIDENCE);
        // That a program is there is seldom what is wrong with how it is set up.
        evidence.sort_by_key(|(package, _)| *package);
        evidence.into_iter().map(|(_, one)| one).collect()
    }
}

/// Evidence, and of each whether it is about a package.
#[derive(Default)]
struct Gathered {
    evidence: Vec<(bool, Evidence)>,
    /// The definitions that were gone through: one that others extend many times is gone through once.
    seen: HashSet<*const Judged>,
}

impl Gathered {
    /// Takes the evidence of the tests that decided a node.
    fn gather(&mut self, node: &Node, depth: usize) {
        if self.evidence.len() >= MAX_EVIDENCE || depth > 2 * super::MAX_DEPTH {
            return;
        }
        match node {
            Node::Nothing(why) => self.evidence.push((false, Evidence::reason(why))),
            Node::Test { test, .. } => {
                for one in &test.evidence {
                    if !self.evidence.iter().any(|(_, known)| known == one) {
                        self.evidence.push((test.package, one.clone()));
                    }
                }
            }
            Node::Definition { definition, .. } => {
                if self.seen.insert(Rc::as_ptr(definition)) {
                    self.gather(&definition.node, depth + 1);
                }
            }
            Node::All { verdict, members, .. } => {
                let deciding = |member: &&Node| member.verdict() == *verdict;
                let some = members.iter().any(|member| deciding(&member));
                members
                    .iter()
                    .filter(|member| !some || deciding(member))
                    .for_each(|member| self.gather(member, depth + 1));
            }
        }
    }
}
