//! A benchmark in its data stream: what it says, and where what it refers to is.

use super::SourceContent;
use super::collection::{ComponentRef, DataStream};
use super::fragment::Fragment;
use super::outline::{Component, Part, attribute};
use super::token::{Kind, Tokens};
use crate::benchmark::Benchmark;
use crate::cpe::{self, Dictionary, Platforms, Specification};
use crate::error::{Error, Errors};
use crate::id::short_id;
use crate::read;
use crate::rule::{Reference, Rule};
use crate::tailoring::Tailoring;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// A benchmark in its content.
pub struct Checklist<'a> {
    content: &'a SourceContent,
    component: &'a Component,
    root: &'a Part,
    stream: Option<(&'a DataStream, &'a ComponentRef)>,
    /// What the names in the benchmark and the dictionaries stand for. Of two that are alike the one of the
    /// benchmark counts.
    names: BTreeMap<&'a str, &'a ComponentRef>,
}

/// Where a document is that a benchmark or a dictionary refers to.
#[derive(Debug, Clone, PartialEq)]
pub enum Document<'a> {
    /// In the content.
    Here(Fragment<'a>),
    /// Outside: a URL in a data stream, a path beside an XCCDF document alone. A URL is not fetched, and
    /// checks that refer to it are notchecked, unless the caller has the document at hand.
    Elsewhere(&'a str),
    /// Nobody knows: no catalog has the name, or it leads nowhere.
    Unknown,
}

impl<'a> Checklist<'a> {
    pub(super) fn new(
        content: &'a SourceContent,
        component: &'a Component,
        stream: Option<(&'a DataStream, &'a ComponentRef)>,
    ) -> Result<Self, Error> {
        let what = || stream.map_or_else(String::new, |(_, reference)| format!(" {:?}", reference.id));
        let known = |root: &&Part| root.name == "Benchmark" && root.namespace == crate::NAMESPACE;
        let Some(root) = component.root.as_ref().filter(known) else {
            let found = component.root.as_ref().map_or_else(
                || "nothing".to_owned(),
                |root| format!("<{}> of {:?}", root.name, root.namespace),
            );
            let message = format!("checklist{} is {found}, expected an XCCDF 1.2 benchmark", what());
            return Err(Error::new(content.source(), message).remedy("choose another checklist"));
        };
        let mut checklist = Checklist { content, component, root, stream, names: BTreeMap::new() };
        if let Some((stream, reference)) = stream {
            let mut known = HashMap::new();
            for reference in stream.references() {
                known.entry(reference.id.as_str()).or_insert(reference);
            }
            for reference in std::iter::once(reference).chain(&stream.dictionaries) {
                checklist.register(&known, reference)?;
            }
        }
        Ok(checklist)
    }

    /// Notes the names of a catalog, and of the catalogs of what they stand for.
    fn register(
        &mut self,
        known: &HashMap<&'a str, &'a ComponentRef>,
        reference: &'a ComponentRef,
    ) -> Result<(), Error> {
        let mut open = vec![reference];
        let mut visited = HashSet::new();
        while let Some(reference) = open.pop() {
            if !visited.insert(reference.id.as_str()) {
                continue;
            }
            for (name, uri) in &reference.catalog {
                let Some(target) = uri.strip_prefix('#').and_then(|id| known.get(id)) else {
                    let message =
                        format!("the catalog of {:?} refers to {uri:?}, which is not there", reference.id);
                    return Err(Error::new(self.content.source(), message)
                        .remedy("the file is damaged, or was cut from a larger one"));
                };
                self.names.entry(name).or_insert(target);
                if !target.catalog.is_empty() {
                    open.push(target);
                }
            }
        }
        Ok(())
    }

    /// The data stream it is of; `None` for an XCCDF document alone.
    pub fn stream(&self) -> Option<&'a DataStream> {
        self.stream.map(|(stream, _)| stream)
    }

    /// The reference by which its data stream has it.
    pub fn reference(&self) -> Option<&'a ComponentRef> {
        self.stream.map(|(_, reference)| reference)
    }

    /// Where the benchmark is, for results: `#component` in a collection, else what the content is called.
    pub fn href(&self) -> &'a str {
        self.stream.map_or_else(|| self.content.source(), |(_, reference)| &reference.href)
    }

    /// The content it is of.
    pub fn content(&self) -> &'a SourceContent {
        self.content
    }

    /// The benchmark's text, from its start to its end.
    pub fn fragment(&self) -> Fragment<'a> {
        self.content.fragment(self.component, self.root)
    }

    /// Reads the benchmark without what evaluation has no use for: descriptions, rationales, fixes, references,
    /// warnings and metadata are left out, as if they were not there. [`Checklist::rule`] has them.
    ///
    /// # Errors
    /// Every mistake in what is read, each with its line.
    pub fn benchmark(&self) -> Result<Benchmark, Errors> {
        read::benchmark(&self.content.excerpt(self.root, &self.component.prose), &self.content.limits)
    }

    /// Reads the benchmark with everything in it.
    ///
    /// # Errors
    /// Every mistake in the document, each with its line.
    pub fn whole_benchmark(&self) -> Result<Benchmark, Errors> {
        read::benchmark(&self.content.excerpt(self.root, &[]), &self.content.limits)
    }

    /// Reads the rule with this full or short id, with everything in it but what it inherits.
    ///
    /// # Errors
    /// Every mistake in the rule, each with its line.
    pub fn rule(&self, id: &str) -> Result<Option<Rule>, Errors> {
        let Some(part) = self.rule_part(id) else { return Ok(None) };
        read::rule(&self.content.excerpt(part, &[]), &self.content.limits).map(Some)
    }

    /// Reads the references of the rule with this full or short id, and little else of it: much faster than
    /// [`Checklist::rule`], of which fixes are the greatest part. None when there is no such rule.
    ///
    /// # Errors
    /// Every mistake in them, each with its line.
    pub fn references(&self, id: &str) -> Result<Vec<Reference>, Errors> {
        let Some(part) = self.rule_part(id) else { return Ok(Vec::new()) };
        let others = children(&self.content.text, part, |name| !matches!(name, "title" | "reference"));
        let rule = read::rule(&self.content.excerpt(part, &others), &self.content.limits)?;
        Ok(rule.head.references)
    }

    fn rule_part(&self, id: &str) -> Option<&'a Part> {
        let rules = || self.component.items.iter().filter(|entry| entry.part.name == "Rule");
        let exact = rules().find(|entry| entry.id == id);
        let found = exact.or_else(|| rules().find(|entry| short_id(&entry.id) == short_id(id)));
        found.map(|entry| &entry.part)
    }

    /// The tailorings that the data stream carries as checklists, by the id of their reference.
    ///
    /// # Errors
    /// Every mistake in them, each with its line.
    pub fn tailorings(&self) -> Result<Vec<(&'a str, Tailoring)>, Errors> {
        let mut found = Vec::new();
        for reference in self.stream.into_iter().flat_map(|(stream, _)| &stream.checklists) {
            let component = reference.component().and_then(|id| self.content.component(id));
            if let Some(root) = component.and_then(|component| component.root.as_ref())
                && (root.name.as_str(), root.namespace.as_str()) == ("Tailoring", crate::NAMESPACE)
            {
                let tailoring = read::tailoring(&self.content.excerpt(root, &[]), &self.content.limits)?;
                found.push((reference.id.as_str(), tailoring));
            }
        }
        Ok(found)
    }

    /// What is known of platforms: the tests of the benchmark and the dictionaries of the data stream.
    ///
    /// # Errors
    /// Tests that cannot be understood; dictionaries that are not there or are something else.
    pub fn platforms(&self) -> Result<Platforms, Errors> {
        let mut platforms = Platforms::default();
        if let Some(part) = &self.component.platforms {
            platforms.specifications.push(self.specification(part)?);
        }
        for reference in self.stream.into_iter().flat_map(|(stream, _)| &stream.dictionaries) {
            let lost = |message: String| {
                Error::new(self.content.source(), format!("dictionary {:?} {message}", reference.id))
                    .remedy("the file is damaged, or was cut from a larger one")
            };
            let Some(id) = reference.component() else { continue };
            let component = self.content.component(id).and_then(|component| component.root.as_ref());
            let root = component.ok_or_else(|| lost(format!("refers to {id:?}, which is not there")))?;
            match (root.name.as_str(), root.namespace.as_str()) {
                ("cpe-list", cpe::DICTIONARY) => {
                    let element = read::element(&self.content.excerpt(root, &[]), &self.content.limits)?;
                    platforms.dictionaries.push(Dictionary::new(&element));
                }
                ("platform-specification", cpe::LANGUAGE) => {
                    platforms.specifications.push(self.specification(root)?);
                }
                (name, namespace) => {
                    return Err(
                        lost(format!("is <{name}> of {namespace:?}, expected a CPE dictionary")).into()
                    );
                }
            }
        }
        Ok(platforms)
    }

    fn specification(&self, part: &Part) -> Result<Specification, Errors> {
        let excerpt = self.content.excerpt(part, &[]);
        let position = excerpt.position;
        let element = read::element(&excerpt, &self.content.limits)?;
        Specification::new(&element).map_err(|lost| {
            let message = format!("the test of platform {} cannot be understood", lost.join(", "));
            let error =
                Error::new(self.content.source(), message).at(position).about("platform-specification");
            error.remedy("it wants a logical-test with operator AND or OR").into()
        })
    }

    /// Where a document is that a check or a platform's check names.
    pub fn document(&self, href: &'a str) -> Document<'a> {
        if self.stream.is_none() {
            return Document::Elsewhere(href);
        }
        let Some(reference) = self.names.get(href) else { return Document::Unknown };
        let Some(id) = reference.component() else { return Document::Elsewhere(&reference.href) };
        let found = self.content.component(id).and_then(|own| Some((own, own.root.as_ref()?)));
        found.map_or(Document::Unknown, |(component, root)| {
            Document::Here(self.content.fragment(component, root))
        })
    }
}

impl SourceContent {
    /// The id of the benchmark in a component.
    pub(super) fn benchmark_id(&self, component: &Component) -> Option<String> {
        let root = component.root.as_ref().filter(|root| root.name == "Benchmark")?;
        let token = Tokens::new(self.text.get(root.range.clone())?).next().ok()??;
        attribute(token.attributes, "id")
    }
}

/// The places of an element's children, those whose local name is wanted. The text was gone over before.
fn children(text: &str, part: &Part, wanted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let inside = text.get(part.range.clone()).unwrap_or_default();
    let mut tokens = Tokens::new(inside);
    let (mut depth, mut start, mut found) = (0usize, 0, Vec::new());
    while let Ok(Some(token)) = tokens.next() {
        if token.kind == Kind::Close {
            depth = depth.saturating_sub(1);
        } else if depth == 1 {
            start = token.range.start;
        }
        if token.kind != Kind::Open && depth == 1 && wanted(token.name.rsplit(':').next().unwrap_or_default())
        {
            found.push(part.range.start + start..part.range.start + token.range.end);
        }
        if token.kind == Kind::Open {
            depth += 1;
        }
    }
    found
}
