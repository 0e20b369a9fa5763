//! Where things are in a document, found in one pass that reads tags only.
//!
//! A data stream holds tens of megabytes: guides, scripts, checks. A choice of profile needs a fraction. The
//! pass notes where components, groups, rules, values and profiles are, and which parts of them are
//! prose: what [`PROSE`] names. The rest is then read with the prose cut out, and an item with its prose only
//! when somebody asks for it. The pass makes sure that every element is closed by its own name.

use super::token::{Fault, Kind, Token, Tokens};
use crate::error::{Error, Position};
use crate::read::Limits;
use memchr::{memchr_iter, memrchr};
use quick_xml::escape::unescape;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;
use std::ops::Range;

/// Elements of items and benchmarks that evaluation has no use for.
const PROSE: [&str; 14] = [
    "TestResult",
    "description",
    "fix",
    "fixtext",
    "front-matter",
    "metadata",
    "notice",
    "platform-specification",
    "profile-note",
    "question",
    "rationale",
    "rear-matter",
    "reference",
    "warning",
];

/// Most components, items and stretches of prose of a document, each; real ones have some thousands.
const MOST: usize = 1 << 17;

/// What a document consists of.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The root element.
    pub root: Part,
    /// The `data-stream` elements of a collection.
    pub streams: Vec<Part>,
    /// The components of a collection, extended ones too; a lone document is a component without id.
    pub components: Vec<Component>,
    /// Namespace declarations, each inside another.
    pub scopes: Vec<Scope>,
}

/// An element in its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// From the `<` of its start to past the `>` of its end.
    pub range: Range<usize>,
    /// The declarations around it.
    pub scope: usize,
    /// Local name.
    pub name: String,
    pub namespace: String,
}

/// What a collection holds besides data streams.
#[derive(Debug, Default)]
pub(super) struct Component {
    /// Where it starts.
    pub start: usize,
    pub extended: bool,
    pub id: String,
    pub timestamp: Option<String>,
    /// The document in it.
    pub root: Option<Part>,
    /// Parts of a benchmark to pass over, in order.
    pub prose: Vec<Range<usize>>,
    /// Items of a benchmark.
    pub items: Vec<Entry>,
    /// The platform specification of a benchmark.
    pub platforms: Option<Part>,
}

/// A group, rule, value or profile of a benchmark.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: String,
    pub part: Part,
}

/// Namespace declarations of one element: prefix (empty for the default) and, as written, namespace.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub parent: Option<usize>,
    pub declared: Vec<(String, String)>,
}

impl Outline {
    /// Finds out.
    pub fn new(text: &str, source: &str, limits: &Limits) -> Result<Self, Error> {
        let mut pass =
            Pass { text, limits, open: Vec::new(), outline: Outline::default(), ended: false, parts: 0 };
        pass.outline.scopes.push(Scope::default());
        match pass.run() {
            Ok(()) => Ok(pass.outline),
            Err(fault) => {
                let error = Error::new(source, fault.message).at(position(text, fault.at));
                Err(error.remedy(fault.remedy))
            }
        }
    }

    /// The declarations that hold in a scope, the innermost of each prefix.
    pub fn declarations(&self, scope: usize) -> Vec<(&str, &str)> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for scope in self.around(scope) {
            for (prefix, namespace) in &scope.declared {
                if !found.iter().any(|(known, _)| known == prefix) {
                    found.push((prefix, namespace));
                }
            }
        }
        found
    }

    /// The namespace a prefix stands for in a scope; empty for none.
    fn namespace(&self, scope: usize, prefix: &str) -> String {
        let written = self.around(scope).find_map(|scope| {
            scope.declared.iter().find(|(known, _)| known == prefix).map(|(_, namespace)| namespace.as_str())
        });
        unescape(written.unwrap_or_default()).map(std::borrow::Cow::into_owned).unwrap_or_default()
    }

    /// A scope and those around it.
    fn around(&self, scope: usize) -> impl Iterator<Item = &Scope> {
        std::iter::successors(self.scopes.get(scope), |inner| self.scopes.get(inner.parent?))
    }
}

