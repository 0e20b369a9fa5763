//! Definitions and criteria.

use super::Evaluator;
use super::evidence::Evidence;
use super::test::Tested;
use crate::model::Criteria;
use crate::verdict::{Tally, Verdict};
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
    /// A definition by id. Every criterion is evaluated, as in oscap.
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
                let members: Vec<Node> = members.iter().map(|member| self.criteria(member)).collect();
                let tally: Tally = members.iter().filter_map(Node::verdict).collect();
                Node::All { verdict: Some(tally.by_operator(*operator)), negate: *negate, members }
            }
        }
    }

    /// What decided a definition: the evidence of the tests whose verdict made it what it is.
    pub(super) fn explain(&self, judged: &Judged) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        gather(&judged.node, 0, &mut evidence);
        evidence.truncate(MAX_EVIDENCE);
        // That a program is there is seldom what is wrong with how it is set up.
        evidence.sort_by_key(|(package, _)| *package);
        evidence.into_iter().map(|(_, one)| one).collect()
    }
}

/// The evidence of the tests that decided a node, and of each whether it is about a package.
fn gather(node: &Node, depth: usize, evidence: &mut Vec<(bool, Evidence)>) {
    if evidence.len() >= MAX_EVIDENCE || depth > 2 * super::MAX_DEPTH {
        return;
    }
    match node {
        Node::Nothing(why) => evidence.push((false, Evidence::reason(why))),
        Node::Test { test, .. } => {
            for one in &test.evidence {
                if !evidence.iter().any(|(_, known)| known == one) {
                    evidence.push((test.package, one.clone()));
                }
            }
        }
        Node::Definition { definition, .. } => gather(&definition.node, depth + 1, evidence),
        Node::All { verdict, members, .. } => {
            let deciding = |member: &&Node| member.verdict() == *verdict;
            let some = members.iter().any(|member| deciding(&member));
            members
                .iter()
                .filter(|member| !some || deciding(member))
                .for_each(|member| gather(member, depth + 1, evidence));
        }
    }
}
