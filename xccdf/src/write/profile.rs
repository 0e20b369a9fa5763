//! Writes profiles.

use super::item::{idrefs, references, statuses};
use super::value::content;
use super::xml::{Attributes, Xml, flag};
use crate::profile::{Profile, RefineRule, RefineValue, Select};
use std::io;

pub(super) fn write(xml: &mut Xml<'_>, profile: &Profile) -> io::Result<()> {
    let attributes = [
        ("id", Some(profile.id.as_str())),
        ("extends", profile.extends.as_deref()),
        ("abstract", flag(profile.is_abstract.then_some(true))),
        ("prohibitChanges", flag(profile.prohibit_changes.then_some(true))),
    ];
    xml.parent("Profile", &attributes, |xml| {
        statuses(xml, &profile.status)?;
        profile.version.iter().try_for_each(|version| super::version(xml, version))?;
        xml.mixed("title", &[], &profile.title)?;
        xml.text_unless_empty("description", &profile.description)?;
        references(xml, &profile.references)?;
        idrefs(xml, "platform", &profile.platforms)?;
        profile.selects.iter().try_for_each(|own| select(xml, own))?;
        for own in &profile.set_values {
            content(xml, "set-value", &[("idref", Some(&own.idref))], &own.content)?;
        }
        profile.refine_values.iter().try_for_each(|own| refine_value(xml, own))?;
        profile.refine_rules.iter().try_for_each(|own| refine_rule(xml, own))?;
        xml.metadata(&profile.metadata)
    })
}

fn select(xml: &mut Xml<'_>, select: &Select) -> io::Result<()> {
    let selected = flag(Some(select.selected));
    let attributes = [("idref", Some(select.idref.as_str())), ("selected", selected)];
    with_remarks(xml, "select", &attributes, &select.remarks)
}

fn refine_value(xml: &mut Xml<'_>, refine: &RefineValue) -> io::Result<()> {
    let attributes = [
        ("idref", Some(refine.idref.as_str())),
        ("selector", refine.selector.as_deref()),
        ("operator", refine.operator.map(|operator| operator.word())),
    ];
    with_remarks(xml, "refine-value", &attributes, &refine.remarks)
}

fn refine_rule(xml: &mut Xml<'_>, refine: &RefineRule) -> io::Result<()> {
    let weight = refine.weight.map(|weight| weight.to_string());
    let attributes = [
        ("idref", Some(refine.idref.as_str())),
        ("weight", weight.as_deref()),
        ("selector", refine.selector.as_deref()),
        ("severity", refine.severity.map(|severity| severity.word())),
        ("role", refine.role.map(|role| role.word())),
    ];
    with_remarks(xml, "refine-rule", &attributes, &refine.remarks)
}

fn with_remarks(
    xml: &mut Xml<'_>,
    name: &str,
    attributes: &Attributes<'_>,
    remarks: &[String],
) -> io::Result<()> {
    if remarks.is_empty() {
        return xml.leaf(name, attributes, "");
    }
    xml.parent(name, attributes, |xml| remarks.iter().try_for_each(|remark| xml.leaf("remark", &[], remark)))
}
