//! SCAP source content of others: a data stream, or an XCCDF benchmark with its OVAL, judged without OpenSCAP and with its verdicts.
//!
//! ```text
//! find ──▶ xccdf: content, checklist, policy ──▶ engine (oval) ──▶ xccdf: results ──▶ report
//! ```
//!
//! `xccdf` decides what is asked and what it comes to, `oval` looks at the machine; this module brings them together and turns their
//! results into the agent's own report. What of SCAP is understood is in `docs/content.md` and `docs/oval.md`.

mod engine;
mod find;
mod guide;
mod platforms;
mod report;
mod results;
mod sce;
mod source;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use typed_arena::Arena;
use xccdf::arf::CheckReport;
use xccdf::evaluate::Options;
use xccdf::{Choice, Limits, SourceContent};

use crate::policy::Record;
use crate::report::xccdf::Results;
use crate::report::{Host, Report, Standard, now};
use crate::system::System;
use crate::trust;
use engine::Engine;
use guide::Guide;

/// The largest content, packed and unpacked, in bytes. The largest data stream of the SCAP Security Guide has a tenth of it.
const LARGEST: u64 = 512 << 20;

/// The longest that a script takes unless said otherwise. OpenSCAP waits for ever.
pub const SCRIPT_LIMIT: Duration = Duration::from_secs(600);

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The content: a path, or a name.
    pub content: String,
    /// The tier whose CIS profile is meant.
    pub tier: Option<String>,
    /// The profile, full id or its last part.
    pub profile: Option<String>,
    /// Tailoring files, each laid over the ones before.
    pub tailoring: Vec<PathBuf>,
    /// Only these rules.
    pub rules: Vec<String>,
    /// The directory that holds the machine.
    pub root: PathBuf,
    /// The longest that a script of the content may take.
    pub script_limit: Duration,
}

impl Request {
    /// Whether a rule is among those asked for.
    pub fn asks_for(&self, rule: &xccdf::PolicyRule) -> bool {
        let named = |id: &String| xccdf::short_id(id) == xccdf::short_id(&rule.id);
        if self.rules.is_empty() { rule.decision.selected } else { self.rules.iter().any(named) }
    }
}

/// What content comes to for a request: the checklist, its benchmark and the policy, handed to `with`.
///
/// # Errors
/// When content, profile or tailoring are not understood, or others could have written what decides; those of `with`.
pub fn chosen<T>(
    request: &Request,
    with: &dyn Fn(&xccdf::Checklist<'_>, &xccdf::Benchmark, &xccdf::Policy) -> Result<T>,
) -> Result<T> {
    let content = open(&request.content)?;
    let checklist = content.checklist(Choice::default())?;
    let benchmark = checklist.benchmark()?;
    let policy = Guide::of(request, &benchmark)?.policy(&benchmark)?;
    with(&checklist, &benchmark, &policy)
}

/// Judges a machine by content. `tell` is handed the report while the content is at hand, with what writes it as XCCDF.
///
/// # Errors
/// When content, profile, tailoring or rules are not understood, or others could have written what decides; those of `tell`.
pub fn audit(
    request: &Request,
    system: &System,
    tell: &dyn Fn(&Report, &Standard<'_>) -> Result<()>,
) -> Result<Report> {
    let started = now();
    let content = open(&request.content)?;
    let checklist = content.checklist(Choice::default())?;
    let benchmark = checklist.benchmark()?;
    let guide = Guide::of(request, &benchmark)?;
    let policy = guide.policy(&benchmark)?;
    let Guide { tailoring, records, .. } = guide;
    something_is_asked(request, &policy, &records)?;
    let mut platforms = checklist.platforms()?;
    platforms.dictionaries.push(platforms::dictionary());
    let machine = oval::System::below(&request.root)
        .with_context(|| format!("opening the root {}", request.root.display()))?;
    let documents = Arena::new();
    let mut engine = Engine::new(&checklist, &benchmark, &machine, system, request.script_limit, &documents);
    let options = Options { only: &request.rules, ..Options::default() };
    let evaluation = xccdf::evaluate(&benchmark, &policy, &platforms, &mut engine, &options)?;
    let judged = report::Judged {
        content: &content,
        checklist: &checklist,
        benchmark: &benchmark,
        policy: &policy,
        tailoring: &tailoring,
        records: &records,
        evaluation: &evaluation,
        decided: engine.take_decided(),
    };
    let result = judged.test_result(&Host::of(system), &started);
    let report = judged.report(system, request, started)?;
    let machine = results::machine(system, &result);
    let writers: Vec<_> = engine
        .evaluators()
        .into_iter()
        .map(|(href, evaluator)| {
            (href, |out: &mut dyn std::io::Write| evaluator.write_results(&machine, out))
        })
        .collect();
    let reports: Vec<CheckReport<'_>> =
        writers.iter().map(|(href, write)| CheckReport { href, write }).collect();
    let results =
        Results { checklist: &checklist, result: &result, tailoring: tailoring.last(), reports: &reports };
    tell(&report, &|format, out| results.write(format, out))?;
    Ok(report)
}

/// Refuses a policy that asks for nothing: a machine that was held to nothing must not look good. Where all that was asked for is
/// excepted, somebody has said so.
fn something_is_asked(request: &Request, policy: &xccdf::Policy, records: &[Record]) -> Result<()> {
    if records.is_empty() && policy.selected().next().is_none() && request.rules.is_empty() {
        bail!(
            "{} asks for no rule: there is nothing to judge by; --profile names one that does",
            request.content
        );
    }
    Ok(())
}

/// The benchmark of content, without its prose.
///
/// # Errors
/// When the content is not there or not understood, or others could have written it.
pub fn benchmark(content: &str) -> Result<xccdf::Benchmark> {
    Ok(open(content)?.checklist(Choice::default())?.benchmark()?)
}

/// A rule of content, by its full or short id, with everything that is said of it.
///
/// # Errors
/// As [`benchmark`]; when there is no such rule, with what is near.
pub fn rule(content: &str, id: &str) -> Result<xccdf::Rule> {
    let opened = open(content)?;
    let checklist = opened.checklist(Choice::default())?;
    if let Some(rule) = checklist.rule(id)? {
        return Ok(rule);
    }
    let benchmark = checklist.benchmark()?;
    let near = xccdf::id::did_you_mean(id, benchmark.rules().map(|rule| xccdf::short_id(&rule.head.id)));
    let remedy =
        if near.is_empty() { format!("'agent list rules --content {content}' shows them all") } else { near };
    bail!("unknown rule {id:?} ({remedy})");
}

fn open(content: &str) -> Result<SourceContent> {
    let path = find::find(content)?;
    trust::check(&path)?;
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(&path).with_context(|| format!("reading {name}"))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("reading {name}"))?;
    if bytes.len() as u64 > LARGEST {
        bail!("{name}: larger than {} MiB, which no content is", LARGEST >> 20);
    }
    let limits = Limits { max_bytes: LARGEST, ..Limits::default() };
    Ok(SourceContent::new(bytes, &name, &limits)?)
}
