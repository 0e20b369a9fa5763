//! Results: what came of each rule, and of a whole run.

use crate::benchmark::Benchmark;
use crate::check::CheckPart;
use crate::policy::Policy;
use crate::rule::{Ident, Role, Severity};
use crate::score::Score;
use crate::tailoring::Tailoring;
use crate::value::Content;
use crate::words::words;
use std::collections::BTreeMap;

words! {
    /// What came of a rule (section 6.6.4.2 of the specification).
    Outcome {
        /// As it should be.
        Pass = "pass",
        /// Not as it should be.
        Fail = "fail",
        /// Could not be looked at.
        Error = "error",
        /// Looked at, but it is not clear what it means.
        Unknown = "unknown",
        /// Not for this machine.
        NotApplicable = "notapplicable",
        /// Nothing to look with: no check that any engine can evaluate.
        NotChecked = "notchecked",
        /// Not wanted.
        NotSelected = "notselected",
        /// Looked at, and not to be counted.
        Informational = "informational",
        /// Was not as it should be, and was mended.
        Fixed = "fixed",
    }
}

impl Outcome {
    /// Pass for fail and fail for pass; any other stays.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Outcome::Pass => Outcome::Fail,
            Outcome::Fail => Outcome::Pass,
            other => other,
        }
    }
}

/// What came of a rule. A rule whose check gives a result for each definition has several.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleResult {
    /// Full id of the rule.
    pub rule: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Role, refined.
    pub role: Role,
    /// Severity, refined.
    pub severity: Severity,
    /// Weight, refined. Scores go by the benchmark's own weights, as OpenSCAP's do.
    pub weight: f64,
    /// Version of the rule.
    pub version: Option<String>,
    /// When it was decided, RFC 3339; not written when absent.
    pub time: Option<String>,
    /// Its names in numbering schemes.
    pub idents: Vec<Ident>,
    /// What else is to be said, for people.
    pub messages: Vec<String>,
    /// What was evaluated: only the reference that gave the result, with what the engine handed back.
    pub check: Option<CheckPart>,
}

/// A whole run: an XCCDF `TestResult`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestResult {
    /// Full id, `xccdf_…_testresult_…`.
    pub id: String,
    /// What it says to people.
    pub title: String,
    /// The benchmark: where it is, its id and version.
    pub benchmark: BenchmarkUsed,
    /// The tailoring that guided the choice.
    pub tailoring: Option<TailoringUsed>,
    /// When the run began and ended, RFC 3339; the standard wants the end.
    pub start: Option<String>,
    /// When the run ended, RFC 3339.
    pub end: String,
    /// What made it: a CPE name, or any text.
    pub test_system: Option<String>,
    /// Who ran it.
    pub identity: Option<Identity>,
    /// Full id of the profile.
    pub profile: Option<String>,
    /// Names of the machine; the standard wants one.
    pub targets: Vec<String>,
    /// Its network addresses.
    pub addresses: Vec<String>,
    /// What else identifies it.
    pub facts: Vec<TargetFact>,
    /// Id of the asset that is the machine, in a document that describes it.
    pub asset: Option<String>,
    /// Platforms found to be here.
    pub platforms: Vec<String>,
    /// What every value was: id and content.
    pub values: Vec<(String, Content)>,
    /// What came of every rule, in document order.
    pub results: Vec<RuleResult>,
    /// Scores, at least one.
    pub scores: Vec<Score>,
}

/// What a file with results holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recorded {
    /// The results, in document order; an evaluation adds one more to a benchmark.
    pub results: Vec<TestResult>,
    /// The titles of the rules they are about, by full id, as far as their benchmark is in the file.
    pub titles: BTreeMap<String, String>,
}

/// Which benchmark was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BenchmarkUsed {
    /// Where it is.
    pub href: String,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// Which tailoring guided a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TailoringUsed {
    /// Where it is.
    pub href: String,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// When that version was made, RFC 3339.
    pub time: String,
}

/// Who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// Whether the machine was asked to prove it.
    pub authenticated: bool,
    /// Whether it may look at everything.
    pub privileged: bool,
}

/// Something that identifies a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetFact {
    /// Its name, a URI such as [`HOST_NAME`].
    pub name: String,
    /// `string`, `boolean` or `number`.
    pub kind: String,
    /// What it is.
    pub value: String,
}

/// The fact that is a fully qualified host name (SP 800-126).
pub const FQDN: &str = "urn:xccdf:fact:asset:identifier:fqdn";
/// The fact that is a host name.
pub const HOST_NAME: &str = "urn:xccdf:fact:asset:identifier:host_name";
/// The fact that is a hardware address; there may be several.
pub const MAC: &str = "urn:xccdf:fact:asset:identifier:mac";
/// The fact that is an IPv4 address; there may be several.
pub const IPV4: &str = "urn:xccdf:fact:asset:identifier:ipv4";
/// The fact that is an IPv6 address; there may be several.
pub const IPV6: &str = "urn:xccdf:fact:asset:identifier:ipv6";

impl TargetFact {
    /// A fact that is text.
    pub fn new(name: &str, value: &str) -> Self {
        TargetFact { name: name.to_owned(), kind: "string".to_owned(), value: value.to_owned() }
    }
}

impl TailoringUsed {
    /// Names a tailoring, found at `href`.
    pub fn new(tailoring: &Tailoring, href: &str) -> Self {
        TailoringUsed {
            href: href.to_owned(),
            id: tailoring.id.clone(),
            version: tailoring.version.name.clone(),
            time: tailoring.version.time.clone().unwrap_or_default(),
        }
    }
}

impl TestResult {
    /// What documents and choice already say: benchmark, profile, values, an id. The caller adds what came of
    /// the rules, the machine and the times.
    pub fn new(benchmark: &Benchmark, policy: &Policy, href: &str) -> Self {
        let profile = policy.applied.last().map(|applied| applied.id.clone());
        let name = profile.as_deref().unwrap_or("default-profile");
        TestResult {
            id: crate::id::Kind::TestResult.id("org.trempe", name),
            benchmark: BenchmarkUsed {
                href: href.to_owned(),
                id: benchmark.id.clone(),
                version: benchmark.version.name.clone(),
            },
            profile,
            values: policy.values.iter().map(|value| (value.id.clone(), value.content.clone())).collect(),
            ..TestResult::default()
        }
    }
}
