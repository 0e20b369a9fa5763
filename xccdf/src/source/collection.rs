//! The data streams of a collection (SP 800-126 section 3.1): which components they use, and under which names.

use super::outline::{Part, attribute};
use super::token::{Fault, Kind, Tokens};

/// A data stream: a benchmark with all it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataStream {
    /// Id.
    pub id: String,
    /// Version of SCAP, `1.2` or `1.3`.
    pub scap_version: String,
    /// What it is for, `CONFIGURATION` or `OTHER`, say.
    pub use_case: String,
    /// When it was made, RFC 3339 but for the time zone.
    pub timestamp: Option<String>,
    /// Dictionaries of platforms.
    pub dictionaries: Vec<ComponentRef>,
    /// Benchmarks, and tailorings.
    pub checklists: Vec<ComponentRef>,
    /// What they refer to: OVAL, OCIL, scripts.
    pub checks: Vec<ComponentRef>,
    /// Where `checklists` ends in the text, for another to be added.
    pub(crate) checklists_end: Option<usize>,
}

/// A component as a data stream uses it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComponentRef {
    /// Id.
    pub id: String,
    /// Where the component is: `#id` for one of the collection, else a URL.
    pub href: String,
    /// What the names in the component stand for: name, `#id` of another reference.
    pub catalog: Vec<(String, String)>,
}

impl ComponentRef {
    /// The id of the component, if it is in the collection.
    pub fn component(&self) -> Option<&str> {
        self.href.strip_prefix('#')
    }
}

impl DataStream {
    /// The reference with an id, of whatever kind.
    pub fn reference(&self, id: &str) -> Option<&ComponentRef> {
        self.references().find(|reference| reference.id == id)
    }

    /// All references.
    pub fn references(&self) -> impl Iterator<Item = &ComponentRef> {
        self.dictionaries.iter().chain(&self.checklists).chain(&self.checks)
    }

    /// Reads the data stream at a place of the text.
    pub(super) fn read(text: &str, part: &Part) -> Result<Self, Fault> {
        let inside = text.get(part.range.clone()).unwrap_or_default();
        let mut tokens = Tokens::new(inside);
        let mut stream = DataStream::default();
        // The kind of references that are read, a copy of its end tag's name being enough to tell it.
        let mut list = String::new();
        while let Some(token) = tokens.next()? {
            let (_, local) = token.name.split_once(':').unwrap_or(("", token.name));
            let said = |name| attribute(token.attributes, name);
            match (token.kind, local) {
                (Kind::Close, "checklists") => {
                    stream.checklists_end = Some(part.range.start + token.range.start);
                }
                (Kind::Close, _) => {}
                (_, "data-stream") => {
                    stream.id = said("id").unwrap_or_default();
                    stream.scap_version = said("scap-version").unwrap_or_default();
                    stream.use_case = said("use-case").unwrap_or_default();
                    stream.timestamp = said("timestamp");
                }
                (_, "dictionaries" | "checklists" | "checks" | "extended-components") => {
                    local.clone_into(&mut list);
                }
                (_, "component-ref") => {
                    let (id, href) = (said("id").unwrap_or_default(), said("href").unwrap_or_default());
                    stream.list(&list).push(ComponentRef { id, href, catalog: Vec::new() });
                }
                (_, "uri") => {
                    let entry = (said("name").unwrap_or_default(), said("uri").unwrap_or_default());
                    if let Some(reference) = stream.list(&list).last_mut() {
                        reference.catalog.push(entry);
                    }
                }
                _ => {}
            }
        }
        Ok(stream)
    }

    fn list(&mut self, name: &str) -> &mut Vec<ComponentRef> {
        match name {
            "dictionaries" => &mut self.dictionaries,
            "checklists" => &mut self.checklists,
            _ => &mut self.checks,
        }
    }
}
