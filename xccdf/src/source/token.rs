//! Tags in a text, one after another, everything between them passed over at the speed of a search.
//!
//! Made for finding one's way in tens of megabytes of which little is wanted. What a tag means is for
//! [`super::outline`]; what is wanted in the end is read by [`crate::read`], which looks at every character.

use memchr::memchr3;
use memchr::{memchr, memmem};
use std::ops::Range;

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens an element.
    Open,
    /// Opens an element and closes it.
    Empty,
    /// Closes an element.
    Close,
}

/// A tag.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    /// Name with prefix.
    pub name: &'a str,
    /// From `<` to past `>`.
    pub range: Range<usize>,
    /// What is between the name and the end: the attributes.
    pub attributes: &'a str,
}

/// What makes the rest of a text meaningless.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where, in bytes.
    pub at: usize,
    pub message: String,
    pub remedy: &'static str,
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokens { text, at: 0 }
    }

    /// The next tag; `None` at the end of the text.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, Fault> {
        loop {
            let Some(found) = memchr(b'<', after(self.text, self.at).as_bytes()) else {
                self.at = self.text.len();
                return Ok(None);
            };
            let start = self.at + found;
            match self.text.as_bytes().get(start + 1) {
                Some(b'/') => return self.close(start).map(Some),
                Some(b'?') => self.instruction(start)?,
                Some(b'!') => self.declaration(start)?,
                _ => return self.open(start).map(Some),
            }
        }
    }

    fn open(&mut self, start: usize) -> Result<Token<'a>, Fault> {
        let tag = after(self.text, start);
        let Some(length) = tag_length(tag.as_bytes()) else {
            return Err(cut_short(start, "a tag"));
        };
        let inside = tag.get(1..length - 1).unwrap_or_default();
        let (inside, kind) = match inside.strip_suffix('/') {
            Some(inside) => (inside, Kind::Empty),
            None => (inside, Kind::Open),
        };
        let name_end = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at_checked(name_end).unwrap_or_default();
        if name.is_empty() {
            return Err(Fault {
                at: start,
                message: "a < that starts no tag".to_owned(),
                remedy: "write &lt;",
            });
        }
        self.at = start + length;
        Ok(Token { kind, name, range: start..self.at, attributes })
    }

    fn close(&mut self, start: usize) -> Result<Token<'a>, Fault> {
        let tag = after(self.text, start);
        let Some(end) = memchr(b'>', tag.as_bytes()) else { return Err(cut_short(start, "a tag")) };
        self.at = start + end + 1;
        let name = tag.get(2..end).unwrap_or_default().trim_end();
        Ok(Token { kind: Kind::Close, name, range: start..self.at, attributes: "" })
    }

    /// Passes over a processing instruction; an XML declaration must not name another encoding.
    fn instruction(&mut self, start: usize) -> Result<(), Fault> {
        let inside = self.pass(start, "?>", "a processing instruction")?;
        let Some(declared) = inside.strip_prefix("<?xml ").and_then(|rest| rest.split_once("encoding"))
        else {
            return Ok(());
        };
        let quoted = declared.1.trim_start_matches(['=', ' ']);
        let name = quoted.get(1..).and_then(|rest| rest.split(['"', '\'']).next()).unwrap_or_default();
        if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") {
            return Ok(());
        }
        let message = format!("encoding is {name}, expected UTF-8");
        Err(Fault { at: start, message, remedy: "save the file as UTF-8" })
    }

    /// Passes over a comment or a CDATA section. A document type could define entities that grow
    /// without end, and SCAP has no use for one.
    fn declaration(&mut self, start: usize) -> Result<(), Fault> {
        let rest = after(self.text, start);
        if rest.starts_with("<!--") {
            self.pass(start, "-->", "a comment").map(drop)
        } else if rest.starts_with("<![CDATA[") {
            self.pass(start, "]]>", "a CDATA section").map(drop)
        } else {
            let message = "a document type declaration (DOCTYPE) is not allowed".to_owned();
            Err(Fault { at: start, message, remedy: "remove it: SCAP has no use for one" })
        }
    }

    fn pass(&mut self, start: usize, end: &str, what: &str) -> Result<&'a str, Fault> {
        // What starts a comment must not end it too, as in <!-->.
        let from = if end == "-->" { start + 4 } else { start + 2 };
        let Some(found) = memmem::find(after(self.text, from).as_bytes(), end.as_bytes()) else {
            return Err(cut_short(start, what));
        };
        self.at = from + found + end.len();
        Ok(self.text.get(start..from + found).unwrap_or_default())
    }
}

fn after(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn cut_short(at: usize, what: &str) -> Fault {
    let message = format!("the document ends inside {what}");
    Fault { at, message, remedy: "the file was cut short: fetch or write it again" }
}

/// Bytes of a start tag with its `<` and `>`; a `>` in quotes does not end it.
fn tag_length(tag: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr3(b'>', b'"', b'\'', tag.get(at..)?)?;
        match tag.get(found)? {
            b'>' => return Some(found + 1),
            quote => at = found + 1 + memchr(*quote, tag.get(found + 1..)?)? + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Result<String, String> {
        let mut tokens = Tokens::new(text);
        let mut told = Vec::new();
        while let Some(token) = tokens.next().map_err(|fault| format!("{}: {}", fault.at, fault.message))? {
            let sign = match token.kind {
                Kind::Open => "+",
                Kind::Empty => "=",
                Kind::Close => "-",
            };
            told.push(format!("{sign}{}{}", token.name, token.attributes));
        }
        Ok(told.join(" "))
    }

    #[test]
    fn tells_tags_from_what_looks_like_them() {
        for (text, expected) in [
            ("", ""),
            ("<a>x</a >", "+a -a"),
            ("<p:a b='>'\nc=\"'/>\"/>", "=p:a b='>'\nc=\"'/>\""),
            ("<!-- <a> --><b/><![CDATA[<c>]]><?pi <d>?>", "=b"),
            ("<?xml version=\"1.0\" encoding='UTF-8'?><a/>", "=a"),
        ] {
            assert_eq!(tags(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn says_what_ends_the_reading() {
        for (text, expected) in [
            ("<a", "0: the document ends inside a tag"),
            ("x</a", "1: the document ends inside a tag"),
            ("<a b='>", "0: the document ends inside a tag"),
            ("<!-->", "0: the document ends inside a comment"),
            ("< a>", "0: a < that starts no tag"),
            ("<!DOCTYPE a [<!ENTITY b 'b'>]>", "0: a document type declaration (DOCTYPE) is not allowed"),
            ("<?xml version='1.0' encoding='latin1'?>", "0: encoding is latin1, expected UTF-8"),
        ] {
            assert_eq!(tags(text), Err(expected.to_owned()), "{text}");
        }
    }
}
