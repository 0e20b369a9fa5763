//! OVAL 5.11 definitions, evaluated on a machine or below a directory that holds one, with the verdicts of oscap 1.3.7.
//!
//! ```text
//! document ──▶ model ──▶ probe ──▶ item ──▶ evaluate ──▶ evidence
//! an index     the parts  the       what     verdicts     where, found,
//! over a text  asked for  machine   it says               wanted
//! ```
//!
//! | to find | look in |
//! |---|---|
//! | where the parts of a document are in its text | `document` |
//! | what the parts say | `model` |
//! | the machine: files inside a root, mounts | `system` |
//! | which files an object means | `walk` |
//! | one kind of object each | `probe` |
//! | comparisons by datatype, patterns | `compare`, `pattern` |
//! | truth tables | `verdict` |
//! | definitions, tests, objects, states, variables | `evaluate` |
//!
//! What is supported is in `docs/oval.md`. Where oscap 1.3.7 and the OVAL specification differ, oscap is followed, and the place says so.
//!
//! ```
//! use oval::{Document, Evaluator, System, Variables, Verdict};
//!
//! let text = r#"<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"
//!   xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent">
//!   <definitions><definition id="oval:x:def:1" version="1" class="inventory">
//!     <criteria><criterion test_ref="oval:x:tst:1"/></criteria></definition></definitions>
//!   <tests><ind:family_test id="oval:x:tst:1" version="1" check="all">
//!     <object object_ref="oval:x:obj:1"/><state state_ref="oval:x:ste:1"/></ind:family_test></tests>
//!   <objects><ind:family_object id="oval:x:obj:1" version="1"/></objects>
//!   <states><ind:family_state id="oval:x:ste:1" version="1"><family>unix</family></ind:family_state></states>
//! </oval_definitions>"#;
//! let document = Document::parse(text, "example.xml")?;
//! let system = System::running();
//! let evaluator = Evaluator::new(&document, &system, Variables::new());
//! assert_eq!(evaluator.evaluate("oval:x:def:1")?.verdict, Verdict::True);
//! # Ok::<(), oval::Error>(())
//! ```

mod collection;
mod collector;
mod compare;
mod document;
mod error;
mod evaluate;
mod item;
mod model;
mod pattern;
mod probe;
mod secret;
mod sieve;
mod system;
mod verdict;
mod walk;

pub use document::{Document, NAMESPACE};
pub use error::{Error, Result};
pub use evaluate::{Evaluator, Evidence, Machine, Outcome, Variables};
pub use model::Class;
pub use system::System;
pub use verdict::Verdict;

/// The kinds of objects that can be collected: `file` for a `file_object`. With `variable`, that is all.
pub fn probes() -> impl Iterator<Item = &'static str> {
    probe::PROBES.iter().map(|probe| probe.kind)
}
