//! Writes groups and rules.

use super::value;
use super::xml::{Xml, flag};
use crate::benchmark::{Group, Head, Item, Status};
use crate::check::{Check, CheckPart, ComplexCheck};
use crate::rule::{Fix, Reference, Rule};
use crate::text::Text;
use crate::value::Value;
use std::io;

pub(super) fn values_and_items(xml: &mut Xml<'_>, values: &[Value], items: &[Item]) -> io::Result<()> {
    values.iter().try_for_each(|own| value::write(xml, own))?;
    items.iter().try_for_each(|item| match item {
        Item::Group(own) => group(xml, own),
        Item::Rule(own) => rule(xml, own),
    })
}

fn group(xml: &mut Xml<'_>, group: &Group) -> io::Result<()> {
    let weight = group.weight.map(|weight| weight.to_string());
    let mut attributes = head_attributes(&group.head);
    attributes.extend([("selected", flag(group.selected)), ("weight", weight.as_deref())]);
    xml.parent("Group", &attributes, |xml| {
        head(xml, &group.head)?;
        xml.text_unless_empty("rationale", &group.rationale)?;
        selectable(xml, &group.platforms, &group.requires, &group.conflicts)?;
        values_and_items(xml, &group.values, &group.items)
    })
}

fn rule(xml: &mut Xml<'_>, rule: &Rule) -> io::Result<()> {
    let weight = rule.weight.map(|weight| weight.to_string());
    let mut attributes = head_attributes(&rule.head);
    attributes.extend([
        ("selected", flag(rule.selected)),
        ("weight", weight.as_deref()),
        ("severity", rule.severity.map(|severity| severity.word())),
        ("role", rule.role.map(|role| role.word())),
        ("multiple", flag(rule.multiple)),
    ]);
    xml.parent("Rule", &attributes, |xml| {
        head(xml, &rule.head)?;
        xml.text_unless_empty("rationale", &rule.rationale)?;
        selectable(xml, &rule.platforms, &rule.requires, &rule.conflicts)?;
        for ident in &rule.idents {
            xml.leaf("ident", &[("system", Some(&ident.system))], &ident.name)?;
        }
        rule.fixes.iter().try_for_each(|own| fix(xml, own))?;
        match &rule.complex_check {
            Some(own) => complex(xml, own),
            None => rule.checks.iter().try_for_each(|own| check(xml, own)),
        }
    })
}

pub(super) fn head_attributes(head: &Head) -> Vec<(&str, Option<&str>)> {
    vec![
        ("id", Some(&head.id)),
        ("cluster-id", head.cluster_id.as_deref()),
        ("extends", head.extends.as_deref()),
        ("abstract", flag(head.is_abstract.then_some(true))),
        ("hidden", flag(head.hidden)),
        ("prohibitChanges", flag(head.prohibit_changes)),
    ]
}

pub(super) fn head(xml: &mut Xml<'_>, head: &Head) -> io::Result<()> {
    statuses(xml, &head.status)?;
    head.version.iter().try_for_each(|version| super::version(xml, version))?;
    xml.text_unless_empty("title", &head.title)?;
    xml.text_unless_empty("description", &head.description)?;
    for warning in &head.warnings {
        xml.mixed("warning", &[("category", warning.category.as_deref())], &warning.text)?;
    }
    references(xml, &head.references)?;
    xml.metadata(&head.metadata)
}

pub(super) fn statuses(xml: &mut Xml<'_>, statuses: &[Status]) -> io::Result<()> {
    let mut statuses = statuses.iter();
    statuses.try_for_each(|own| xml.leaf("status", &[("date", own.date.as_deref())], &own.name))
}

pub(super) fn references(xml: &mut Xml<'_>, references: &[Reference]) -> io::Result<()> {
    let mut references = references.iter();
    references.try_for_each(|own| xml.leaf("reference", &[("href", own.href.as_deref())], &own.text))
}

pub(super) fn idrefs(xml: &mut Xml<'_>, name: &str, ids: &[String]) -> io::Result<()> {
    ids.iter().try_for_each(|id| xml.leaf(name, &[("idref", Some(id))], ""))
}

fn selectable(
    xml: &mut Xml<'_>,
    platforms: &[String],
    requires: &[Vec<String>],
    conflicts: &[String],
) -> io::Result<()> {
    idrefs(xml, "platform", platforms)?;
    for any in requires {
        xml.leaf("requires", &[("idref", Some(&any.join(" ")))], "")?;
    }
    idrefs(xml, "conflicts", conflicts)
}

fn fix(xml: &mut Xml<'_>, fix: &Fix) -> io::Result<()> {
    let attributes = [
        ("id", fix.id.as_deref()),
        ("reboot", flag(fix.reboot)),
        ("strategy", fix.strategy.map(|strategy| strategy.word())),
        ("disruption", fix.disruption.map(|disruption| disruption.word())),
        ("complexity", fix.complexity.map(|complexity| complexity.word())),
        ("system", fix.system.as_deref()),
        ("platform", fix.platform.as_deref()),
    ];
    xml.mixed("fix", &attributes, &fix.script)
}

pub(super) fn check(xml: &mut Xml<'_>, check: &Check) -> io::Result<()> {
    let selector = Some(check.selector.as_str()).filter(|selector| !selector.is_empty());
    let attributes = [
        ("system", Some(check.system.as_str())),
        ("negate", flag(check.negate.then_some(true))),
        ("id", check.id.as_deref()),
        ("selector", selector),
        ("multi-check", flag(check.multi_check.then_some(true))),
    ];
    xml.parent("check", &attributes, |xml| {
        for own in &check.imports {
            let xpath = own.xpath.as_deref();
            let attributes = [("import-name", Some(own.name.as_str())), ("import-xpath", xpath)];
            xml.leaf("check-import", &attributes, &own.content)?;
        }
        for own in &check.exports {
            let attributes =
                [("value-id", Some(own.value_id.as_str())), ("export-name", Some(own.name.as_str()))];
            xml.leaf("check-export", &attributes, "")?;
        }
        for own in &check.content_refs {
            let attributes = [("href", Some(own.href.as_str())), ("name", own.name.as_deref())];
            xml.leaf("check-content-ref", &attributes, "")?;
        }
        match &check.content {
            Some(nodes) => xml.mixed("check-content", &[], &Text { nodes: nodes.clone() }),
            None => Ok(()),
        }
    })
}

pub(super) fn complex(xml: &mut Xml<'_>, complex_check: &ComplexCheck) -> io::Result<()> {
    let operator = Some(complex_check.operator.word());
    let negate = flag(complex_check.negate.then_some(true));
    xml.parent("complex-check", &[("operator", operator), ("negate", negate)], |xml| {
        complex_check.parts.iter().try_for_each(|part| match part {
            CheckPart::Check(own) => check(xml, own),
            CheckPart::Complex(own) => complex(xml, own),
        })
    })
}
