//! An OVAL document: an index over its text; a definition, test, object, state or variable becomes a model when asked for.
//!
//! The text is scanned once for the places of its parts (`scan`). A part is read as XML (`xccdf`'s reader) and made into a
//! model ([`crate::model`]) each time it is asked for; who needs it often keeps it.

mod reach;
mod scan;

use crate::error::{Error, Result};
use crate::model::{Definition, Object, Schema, State, Test, Variable};
use scan::{Kind, Scanner, Tag, attributes};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use xccdf::{Element, Lines, Position};

/// The namespace of OVAL definitions; those of the schemas of its parts start with it.
pub const NAMESPACE: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";

/// What every id starts with (`oval-common-schema`, `DefinitionIDPattern` and the like).
const ID: &[u8] = b"oval:";

/// The most elements inside one another in a document.
const MAX_DEPTH: usize = 64;

/// An indexed OVAL document. Its text may be a part of a larger one.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    text: Cow<'t, str>,
    lines: Lines,
    index: Index,
}

/// Where the parts of a document are.
#[derive(Debug, Clone)]
struct Index {
    name: String,
    /// Namespace declarations around the parts: prefix and namespace.
    namespaces: Vec<(String, String)>,
    parts: HashMap<String, Part>,
    /// Ids of definitions, in document order.
    definitions: Vec<String>,
    /// The versions of the schemas it was written for: those of families by name, that of the core without one.
    schemas: HashMap<Option<String>, Schema>,
}

#[derive(Debug, Clone)]
struct Part {
    section: Section,
    span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Definitions,
    Tests,
    Objects,
    States,
    Variables,
}

impl Section {
    fn named(name: &str) -> Option<Section> {
        Some(match name {
            "definitions" => Section::Definitions,
            "tests" => Section::Tests,
            "objects" => Section::Objects,
            "states" => Section::States,
            "variables" => Section::Variables,
            _ => return None,
        })
    }

    fn what(self) -> &'static str {
        match self {
            Section::Definitions => "definition",
            Section::Tests => "test",
            Section::Objects => "object",
            Section::States => "state",
            Section::Variables => "variable",
        }
    }
}

impl<'t> Document<'t> {
    /// The one OVAL document in a text. `name` is what messages call it, a file name most often.
    ///
    /// # Errors
    /// When there is none, there are several, or the text is cut short.
    pub fn parse(text: impl Into<Cow<'t, str>>, name: &str) -> Result<Document<'t>> {
        let text = text.into();
        let mut found = Indexer::new(&text, name).run(0..text.len())?;
        match (found.pop(), found.is_empty()) {
            (Some(index), true) => Ok(Document { text, lines: Lines::default(), index }),
            (None, _) => {
                Err(Error::new(name, "no <oval_definitions>").remedy("give an OVAL definitions document"))
            }
            (Some(_), false) => Err(Error::new(name, "several OVAL documents in one file")
                .remedy("name the component of the data stream")),
        }
    }

    /// The OVAL document that is a part of a text: a component of a data stream, whose place is known. `namespaces` are those
    /// declared around it, prefix (empty for the default) and namespace. Nothing of the text is copied.
    ///
    /// # Errors
    /// When there is no OVAL document in that part, or it is cut short.
    pub fn component(
        text: &'t str,
        part: Range<usize>,
        namespaces: &[(&str, &str)],
        name: &str,
    ) -> Result<Document<'t>> {
        let owned = |(prefix, namespace): &(&str, &str)| ((*prefix).to_owned(), (*namespace).to_owned());
        let around = namespaces.iter().map(owned).collect();
        let found = Indexer { around, ..Indexer::new(text, name) }.run(part)?;
        let index = found.into_iter().next().ok_or_else(|| Error::new(name, "no <oval_definitions>"))?;
        Ok(Document { text: Cow::Borrowed(text), lines: Lines::default(), index })
    }

    /// Every OVAL document in a text, in order: a document alone, or the components of a SCAP data stream.
    ///
    /// # Errors
    /// When the text is cut short or nests too deep.
    pub fn find_all(text: &'t str, name: &str) -> Result<Vec<Document<'t>>> {
        let found = Indexer::new(text, name).run(0..text.len())?;
        let document = |index| Document { text: Cow::Borrowed(text), lines: Lines::default(), index };
        Ok(found.into_iter().map(document).collect())
    }

    /// What messages call the document.
    pub fn name(&self) -> &str {
        &self.index.name
    }

    /// The ids of its definitions, in document order.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.index.definitions.iter().map(String::as_str)
    }

