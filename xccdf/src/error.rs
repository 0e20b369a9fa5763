//! What was wrong with a document or a choice, where it is written, and what to do about it.
//!
//! A reader does not stop at the first mistake in the meaning of a document: it gathers them, so
//! that a person mends a file once. [`Errors`] is that gathering, never empty when returned.

use std::fmt;

/// A place in a document: line and column, both from 1. `0:0` when the thing was not read from a file.
///
/// Two positions are always equal: where a thing is written is no part of what it says, so a
/// document equals its rewritten self.
#[derive(Debug, Clone, Copy, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// Whether the place is known.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

/// One mistake. Displays as `file.xml:12:7: <select>: what is wrong (what to do)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The name the caller gave the document.
    pub source: String,
    /// Where in the document.
    pub position: Position,
    /// The element it is about, without prefix; empty when it is about no element.
    pub element: String,
    /// What was found and what was expected.
    pub message: String,
    /// What to do; empty when the message says it all.
    pub remedy: String,
}

impl Error {
    /// An error about a whole document.
    pub fn new(source: &str, message: impl Into<String>) -> Self {
        Error {
            source: source.to_owned(),
            position: Position::default(),
            element: String::new(),
            message: message.into(),
            remedy: String::new(),
        }
    }

    /// The same error, at a place.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// The same error, about an element.
    #[must_use]
    pub fn about(mut self, element: &str) -> Self {
        element.clone_into(&mut self.element);
        self
    }

    /// The same error, with what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.source)?;
        if self.position.is_known() {
            write!(f, "{}:{}:", self.position.line, self.position.column)?;
        }
        if !self.element.is_empty() {
            write!(f, " <{}>:", self.element)?;
        }
        write!(f, " {}", self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Every mistake found, in document order; displays one a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// `Ok` when nothing was gathered.
    ///
    /// # Errors
    /// The gathered errors, when there are any.
    pub fn none_or<T>(self, value: T) -> Result<T, Errors> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Gathers one more.
    pub fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// The errors one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.0.iter()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Errors(vec![error])
    }
}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a Error;
    type IntoIter = std::slice::Iter<'a, Error>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_place_element_and_remedy_only_when_known() {
        let whole = Error::new("a.xml", "is empty");
        assert_eq!(whole.to_string(), "a.xml: is empty");
        let full = Error::new("a.xml", "unknown rule").at(Position { line: 12, column: 7 });
        let full = full.about("select").remedy("did you mean \"x\"?");
        assert_eq!(full.to_string(), "a.xml:12:7: <select>: unknown rule (did you mean \"x\"?)");
        assert_eq!(Errors(vec![whole, full]).to_string().lines().count(), 2);
    }
}
