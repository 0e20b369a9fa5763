//! Small documents to start from.

use xccdf::{Benchmark, Error, Policy, Tailoring, no_alias, resolve};

pub const OPEN: &str = "xmlns='http://checklists.nist.gov/xccdf/1.2'";

/// The text of a benchmark with this content after its version.
pub fn benchmark_text(content: &str) -> String {
    format!(
        "<Benchmark {OPEN} id='xccdf_test_benchmark_b'>\n<status>draft</status>\n\
         <version>1</version>\n{content}\n</Benchmark>"
    )
}

pub fn benchmark(content: &str) -> Benchmark {
    let text = benchmark_text(content);
    Benchmark::parse(text.as_bytes(), "b.xml").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// The text of a tailoring with these profiles.
pub fn tailoring_text(profiles: &str) -> String {
    format!(
        "<Tailoring {OPEN} id='xccdf_test_tailoring_t'>\n\
         <version time='2025-01-31T00:00:00'>1</version>\n{profiles}\n</Tailoring>"
    )
}

pub fn tailoring(source: &str, profiles: &str) -> Tailoring {
    let text = tailoring_text(profiles);
    Tailoring::parse(text.as_bytes(), source).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// The text of a profile; `extends` may be empty.
pub fn profile(id: &str, extends: &str, content: &str) -> String {
    let extends = match extends {
        "" => String::new(),
        base => format!("extends='{base}'"),
    };
    format!("<Profile id='xccdf_test_profile_{id}' {extends}><title>{id}</title>{content}</Profile>")
}

/// A profile that selects these rules, separated by blanks; `-` before a name deselects it.
pub fn selecting(id: &str, extends: &str, rules: &str) -> String {
    let select = |rule: &str| match rule.strip_prefix('-') {
        Some(rule) => format!("<select idref='{rule}' selected='false'/>"),
        None => format!("<select idref='{rule}' selected='true'/>"),
    };
    let selects: String = rules.split_whitespace().map(select).collect();
    profile(id, extends, &selects)
}

/// A rule that is not selected unless a profile says.
pub fn rule(id: &str) -> String {
    format!("<Rule id='xccdf_test_rule_{id}' selected='false'><title>{id}</title></Rule>")
}

/// The short ids of the selected rules, separated by blanks.
pub fn selected(policy: &Policy) -> String {
    let ids: Vec<&str> = policy.selected().map(|rule| xccdf::short_id(&rule.id)).collect();
    ids.join(" ")
}

pub fn resolved(benchmark: &Benchmark, stack: &[Tailoring], profile: Option<&str>) -> Policy {
    resolve(benchmark, stack, profile, &no_alias).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The errors that resolution ends in.
pub fn unresolved(benchmark: &Benchmark, stack: &[Tailoring], profile: Option<&str>) -> Vec<Error> {
    match resolve(benchmark, stack, profile, &no_alias) {
        Ok(policy) => panic!("resolved to {}", selected(&policy)),
        Err(errors) => errors.0,
    }
}

/// Asserts that there is one error and that it contains each of these.
pub fn assert_says(errors: &[Error], pieces: &[&str]) {
    let [error] = errors else { panic!("{} errors: {errors:?}", errors.len()) };
    let told = error.to_string();
    for piece in pieces {
        assert!(told.contains(piece), "{piece:?} is not in {told:?}");
    }
}
