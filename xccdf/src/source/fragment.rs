//! A document inside a collection, handed to those who can read it.

use super::outline::position;
use crate::error::Position;
use quick_xml::escape::unescape;
use std::io::{BufRead, Cursor, Read};

/// A document that is part of a larger text.
#[derive(Clone, PartialEq)]
pub struct Fragment<'a> {
    /// What messages call the larger text.
    pub source: &'a str,
    /// The document, from the `<` of its root element to the `>` of its end. Prefixes may be declared outside.
    pub text: &'a str,
    /// The larger text.
    pub(crate) whole: &'a str,
    /// Where in the larger text it starts, in bytes.
    pub offset: usize,
    /// Local name of the root element.
    pub name: String,
    /// Namespace of the root element.
    pub namespace: String,
    /// The namespaces declared around it, as written in the text: prefix (empty for the default), namespace.
    pub declarations: Vec<(&'a str, &'a str)>,
    /// When the component was made.
    pub timestamp: Option<&'a str>,
}

impl std::fmt::Debug for Fragment<'_> {
    /// What and where it is: its text is megabytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Fragment");
        told.field("source", &self.source).field("name", &self.name).field("offset", &self.offset);
        told.field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

impl<'a> Fragment<'a> {
    /// Where in the larger text a byte of the document is.
    pub fn position(&self, at: usize) -> Position {
        position(self.whole, self.offset.saturating_add(at))
    }

    /// The document as one of its own: its root element declares what was declared around it. Nothing is
    /// copied but the name of the root element.
    pub fn reader(&self) -> impl BufRead + use<'a> {
        let (head, rest) = self.head();
        Cursor::new(head).chain(self.text.get(rest..).unwrap_or_default().as_bytes())
    }

    /// The root element's name with the declarations, and where the text goes on.
    fn head(&self) -> (String, usize) {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
        let name_end = self.text.find(ends).unwrap_or(self.text.len());
        let tag_end = self.text.find('>').unwrap_or(self.text.len());
        let own = self.text.get(name_end..tag_end).unwrap_or_default();
        let mut head = self.text.get(..name_end).unwrap_or_default().to_owned();
        for (prefix, namespace) in &self.declarations {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            let declares = |rest: &str| rest.trim_start().starts_with('=');
            if own.split(&format!(" {name}")).skip(1).any(declares)
                || own.split(&format!("\n{name}")).skip(1).any(declares)
            {
                continue;
            }
            let quote = if namespace.contains('"') { '\'' } else { '"' };
            head.push_str(&format!(" {name}={quote}{namespace}{quote}"));
        }
        (head, name_end)
    }

    /// The text that the root element holds, entities resolved: what a script is wrapped in. `None` when it
    /// holds elements or entities that XML does not have.
    pub fn content(&self) -> Option<String> {
        let from = self.text.find('>')? + 1;
        let to = self.text.rfind("</")?;
        let inside = self.text.get(from..to)?;
        let mut content = String::with_capacity(inside.len());
        let mut rest = inside;
        while let Some((before, section)) = rest.split_once("<![CDATA[") {
            let (verbatim, after) = section.split_once("]]>")?;
            content.push_str(&plain(before)?);
            content.push_str(verbatim);
            rest = after;
        }
        content.push_str(&plain(rest)?);
        // XML has no other line ends.
        Some(if content.contains('\r') { content.replace("\r\n", "\n") } else { content })
    }
}

/// A document as one of its own, in two parts between which something can be added at its end.
pub(crate) struct Spliced<'a> {
    name: String,
    text: &'a str,
    rest: usize,
    end: usize,
}

impl<'a> Spliced<'a> {
    pub fn new(fragment: &Fragment<'a>) -> Self {
        let (name, rest) = fragment.head();
        let end = fragment.text.rfind("</").unwrap_or(fragment.text.len());
        Spliced { name, text: fragment.text, rest, end: end.max(rest) }
    }

    /// Everything up to the end tag, white space before that left out.
    pub fn head(&self) -> impl Read + '_ {
        let text = self.text.get(self.rest..self.end).unwrap_or_default().trim_end();
        self.name.as_bytes().chain(text.as_bytes())
    }

    /// The end tag.
    pub fn tail(&self) -> &'a [u8] {
        self.text.get(self.end..).unwrap_or_default().as_bytes()
    }
}

fn plain(text: &str) -> Option<String> {
    if text.contains('<') { None } else { unescape(text).ok().map(std::borrow::Cow::into_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment<'a>(text: &'a str, declarations: &[(&'a str, &'a str)]) -> Fragment<'a> {
        Fragment {
            source: "x.xml",
            text,
            whole: text,
            offset: 0,
            name: "a".to_owned(),
            namespace: String::new(),
            declarations: declarations.to_vec(),
            timestamp: None,
        }
    }

    #[test]
    fn a_fragment_stands_alone_when_read() {
        for (text, expected) in [
            ("<p:a b='1'>x</p:a>", "<p:a xmlns:p=\"P\" xmlns='D\"' b='1'>x</p:a>"),
            ("<p:a/>", "<p:a xmlns:p=\"P\" xmlns='D\"'/>"),
            ("<p:a xmlns='E'>x</p:a>", "<p:a xmlns:p=\"P\" xmlns='E'>x</p:a>"),
            ("<a\nxmlns='E' xmlns:p ='Q'/>", "<a\nxmlns='E' xmlns:p ='Q'/>"),
        ] {
            let mut told = String::new();
            fragment(text, &[("p", "P"), ("", "D\"")]).reader().read_to_string(&mut told).unwrap();
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn the_content_of_a_script() {
        for (text, expected) in [
            ("<s>#!/bin/sh\necho a &gt; b\n</s>", Some("#!/bin/sh\necho a > b\n")),
            ("<s>a<![CDATA[ <b> & ]]>&amp;c</s>", Some("a <b> & &c")),
            ("<s></s>", Some("")),
            ("<s>a<b/></s>", None),
            ("<s>&what;</s>", None),
            ("<s/>", None),
        ] {
            assert_eq!(fragment(text, &[]).content().as_deref(), expected, "{text}");
        }
    }
}
