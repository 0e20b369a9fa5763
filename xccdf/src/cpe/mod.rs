//! Platforms: what a benchmark, group or rule is for, and whether that is here.
//!
//! A platform is named either by a CPE name, which a [`Dictionary`] ties to checks, or by `#id` of a test in
//! the [`Specification`] of a benchmark (CPE applicability language 2.3, NISTIR 7698). Both end in
//! [`Fact`]s, which a checking engine answers. It is OpenSCAP's reading: two-valued, so that what
//! could not be found out does not hold, and `negate` turns it into what holds.
//!
//! | to find | look in |
//! |---|---|
//! | names and which covers which | [`name`] |
//! | tests joined by AND and OR | [`specification`] |
//! | names and the checks that prove them | [`dictionary`] |
//! | whether any of some platforms is here | [`applicability`] |

pub mod applicability;
pub mod dictionary;
pub mod name;
pub mod specification;

pub use applicability::Applicability;
pub use dictionary::Dictionary;
pub use name::Name;
pub use specification::Specification;

/// The namespace of the applicability language.
pub const LANGUAGE: &str = "http://cpe.mitre.org/language/2.0";
/// The namespace of dictionaries.
pub const DICTIONARY: &str = "http://cpe.mitre.org/dictionary/2.0";

/// Something about a machine that an engine can tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Fact {
    /// The engine, a URI.
    pub system: String,
    /// The document.
    pub href: String,
    /// The definition in it.
    pub name: String,
}

/// All that content knows of platforms, in the order in which it is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Platforms {
    /// Tests by id: those of the benchmark, then those that the data stream adds.
    pub specifications: Vec<Specification>,
    /// Names: the dictionaries of the data stream, and any that the caller adds.
    pub dictionaries: Vec<Dictionary>,
}
