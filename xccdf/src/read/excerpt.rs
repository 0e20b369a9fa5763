//! A part of a document in memory, read with the namespaces declared around it and some of it left out.

use crate::error::Position;
use quick_xml::escape::escape;
use std::borrow::Cow;
use std::ops::Range;

/// What to read of a document.
pub(crate) struct Excerpt<'a> {
    /// The whole document.
    pub text: &'a str,
    /// What messages call the document.
    pub source: &'a str,
    /// The element wanted.
    pub range: Range<usize>,
    /// Elements inside it to leave out, in order.
    pub without: &'a [Range<usize>],
    /// Namespaces declared around it, as written: prefix, namespace.
    pub declarations: Vec<(&'a str, &'a str)>,
    /// The place of the element.
    pub position: Position,
}

impl<'a> Excerpt<'a> {
    /// The bytes to read: an element that declares the namespaces, and in it what is wanted.
    pub(super) fn pieces(&self) -> Pieces<'a> {
        let mut prelude = String::from("<excerpt");
        for (prefix, namespace) in &self.declarations {
            let colon = if prefix.is_empty() { "" } else { ":" };
            prelude.push_str(&format!(" xmlns{colon}{prefix}=\"{}\"", quoted(namespace)));
        }
        prelude.push('>');
        Pieces {
            prelude: prelude.into_bytes(),
            text: self.text.as_bytes(),
            at: self.range.start,
            end: self.range.end,
            without: self.without,
        }
    }
}

/// An attribute's value as written, fit for double quotes.
fn quoted(value: &str) -> Cow<'_, str> {
    if value.contains(['"', '<']) { escape(value) } else { Cow::Borrowed(value) }
}

/// The bytes of an excerpt, part by part.
pub(super) struct Pieces<'a> {
    /// What is left of the declarations.
    prelude: Vec<u8>,
    text: &'a [u8],
    /// Where in the text.
    at: usize,
    end: usize,
    /// What to leave out still.
    without: &'a [Range<usize>],
}

impl<'a> Pieces<'a> {
    /// The bytes at hand; empty at the end.
    pub fn available(&self) -> &[u8] {
        if !self.prelude.is_empty() {
            return &self.prelude;
        }
        let end = self.without.first().map_or(self.end, |gap| gap.start.min(self.end));
        self.text.get(self.at..end).unwrap_or_default()
    }

    /// Uses up bytes at hand; hands back the bytes of the document that this passes, those left out too.
    pub fn consume(&mut self, n: usize) -> &'a [u8] {
        if !self.prelude.is_empty() {
            self.prelude.drain(..n.min(self.prelude.len()));
            return &[];
        }
        let from = self.at;
        self.at = (self.at + n).min(self.end);
        while let Some(gap) = self.without.first().filter(|gap| gap.start <= self.at) {
            self.at = self.at.max(gap.end).min(self.end);
            self.without = self.without.get(1..).unwrap_or_default();
        }
        self.text.get(from..self.at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Position;
    use crate::read::source::Source;
    use std::io::Read;

    #[test]
    fn leaves_out_what_is_not_wanted_and_counts_it_for_the_place() {
        let text = "__<a>\n<b/>\n\n<c/></a>__";
        let without = [6..10, 12..16];
        let excerpt = Excerpt {
            text,
            source: "x.xml",
            range: 2..20,
            without: &without,
            declarations: vec![("", "u"), ("p", "v'\"")],
            position: Position { line: 5, column: 3 },
        };
        let mut source = Source::pieces(excerpt.pieces(), excerpt.position, 1000);
        let mut all = String::new();
        source.read_to_string(&mut all).unwrap();
        assert_eq!(all, "<excerpt xmlns=\"u\" xmlns:p=\"v&apos;&quot;\"><a>\n\n\n</a>");
        assert_eq!((source.position().line, source.position().column), (8, 9));
    }
}
