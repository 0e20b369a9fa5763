//! From a request to a policy: which rules are asked for, with which values, and what is excepted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xccdf::{Binding, Origin, Reason, Role, short_id};

use super::digest::digest;
use super::exception::{self, Exception, Record};
use super::{Check, NOT_ASKED_FOR, Policy, PolicyRule, Request, profile, tailoring};
use crate::content::{
    Catalogue, Rule, Severity, SsgNames, ValueType, benchmark, references, substitute, tier_of,
};

/// Resolves a request to the policy of a machine with this operating system (`debian12`).
///
/// # Errors
/// When tier, profile, tailoring or rule are not understood.
pub fn resolve(catalogue: &Catalogue, request: &Request, product: &str) -> Result<Policy> {
    asked_rules_exist(catalogue, &request.rules)?;
    let benchmark = benchmark(catalogue)?;
    let named = profile::named(request, &benchmark, product)?;
    let names = SsgNames::embedded();
    let (mut stack, mut records, mut ignored) = (request.tailoring.clone(), Vec::new(), 0);
    for tailoring in &mut stack {
        ignored += tailoring::fit(tailoring, &benchmark, &names, product)?;
        records.extend(exception::enforce(tailoring, request.today)?);
    }
    let alias = |id: &str| profile::alias(id, product);
    let chosen = xccdf::resolve(&benchmark, &stack, named.as_deref(), &alias)?;
    let ours = chosen.applied.iter().rev().find(|applied| applied.source == benchmark.source);
    for own in &chosen.applied {
        if let Some((_, meant)) = tier_of(&own.id).filter(|(_, meant)| *meant != product) {
            bail!("{} is for {meant}, but this is {product}", short_id(&own.id));
        }
    }
    let base = ours.map(|own| xccdf::resolve(&benchmark, &[], Some(&own.id), &alias)).transpose()?;
    let applies = |record: &Record| {
        let own = |applied: &xccdf::policy::Applied| {
            applied.id == record.profile && applied.source == record.exception.source
        };
        chosen.applied.iter().any(own)
    };
    records.retain(applies);
    let chosen = Chosen { chosen: &chosen, base: base.as_ref(), records: &records };
    let values = chosen.values(catalogue)?;
    let rules: Vec<PolicyRule> =
        catalogue.rules().map(|rule| chosen.rule(rule, &values, request, product)).collect::<Result<_>>()?;
    let profile = chosen.chosen.applied.last().map(|applied| applied.id.clone()).unwrap_or_default();
    let outside = |rule: &PolicyRule| rule.not_selected.is_some() && rule.exception.is_none();
    if request.rules.is_empty() && rules.iter().all(outside) {
        bail!(
            "{} asks for no rule: let it extend a tier, as in <Profile id=\"…\" extends=\"standard\">",
            short_id(&profile)
        );
    }
    let tier = ours.and_then(|own| tier_of(&own.id)).map_or_else(String::new, |(tier, _)| tier.to_owned());
    Ok(Policy {
        tier,
        profile,
        tailoring: stack.into_iter().map(|tailoring| tailoring.source).collect(),
        ignored,
        sha256: digest(&catalogue.sha256, &rules)?,
        rules,
    })
}

fn asked_rules_exist(catalogue: &Catalogue, asked: &[String]) -> Result<()> {
    for id in asked {
        if catalogue.rule(short_id(id)).is_none() {
            let known = catalogue.rules().map(|rule| rule.id.as_str());
            let near = xccdf::id::did_you_mean(id, known);
            let remedy = if near.is_empty() { "'agent list rules' shows them all".to_owned() } else { near };
            bail!("unknown rule {id:?} ({remedy})");
        }
    }
    Ok(())
}

/// What XCCDF made of the request.
struct Chosen<'a> {
    chosen: &'a xccdf::Policy,
    /// The same without the site's tailoring.
    base: Option<&'a xccdf::Policy>,
    /// The records of exceptions in the profiles that apply.
    records: &'a [Record],
}