/// The place of a byte in a text.
pub(super) fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line_start = memrchr(b'\n', before.as_bytes()).map_or(0, |found| found + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    let line = memchr_iter(b'\n', before.as_bytes()).count();
    Position { line: small(line).saturating_add(1), column: small(column).saturating_add(1) }
}

/// The value of an attribute of an element, by its local name.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let start = BytesStart::from_content(attributes, 0);
    let found = start.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    value(&found)
}

fn value(attribute: &Attribute<'_>) -> Option<String> {
    unescape(&attribute.value).ok().map(std::borrow::Cow::into_owned)
}

/// What an open element is to the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Collection,
    Stream,
    Component,
    Benchmark,
    Group,
    /// A rule, value or profile.
    Item,
    Prose,
    Other,
}

struct Open<'a> {
    name: &'a str,
    start: usize,
    class: Class,
    /// The declarations around it, its own left out.
    outside: usize,
    /// The declarations inside it.
    scope: usize,
    /// Id of an item.
    id: String,
    /// Parts noted before it.
    parts: usize,
}

struct Pass<'a> {
    text: &'a str,
    limits: &'a Limits,
    open: Vec<Open<'a>>,
    outline: Outline,
    /// Whether the root element is closed.
    ended: bool,
    /// Parts noted so far.
    parts: usize,
}

