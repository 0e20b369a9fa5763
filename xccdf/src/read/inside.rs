//! What an element holds: elements, text, or both. Each function here reads to the element's end.

use super::cursor::{Cursor, Read, Step};
use super::tag::Tag;
use crate::NAMESPACE;
use crate::element::{Element, Node};
use crate::text::Text;

impl Cursor<'_> {
    /// Reads an element that holds elements only; `each` gets every child and must read it whole.
    pub fn children(&mut self, tag: &Tag, mut each: impl FnMut(&mut Self, Tag) -> Read<()>) -> Read<()> {
        self.unknown_attributes(tag);
        let mut text = String::new();
        loop {
            match self.step(&mut text)? {
                Step::Open(child) => each(self, child)?,
                Step::Close => return Ok(()),
                Step::Text => {
                    if !text.trim().is_empty() {
                        let shown: String = text.trim().chars().take(40).collect();
                        self.mistake(tag, format!("unexpected text {shown:?}"), "remove it");
                    }
                    text.clear();
                }
            }
        }
    }

    /// Reads an element that holds text only.
    pub fn text(&mut self, tag: &Tag) -> Read<String> {
        self.unknown_attributes(tag);
        let mut text = self.scratch();
        loop {
            match self.step(&mut text)? {
                Step::Open(child) => self.unexpected(&child, &tag.name)?,
                Step::Close => return Ok(self.kept(text)),
                Step::Text => {}
            }
        }
    }

    /// Reads the text of an element and of all elements in it.
    pub fn inner_text(&mut self, tag: &Tag) -> Read<String> {
        self.unknown_attributes(tag);
        let mut text = self.scratch();
        let mut depth = 0usize;
        loop {
            match self.step(&mut text)? {
                Step::Open(_) => depth += 1,
                Step::Close if depth == 0 => return Ok(self.kept(text)),
                Step::Close => depth -= 1,
                Step::Text => {}
            }
        }
    }

    /// Reads an element that holds text and markup.
    pub fn prose(&mut self, tag: &Tag) -> Read<Text> {
        self.unknown_attributes(tag);
        Ok(Text { nodes: self.nodes()? })
    }

    /// Reads an element that holds elements of other namespaces.
    pub fn elements(&mut self, tag: &Tag) -> Read<Vec<Element>> {
        let mut found = Vec::new();
        self.children(tag, |cursor, child| {
            if child.xccdf {
                return cursor.unexpected(&child, "metadata");
            }
            found.push(cursor.element(child)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Everything up to the end of the open element, as it is.
    pub fn nodes(&mut self) -> Read<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            let mut text = self.scratch();
            let mut step = self.step(&mut text)?;
            while matches!(step, Step::Text) {
                step = self.step(&mut text)?;
            }
            let text = self.kept(text);
            if !text.is_empty() {
                nodes.push(Node::Text(text));
            }
            match step {
                Step::Open(child) => nodes.push(Node::Element(self.element(child)?)),
                Step::Close | Step::Text => break,
            }
        }
        nodes.shrink_to_fit();
        Ok(nodes)
    }

    /// An element as it is.
    pub fn element(&mut self, tag: Tag) -> Read<Element> {
        let namespace = if tag.xccdf { NAMESPACE.to_owned() } else { tag.namespace };
        let (name, attributes) = (tag.name, tag.attributes);
        Ok(Element { namespace, name, attributes, children: self.nodes()? })
    }

    /// Passes over an element that this library has no use for.
    pub fn skip(&mut self) -> Read<()> {
        let mut text = String::new();
        let mut depth = 0usize;
        loop {
            match self.step(&mut text)? {
                Step::Open(_) => depth += 1,
                Step::Close if depth == 0 => return Ok(()),
                Step::Close => depth -= 1,
                Step::Text => text.clear(),
            }
        }
    }

    /// Gathers the mistake of an element that has no business where it is, and passes over it.
    pub fn unexpected(&mut self, tag: &Tag, parent: &str) -> Read<()> {
        let (message, remedy) = if tag.xccdf {
            (format!("not expected in <{parent}>"), "check its name and place".to_owned())
        } else {
            let message = format!("of namespace {:?}, not expected in <{parent}>", tag.namespace);
            (message, format!("XCCDF elements are of {NAMESPACE}; other data belongs in <metadata>"))
        };
        self.mistake(tag, message, remedy);
        self.skip()
    }
}
