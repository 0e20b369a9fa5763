//! A tailoring: profiles kept apart from the benchmark they adjust.

use crate::benchmark::{Status, Version};
use crate::element::Element;
use crate::profile::Profile;

/// A tailoring document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tailoring {
    /// The name the caller gave the document, for messages.
    pub source: String,
    /// Full id.
    pub id: String,
    /// The benchmark it was written for. Only a hint: ids are matched by their short form.
    pub benchmark: Option<BenchmarkRef>,
    /// States.
    pub status: Vec<Status>,
    /// Version; XCCDF wants its time.
    pub version: Version,
    /// Elements of other namespaces.
    pub metadata: Vec<Element>,
    /// Profiles, at least one.
    pub profiles: Vec<Profile>,
}

/// Which benchmark a tailoring was written for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BenchmarkRef {
    /// Where it is.
    pub href: String,
    /// Its id.
    pub id: Option<String>,
    /// Its version.
    pub version: Option<String>,
}