impl<'a> Pass<'a> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut tokens = Tokens::new(self.text);
        while let Some(token) = tokens.next()? {
            match token.kind {
                Kind::Close => self.close(token.name, token.range)?,
                Kind::Open => self.opened(&token)?,
                Kind::Empty => {
                    self.opened(&token)?;
                    self.close(token.name, token.range)?;
                }
            }
        }
        let fault = |at, message: String| Err(Fault { at, message, remedy: "" });
        match self.open.last() {
            Some(open) => {
                let message = format!("the document ends before </{}>", open.name);
                let remedy = "the file was cut short: fetch or write it again";
                Err(Fault { at: open.start, message, remedy })
            }
            None if self.ended => {
                let rest = self.text.get(self.outline.root.range.end..).unwrap_or_default();
                if trailing(rest) {
                    fault(self.outline.root.range.end, "content after the root element".to_owned())
                } else {
                    Ok(())
                }
            }
            None => fault(0, "no XML in it".to_owned()),
        }
    }

    fn opened(&mut self, token: &Token<'a>) -> Result<(), Fault> {
        let at = token.range.start;
        if self.ended {
            let message = "content after the root element".to_owned();
            return Err(Fault { at, message, remedy: "" });
        }
        if self.open.len() >= self.limits.max_depth {
            let message = format!("elements nest deeper than {}", self.limits.max_depth);
            return Err(Fault { at, message, remedy: "" });
        }
        let before = self.text.get(..at).unwrap_or_default();
        if self.open.is_empty() && trailing(before) {
            let message = "text before the root element".to_owned();
            return Err(Fault { at: 0, message, remedy: "is this XML?" });
        }
        let outside = self.open.last().map_or(0, |open| open.scope);
        let scope = self.declared(token.attributes, outside);
        let class = self.class(token.name);
        let id = match class {
            Class::Group | Class::Item => attribute(token.attributes, "id").unwrap_or_default(),
            _ => String::new(),
        };
        if self.open.is_empty() && class != Class::Collection {
            // A lone document is a component of its own.
            self.outline.components.push(Component::default());
        }
        if class == Class::Component {
            self.outline.components.push(Component {
                start: at,
                extended: split(token.name).1 == "extended-component",
                id: attribute(token.attributes, "id").unwrap_or_default(),
                timestamp: attribute(token.attributes, "timestamp"),
                ..Component::default()
            });
        }
        self.open.push(Open { name: token.name, start: at, class, outside, scope, id, parts: self.parts });
        Ok(())
    }

    /// The scope inside an element: a new one when it declares something.
    fn declared(&mut self, attributes: &str, outside: usize) -> usize {
        if !attributes.contains("xmlns") {
            return outside;
        }
        let start = BytesStart::from_content(attributes, 0);
        let mut declared = Vec::new();
        for attribute in start.attributes().flatten() {
            let key: &str = attribute.key.as_ref();
            let prefix = if key == "xmlns" { Some("") } else { key.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                declared.push((prefix.to_owned(), attribute.value.into_owned()));
            }
        }
        if declared.is_empty() {
            return outside;
        }
        self.outline.scopes.push(Scope { parent: Some(outside), declared });
        self.outline.scopes.len() - 1
    }

    fn class(&self, name: &str) -> Class {
        let (prefix, local) = split(name);
        let Some(parent) = self.open.last() else {
            return match local {
                "data-stream-collection" => Class::Collection,
                "Benchmark" => Class::Benchmark,
                _ => Class::Other,
            };
        };
        let akin = split(parent.name).0 == prefix;
        match (parent.class, local) {
            (Class::Collection, "data-stream") => Class::Stream,
            (Class::Collection, "component" | "extended-component") => Class::Component,
            (Class::Component, "Benchmark") => Class::Benchmark,
            (Class::Benchmark, "platform-specification") => Class::Prose,
            (Class::Benchmark | Class::Group, "Group") if akin => Class::Group,
            (Class::Benchmark | Class::Group, "Rule" | "Value" | "Profile") if akin => Class::Item,
            (Class::Benchmark | Class::Group | Class::Item, local) if akin && PROSE.contains(&local) => {
                Class::Prose
            }
            _ => Class::Other,
        }
    }

    fn close(&mut self, name: &str, tag: Range<usize>) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            let message = format!("</{name}> closes nothing");
            return Err(Fault { at: tag.start, message, remedy: "" });
        };
        if open.name != name {
            let message = format!("</{name}> stands where </{}> was expected", open.name);
            return Err(Fault { at: tag.start, message, remedy: "" });
        }
        let (scope, outside) = (open.scope, open.outside);
        let bare = self.parts == open.parts;
        self.note(open, tag.end);
        if bare && scope != outside {
            // Nothing that was noted is inside: nobody will ask for what it declares.
            self.outline.scopes.truncate(scope);
        }
        self.bounded(tag.start)
    }

    /// Notes an element at its end.
    fn note(&mut self, open: Open<'_>, end: usize) {
        let range = open.start..end;
        let parent = self.open.last().map(|parent| parent.class);
        match (parent, open.class) {
            (_, Class::Stream) => {
                let part = self.part(&open, range);
                self.outline.streams.push(part);
            }
            (_, Class::Group | Class::Item) => {
                let part = self.part(&open, range);
                if let Some(component) = self.outline.components.last_mut() {
                    component.items.push(Entry { id: open.id, part });
                }
            }
            (Some(Class::Component), _) => self.document(&open, range),
            (Some(_), Class::Prose) => self.prose(&open, range),
            (None, class) => {
                self.outline.root = self.part(&open, range.clone());
                self.ended = true;
                if class != Class::Collection {
                    self.document(&open, range);
                }
            }
            _ => {}
        }
    }

    /// Makes sure that a document of small things does not take much more memory than its text.
    fn bounded(&self, at: usize) -> Result<(), Fault> {
        let outline = &self.outline;
        let last = outline.components.last();
        let counts = [
            outline.components.len(),
            outline.streams.len(),
            last.map_or(0, |component| component.items.len()),
            last.map_or(0, |component| component.prose.len()),
        ];
        if counts.into_iter().all(|count| count <= MOST) {
            return Ok(());
        }
        let message = format!("more than {MOST} components, items or stretches of prose");
        Err(Fault { at, message, remedy: "no content that is meant so is known: look at the file" })
    }

    fn part(&mut self, open: &Open<'_>, range: Range<usize>) -> Part {
        self.parts += 1;
        let (prefix, local) = split(open.name);
        let namespace = self.outline.namespace(open.scope, prefix);
        Part { range, scope: open.outside, name: local.to_owned(), namespace }
    }

    /// The document of a component, of which the first element counts.
    fn document(&mut self, open: &Open<'_>, range: Range<usize>) {
        let part = self.part(open, range);
        if let Some(component) = self.outline.components.last_mut() {
            component.root.get_or_insert(part);
        }
    }

    /// Notes a part to pass over; parts with nothing but white space between them are one.
    fn prose(&mut self, open: &Open<'_>, range: Range<usize>) {
        let platforms =
            (split(open.name).1 == "platform-specification").then(|| self.part(open, range.clone()));
        let Some(component) = self.outline.components.last_mut() else { return };
        component.platforms = component.platforms.take().or(platforms);
        if let Some(last) = component.prose.last_mut()
            && self.text.get(last.end..range.start).is_some_and(|between| between.trim_ascii().is_empty())
        {
            last.end = range.end;
        } else {
            component.prose.push(range);
        }
    }
}

