//! A pull parser for XCCDF: elements in, one at a time, with their namespace and place.
//!
//! Two kinds of mistake are told apart. What makes the rest of the document meaningless (it is not
//! well-formed, too deep, too large, has a DTD) ends the reading: it is the `Err` of [`Read`]. What
//! is wrong in itself only (an unknown element, a missing attribute) is gathered by
//! [`Cursor::mistake`], so that all such mistakes are told at once.

use super::excerpt::Excerpt;
use super::source::Source;
use super::tag::Tag;
use super::{Limits, MISTAKES_TOLD};
use crate::error::{Error, Errors, Position};
use crate::id;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::NsReader;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, ErrorKind};
use std::sync::Arc;

/// The outcome of reading: an error ends it.
pub(super) type Read<T> = Result<T, Error>;

/// What comes next inside an element.
pub(super) enum Step {
    /// A child starts.
    Open(Tag),
    /// The element ends.
    Close,
    /// Text was appended to the buffer given.
    Text,
}

pub(super) struct Cursor<'a> {
    reader: NsReader<Source<'a>>,
    buffer: Vec<u8>,
    source: String,
    limits: Limits,
    /// Places of the open elements, and where their names start in `names`.
    open: Vec<(Position, usize)>,
    names: String,
    scratch: String,
    /// Ids defined so far.
    ids: HashMap<String, Position>,
    /// Texts that occur many times.
    shared: HashSet<Arc<str>>,
    mistakes: Errors,
}

impl<'a> Cursor<'a> {
    pub fn new(input: Box<dyn BufRead + 'a>, source: &str, limits: &Limits) -> Self {
        Self::over(Source::new(input, limits.max_bytes), source, limits)
    }

    /// Reads a part of a document; the first step opens an element that only declares namespaces.
    pub fn excerpt(excerpt: &Excerpt<'a>, limits: &Limits) -> Self {
        let bytes = Source::pieces(excerpt.pieces(), excerpt.position, limits.max_bytes);
        Self::over(bytes, excerpt.source, limits)
    }

    fn over(bytes: Source<'a>, source: &str, limits: &Limits) -> Self {
        let mut reader = NsReader::from_reader(bytes);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Cursor {
            reader,
            buffer: Vec::new(),
            source: source.to_owned(),
            limits: limits.clone(),
            open: Vec::new(),
            names: String::new(),
            scratch: String::new(),
            ids: HashMap::new(),
            shared: HashSet::new(),
            mistakes: Errors::default(),
        }
    }

    /// Ends the reading of a document: its value, or every mistake gathered.
    pub fn finish<T>(mut self, read: Read<T>) -> Result<T, Errors> {
        match read {
            Ok(value) => self.mistakes.none_or(value),
            Err(error) => {
                self.mistakes.push(error);
                Err(self.mistakes)
            }
        }
    }

    /// Gathers a mistake.
    pub fn mistake(&mut self, tag: &Tag, message: impl Into<String>, remedy: impl Into<String>) {
        let told = self.mistakes.0.len();
        if told < MISTAKES_TOLD {
            let error = Error::new(&self.source, message).at(tag.position).about(&tag.name);
            self.mistakes.push(error.remedy(remedy));
        } else if told == MISTAKES_TOLD {
            self.mistakes.push(Error::new(&self.source, "there are more mistakes, not listed"));
        }
    }

    /// An error that ends the reading, at a place.
    pub fn fatal(&self, at: Position, message: impl Into<String>, remedy: &str) -> Error {
        let element = self.innermost().map_or("", |(name, _)| name);
        Error::new(&self.source, message).at(at).about(element).remedy(remedy)
    }

    /// Takes the id of the thing a tag defines: of the right kind and form, and not used before.
    pub fn define(&mut self, tag: &mut Tag, kind: id::Kind) -> String {
        let own = self.required(tag, "id");
        if !own.is_empty() && id::kind_of(&own) != Some(kind) {
            let remedy = format!("write it as {}", kind.id("NAMESPACE", id::short_id(&own)));
            self.mistake(tag, format!("{own:?} is not the id of a {kind}"), remedy);
        }
        self.define_any(tag, &own);
        own
    }

    /// Notes an id, and that it was not used before.
    pub fn define_any(&mut self, tag: &Tag, own: &str) {
        if own.is_empty() {
            return;
        }
        if let Some(first) = self.ids.insert(own.to_owned(), tag.position) {
            let message = format!("id {own:?} is already taken at line {}", first.line);
            self.mistake(tag, message, "every id may be defined once");
        }
    }

