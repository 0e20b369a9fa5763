//! A start tag and its attributes. Attributes are taken out one by one; one that nobody takes is a
//! mistake, so that a misspelt `selectd="false"` is not taken for the default.

use super::cursor::{Cursor, XML_VERSION, disallowed};
use crate::NAMESPACE;
use crate::element::Attribute;
use crate::error::Position;
use crate::words::Words;
use quick_xml::events::BytesStart;
use quick_xml::name::{Namespace, NamespaceResolver, ResolveResult};

/// The namespace that `xml:` stands for.
pub(crate) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

pub(super) struct Tag {
    /// Whether the element is of the XCCDF 1.2 namespace.
    pub xccdf: bool,
    /// Namespace of any other element; empty for none.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Place of the `<`.
    pub position: Position,
    /// Attributes not taken yet.
    pub attributes: Vec<Attribute>,
}

impl Tag {
    /// Resolves names and values; the error says what is not well-formed.
    pub fn new(
        resolver: &NamespaceResolver,
        start: &BytesStart<'_>,
        position: Position,
    ) -> Result<Self, String> {
        let (namespace, local) = resolver.resolve_element(start.name());
        let namespace = bound(namespace)?;
        let xccdf = namespace == NAMESPACE;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| format!("not well-formed XML: {error}"))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, local) = resolver.resolve_attribute(attribute.key);
            let name = local.as_ref().to_owned();
            let value = attribute
                .normalized_value(XML_VERSION)
                .map_err(|error| format!("attribute {name}: not well-formed XML: {error}"))?;
            if attribute.value.contains('<') || disallowed(&value).is_some() {
                return Err(format!("attribute {name}: a character that XML does not allow"));
            }
            let namespace = bound(namespace)?.to_owned();
            attributes.push(Attribute { namespace, name, value: value.into_owned() });
        }
        let namespace = if xccdf { String::new() } else { namespace.to_owned() };
        Ok(Tag { xccdf, namespace, name: local.as_ref().to_owned(), position, attributes })
    }

    /// The name of an XCCDF element; empty, which no element is called, for any other.
    pub fn xccdf_name(&self) -> &str {
        if self.xccdf { &self.name } else { "" }
    }

    /// Takes an attribute of no namespace.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let found = self.attributes.iter().position(|a| a.namespace.is_empty() && a.name == name)?;
        Some(self.attributes.swap_remove(found).value)
    }

    /// Takes attributes that are known and have no use here.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            drop(self.take(name));
        }
    }

    /// The language the element says it is in.
    pub fn language(&self) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.namespace == XML_NAMESPACE && a.name == "lang")?;
        Some(&found.value)
    }
}

fn bound(namespace: ResolveResult<'_>) -> Result<&str, String> {
    match namespace {
        ResolveResult::Bound(Namespace(name)) => Ok(name),
        ResolveResult::Unbound => Ok(""),
        ResolveResult::Unknown(prefix) => Err(format!("prefix {prefix:?} is not declared")),
    }
}

impl Cursor<'_> {
    /// Takes an attribute that must be there, white space around it dropped.
    pub fn required(&mut self, tag: &mut Tag, name: &str) -> String {
        let value = tag.take(name).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            self.mistake(tag, format!("attribute {name} is missing"), "");
        }
        value
    }

    /// Takes an attribute that is true or false.
    pub fn boolean(&mut self, tag: &mut Tag, name: &str) -> Option<bool> {
        let value = tag.take(name)?;
        match value.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            other => {
                self.mistake(tag, format!("{name}={other:?}"), "expected true or false");
                None
            }
        }
    }

    /// Takes an attribute that is one of the standard's words.
    pub fn word<T: Words>(&mut self, tag: &mut Tag, name: &str) -> Option<T> {
        let value = tag.take(name)?;
        let word = T::from_word(value.trim());
        if word.is_none() {
            let remedy = format!("expected one of: {}", T::WORDS.join(", "));
            self.mistake(tag, format!("{name}={value:?}"), remedy);
        }
        word
    }

    /// Takes an attribute that is a weight: a decimal number, not negative.
    pub fn weight(&mut self, tag: &mut Tag) -> Option<f64> {
        let value = tag.take("weight")?;
        let weight = crate::value::decimal(&value).filter(|weight| *weight >= 0.0);
        if weight.is_none() {
            self.mistake(tag, format!("weight={value:?}"), "expected a number, 0 or more");
        }
        weight
    }

    /// Gathers the attributes that nobody took. Those of other namespaces are nobody's business.
    pub fn unknown_attributes(&mut self, tag: &Tag) {
        for attribute in tag.attributes.iter().filter(|a| a.namespace.is_empty()) {
            self.mistake(tag, format!("unknown attribute {}", attribute.name), "check its name");
        }
    }
}