    /// Whether it has a definition of this id.
    pub fn has_definition(&self, id: &str) -> bool {
        self.index.parts.get(id).is_some_and(|part| part.section == Section::Definitions)
    }

    /// A definition by id.
    ///
    /// # Errors
    /// When there is none, or it is not as OVAL wants it.
    pub fn definition(&self, id: &str) -> Result<Definition> {
        self.model(Section::Definitions, id, Definition::read)
    }

    /// A test by id; errors as [`Document::definition`].
    pub(crate) fn test(&self, id: &str) -> Result<Test> {
        self.model(Section::Tests, id, Test::read)
    }

    /// An object by id; errors as [`Document::definition`].
    pub(crate) fn object(&self, id: &str) -> Result<Object> {
        self.model(Section::Objects, id, Object::read)
    }

    /// A state by id; errors as [`Document::definition`].
    pub(crate) fn state(&self, id: &str) -> Result<State> {
        self.model(Section::States, id, State::read)
    }

    /// A variable by id; errors as [`Document::definition`].
    pub(crate) fn variable(&self, id: &str) -> Result<Variable> {
        self.model(Section::Variables, id, Variable::read)
    }

    /// The version of the schema of a family of objects that the document was written for.
    pub(crate) fn schema(&self, family: &str) -> Schema {
        let schemas = &self.index.schemas;
        let of = |family: Option<&str>| schemas.get(&family.map(str::to_owned)).copied();
        of(Some(family)).or_else(|| of(None)).unwrap_or(Schema::UNSAID)
    }

    /// An id as the document has it; `None` when it has no such part.
    pub(crate) fn own_id(&self, id: &str) -> Option<&str> {
        self.index.parts.get_key_value(id).map(|(own, _)| own.as_str())
    }

    /// Whether an id is that of an object.
    pub(crate) fn is_object(&self, id: &str) -> bool {
        self.index.parts.get(id).is_some_and(|part| part.section == Section::Objects)
    }

    /// The text of a part by id.
    pub(crate) fn text_of(&self, id: &str) -> Option<&str> {
        self.text.get(self.index.parts.get(id)?.span.clone())
    }

    /// The ids of parts that stand in a text, as an attribute or alone in an element. Finds all that a part refers to, and at times more.
    pub(crate) fn ids_in<'s>(&'s self, text: &'s str) -> impl Iterator<Item = &'s str> {
        memchr::memmem::find_iter(text.as_bytes(), ID).filter_map(move |at| {
            let rest = text.get(at..)?;
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<'))?;
            self.own_id(rest.get(..end)?)
        })
    }

    fn model<T>(
        &self,
        section: Section,
        id: &str,
        read: impl FnOnce(&Element) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let name = &self.index.name;
        let part = self.index.parts.get(id).filter(|part| part.section == section).ok_or_else(|| {
            Error::new(name, format!("there is no {} {id:?}", section.what()))
                .remedy("the document refers to a part it lacks: get it whole")
        })?;
        let fragment = self.text.get(part.span.clone()).unwrap_or_default();
        let place = self.lines.position(&self.text, part.span.start);
        let element = Element::parse(fragment, name, place, &self.index.namespaces)
            .map_err(|errors| errors.into_iter().next().unwrap_or_else(|| Error::new(name, "unreadable")))?;
        read(&element).map_err(|why| Error::new(name, why).at(place).about(&element.name))
    }
}

/// Walks over the tags of a text and notes where the parts of its OVAL documents are.
struct Indexer<'t> {
    text: &'t str,
    name: String,
    /// Namespaces declared around what is indexed.
    around: Vec<(String, String)>,
    /// Names of the open elements, with the namespaces they declare.
    open: Vec<Open>,
    found: Vec<Index>,
    /// Depth of the OVAL document that is open, and of the part that is.
    document: Option<usize>,
    part: Option<(usize, usize, String, Section)>,
}

struct Open {
    local: String,
    namespaces: Vec<(String, String)>,
}

impl<'t> Indexer<'t> {
    fn new(text: &'t str, name: &str) -> Self {
        let name = name.to_owned();
        Indexer {
            text,
            name,
            around: Vec::new(),
            open: Vec::new(),
            found: Vec::new(),
            document: None,
            part: None,
        }
    }

