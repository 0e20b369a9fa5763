//! Prose: text with XHTML markup and `<sub>` references to values.

use crate::element::{Element, Node};
use crate::{NAMESPACE, id};

/// Mixed content. Where a document gives a text in several languages, the one kept is the first in
/// English or without a language, else the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// Content in document order; `<sub>` is an element of the XCCDF namespace.
    pub nodes: Vec<Node>,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text { nodes: if text.is_empty() { Vec::new() } else { vec![Node::Text(text)] } }
    }
}

impl Text {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The same text, followed by a reference to a value.
    #[must_use]
    pub fn value(mut self, id: &str) -> Self {
        let sub = Element::new(NAMESPACE, "sub").with("idref", id).with("use", "legacy");
        self.nodes.push(Node::Element(sub));
        self
    }

    /// The same text, followed by more.
    #[must_use]
    pub fn then(mut self, text: &str) -> Self {
        self.nodes.push(Node::Text(text.to_owned()));
        self
    }

    /// The ids that `<sub>` elements refer to, in order.
    pub fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        collect_references(&self.nodes, &mut found);
        found
    }

    /// The text as a script wants it: markup dropped, each `<sub>` replaced by what `value` gives
    /// for its id.
    ///
    /// # Errors
    /// The id that `value` knows nothing of.
    pub fn substitute(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        let mut out = String::new();
        substitute(&self.nodes, &value, &mut out)?;
        Ok(out)
    }

    /// The text as a person reads it on a terminal: markup becomes line breaks and dashes, white
    /// space is folded outside `<pre>`, each `<sub>` shows the value's short id in brackets.
    pub fn plain(&self) -> String {
        self.plain_with(|_| None)
    }

    /// As [`Text::plain`], with the values that `value` knows put in.
    pub fn plain_with(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut plain = Plain { out: String::new(), value: &value };
        plain.nodes(&self.nodes, false);
        plain.out.trim().to_owned()
    }
}

fn sub_reference(element: &Element) -> Option<&str> {
    if element.is(NAMESPACE, "sub") { element.attribute("idref") } else { None }
}

fn collect_references<'a>(nodes: &'a [Node], found: &mut Vec<&'a str>) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        found.extend(sub_reference(element));
        collect_references(&element.children, found);
    }
}

fn substitute(
    nodes: &[Node],
    value: &impl Fn(&str) -> Option<String>,
    out: &mut String,
) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(element) => match sub_reference(element) {
                Some(id) => out.push_str(&value(id).ok_or_else(|| id.to_owned())?),
                None => substitute(&element.children, value, out)?,
            },
        }
    }
    Ok(())
}

/// Renders markup for a terminal.
struct Plain<'a, F> {
    out: String,
    value: &'a F,
}

impl<F: Fn(&str) -> Option<String>> Plain<'_, F> {
    fn nodes(&mut self, nodes: &[Node], verbatim: bool) {
        for node in nodes {
            match node {
                Node::Text(text) if verbatim => self.out.push_str(text),
                Node::Text(text) => self.folded(text),
                Node::Element(element) => self.element(element, verbatim),
            }
        }
    }

    fn element(&mut self, element: &Element, verbatim: bool) {
        if let Some(id) = sub_reference(element) {
            let shown = (self.value)(id).unwrap_or_else(|| format!("[{}]", id::short_id(id)));
            self.out.push_str(&shown);
            return;
        }
        match element.name.as_str() {
            "br" => self.line(),
            "li" => {
                self.line();
                self.out.push_str("- ");
                self.nodes(&element.children, verbatim);
            }
            "p" | "pre" | "ul" | "ol" | "table" | "tr" | "div" => {
                self.line();
                self.nodes(&element.children, verbatim || element.name == "pre");
                self.line();
            }
            _ => self.nodes(&element.children, verbatim),
        }
    }

    fn folded(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_whitespace() {
                self.out.push(c);
            } else if !self.out.ends_with(char::is_whitespace) {
                self.out.push(' ');
            }
        }
    }

    /// Ends the line unless it is already at its start.
    fn line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(name: &str, text: &str) -> Node {
        Node::Element(Element::new("http://www.w3.org/1999/xhtml", name).text(text))
    }

    #[test]
    fn substitutes_and_names_what_it_lacks() {
        let text = Text::from("max=").value("xccdf_a_value_max").then(";");
        assert_eq!(text.references(), ["xccdf_a_value_max"]);
        let known = |id: &str| (id == "xccdf_a_value_max").then(|| "3".to_owned());
        assert_eq!(text.substitute(known).as_deref(), Ok("max=3;"));
        assert_eq!(text.substitute(|_| None), Err("xccdf_a_value_max".to_owned()));
    }

    #[test]
    fn plain_folds_prose_and_keeps_pre() {
        let mut text = Text::from("Set it\n   to ").value("xccdf_a_value_max").then(":");
        text.nodes.push(html("pre", "a\n  b"));
        text.nodes.push(html("li", "one"));
        text.nodes.push(html("li", "two"));
        assert_eq!(text.plain(), "Set it to [max]:\na\n  b\n- one\n- two");
        assert!(text.plain_with(|_| Some("9".into())).starts_with("Set it to 9:"));
    }
}