    /// The one copy of a text that occurs many times.
    pub fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.shared.insert(Arc::clone(&new));
        new
    }

    /// The next step. Text is appended to `text`.
    pub fn step(&mut self, text: &mut String) -> Read<Step> {
        loop {
            let at = self.reader.get_ref().position();
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.malformed(at, &error)),
            };
            let from = text.len();
            match event {
                // `Empty` does not come: such elements are expanded to a start and an end.
                Event::Start(start) | Event::Empty(start) => {
                    let tag = Tag::new(self.reader.resolver(), &start, at);
                    let tag = tag.map_err(|why| self.fatal(at, why, ""))?;
                    return self.opened(tag).map(Step::Open);
                }
                Event::End(_) => {
                    if let Some((_, name)) = self.open.pop() {
                        self.names.truncate(name);
                    }
                    return Ok(Step::Close);
                }
                Event::Text(piece) => text.push_str(&piece.xml10_content()),
                Event::CData(piece) => text.push_str(&piece.xml10_content()),
                Event::GeneralRef(reference) => match resolve(&reference) {
                    Some(Ok(c)) => text.push_str(c.encode_utf8(&mut [0; 4])),
                    Some(Err(named)) => text.push_str(named),
                    None => {
                        let message = format!("unknown entity &{};", &*reference);
                        return Err(self.fatal(at, message, "write the character itself"));
                    }
                },
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(declaration) => {
                    if let Some(Ok(encoding)) = declaration.encoding()
                        && !encoding.eq_ignore_ascii_case("utf-8")
                        && !encoding.eq_ignore_ascii_case("us-ascii")
                    {
                        let message = format!("encoding is {encoding}, expected UTF-8");
                        return Err(self.fatal(at, message, "save the file as UTF-8"));
                    }
                    continue;
                }
                Event::DocType(_) => {
                    let message = "a document type declaration (DOCTYPE) is not allowed";
                    return Err(self.fatal(at, message, "remove it: XCCDF has no use for one"));
                }
                Event::Eof => return Err(self.cut_short(at)),
            }
            if let Some(bad) = text.get(from..).and_then(disallowed) {
                return Err(self.fatal(at, format!("{bad:?} is not allowed in XML"), ""));
            }
            return Ok(Step::Text);
        }
    }

    fn opened(&mut self, tag: Tag) -> Read<Tag> {
        if self.open.len() >= self.limits.max_depth {
            let message = format!("elements nest deeper than {}", self.limits.max_depth);
            return Err(self.fatal(tag.position, message, ""));
        }
        self.open.push((tag.position, self.names.len()));
        self.names.push_str(&tag.name);
        Ok(tag)
    }

    /// Name and place of the innermost open element.
    fn innermost(&self) -> Option<(&str, Position)> {
        let (position, name) = self.open.last()?;
        Some((self.names.get(*name..)?, *position))
    }

    fn cut_short(&self, at: Position) -> Error {
        match self.innermost() {
            Some((name, start)) => {
                let message = format!("the document ends before </{name}> of line {}", start.line);
                self.fatal(at, message, "the file was cut short: fetch or write it again")
            }
            None => self.fatal(at, "the document is empty", ""),
        }
    }

    fn malformed(&self, at: Position, error: &quick_xml::Error) -> Error {
        match error {
            quick_xml::Error::Io(io) if io.kind() == ErrorKind::FileTooLarge => {
                too_large(&self.source, self.limits.max_bytes)
            }
            quick_xml::Error::Io(io) => self.fatal(at, format!("cannot be read: {io}"), ""),
            quick_xml::Error::Encoding(_) => self.fatal(at, "not valid UTF-8", "save the file as UTF-8"),
            other => self.fatal(at, format!("not well-formed XML: {other}"), ""),
        }
    }

    /// The root element, its namespace checked.
    pub fn root(&mut self, expected: &str) -> Read<Tag> {
        let mut text = String::new();
        let tag = loop {
            let at = self.reader.get_ref().position();
            match self.step(&mut text)? {
                Step::Open(tag) => break tag,
                Step::Text if text.trim().is_empty() => text.clear(),
                Step::Text | Step::Close => {
                    return Err(self.fatal(at, "text before the root element", "is this XML?"));
                }
            }
        };
        if tag.xccdf && tag.name == expected {
            return Ok(tag);
        }
        Err(super::wrong_root(&self.source, &tag, expected))
    }

    /// Makes sure that nothing but comments follows the root element.
    pub fn end(&mut self) -> Read<()> {
        loop {
            let at = self.reader.get_ref().position();
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Eof) => return Ok(()),
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::Text(text)) if text.trim().is_empty() => {}
                Ok(_) => return Err(self.fatal(at, "content after the root element", "")),
                Err(error) => return Err(self.malformed(at, &error)),
            }
        }
    }

    /// A buffer for text: the last one used, or a new one.
    pub fn scratch(&mut self) -> String {
        std::mem::take(&mut self.scratch)
    }

    /// The text of a buffer in just the space it needs; the buffer is used again.
    pub fn kept(&mut self, mut buffer: String) -> String {
        let text = buffer.as_str().to_owned();
        buffer.clear();
        self.scratch = buffer;
        text
    }
}

/// The error of a document over its size limit.
pub(crate) fn too_large(source: &str, max_bytes: u64) -> Error {
    Error::new(source, format!("larger than {max_bytes} bytes"))
        .remedy("no document of this kind is meant to be so large: is it the right file?")
}

/// The character of a character reference, or the text of one of XML's five entities.
fn resolve(reference: &BytesRef<'_>) -> Option<Result<char, &'static str>> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(Ok(c)),
        Ok(None) => resolve_predefined_entity(reference).map(Err),
        Err(_) => None,
    }
}

/// The first character that XML 1.0 does not allow (its production 2).
pub(crate) fn disallowed(text: &str) -> Option<char> {
    // Nearly every text is spared the slower look at its characters: 0xEF starts U+FFFE and U+FFFF.
    let suspect = |byte: u8| (byte < 0x20) & !matches!(byte, b'\t' | b'\n' | b'\r') | (byte == 0xEF);
    if !text.bytes().fold(false, |found, byte| found | suspect(byte)) {
        return None;
    }
    text.chars().find(|c| match c {
        '\t' | '\n' | '\r' => false,
        c => *c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}'),
    })
}

/// The version whose rules for white space and line ends apply.
pub(super) const XML_VERSION: XmlVersion = XmlVersion::Implicit1_0;
