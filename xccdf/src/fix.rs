//! Which fix of a rule is meant, and its text with the values of a policy in it.
//!
//! The standard leaves the choice open (NISTIR 7275 section 6.4.4.5 lists only what is said of a fix); it is made here as OpenSCAP
//! makes it. Of what a fix may refer to, values, titles and plain texts are put in; an `instance` has no meaning without the
//! result of a check that names one, and no check here does.

use crate::NAMESPACE;
use crate::benchmark::Benchmark;
use crate::element::{Element, Node};
use crate::policy::Policy;
use crate::rule::{Fix, Rating};

/// The kind of fix that is a shell script, run by bash.
pub const SHELL: &str = "urn:xccdf:fix:script:sh";
/// The kind of fix that is a list of Ansible tasks.
pub const ANSIBLE: &str = "urn:xccdf:fix:script:ansible";

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Why a fix has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// It refers to something that the benchmark does not have.
    Unknown(String),
    /// It refers to an instance.
    Instance,
    /// It has an element that no script can have.
    Element(String),
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unresolved::Unknown(id) => {
                write!(
                    f,
                    "the fix refers to {id:?}, which is neither a value nor a plain text of the benchmark"
                )
            }
            Unresolved::Instance => {
                f.write_str("the fix is for one instance of a thing, and the check names none")
            }
            Unresolved::Element(name) => {
                write!(f, "the fix holds the element <{name}>, which is no part of a script")
            }
        }
    }
}

impl std::error::Error for Unresolved {}

/// The fix to take of those that are `suitable`: where one needs no reboot, none that does; then those of the last disruption that is
/// low or medium, if any is; of what is left the first.
pub fn choose(fixes: &[Fix], suitable: impl Fn(&Fix) -> bool) -> Option<&Fix> {
    let suitable: Vec<&Fix> = fixes.iter().filter(|fix| suitable(fix)).collect();
    let needs_reboot = |fix: &Fix| fix.reboot.unwrap_or(false);
    let without = suitable.iter().any(|fix| !needs_reboot(fix));
    let left: Vec<&Fix> = suitable.into_iter().filter(|fix| !without || !needs_reboot(fix)).collect();
    let mild = |fix: &&&Fix| matches!(fix.disruption, Some(Rating::Low | Rating::Medium));
    match left.iter().rfind(mild) {
        Some(last) => left.iter().copied().find(|fix| fix.disruption == last.disruption),
        None => left.first().copied(),
    }
}

/// The text of a fix, as its interpreter gets it.
///
/// # Errors
/// When it refers to what is not there: half a script must not run.
pub fn text(fix: &Fix, benchmark: &Benchmark, policy: &Policy) -> Result<String, Unresolved> {
    let mut out = String::new();
    for node in &fix.script.nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(element) => out.push_str(&referred(element, benchmark, policy)?),
        }
    }
    Ok(out)
}

/// What stands for an element.
fn referred(element: &Element, benchmark: &Benchmark, policy: &Policy) -> Result<String, Unresolved> {
    let unknown = |id: &str| Unresolved::Unknown(id.to_owned());
    if element.is(NAMESPACE, "instance") {
        return Err(Unresolved::Instance);
    }
    if element.is(NAMESPACE, "sub") {
        let id = element.attribute("idref").unwrap_or_default();
        let titled = element.attribute("use") == Some("title");
        let found = if titled { title(benchmark, id) } else { value(policy, id) };
        return found.or_else(|| plain(benchmark, id)).ok_or_else(|| unknown(id));
    }
    let data = if element.is(XHTML, "object") { element.attribute("data") } else { None };
    if let Some(id) = data.and_then(|data| data.strip_prefix("#xccdf:value:")) {
        return value(policy, id).or_else(|| plain(benchmark, id)).ok_or_else(|| unknown(id));
    }
    if let Some(id) = data.and_then(|data| data.strip_prefix("#xccdf:title:")) {
        return title(benchmark, id).ok_or_else(|| unknown(id));
    }
    Err(Unresolved::Element(element.name.clone()))
}

fn value(policy: &Policy, id: &str) -> Option<String> {
    policy.value(id).map(|value| value.content.to_string())
}

fn title(benchmark: &Benchmark, id: &str) -> Option<String> {
    benchmark.values().find(|value| value.head.id == id).map(|value| value.head.title.plain())
}

fn plain(benchmark: &Benchmark, id: &str) -> Option<String> {
    benchmark.plain_texts.iter().find(|text| text.id == id).map(|text| text.text.clone())
}
