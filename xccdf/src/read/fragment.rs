//! A part of a document read alone, as an element tree: for languages that stand beside XCCDF in a data stream.

use super::Limits;
use super::cursor::{Cursor, Step};
use crate::element::Element;
use crate::error::{Errors, Position};

impl Element {
    /// Reads one element, cut out of a document.
    ///
    /// `source` is what messages call the document, `start` the place of the fragment in it, and `namespaces` what
    /// the elements around it declared: prefix (empty for the default) and namespace, outermost first.
    ///
    /// # Errors
    /// When the fragment is not one well-formed element.
    pub fn parse(
        fragment: &str,
        source: &str,
        start: Position,
        namespaces: &[(String, String)],
    ) -> Result<Element, Errors> {
        let mut cursor = Cursor::new(Box::new(fragment.as_bytes()), source, &Limits::default());
        let outcome = (|| {
            cursor.within(start, namespaces)?;
            let mut text = String::new();
            loop {
                match cursor.step(&mut text)? {
                    Step::Open(tag) => {
                        let element = cursor.element(tag)?;
                        cursor.end()?;
                        return Ok(element);
                    }
                    Step::Text if text.trim().is_empty() => text.clear(),
                    Step::Text | Step::Close => {
                        return Err(cursor.fatal(start, "text where an element was expected", ""));
                    }
                }
            }
        })();
        cursor.finish(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_keeps_its_namespaces_and_its_place() {
        let around = [("u".to_owned(), "urn:u".to_owned()), (String::new(), "urn:d".to_owned())];
        let start = Position { line: 7, column: 3 };
        let element = Element::parse("<u:a b='1'> <c/>x</u:a>", "f.xml", start, &around).unwrap();
        assert!(element.is("urn:u", "a"));
        assert!(element.elements().next().unwrap().is("urn:d", "c"));
        assert_eq!(element.attribute("b"), Some("1"));
        let error = Element::parse("<u:a>\n<b></u:a>", "f.xml", start, &around).unwrap_err();
        assert!(error.to_string().starts_with("f.xml:8:"), "{error}");
    }
}
