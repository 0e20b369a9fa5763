//! XCCDF 1.2 documents and their resolution to a policy.
//!
//! The library turns bytes into typed documents ([`Benchmark::parse`], [`Tailoring::parse`],
//! [`SourceContent::new`] for SCAP data streams), documents into a policy ([`resolve()`]), a policy into results
//! ([`evaluate()`]) and documents and results back into bytes ([`Benchmark::write`], [`Tailoring::write`],
//! [`TestResult::write`]). It opens no file and knows no operating system: what looks at the machine is
//! behind [`CheckSystem`]. What things mean is from NISTIR 7275 revision 4, the specification of XCCDF 1.2;
//! where it leaves room, from what OpenSCAP does.
//!
//! | to find | look in |
//! |---|---|
//! | the content: groups, rules, checks, fixes, values | [`benchmark`], [`rule`], [`check`], [`value`] |
//! | the choice: profiles, and the files that adjust them | [`profile`], [`tailoring`] |
//! | prose with markup, foreign elements | [`text`], [`element`] |
//! | ids and their short form, look-ups, suggestions | [`id`] |
//! | which rules and values a choice comes to, and why | [`policy`] |
//! | data streams, what is in them and where | [`source`] |
//! | platforms | [`cpe`] |
//! | which fix of a rule is meant, and its text | [`fix`] |
//! | the seam to checking engines, and the result of each rule | [`mod@evaluate`] |
//! | results, scores, ARF | [`result`], [`score`], [`arf`] |
//! | what went wrong, where, and what to do | [`error`] |
//!
//! ```
//! use xccdf::{Benchmark, Errors, no_alias, resolve};
//!
//! let benchmark = Benchmark::parse(
//!     br#"<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_org.example_benchmark_b">
//!           <status>draft</status><version>1</version>
//!           <Profile id="xccdf_org.example_profile_strict"><title>Strict</title>
//!             <select idref="no_root_login" selected="true"/></Profile>
//!           <Rule id="xccdf_org.example_rule_no_root_login" selected="false"><title>No</title></Rule>
//!         </Benchmark>"#,
//!     "benchmark.xml",
//! )?;
//! let policy = resolve(&benchmark, &[], Some("strict"), &no_alias)?;
//! assert_eq!(policy.selected().count(), 1);
//! # Ok::<(), Errors>(())
//! ```

pub mod benchmark;
pub mod check;
pub mod cpe;
pub mod element;
pub mod error;
pub mod evaluate;
pub mod fix;
pub mod id;
mod index;
mod lines;
pub mod policy;
pub mod profile;
mod read;
mod resolve;
pub mod result;
pub mod rule;
pub mod score;
pub mod source;
pub mod tailoring;
pub mod text;
pub mod value;
mod words;
mod write;

pub use benchmark::{Benchmark, Group, Head, Item, PlainText, Status, Version};
pub use check::{Check, CheckPart, ComplexCheck, ContentRef, Export, Import, Junction};
pub use element::{Attribute, Element, Node};
pub use error::{Error, Errors, Position};
pub use evaluate::{CheckSystem, Evaluation, evaluate};
pub use id::{Kind, short_id};
pub use lines::Lines;
pub use policy::{
    Applied, Binding, BoundValue, Decision, Origin, Policy, PolicyGroup, PolicyRule, Reason, Remark,
};
pub use profile::{Profile, RefineRule, RefineValue, Select, SetValue};
pub use read::Limits;
pub use resolve::{Alias, flatten, no_alias, resolve};
pub use result::{Outcome, RuleResult, TestResult};
pub use rule::{Fix, Ident, Rating, Reference, Role, Rule, Severity, Strategy, Warning};
pub use source::{Checklist, Choice, DataStream, Document, Fragment, SourceContent, unpacked};
pub use tailoring::{BenchmarkRef, Tailoring};
pub use text::Text;
pub use value::{Choices, Content, Keyed, Operator, Value, ValueType};
pub use write::arf;

/// The namespace of XCCDF 1.2.
pub const NAMESPACE: &str = "http://checklists.nist.gov/xccdf/1.2";
