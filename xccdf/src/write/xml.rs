//! XML out: indented between elements, exact inside text.

use crate::NAMESPACE;
use crate::element::{Element, Node};
use crate::read::{XML_NAMESPACE, disallowed};
use crate::text::Text;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::io::{self, Write};

/// The namespace of markup in texts.
pub(super) const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Attributes; those without a value are left out.
pub(super) type Attributes<'a> = [(&'a str, Option<&'a str>)];

pub(super) struct Xml<'a> {
    writer: Writer<&'a mut dyn Write>,
    depth: usize,
    /// The default namespaces declared around the place we are at, the innermost last.
    scope: Vec<String>,
}

impl<'a> Xml<'a> {
    pub fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        let mut xml = Xml { writer: Writer::new(out), depth: 0, scope: vec![NAMESPACE.to_owned()] };
        xml.writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(xml)
    }

    /// Ends the document.
    pub fn end(mut self) -> io::Result<()> {
        self.raw("\n")?;
        self.writer.get_mut().flush()
    }

    /// Writes what belongs at a depth, whatever the depth here.
    pub fn inside(
        &mut self,
        depth: usize,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        let here = std::mem::replace(&mut self.depth, depth);
        write(self)?;
        self.depth = here;
        Ok(())
    }

    /// Where the text goes, for text that is XML already.
    pub fn out(&mut self) -> &mut dyn Write {
        self.writer.get_mut()
    }

    /// An element that holds elements, each on a line of its own.
    pub fn parent(
        &mut self,
        name: &str,
        attributes: &Attributes<'_>,
        children: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.depth += 1;
        children(self)?;
        self.depth -= 1;
        self.line()?;
        self.close(name)
    }

    /// An element that holds text, or nothing.
    pub fn leaf(&mut self, name: &str, attributes: &Attributes<'_>, text: &str) -> io::Result<()> {
        if text.is_empty() {
            self.line()?;
            let start = start(name, attributes)?;
            return self.writer.write_event(Event::Empty(start));
        }
        self.open(name, attributes)?;
        self.text(text)?;
        self.close(name)
    }

    /// An element that holds text and markup.
    pub fn mixed(&mut self, name: &str, attributes: &Attributes<'_>, text: &Text) -> io::Result<()> {
        self.open(name, attributes)?;
        self.nodes(&text.nodes)?;
        self.close(name)
    }

    /// As [`Xml::mixed`], for a text that need not be there.
    pub fn text_unless_empty(&mut self, name: &str, text: &Text) -> io::Result<()> {
        if text.is_empty() { Ok(()) } else { self.mixed(name, &[], text) }
    }

    /// Elements of other namespaces, if any.
    pub fn metadata(&mut self, elements: &[Element]) -> io::Result<()> {
        if elements.is_empty() {
            return Ok(());
        }
        self.parent("metadata", &[], |xml| {
            elements.iter().try_for_each(|element| {
                if element.namespace == NAMESPACE || element.namespace.is_empty() {
                    let what = format!("metadata <{}> must be of another namespace", element.name);
                    return Err(unfit(what));
                }
                xml.line()?;
                xml.element(element)
            })
        })
    }

    /// Text and elements as they are, no white space added.
    pub fn nodes(&mut self, nodes: &[Node]) -> io::Result<()> {
        nodes.iter().try_for_each(|node| match node {
            Node::Text(text) => self.text(text),
            Node::Element(element) => self.element(element),
        })
    }

    fn element(&mut self, element: &Element) -> io::Result<()> {
        let prefixed = element.namespace == XHTML;
        let name = if prefixed { format!("html:{}", element.name) } else { element.name.clone() };
        let mut start = start(&name, &[])?;
        let redeclared = !prefixed && self.scope.last() != Some(&element.namespace);
        if redeclared {
            start.push_attribute(("xmlns", element.namespace.as_str()));
            self.scope.push(element.namespace.clone());
        }
        for (n, attribute) in element.attributes.iter().enumerate() {
            writable(&attribute.value)?;
            named(&attribute.name)?;
            let key = match attribute.namespace.as_str() {
                "" => attribute.name.clone(),
                XML_NAMESPACE => format!("xml:{}", attribute.name),
                namespace => {
                    start.push_attribute((format!("xmlns:a{n}").as_str(), namespace));
                    format!("a{n}:{}", attribute.name)
                }
            };
            start.push_attribute((key.as_str(), attribute.value.as_str()));
        }
        if element.children.is_empty() {
            self.writer.write_event(Event::Empty(start))?;
        } else {
            self.writer.write_event(Event::Start(start))?;
            self.nodes(&element.children)?;
            self.close(&name)?;
        }
        if redeclared {
            drop(self.scope.pop());
        }
        Ok(())
    }

    fn open(&mut self, name: &str, attributes: &Attributes<'_>) -> io::Result<()> {
        self.line()?;
        self.writer.write_event(Event::Start(start(name, attributes)?))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        writable(text)?;
        self.writer.write_event(Event::Text(BytesText::new(text)))
    }

    fn line(&mut self) -> io::Result<()> {
        self.raw("\n")?;
        self.raw(&"  ".repeat(self.depth))
    }

    /// Text that is XML already.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.writer.get_mut().write_all(text.as_bytes())
    }
}

fn start<'n>(name: &'n str, attributes: &Attributes<'_>) -> io::Result<BytesStart<'n>> {
    let (prefix, local) = name.split_once(':').unwrap_or(("_", name));
    named(prefix)?;
    named(local)?;
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        let Some(value) = value else { continue };
        writable(value)?;
        start.push_attribute((*key, *value));
    }
    Ok(start)
}

/// A name that XML allows, prefixes apart.
fn named(name: &str) -> io::Result<()> {
    let letter = |c: char| c.is_alphabetic() || c == '_';
    let more = |c: char| letter(c) || c.is_numeric() || matches!(c, '-' | '.');
    if name.starts_with(letter) && name.chars().all(more) {
        return Ok(());
    }
    Err(unfit(format!("{name:?} is no name for an element or attribute")))
}

/// A text that XML can carry.
fn writable(text: &str) -> io::Result<()> {
    match disallowed(text) {
        None => Ok(()),
        Some(c) => Err(unfit(format!("XML cannot carry the character {c:?}, in {text:?}"))),
    }
}

fn unfit(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// A yes or no as an attribute.
pub(super) fn flag(yes: Option<bool>) -> Option<&'static str> {
    yes.map(|yes| if yes { "true" } else { "false" })
}
