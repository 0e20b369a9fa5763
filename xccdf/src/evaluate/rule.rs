//! What comes of one rule, up to its check.

use super::Run;
use super::check::{Chosen, Evaluated};
use crate::benchmark::Item;
use crate::check::{Check, CheckPart, ContentRef};
use crate::result::{Outcome, RuleResult};
use crate::rule::{Role, Rule, Severity};

impl Run<'_> {
    /// What comes of the rule at a place of the index.
    pub(super) fn rule(&mut self, n: usize, rule: &Rule) -> Vec<RuleResult> {
        let blank = self.blank(rule);
        let ended = |outcome| vec![RuleResult { outcome, ..blank.clone() }];
        if !self.selected(n, &rule.head.id) {
            return ended(Outcome::NotSelected);
        }
        if blank.role == Role::Unchecked {
            return ended(Outcome::NotChecked);
        }
        match self.applicable(Some(n)) {
            Some(true) => {}
            Some(false) => return ended(Outcome::NotApplicable),
            None => {
                let messages = vec!["whether it applies only a running system can tell".to_owned()];
                return vec![RuleResult { messages, ..blank }];
            }
        }
        match self.chosen(rule) {
            None => {
                let messages = vec!["no check of this rule can be evaluated".to_owned()];
                vec![RuleResult { messages, ..blank }]
            }
            Some(Chosen::Complex(complex)) => {
                let (outcome, evaluated) = self.complex(rule, complex);
                let outcome = outcome.unwrap_or(Outcome::NotChecked);
                vec![self.result(blank, outcome, CheckPart::Complex(evaluated), Vec::new())]
            }
            Some(Chosen::Simple(check)) => self.simple(rule, check, blank),
        }
    }

    /// A result without its outcome: notchecked.
    fn blank(&self, rule: &Rule) -> RuleResult {
        let chosen = self.rules.get(rule.head.id.as_str());
        RuleResult {
            rule: rule.head.id.clone(),
            outcome: Outcome::NotChecked,
            role: chosen.map_or(Role::Full, |chosen| chosen.role),
            severity: chosen.map_or(Severity::Unknown, |chosen| chosen.severity),
            weight: chosen.map_or(1.0, |chosen| chosen.weight),
            version: rule.head.version.as_ref().map(|version| version.name.clone()),
            time: self.clock.map(|now| now()),
            idents: rule.idents.clone(),
            messages: Vec::new(),
            check: None,
        }
    }

    fn result(
        &self,
        blank: RuleResult,
        outcome: Outcome,
        check: CheckPart,
        messages: Vec<String>,
    ) -> RuleResult {
        let time = self.clock.map(|now| now());
        RuleResult { outcome, check: Some(check), messages, time, ..blank }
    }

    /// Whether the item at a place of the index is for a platform that is here; `None` is the benchmark.
    fn applicable(&mut self, place: Option<usize>) -> Option<bool> {
        let (index, benchmark) = (self.index, self.benchmark);
        let node = place.and_then(|n| index.nodes.get(n));
        if let Some(n) = place
            && let Some(known) = self.applicable.get(&n)
        {
            return *known;
        }
        let around = match place {
            Some(_) => self.applicable(node.and_then(|node| node.parent)),
            None => Some(true),
        };
        let platforms = match node.map(|node| node.item) {
            None => &benchmark.platforms,
            Some(Item::Group(group)) => &group.platforms,
            Some(Item::Rule(rule)) => &rule.platforms,
        };
        let applicable = match around {
            Some(false) => Some(false),
            around => match self.applicability.any(platforms, &mut |fact| self.system.holds(fact)) {
                Some(true) => around,
                own => own,
            },
        };
        if let Some(n) = place {
            self.applicable.insert(n, applicable);
        }
        applicable
    }

    /// Evaluates the only check of a rule. Its references are alternatives, up to the first that leads
    /// somewhere.
    fn simple(&mut self, rule: &Rule, check: &Check, blank: RuleResult) -> Vec<RuleResult> {
        let mut messages = Vec::new();
        let Some(exports) = self.exports(check) else {
            let messages = vec!["a value it hands to its check is not known".to_owned()];
            let check = CheckPart::Check(check.clone());
            return vec![self.result(blank, Outcome::Unknown, check, messages)];
        };
        let mut evaluated = Evaluated { outcome: Outcome::NotChecked, check: check.clone() };
        let mut reasons = Vec::new();
        for reference in &check.content_refs {
            messages.clear();
            if reference.name.is_none() && check.multi_check {
                match self.system.definitions(&check.system, &reference.href) {
                    Some(definitions) => return self.each(rule, check, reference, definitions, &blank),
                    None => messages.push("the engine cannot give a result for each definition".to_owned()),
                }
            }
            let (found, told) = self.ask(rule, check, reference, &exports);
            if found.outcome != Outcome::NotChecked {
                evaluated = found;
                messages.extend(told);
                break;
            }
            reasons.extend(told);
        }
        if evaluated.outcome == Outcome::NotChecked {
            messages = reasons;
            if messages.is_empty() {
                messages.push("no reference of its check leads to a definition".to_owned());
            }
        }
        let outcome = match blank.role {
            Role::Unscored => Outcome::Informational,
            _ if check.negate => evaluated.outcome.negated(),
            _ => evaluated.outcome,
        };
        vec![self.result(blank, outcome, CheckPart::Check(evaluated.check), messages)]
    }

    /// A result for each definition of a document. OpenSCAP leaves the role `unscored` out of account here.
    fn each(
        &mut self,
        rule: &Rule,
        check: &Check,
        reference: &ContentRef,
        definitions: Vec<String>,
        blank: &RuleResult,
    ) -> Vec<RuleResult> {
        if definitions.is_empty() {
            let messages = vec!["the document has no definitions".to_owned()];
            let check = CheckPart::Check(check.clone());
            return vec![self.result(blank.clone(), Outcome::Unknown, check, messages)];
        }
        let mut results = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let reference = ContentRef { href: reference.href.clone(), name: Some(definition) };
            let one = Check { content_refs: vec![reference], ..check.clone() };
            let (outcome, evaluated) = self.part(rule, &one);
            let outcome = outcome.unwrap_or(Outcome::NotChecked);
            results.push(self.result(blank.clone(), outcome, CheckPart::Check(evaluated), Vec::new()));
        }
        results
    }
}
