//! Any XML element, kept as it is: markup inside prose, and metadata of other namespaces.

use crate::error::{Errors, Position};
use crate::read::{self, Excerpt, Limits};

/// An element with its namespace resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// Namespace; empty for none.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Attributes in document order, namespace declarations left out.
    pub attributes: Vec<Attribute>,
    /// Content in document order.
    pub children: Vec<Node>,
}

/// An attribute with its namespace resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Namespace; empty for none, as is usual for attributes.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Value, entities resolved.
    pub value: String,
}

/// Text or an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Text, entities resolved.
    Text(String),
    /// An element.
    Element(Element),
}

impl Element {
    /// Reads one element, cut out of a document: for languages that stand beside XCCDF in a data stream.
    ///
    /// `source` is what messages call the document, `start` the place of the fragment in it, and `namespaces` what
    /// the elements around it declared: prefix (empty for the default) and namespace, outermost first.
    ///
    /// # Errors
    /// When the fragment is not one well-formed element.
    pub fn parse(
        fragment: &str,
        source: &str,
        start: Position,
        namespaces: &[(String, String)],
    ) -> Result<Element, Errors> {
        let excerpt = Excerpt {
            text: fragment,
            source,
            range: 0..fragment.len(),
            without: &[],
            declarations: innermost(namespaces),
            position: start,
        };
        read::element(&excerpt, &Limits::default())
    }

    /// An empty element.
    pub fn new(namespace: &str, name: &str) -> Self {
        Element { namespace: namespace.to_owned(), name: name.to_owned(), ..Element::default() }
    }

    /// The same element with one more attribute, of no namespace.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let attribute =
            Attribute { namespace: String::new(), name: name.to_owned(), value: value.to_owned() };
        self.attributes.push(attribute);
        self
    }

    /// The same element with text added.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.children.push(Node::Text(text.to_owned()));
        self
    }

    /// The same element with a child added.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Whether the element has this namespace and name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The value of an attribute of no namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.namespace.is_empty() && a.name == name)?;
        Some(&found.value)
    }

    /// The child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// All text inside, markup dropped.
    pub fn inner_text(&self) -> String {
        let mut out = String::new();
        self.gather(&mut out);
        out
    }

    fn gather(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => element.gather(out),
            }
        }
    }
}

/// Declarations without those that a later one of the same prefix replaces.
fn innermost(namespaces: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut declared: Vec<(&str, &str)> = Vec::new();
    for (prefix, namespace) in namespaces {
        declared.retain(|(known, _)| known != prefix);
        declared.push((prefix, namespace));
    }
    declared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_keeps_its_namespaces_and_its_place() {
        let around =
            [("u", "urn:old"), ("u", "urn:u"), ("", "urn:d")].map(|(p, n)| (p.to_owned(), n.to_owned()));
        let start = Position { line: 7, column: 3 };
        let element = Element::parse("<u:a b='1'> <c/>x</u:a>", "f.xml", start, &around).unwrap();
        assert!(element.is("urn:u", "a"));
        assert!(element.elements().next().unwrap().is("urn:d", "c"));
        assert_eq!(element.attribute("b"), Some("1"));
        let error = Element::parse("<u:a>\n<b></u:a>", "f.xml", start, &around).unwrap_err();
        assert!(error.to_string().starts_with("f.xml:8:"), "{error}");
    }
}
