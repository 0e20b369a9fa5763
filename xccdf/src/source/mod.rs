//! SCAP source content: data stream collections of SCAP 1.2 and 1.3, and XCCDF documents alone.
//!
//! [`SourceContent::new`] finds out where everything is and reads none of it; a [`Checklist`] reads what is asked for.
//! Nothing is fetched and no file opened: what a checklist refers to outside the content is told as
//! [`Document::Elsewhere`].
//!
//! | to find | look in |
//! |---|---|
//! | `.xz` and `.bz2` | `packed` |
//! | tags, and where things are | `token`, `outline` |
//! | data streams and what they use | [`DataStream`] |
//! | which checklist is meant | [`Choice`] |
//! | what a checklist consists of | [`Checklist`] |
//! | a document inside, for other readers | [`Fragment`] |

mod checklist;
mod choice;
mod collection;
mod fragment;
mod outline;
mod packed;
mod token;

use crate::error::{Error, Errors};
use crate::lines::Lines;
use crate::read::{Excerpt, Limits};
use outline::{Component, Outline, Part, position};
use std::collections::HashMap;

pub use checklist::{Checklist, Document};
pub use choice::Choice;
pub use collection::{ComponentRef, DataStream};
pub use fragment::Fragment;
pub(crate) use fragment::Spliced;
pub use packed::unpacked;

/// Source content in memory.
pub struct SourceContent {
    source: String,
    text: String,
    lines: Lines,
    limits: Limits,
    outline: Outline,
    streams: Vec<DataStream>,
    /// Where in the outline the component of an id is.
    components: HashMap<String, usize>,
}

impl std::fmt::Debug for SourceContent {
    /// Its name: what it holds is megabytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceContent").field("source", &self.source).finish_non_exhaustive()
    }
}

impl SourceContent {
    /// Takes in a file: a data stream collection, or an XCCDF benchmark; plain, `.xz` or `.bz2`, whatever its
    /// name. `source` is what messages call it, a file name most often.
    ///
    /// # Errors
    /// What cannot be unpacked, is larger than the limits (unpacked), not UTF-8, not well-formed, has a document
    /// type, or is something else.
    pub fn new(bytes: Vec<u8>, source: &str, limits: &Limits) -> Result<Self, Errors> {
        let bytes = packed::unpacked(bytes, source, limits.max_bytes)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
            Error::new(source, "not valid UTF-8")
                .at(position(&before, valid))
                .remedy("save the file as UTF-8")
        })?;
        let outline = Outline::new(&text, source, limits)?;
        let streams: Result<Vec<DataStream>, Error> = outline
            .streams
            .iter()
            .map(|part| {
                DataStream::read(&text, part).map_err(|fault| {
                    Error::new(source, fault.message)
                        .at(position(&text, part.range.start + fault.at))
                        .remedy(fault.remedy)
                })
            })
            .collect();
        let streams = streams?;
        let mut components = HashMap::new();
        for (n, component) in outline.components.iter().enumerate() {
            components.entry(component.id.clone()).or_insert(n);
        }
        let (source, limits) = (source.to_owned(), limits.clone());
        let lines = Lines::default();
        let content = SourceContent { source, text, lines, limits, outline, streams, components };
        content.understood()?;
        Ok(content)
    }

    /// Whether it is content at all.
    fn understood(&self) -> Result<(), Error> {
        let root = &self.outline.root;
        let known = match root.name.as_str() {
            "data-stream-collection" => {
                root.namespace.starts_with("http://scap.nist.gov/schema/scap/source/")
            }
            "Benchmark" => root.namespace == crate::NAMESPACE,
            _ => false,
        };
        if known {
            return Ok(());
        }
        let (message, remedy) = match root.namespace.strip_prefix("http://checklists.nist.gov/xccdf/") {
            None if root.name == "oval_definitions" => (
                "OVAL definitions alone, which nobody asks for".to_owned(),
                "give a benchmark with a rule that refers to them: docs/content.md, \"OVAL alone\"",
            ),
            Some("1.2") => (
                format!("an XCCDF {}, expected a benchmark", root.name),
                "give it where a choice is asked for",
            ),
            Some(version) => (
                format!("XCCDF {version}, expected XCCDF 1.2"),
                "convert it, for example with OpenSCAP's xccdf_1.1_to_1.2.xsl",
            ),
            None => (
                format!(
                    "neither a SCAP data stream nor an XCCDF benchmark: <{}> of {:?}",
                    root.name, root.namespace
                ),
                "give the file that holds the benchmark, such as ssg-…-ds.xml",
            ),
        };
        Err(Error::new(&self.source, message).at(position(&self.text, root.range.start)).remedy(remedy))
    }

    /// What messages call it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text, unpacked.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The data streams of a collection, in document order; none for an XCCDF document alone.
    pub fn streams(&self) -> &[DataStream] {
        &self.streams
    }

    /// Whether it is a data stream collection.
    pub fn is_collection(&self) -> bool {
        self.outline.root.name == "data-stream-collection"
    }

    /// The component with an id.
    fn component(&self, id: &str) -> Option<&Component> {
        self.outline.components.get(*self.components.get(id)?)
    }

    /// Reads a part.
    fn excerpt<'a>(&'a self, part: &Part, without: &'a [std::ops::Range<usize>]) -> Excerpt<'a> {
        Excerpt {
            text: &self.text,
            source: &self.source,
            range: part.range.clone(),
            without,
            declarations: self.outline.declarations(part.scope),
            position: self.lines.position(&self.text, part.range.start),
        }
    }

    /// Hands out the document of a component.
    fn fragment<'a>(&'a self, component: &'a Component, root: &Part) -> Fragment<'a> {
        Fragment {
            source: &self.source,
            text: self.text.get(root.range.clone()).unwrap_or_default(),
            whole: &self.text,
            offset: root.range.start,
            name: root.name.clone(),
            namespace: root.namespace.clone(),
            declarations: self.outline.declarations(root.scope),
            timestamp: component.timestamp.as_deref(),
        }
    }

    /// The root element as text.
    pub(crate) fn collection(&self) -> &str {
        self.text.get(self.outline.root.range.clone()).unwrap_or_default()
    }

    /// The namespace of the root element.
    pub(crate) fn collection_namespace(&self) -> &str {
        &self.outline.root.namespace
    }

    /// Where in [`SourceContent::collection`] another checklist of a data stream and another component go:
    /// components come before extended ones.
    pub(crate) fn insertion_points(&self, stream: &DataStream) -> (usize, usize) {
        let root = &self.outline.root.range;
        let end = self.collection().rfind("</").map_or(root.end, |found| root.start + found);
        let components = self.outline.components.iter().find(|component| component.extended);
        let components = components.map_or(end, |component| component.start);
        let refs = stream.checklists_end.unwrap_or(components);
        (refs.saturating_sub(root.start), components.saturating_sub(root.start))
    }
}
