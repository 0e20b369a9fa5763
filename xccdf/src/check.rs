//! How a rule is checked: references into the content of a checking engine.

use crate::element::Node;
use crate::words::words;

/// A check of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// The engine, a URI.
    pub system: String,
    /// The selector that a profile picks it by; empty unless said.
    pub selector: String,
    /// Its id.
    pub id: Option<String>,
    /// Whether pass and fail are swapped.
    pub negate: bool,
    /// Whether each definition gives a result of its own.
    pub multi_check: bool,
    /// What the engine hands back.
    pub imports: Vec<Import>,
    /// What the engine is handed.
    pub exports: Vec<Export>,
    /// Where the definition is; each an alternative to those before it.
    pub content_refs: Vec<ContentRef>,
    /// The definition itself, when it is written in place.
    pub content: Option<Vec<Node>>,
}

/// Something that the engine hands back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// Its name in the engine.
    pub name: String,
    /// The part of it that is wanted.
    pub xpath: Option<String>,
    /// What was handed back; empty in a benchmark.
    pub content: String,
}

/// A value that the engine is handed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Export {
    /// Id of the value.
    pub value_id: String,
    /// Its name in the engine.
    pub name: String,
}

/// Where a definition is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentRef {
    /// The document.
    pub href: String,
    /// The definition in it; all of them when absent.
    pub name: Option<String>,
}

/// Checks joined by AND or OR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplexCheck {
    /// How they are joined.
    pub operator: Junction,
    /// Whether pass and fail are swapped.
    pub negate: bool,
    /// What is joined.
    pub parts: Vec<CheckPart>,
}

/// A part of a complex check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckPart {
    /// A check of one engine.
    Check(Check),
    /// Checks joined in their turn.
    Complex(ComplexCheck),
}

words! {
    /// How checks are joined.
    Junction {
        /// All must pass.
        And = "AND",
        /// One must pass.
        Or = "OR",
    }
}
