//! Finds the tags of an XML text without making anything of them: what an index needs, at the speed of a search.
//!
//! It tells tags from comments, CDATA sections, processing instructions and quoted `>`; whether the document is well-formed
//! is found out by the reader of the parts that are used.

use memchr::{memchr, memchr2, memmem};
use std::ops::Range;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// The whole tag, angle brackets included.
    pub span: Range<usize>,
    /// The name with its prefix.
    pub name: Range<usize>,
    /// What it does.
    pub kind: Kind,
}

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `<a>`
    Open,
    /// `</a>`
    Close,
    /// `<a/>`
    Empty,
}

/// Where the scan has come to.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Over a part of a text.
    pub fn new(text: &'a str, part: Range<usize>) -> Self {
        let text = text.as_bytes();
        Scanner { text: text.get(..part.end).unwrap_or(text), at: part.start }
    }

    /// The next tag; `Err` holds where a construct starts that does not end.
    pub fn next(&mut self) -> Option<Result<Tag, usize>> {
        loop {
            let start = self.at + memchr(b'<', self.text.get(self.at..)?)?;
            let rest = self.text.get(start..)?;
            let skipped =
                [(&b"<!--"[..], &b"-->"[..]), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<!", b">")]
                    .into_iter()
                    .find(|(open, _)| rest.starts_with(open));
            if let Some((open, close)) = skipped {
                match memmem::find(rest.get(open.len()..)?, close) {
                    Some(found) => self.at = start + open.len() + found + close.len(),
                    None => {
                        self.at = self.text.len();
                        return Some(Err(start));
                    }
                }
                continue;
            }
            return Some(match tag_end(rest) {
                Some(length) => {
                    self.at = start + length;
                    Ok(tag(rest, start, length))
                }
                None => {
                    self.at = self.text.len();
                    Err(start)
                }
            });
        }
    }
}

/// The length of the tag that `rest` starts with; a `>` inside quotes does not end it.
fn tag_end(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let end = at + memchr(b'>', rest.get(at..)?)?;
        match memchr2(b'"', b'\'', rest.get(at..end)?) {
            None => return Some(end + 1),
            Some(quote) => {
                let open = at + quote;
                let mark = *rest.get(open)?;
                at = open + 1 + memchr(mark, rest.get(open + 1..)?)? + 1;
            }
        }
    }
}

fn tag(rest: &[u8], start: usize, length: usize) -> Tag {
    let byte = |at: usize| rest.get(at).copied().unwrap_or_default();
    let kind = match (byte(1), byte(length.saturating_sub(2))) {
        (b'/', _) => Kind::Close,
        (_, b'/') => Kind::Empty,
        _ => Kind::Open,
    };
    let from = if kind == Kind::Close { 2 } else { 1 };
    let ends = |c: &u8| c.is_ascii_whitespace() || matches!(c, b'/' | b'>');
    let name = rest.get(from..length).and_then(|name| name.iter().position(ends)).unwrap_or(0);
    Tag { span: start..start + length, name: start + from..start + from + name, kind }
}

/// The attributes of a tag, as written: name and value, entities not resolved.
pub(super) fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.trim_start_matches(|c: char| !c.is_whitespace());
    std::iter::from_fn(move || {
        let (name, after) = rest.trim_start().split_once('=')?;
        let after = after.trim_start();
        let mark = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(mark)?;
        rest = after;
        Some((name.trim_end(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut scanner = Scanner::new(text, 0..text.len());
        let mut found = Vec::new();
        while let Some(tag) = scanner.next() {
            found.push(match tag {
                Ok(tag) => format!("{:?} {}", tag.kind, &text[tag.name]),
                Err(at) => format!("Broken {at}"),
            });
        }
        found
    }

    #[test]
    fn tags_are_told_from_what_looks_like_them() {
        for (text, expected) in [
            ("<a x='1>2'><b/></a>", vec!["Open a", "Empty b", "Close a"]),
            ("<a y=\"'>\" z='\"'/>", vec!["Empty a"]),
            ("<!-- <x> --><?p <y> ?><![CDATA[<z>]]><p:a\n/>", vec!["Empty p:a"]),
            ("<a", vec!["Broken 0"]),
            ("<a><!-- ", vec!["Open a", "Broken 3"]),
            ("text", vec![]),
        ] {
            let mut found = names(text);
            found.truncate(expected.len());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn attributes_come_as_written() {
        let found: Vec<_> = attributes("<a:b id=\"oval:x:def:1\" c = 'd e'/>").collect();
        assert_eq!(found, [("id", "oval:x:def:1"), ("c", "d e")]);
        assert_eq!(attributes("<a>").count(), 0);
    }

    #[test]
    fn a_part_is_scanned_alone() {
        let text = "<a><b/></a>";
        let mut scanner = Scanner::new(text, 3..7);
        assert_eq!(scanner.next().unwrap().unwrap().span, 3..7);
        assert!(scanner.next().is_none());
    }
}
