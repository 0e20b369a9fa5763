//! Stage 1, content: what could be checked.
//!
//! The embedded catalogue (`profiles/catalogue/*.yml`) is the content of this agent; its types are here. Foreign content
//! becomes another source of the same [`Catalogue`] parts and another [`crate::policy::Check`].
//!
//! To add a rule, add an entry to a file below `profiles/catalogue/`: see `docs/adding-a-rule.md`.

mod benchmark;
mod catalogue;
mod condition;
mod rule;
mod ssg;
mod text;
mod tier;
mod value;

pub use benchmark::{BENCHMARK_ID, NAMESPACE, benchmark, xccdf_id};
pub use catalogue::{Catalogue, CatalogueFile};
pub use condition::{Applies, Condition, Names, all};
pub use rule::{GroupInfo, Rule, Severity};
pub use ssg::SsgNames;
pub use text::{Text, references, substitute};
pub use tier::{TIERS, products, tier_of, tier_profile};
pub use value::{Value, ValueType};
