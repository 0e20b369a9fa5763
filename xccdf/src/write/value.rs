//! Writes values.

use super::item::{head, head_attributes};
use super::xml::{Attributes, Xml, flag};
use crate::value::{Choices, Content, Keyed, Value};
use std::io;

pub(super) fn write(xml: &mut Xml<'_>, value: &Value) -> io::Result<()> {
    let mut attributes = head_attributes(&value.head);
    attributes.extend([
        ("type", value.value_type.map(|value_type| value_type.word())),
        ("operator", value.operator.map(|operator| operator.word())),
        ("interactive", flag(value.interactive)),
        ("interfaceHint", value.interface_hint.as_deref()),
    ]);
    xml.parent("Value", &attributes, |xml| {
        head(xml, &value.head)?;
        for own in &value.instances {
            content(xml, "value", &[("selector", selector(&own.selector))], &own.content)?;
        }
        for own in &value.defaults {
            content(xml, "default", &[("selector", selector(&own.selector))], &own.content)?;
        }
        for own in &value.matches {
            xml.leaf("match", &[("selector", selector(&own.selector))], &own.content)?;
        }
        bounds(xml, "lower-bound", &value.lower_bounds)?;
        bounds(xml, "upper-bound", &value.upper_bounds)?;
        value.choices.iter().try_for_each(|own| choices(xml, own))?;
        value.sources.iter().try_for_each(|uri| xml.leaf("source", &[("uri", Some(uri))], ""))
    })
}

fn selector(selector: &str) -> Option<&str> {
    (!selector.is_empty()).then_some(selector)
}

fn bounds(xml: &mut Xml<'_>, name: &str, bounds: &[Keyed<f64>]) -> io::Result<()> {
    bounds.iter().try_for_each(|own| {
        let attributes = [("selector", selector(&own.selector))];
        xml.leaf(name, &attributes, &own.content.to_string())
    })
}

/// Writes a text as it is, or a list with the `complex-` element.
pub(super) fn content(
    xml: &mut Xml<'_>,
    name: &str,
    attributes: &Attributes<'_>,
    content: &Content,
) -> io::Result<()> {
    let items = match content {
        Content::One(text) => return xml.leaf(name, attributes, text),
        Content::List(items) => items,
    };
    let name = match name.strip_prefix("set-") {
        Some(rest) => format!("set-complex-{rest}"),
        None => format!("complex-{name}"),
    };
    xml.parent(&name, attributes, |xml| items.iter().try_for_each(|item| xml.leaf("item", &[], item)))
}

fn choices(xml: &mut Xml<'_>, choices: &Choices) -> io::Result<()> {
    let attributes = [("mustMatch", flag(choices.must_match)), ("selector", selector(&choices.selector))];
    xml.parent("choices", &attributes, |xml| {
        choices.choices.iter().try_for_each(|choice| content(xml, "choice", &[], choice))
    })
}
