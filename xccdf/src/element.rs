//! Any XML element, kept as it is: markup inside prose, and metadata of other namespaces.

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
