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
mod platforms;
mod report;
mod results;
mod sce;
mod source;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use typed_arena::Arena;
use xccdf::arf::CheckReport;
use xccdf::evaluate::Options;
use xccdf::{Choice, Errors, Limits, SourceContent, Tailoring, no_alias};

use crate::policy::{Record, enforce, read_tailoring};
use crate::report::xccdf::Results;
use crate::report::{Host, Report, Standard, now};
use crate::system::System;
use crate::trust;
use engine::Engine;

/// The largest content, packed and unpacked, in bytes. The largest data stream of the SCAP Security Guide has a tenth of it.
const LARGEST: u64 = 512 << 20;

/// The profiles of the SCAP Security Guide that are its CIS server levels, by tier: the first that a benchmark has.
const TIERS: [(&str, [&str; 2]); 2] =
    [("standard", ["cis_level1_server", "cis_server_l1"]), ("strict", ["cis_level2_server", "cis"])];

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
    let (tailoring, _) = tailoring(&request.tailoring)?;
    let profile = profile(request, &benchmark)?;
    let policy = xccdf::resolve(&benchmark, &tailoring, profile.as_deref(), &no_alias)?;
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
    let (tailoring, records) = tailoring(&request.tailoring)?;
    let profile = profile(request, &benchmark)?;
    let policy = xccdf::resolve(&benchmark, &tailoring, profile.as_deref(), &no_alias)?;
    something_is_asked(request, &policy, &records)?;
    let mut platforms = checklist.platforms()?;
    platforms.dictionaries.push(platforms::dictionary());
    let machine = oval::System::below(&request.root)
        .with_context(|| format!("opening the root {}", request.root.display()))?;
    let documents = Arena::new();
    let mut engine = Engine::new(&checklist, &machine, system, &documents);
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

/// The tailoring files without what expired exceptions took out, and the records of all exceptions.
fn tailoring(paths: &[PathBuf]) -> Result<(Vec<Tailoring>, Vec<Record>)> {
    let (mut all, mut records) = (Vec::new(), Vec::new());
    for path in paths {
        let mut tailoring = read_tailoring(path)?;
        records.extend(enforce(&mut tailoring, crate::config::today()).map_err(|errors: Errors| errors)?);
        all.push(tailoring);
    }
    Ok((all, records))
}

/// The profile that is named, by itself or by a tier; `None` leaves it to the tailoring, or to the benchmark's own defaults.
fn profile(request: &Request, benchmark: &xccdf::Benchmark) -> Result<Option<String>> {
    let Some(tier) = &request.tier else { return Ok(request.profile.clone()) };
    let Some((_, names)) = TIERS.iter().find(|(name, _)| name == tier) else {
        bail!("--tier {tier}: with content of others a tier is 'standard' or 'strict'; give --profile");
    };
    let named = names.iter().find_map(|name| benchmark.profile(name));
    match named {
        Some(profile) => Ok(Some(profile.id.clone())),
        None => bail!(
            "{} has no CIS server profile for --tier {tier}; give --profile with one of {}",
            request.content,
            benchmark.profiles.iter().map(|own| xccdf::short_id(&own.id)).collect::<Vec<_>>().join(", ")
        ),
    }
}