    fn run(mut self, part: Range<usize>) -> Result<Vec<Index>> {
        let text = self.text;
        let mut scanner = Scanner::new(text, part.clone());
        while let Some(tag) = scanner.next() {
            let tag = tag.map_err(|at| self.error(at, "the document ends inside a tag or comment"))?;
            if tag.kind == Kind::Close {
                self.close(tag.span.end)?;
            } else {
                self.start(text, &tag)?;
            }
        }
        if let Some(open) = self.open.last() {
            return Err(self.error(part.end, &format!("the document ends before </{}>", open.local)));
        }
        Ok(self.found)
    }

    fn start(&mut self, text: &str, tag: &Tag) -> Result<()> {
        let whole = text.get(tag.span.clone()).unwrap_or_default();
        if self.part.is_none() {
            self.enter(text, tag, whole);
        }
        if tag.kind == Kind::Open {
            if self.open.len() >= MAX_DEPTH {
                return Err(self.error(tag.span.start, &format!("elements nest deeper than {MAX_DEPTH}")));
            }
            // Inside a part nobody looks at names: its own reading will.
            let open = if self.part.is_some() {
                Open { local: String::new(), namespaces: Vec::new() }
            } else {
                Open { local: local(text, tag).to_owned(), namespaces: declarations(whole) }
            };
            self.open.push(open);
        } else {
            self.end_part(tag.span.end);
        }
        Ok(())
    }

    /// Notes the start of an OVAL document or of a part of one.
    fn enter(&mut self, text: &str, tag: &Tag, whole: &str) {
        let depth = self.open.len();
        match self.document {
            None if local(text, tag) == "oval_definitions" && tag.kind == Kind::Open => {
                let mut namespaces = self.around.clone();
                namespaces.extend(self.open.iter().flat_map(|open| open.namespaces.clone()));
                namespaces.extend(declarations(whole));
                self.document = Some(depth);
                self.found.push(Index {
                    name: self.name.clone(),
                    namespaces,
                    parts: HashMap::new(),
                    definitions: Vec::new(),
                    schemas: HashMap::new(),
                });
            }
            Some(document) if depth == document + 1 => {
                if let Some(found) = self.found.last_mut() {
                    found.namespaces.extend(declarations(whole));
                }
            }
            Some(document) if depth == document + 2 && local(text, tag) == "schema_version" => {
                let said = text.get(tag.span.end..).and_then(|rest| rest.split('<').next());
                let platform = attributes(whole).find(|(name, _)| *name == "platform");
                let family = platform.and_then(|(_, platform)| Some(platform.rsplit_once('#')?.1.to_owned()));
                if let (Some(found), true) = (self.found.last_mut(), platform.is_none() || family.is_some()) {
                    found.schemas.insert(family, Schema::read(said.unwrap_or_default()));
                }
            }
            Some(document) if depth == document + 2 => {
                let section = self.open.last().and_then(|open| Section::named(&open.local));
                let id = attributes(whole).find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned());
                if let (Some(section), Some(id)) = (section, id) {
                    self.part = Some((depth, tag.span.start, id, section));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, end: usize) -> Result<()> {
        if self.open.pop().is_none() {
            return Err(self.error(end, "an end tag without a start"));
        }
        self.end_part(end);
        if self.document == Some(self.open.len()) {
            self.document = None;
        }
        Ok(())
    }

    fn end_part(&mut self, end: usize) {
        let depth = self.open.len();
        if let Some((_, start, id, section)) = self.part.take_if(|part| part.0 == depth)
            && let Some(index) = self.found.last_mut()
        {
            if section == Section::Definitions {
                index.definitions.push(id.clone());
            }
            index.parts.insert(id, Part { section, span: start..end });
        }
    }

    fn error(&self, at: usize, message: &str) -> Error {
        let before = self.text.get(..at).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Error::new(&self.name, message)
            .at(Position { line, column: 1 })
            .remedy("the file was cut short: fetch or write it again")
    }
}

fn local<'a>(text: &'a str, tag: &Tag) -> &'a str {
    let name = text.get(tag.name.clone()).unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

/// The namespaces a tag declares.
fn declarations(tag: &str) -> Vec<(String, String)> {
    let prefix = |name: &str| match name.strip_prefix("xmlns") {
        Some("") => Some(String::new()),
        Some(rest) => rest.strip_prefix(':').map(str::to_owned),
        None => None,
    };
    attributes(tag).filter_map(|(name, value)| Some((prefix(name)?, value.to_owned()))).collect()
}
