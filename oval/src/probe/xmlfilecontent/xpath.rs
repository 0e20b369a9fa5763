//! The part of XPath 1.0 that security content uses: `/name/name[condition]…`, at the end `/@name` or `/text()` too, `*` for any name.
//! A condition is `name`, `@name`, `@name='text'`, `text()='text'` or `name='text'`, where a name may have conditions of its own; several
//! are joined by `and`.

use std::str::Chars;
use xccdf::{Element, Node};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Child { name: String, conditions: Vec<Condition> },
    Attribute(String),
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    step: Step,
    equals: Option<String>,
}

/// What an expression finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selected<'a> {
    Element(&'a Element),
    Text(&'a str),
}

impl Path {
    /// The error says what is not understood.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut parser = Parser { rest: text.trim().chars(), depth: 0 };
        let mut steps = Vec::new();
        while parser.take('/') {
            steps.push(parser.step()?);
        }
        if !parser.rest.as_str().is_empty() || steps.is_empty() {
            return Err(format!("{:?} is not understood", parser.rest.as_str()));
        }
        let ends = |step: &Step| !matches!(step, Step::Child { .. });
        match steps.iter().rev().skip(1).any(ends) {
            true => Err("something follows a text or an attribute".to_owned()),
            false => Ok(Path(steps)),
        }
    }

    /// What it finds in a document, by its root element.
    pub fn select<'a>(&self, root: &'a Element) -> Vec<Selected<'a>> {
        let mut steps = self.0.iter();
        let mut found = match steps.next() {
            Some(step @ Step::Child { .. }) if step.is(root) => vec![Selected::Element(root)],
            _ => return Vec::new(),
        };
        for step in steps {
            let below = |selected: &Selected<'a>| match selected {
                Selected::Element(element) => step.below(element),
                Selected::Text(_) => Vec::new(),
            };
            found = found.iter().flat_map(below).collect();
        }
        found
    }
}

impl Step {
    /// Whether an element is what a child step asks for.
    fn is(&self, element: &Element) -> bool {
        match self {
            Step::Child { name, conditions } => {
                (name == "*" || *name == element.name)
                    && conditions.iter().all(|condition| condition.holds(element))
            }
            Step::Attribute(_) | Step::Text => false,
        }
    }

    /// What the step finds in an element.
    fn below<'a>(&self, element: &'a Element) -> Vec<Selected<'a>> {
        match self {
            Step::Child { .. } => {
                element.elements().filter(|child| self.is(child)).map(Selected::Element).collect()
            }
            Step::Attribute(name) => {
                let same =
                    element.attributes.iter().filter(|attribute| name == "*" || attribute.name == *name);
                same.map(|attribute| Selected::Text(&attribute.value)).collect()
            }
            Step::Text => {
                let text = |node: &'a Node| match node {
                    Node::Text(text) => Some(Selected::Text(text)),
                    Node::Element(_) => None,
                };
                element.children.iter().filter_map(text).collect()
            }
        }
    }
}

impl Condition {
    fn holds(&self, element: &Element) -> bool {
        self.step.below(element).into_iter().any(|found| match (&self.equals, found) {
            (None, _) => true,
            (Some(wanted), Selected::Text(text)) => wanted == text,
            (Some(wanted), Selected::Element(element)) => *wanted == element.inner_text(),
        })
    }
}

struct Parser<'a> {
    rest: Chars<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, wanted: char) -> bool {
        let mut ahead = self.rest.clone();
        let found = ahead.next() == Some(wanted);
        if found {
            self.rest = ahead;
        }
        found
    }

    fn blanks(&mut self) {
        while self.take(' ') {}
    }

    fn step(&mut self) -> Result<Step, String> {
        if self.take('@') {
            return Ok(Step::Attribute(self.name()?));
        }
        let name = self.name()?;
        if name == "text" && self.take('(') {
            return if self.take(')') { Ok(Step::Text) } else { Err("text( is not closed".to_owned()) };
        }
        let mut conditions = Vec::new();
        while self.take('[') {
            self.depth += 1;
            if self.depth > 16 {
                return Err("conditions nest too deep".to_owned());
            }
            loop {
                conditions.push(self.condition()?);
                self.blanks();
                if self.take(']') {
                    break;
                }
                match self.rest.as_str().strip_prefix("and ") {
                    Some(rest) => self.rest = rest.chars(),
                    None => return Err(format!("{:?} is not understood", self.rest.as_str())),
                }
            }
            self.depth -= 1;
        }
        Ok(Step::Child { name, conditions })
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.blanks();
        let step = self.step()?;
        self.blanks();
        let equals = if self.take('=') { Some(self.literal()?) } else { None };
        Ok(Condition { step, equals })
    }

    fn literal(&mut self) -> Result<String, String> {
        self.blanks();
        let mark = self
            .rest
            .next()
            .filter(|mark| matches!(mark, '\'' | '"'))
            .ok_or("a text in quotes was expected")?;
        let (text, rest) = self.rest.as_str().split_once(mark).ok_or("a text without its closing quote")?;
        self.rest = rest.chars();
        Ok(text.to_owned())
    }

    fn name(&mut self) -> Result<String, String> {
        if self.take('*') {
            return Ok("*".to_owned());
        }
        let text = self.rest.as_str();
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let end = text.find(|c| !name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() || name.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("a name was expected at {text:?}"));
        }
        self.rest = rest.chars();
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xccdf::Position;

    /// Expected counts from `xmllint --xpath`.
    #[test]
    fn expressions_find_what_xpath_finds() {
        let text = "<zone xmlns='urn:z'><service name='ssh'/><service name='http'>x<b/>y</service>\
                    <rule family='ipv4'><source address='127.0.0.1'/><drop/></rule></zone>";
        let root = Element::parse(text, "x", Position { line: 1, column: 1 }, &[]).unwrap();
        for (expression, expected) in [
            ("/zone/service[@name='ssh']", 1),
            ("/zone/service", 2),
            ("/zone/service/@name", 2),
            ("/zone/*", 3),
            ("/zone/service[@name=\"http\"]/text()", 2),
            ("/zone/rule[@family='ipv4'][source[@address='127.0.0.1']][drop]", 1),
            ("/zone/rule[source[@address='127.0.0.1' and @invert='True']]", 0),
            ("/zone/rule[source and drop]", 1),
            ("/service", 0),
        ] {
            assert_eq!(Path::parse(expression).unwrap().select(&root).len(), expected, "{expression}");
        }
        for expression in ["//a", "a", "/a[1]", "/a[position()=1]", "/a[@b='c", "count(/a)", "/@a/b", ""] {
            assert!(Path::parse(expression).is_err(), "{expression}");
        }
    }
}