/// Whether there is anything but white space, comments and instructions.
fn trailing(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{FEFF}').trim_ascii_start();
    loop {
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|found| found + 3)
        } else if rest.starts_with("<?") {
            rest.find("?>").map(|found| found + 2)
        } else {
            return !rest.is_empty();
        };
        let Some(end) = end else { return true };
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
}

/// Prefix (empty for none) and local name.
fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Result<Outline, String> {
        Outline::new(text, "x.xml", &Limits::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_lone_benchmark_is_one_component_with_its_prose() {
        let text = "<x:Benchmark xmlns:x='u&amp;v'><x:title>t</x:title> <x:description>a</x:description>\n\
             <x:reference/><x:Group id='g'><x:Rule id='r'><x:fix>1</x:fix><x:check/><fix/></x:Rule></x:Group>\
             <p:platform-specification xmlns:p='w'/></x:Benchmark>";
        let outline = outline(text).unwrap();
        let [component] = outline.components.as_slice() else { panic!("{outline:?}") };
        let cut: Vec<&str> = component.prose.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(cut[0], "<x:description>a</x:description>\n<x:reference/>");
        assert_eq!(cut[1..], ["<x:fix>1</x:fix>", "<p:platform-specification xmlns:p='w'/>"]);
        let ids: Vec<&str> = component.items.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["r", "g"]);
        assert_eq!(component.root.as_ref().unwrap().namespace, "u&v");
        let platforms = component.platforms.as_ref().unwrap();
        assert_eq!((platforms.namespace.as_str(), platforms.name.as_str()), ("w", "platform-specification"));
    }

    #[test]
    fn components_have_the_namespaces_declared_around_them() {
        let text = "<d:data-stream-collection xmlns:d='D' xmlns:o='O'><d:data-stream id='s'/>\
             <d:component id='c' timestamp='t'><o:oval xmlns='E'><a/></o:oval></d:component>\
             <d:extended-component id='e'><o:script/></d:extended-component></d:data-stream-collection>";
        let outline = outline(text).unwrap();
        assert_eq!(outline.streams.len(), 1);
        let told: Vec<_> =
            outline.components.iter().map(|c| (c.id.as_str(), c.root.as_ref().unwrap())).collect();
        assert_eq!((told[0].0, told[0].1.name.as_str(), told[0].1.namespace.as_str()), ("c", "oval", "O"));
        assert_eq!((told[1].0, told[1].1.name.as_str()), ("e", "script"));
        assert_eq!(outline.declarations(told[0].1.scope), [("d", "D"), ("o", "O")]);
    }

    #[test]
    fn what_is_not_well_formed_is_told_with_its_place() {
        for (text, expected) in [
            ("", "x.xml:1:1: no XML in it"),
            ("<a>\n <b></c></a>", "x.xml:2:5: </c> stands where </b> was expected"),
            ("<a>\n<b>", "x.xml:2:1: the document ends before </b>"),
            ("<a/></b>", "x.xml:1:5: </b> closes nothing"),
            ("<a/><b/>", "x.xml:1:5: content after the root element"),
            ("<a/> x", "x.xml:1:5: content after the root element"),
            ("x<a/>", "x.xml:1:1: text before the root element"),
        ] {
            let told = outline(text).unwrap_err();
            assert!(told.starts_with(expected), "{text}: {told}");
        }
        assert!(outline("<!-- x --><?y?> <a/> <!-- z -->\n").is_ok());
        let deep = "<a>".repeat(100);
        assert!(outline(&deep).unwrap_err().contains("nest deeper than 64"));
    }
}
