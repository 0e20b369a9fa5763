//! Documents in. One file per element family; each function gets a start tag and reads the element
//! to its end.
//!
//! To read one more element, add its name to the `match` of its parent. Elements of the standard
//! that the library has no use for are named there too and passed over; any other is a mistake.

mod benchmark;
mod check;
mod cursor;
mod excerpt;
mod group;
mod head;
mod inside;
mod profile;
mod result;
mod rule;
mod source;
mod tag;
mod tailoring;
mod value;

use crate::element::Element;
use crate::error::{Error, Errors};
use crate::result::Recorded;
use crate::rule::Rule;
use crate::{Benchmark, NAMESPACE, Tailoring};
use cursor::{Cursor, Read, Step};
use std::io::BufRead;
use tag::Tag;

pub(crate) use cursor::{disallowed, too_large};
pub(crate) use excerpt::Excerpt;
pub(crate) use tag::XML_NAMESPACE;

/// How much a document may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a document; 64 MiB by default.
    pub max_bytes: u64,
    /// Most elements inside one another; 64 by default.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 64 << 20, max_depth: 64 }
    }
}

/// Mistakes told about one document before the rest is summed up.
const MISTAKES_TOLD: usize = 50;

impl Benchmark {
    /// Reads a benchmark. `source` is what messages call the document, a file name most often.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line.
    pub fn parse(document: &[u8], source: &str) -> Result<Self, Errors> {
        Self::parse_within(document, source, &Limits::default())
    }

    /// As [`Benchmark::parse`], within limits of the caller's choice.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line.
    pub fn parse_within(document: &[u8], source: &str, limits: &Limits) -> Result<Self, Errors> {
        sized(document, source, limits)?;
        Self::read(document, source, limits)
    }

    /// As [`Benchmark::parse`], from a stream, holding no more of it than one element at a time.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line; the stream's own errors.
    pub fn read(document: impl BufRead, source: &str, limits: &Limits) -> Result<Self, Errors> {
        document_of(document, source, limits, "Benchmark", benchmark::read)
    }
}

impl Tailoring {
    /// Reads a tailoring. `source` is what messages call the document, a file name most often.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line.
    pub fn parse(document: &[u8], source: &str) -> Result<Self, Errors> {
        Self::parse_within(document, source, &Limits::default())
    }

    /// As [`Tailoring::parse`], within limits of the caller's choice.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line.
    pub fn parse_within(document: &[u8], source: &str, limits: &Limits) -> Result<Self, Errors> {
        sized(document, source, limits)?;
        Self::read(document, source, limits)
    }

    /// As [`Tailoring::parse`], from a stream.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line; the stream's own errors.
    pub fn read(document: impl BufRead, source: &str, limits: &Limits) -> Result<Self, Errors> {
        document_of(document, source, limits, "Tailoring", tailoring::read)
    }
}

impl Recorded {
    /// Reads results from a stream: a `TestResult` alone, a benchmark with results in it, or an ARF. No more is held than the
    /// results themselves and the titles of the rules.
    ///
    /// # Errors
    /// Every mistake in the results, each with its line; the stream's own errors.
    pub fn read(document: impl BufRead, source: &str, limits: &Limits) -> Result<Self, Errors> {
        let mut cursor = Cursor::new(Box::new(document), source, limits);
        let outcome = result::document(&mut cursor);
        cursor.finish(outcome)
    }
}

fn sized(document: &[u8], source: &str, limits: &Limits) -> Result<(), Errors> {
    if document.len() as u64 > limits.max_bytes {
        return Err(too_large(source, limits.max_bytes).into());
    }
    Ok(())
}

/// Reads a whole document with this root element.
fn document_of<T>(
    document: impl BufRead,
    source: &str,
    limits: &Limits,
    root: &str,
    read: impl FnOnce(&mut Cursor<'_>, Tag, &str) -> Read<T>,
) -> Result<T, Errors> {
    let mut cursor = Cursor::new(Box::new(document), source, limits);
    let outcome = (|| {
        let tag = cursor.root(root)?;
        let value = read(&mut cursor, tag, source)?;
        cursor.end()?;
        Ok(value)
    })();
    cursor.finish(outcome)
}

/// Reads the benchmark that an excerpt is of.
pub(crate) fn benchmark(excerpt: &Excerpt<'_>, limits: &Limits) -> Result<Benchmark, Errors> {
    excerpt_of(excerpt, limits, |cursor, tag| {
        if tag.xccdf_name() != "Benchmark" {
            return Err(wrong_root(excerpt.source, &tag, "Benchmark"));
        }
        benchmark::read(cursor, tag, excerpt.source)
    })
}

/// Reads the tailoring that an excerpt is of.
pub(crate) fn tailoring(excerpt: &Excerpt<'_>, limits: &Limits) -> Result<Tailoring, Errors> {
    excerpt_of(excerpt, limits, |cursor, tag| {
        if tag.xccdf_name() != "Tailoring" {
            return Err(wrong_root(excerpt.source, &tag, "Tailoring"));
        }
        tailoring::read(cursor, tag, excerpt.source)
    })
}

/// Reads the rule that an excerpt is of.
pub(crate) fn rule(excerpt: &Excerpt<'_>, limits: &Limits) -> Result<Rule, Errors> {
    excerpt_of(excerpt, limits, rule::read)
}

/// Reads the element that an excerpt is of, as it is.
pub(crate) fn element(excerpt: &Excerpt<'_>, limits: &Limits) -> Result<Element, Errors> {
    excerpt_of(excerpt, limits, |cursor, tag| cursor.element(tag))
}

/// Reads the element that an excerpt is of.
fn excerpt_of<T>(
    excerpt: &Excerpt<'_>,
    limits: &Limits,
    read: impl FnOnce(&mut Cursor<'_>, Tag) -> Read<T>,
) -> Result<T, Errors> {
    let mut cursor = Cursor::excerpt(excerpt, limits);
    let outcome = (|| {
        let mut text = String::new();
        // The first element declares namespaces, the second is what is wanted.
        let mut declared = false;
        loop {
            match cursor.step(&mut text)? {
                Step::Open(tag) if declared => return read(&mut cursor, tag),
                Step::Open(_) => declared = true,
                Step::Text | Step::Close => {}
            }
        }
    })();
    cursor.finish(outcome)
}

/// The error of a root element that is not the expected one.
fn wrong_root(source: &str, tag: &Tag, expected: &str) -> Error {
    let old_version = tag.namespace.strip_prefix("http://checklists.nist.gov/xccdf/");
    let (message, remedy) = if let Some(version) = old_version {
        let message = format!("XCCDF {version}, expected XCCDF 1.2");
        (message, "convert it, for example with OpenSCAP's xccdf_1.1_to_1.2.xsl".to_owned())
    } else if tag.xccdf {
        let message = format!("an XCCDF {}, expected a {expected}", tag.name);
        (message, format!("give a file whose root element is <{expected}>"))
    } else if tag.name == "data-stream-collection" {
        let message = format!("a SCAP source data stream, expected an XCCDF {expected}");
        (message, format!("give a file whose root element is <{expected}>"))
    } else if tag.name == expected {
        let message = format!("of namespace {:?}, expected {NAMESPACE}", tag.namespace);
        (message, format!("declare it on the root element: xmlns={NAMESPACE:?}"))
    } else {
        let message = format!("not XCCDF: the root element is of namespace {:?}", tag.namespace);
        (message, format!("give a file whose root element is <{expected}> of {NAMESPACE}"))
    };
    Error::new(source, message).at(tag.position).about(&tag.name).remedy(remedy)
}