impl Chosen<'_> {
    /// The values as they are put into settings: without the blanks that XML likes to have around them.
    fn values(&self, catalogue: &Catalogue) -> Result<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        for value in &self.chosen.values {
            let (id, content) = (short_id(&value.id), value.content.to_string());
            let content = content.trim();
            let number = catalogue.values().any(|known| known.id == id && known.kind == ValueType::Number);
            // XCCDF's numbers may have a fraction; nothing a setting counts in has one, and sshd, PAM and the kernel count in 32 bits.
            if number && content.parse::<i32>().map_or(true, |number| number.to_string() != content) {
                let place = match &value.binding {
                    Binding::Set(origin) | Binding::Selector { origin, .. } => {
                        format!("{}:{}: ", origin.source, origin.position.line)
                    }
                    Binding::Default => String::new(),
                };
                bail!("{place}{id} is {content:?}, expected a whole number up to {}, such as 15", i32::MAX);
            }
            values.insert(id.to_owned(), content.to_owned());
        }
        Ok(values)
    }

    fn rule(
        &self,
        rule: &Rule,
        values: &BTreeMap<String, String>,
        request: &Request,
        product: &str,
    ) -> Result<PolicyRule> {
        let decided = self.chosen.rule(&rule.id).with_context(|| format!("{} was not decided", rule.id))?;
        let mut bind = Bind { values, used: BTreeSet::new() };
        let check = bind.check(rule).with_context(|| format!("binding the values of {}", rule.id))?;
        let used = bind.used;
        let asked = request.rules.is_empty() || request.rules.iter().any(|id| short_id(id) == rule.id);
        let exception = self.exception_of_rule(decided).or_else(|| {
            let of_value = |id: &String| self.exception_of_value(id);
            selected(decided).then(|| used.iter().find_map(of_value)).flatten()
        });
        Ok(PolicyRule {
            id: rule.id.clone(),
            xccdf_id: decided.id.clone(),
            title: rule.title.clone(),
            severity: severity(decided.severity),
            rationale: rule.rationale.clone(),
            risk: rule.risk.clone(),
            access: rule.access,
            check_only: rule.check_only.clone(),
            cis: rule
                .cis
                .get(product)
                .map(|numbers| numbers.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            anssi: rule.anssi.clone(),
            check,
            values: values.iter().filter(|(id, _)| used.contains(*id)).map(owned).collect(),
            not_selected: self.not_selected(decided, asked),
            exception,
        })
    }

    fn not_selected(&self, decided: &xccdf::PolicyRule, asked: bool) -> Option<String> {
        if selected(decided) {
            return (!asked).then(|| NOT_ASKED_FOR.to_owned());
        }
        let place = |origin: &Origin| {
            let line = origin.position.line;
            if line > 0 { format!("{}:{line}", origin.source) } else { origin.source.clone() }
        };
        Some(match &decided.decision.reason {
            _ if decided.decision.selected => "its role is unchecked".to_owned(),
            Reason::Profile(origin) => format!("left out by {}", place(origin)),
            Reason::Group { group, reason } => {
                let by = if let Reason::Profile(origin) = &**reason { place(origin) } else { String::new() };
                format!("the group {} is left out by {by}", short_id(group))
            }
            _ => "no profile asks for it".to_owned(),
        })
    }

    /// The exception that speaks of a rule itself: recorded, or only written as a `select` with or without remark.
    fn exception_of_rule(&self, decided: &xccdf::PolicyRule) -> Option<Exception> {
        let (id, selected) = (short_id(&decided.id), selected(decided));
        if let Some(record) = self.record(xccdf::Kind::Rule, id) {
            // Not expired and selected all the same: a later tailoring took the exception back.
            return (record.exception.expired || !selected).then(|| record.exception.clone());
        }
        let before = self.base?.rule(id)?;
        if selected || !before.decision.selected {
            return None;
        }
        let texts: Vec<&str> = decided.remarks.iter().map(|remark| remark.text.trim()).collect();
        let source = decided.remarks.last().map(|remark| remark.origin.source.clone());
        Some(unrecorded(texts.join("; "), source.or_else(|| said(&decided.decision.reason))))
    }

    /// The exception that a value is: recorded, or only set otherwise than the tier does.
    fn exception_of_value(&self, id: &str) -> Option<Exception> {
        let now = self.chosen.value(id)?;
        let before = &self.base?.value(id)?.content;
        if let Some(record) = self.record(xccdf::Kind::Value, id) {
            return (record.exception.expired || now.content != *before).then(|| record.exception.clone());
        }
        if now.content == *before {
            return None;
        }
        let mut texts: Vec<String> = now.remarks.iter().map(|remark| remark.text.trim().to_owned()).collect();
        if texts.is_empty() {
            texts.push(format!("{id} is {}, not {before}", now.content));
        }
        let source = match &now.binding {
            Binding::Set(origin) | Binding::Selector { origin, .. } => Some(origin.source.clone()),
            Binding::Default => None,
        };
        Some(unrecorded(texts.join("; "), source))
    }

    fn record(&self, kind: xccdf::Kind, id: &str) -> Option<&Record> {
        self.records.iter().rev().find(|record| record.kind == kind && record.id == id)
    }
}

fn unrecorded(reason: String, source: Option<String>) -> Exception {
    let source = source.unwrap_or_default();
    Exception { reason, owner: String::new(), until: None, expired: false, source }
}

fn said(reason: &Reason) -> Option<String> {
    match reason {
        Reason::Profile(origin) => Some(origin.source.clone()),
        Reason::Group { reason, .. } => said(reason),
        _ => None,
    }
}

fn owned((id, content): (&String, &String)) -> (String, String) {
    (id.clone(), content.clone())
}

fn selected(decided: &xccdf::PolicyRule) -> bool {
    decided.decision.selected && decided.role != Role::Unchecked
}

fn severity(severity: xccdf::Severity) -> Severity {
    match severity {
        xccdf::Severity::Unknown => Severity::Unknown,
        xccdf::Severity::Info => Severity::Info,
        xccdf::Severity::Low => Severity::Low,
        xccdf::Severity::Medium => Severity::Medium,
        xccdf::Severity::High => Severity::High,
    }
}

/// Puts bound values in, and notes which they were.
struct Bind<'a> {
    values: &'a BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Bind<'_> {
    fn check(&mut self, rule: &Rule) -> Result<Check> {
        let applies = self.texts(&rule.applies)?;
        let ensure = self.texts(&rule.ensure)?;
        let instead =
            rule.instead.iter().map(|other| Ok((self.texts(&other.when)?, self.texts(&other.ensure)?)));
        Ok(Check::Setting { applies, ensure, instead: instead.collect::<Result<_>>()? })
    }

    /// Puts the values into the texts of a setting or a condition.
    fn texts<T: Serialize + DeserializeOwned>(&mut self, unbound: &T) -> Result<T> {
        let mut json = serde_json::to_value(unbound)?;
        self.used.extend(references(&json));
        substitute(&mut json, self.values)?;
        Ok(serde_json::from_value(json)?)
    }
}
