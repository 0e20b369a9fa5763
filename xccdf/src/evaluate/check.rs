//! Checks: which one of a rule, with which values, and what comes of it.

use super::Run;
use super::junction::join;
use super::system::{Exported, Request};
use crate::check::{Check, CheckPart, ComplexCheck, ContentRef};
use crate::result::Outcome;
use crate::rule::Rule;

/// The check that a rule is evaluated by.
pub(super) enum Chosen<'r> {
    Simple(&'r Check),
    Complex(&'r ComplexCheck),
}

/// A check with what came of it.
pub(super) struct Evaluated {
    pub outcome: Outcome,
    /// Only the reference that gave the outcome, with what was handed back.
    pub check: Check,
}

impl Run<'_> {
    /// The check to evaluate: a complex one if there is; else, of those with the selector of the policy
    /// (without any, if none has it), the last that can be evaluated.
    pub(super) fn chosen<'r>(&self, rule: &'r Rule) -> Option<Chosen<'r>> {
        if let Some(complex) = &rule.complex_check {
            return Some(Chosen::Complex(complex));
        }
        let wanted = self.rules.get(rule.head.id.as_str()).map_or("", |rule| rule.check_selector.as_str());
        let with = |selector: &'r str| rule.checks.iter().filter(move |check| check.selector == selector);
        let selector = rule.checks.iter().map(|check| check.selector.as_str()).find(|own| *own == wanted);
        let candidates = with(selector.unwrap_or(""));
        candidates.filter(|check| self.system.evaluates(&check.system)).last().map(Chosen::Simple)
    }

    /// The values a check hands to its engine; `None` when one is not known.
    pub(super) fn exports(&self, check: &Check) -> Option<Vec<Exported>> {
        let export = |export: &crate::check::Export| {
            let known = self.values.get(export.value_id.as_str()).copied();
            let value = known.or_else(|| self.policy.value(&export.value_id))?;
            Some(Exported {
                name: export.name.clone(),
                value_id: value.id.clone(),
                content: value.content.clone(),
                value_type: value.value_type,
                operator: value.operator,
            })
        };
        check.exports.iter().map(export).collect()
    }

    /// Asks the engine by one reference; hands back its messages too.
    pub(super) fn ask(
        &mut self,
        rule: &Rule,
        check: &Check,
        reference: &ContentRef,
        exports: &[Exported],
    ) -> (Evaluated, Vec<String>) {
        if !self.system.evaluates(&check.system) {
            return (Evaluated { outcome: Outcome::NotChecked, check: check.clone() }, Vec::new());
        }
        let answer = self.system.check(&Request {
            rule: &rule.head.id,
            system: &check.system,
            href: &reference.href,
            name: reference.name.as_deref(),
            exports,
            imports: &check.imports,
        });
        let mut imports = check.imports.clone();
        for (import, content) in imports.iter_mut().zip(answer.imports) {
            import.content = content;
        }
        let check = Check { content_refs: vec![reference.clone()], imports, ..check.clone() };
        (Evaluated { outcome: answer.outcome, check }, answer.messages)
    }

    /// Evaluates a check that stands in a complex one. Without any reference nothing comes of it.
    pub(super) fn part(&mut self, rule: &Rule, check: &Check) -> (Option<Outcome>, Check) {
        let Some(exports) = self.exports(check) else {
            return (Some(Outcome::Unknown), check.clone());
        };
        let mut last = None;
        for reference in &check.content_refs {
            let (found, _) = self.ask(rule, check, reference, &exports);
            if found.outcome != Outcome::NotChecked {
                let outcome = if check.negate { found.outcome.negated() } else { found.outcome };
                return (Some(outcome), found.check);
            }
            last = Some(Outcome::NotChecked);
        }
        (last, check.clone())
    }

    /// Evaluates checks joined to one, all of them. A part of which nothing comes takes what was joined before
    /// it along, as in OpenSCAP.
    pub(super) fn complex(&mut self, rule: &Rule, complex: &ComplexCheck) -> (Option<Outcome>, ComplexCheck) {
        let mut joined: Option<Outcome> = None;
        let mut parts = Vec::with_capacity(complex.parts.len());
        for part in &complex.parts {
            let outcome = match part {
                CheckPart::Check(check) => {
                    let (outcome, evaluated) = self.part(rule, check);
                    parts.push(CheckPart::Check(evaluated));
                    outcome
                }
                CheckPart::Complex(inner) => {
                    let (outcome, evaluated) = self.complex(rule, inner);
                    parts.push(CheckPart::Complex(evaluated));
                    outcome
                }
            };
            joined = match (joined, outcome) {
                (Some(a), Some(b)) => Some(join(complex.operator, a, b)),
                (Some(_), None) => None,
                (None, outcome) => outcome,
            };
        }
        let outcome = if complex.negate { joined.map(Outcome::negated) } else { joined };
        (outcome, ComplexCheck { parts, ..complex.clone() })
    }
}
