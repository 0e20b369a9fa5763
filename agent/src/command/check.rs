//! `agent check FILE…`: is this tailoring, configuration or benchmark good. Every mistake is told with its place.

use std::io::{BufReader, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use xccdf::{Benchmark, Limits, Tailoring, short_id};

use crate::cli::{Check, Product};
use crate::config::source::{CloudConfig, text};
use crate::config::written::LARGEST;
use crate::config::{Config, DIRECTORY};
use crate::content::{Catalogue, benchmark, products};
use crate::exit::Exit;
use crate::policy::{Request, Target, make, resolve};
use crate::scap;
use crate::trust;

/// The tier whose rules and values are those of all tiers.
const STRICTEST: &str = "strict";

/// Runs the command.
///
/// # Errors
/// When what is found out cannot be written.
pub fn run(args: &Check) -> Result<Exit> {
    let catalogue = Catalogue::embedded()?;
    let mut exit = Exit::Good;
    for path in &args.files {
        match check(path, &catalogue, &args.product) {
            Ok(sentence) => writeln!(std::io::stdout(), "{}: good, {sentence}", path.display())?,
            Err(error) => {
                exit = Exit::Trouble;
                writeln!(std::io::stderr(), "{error:#}")?;
            }
        }
    }
    Ok(exit)
}

/// What a good file is.
fn check(path: &Path, catalogue: &Catalogue, product: &Product) -> Result<String> {
    trust::check(path)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("yml" | "yaml") => configuration(path, catalogue, product),
        Some("xml") => match root_element(path)?.as_str() {
            "Benchmark" => whole_benchmark(path),
            "data-stream-collection" => data_stream(path),
            _ => tailoring(path, catalogue, product),
        },
        _ => bail!(
            "{}: neither .xml nor .yml: give a tailoring, a benchmark or a configuration",
            path.display()
        ),
    }
}

/// Checks a configuration, or what cloud-config says to the agent, itself and in files that it writes: also whether a policy can be made
/// of the exceptions.
fn configuration(path: &Path, catalogue: &Catalogue, product: &Product) -> Result<String> {
    let name = path.display().to_string();
    let text = text_of(path)?;
    let mut good = Vec::new();
    if !text.starts_with(CloudConfig::MARK) {
        return understood(&Config::parse(&text, path)?, catalogue, product);
    }
    if CloudConfig::parse(&text, &name)?.is_some() {
        good.push(understood(&Config::parse(&text, path)?, catalogue, product)?);
    }
    for (file, content) in CloudConfig::writes(&text, &name)? {
        let inside = format!("{name}: write_files: {}", file.display());
        let config = Config::parse(&content, Path::new(&inside))?;
        let sentence = understood(&config, catalogue, product).context(inside)?;
        good.push(format!("in {}: {sentence}", file.display()));
    }
    if good.is_empty() {
        bail!(
            "{name}: says nothing to the agent: it has no key 'trempe', and writes no file below {DIRECTORY}"
        );
    }
    Ok(good.join("; "))
}

/// The text of a file of a size that a configuration can have.
fn text_of(path: &Path) -> Result<String> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("reading {name}"))?;
    text(bytes, &name)
}

/// What a good configuration is.
fn understood(config: &Config, catalogue: &Catalogue, product: &Product) -> Result<String> {
    let count = config.exceptions.len();
    if count > 0 {
        let tier = config.tier.as_deref().unwrap_or(STRICTEST);
        let request = Request {
            tier: Some(tier.to_owned()),
            tailoring: make::layers(&config.exceptions),
            today: super::today(),
            ..Request::default()
        };
        resolve(catalogue, &request, &super::product(product)?)?;
    }
    let tier = config.tier.as_ref().map(|tier| format!(" for tier {tier}")).unwrap_or_default();
    let exceptions = if count > 0 { format!("; exceptions: {count}") } else { String::new() };
    Ok(format!("a configuration{tier}{exceptions}"))
}

fn whole_benchmark(path: &Path) -> Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let benchmark = Benchmark::read(BufReader::new(file), &path.display().to_string(), &Limits::default())?;
    Ok(format!(
        "a benchmark with {} rules and {} profiles",
        benchmark.rules().count(),
        benchmark.profiles.len()
    ))
}

fn data_stream(path: &Path) -> Result<String> {
    let benchmark = scap::benchmark(&path.display().to_string())?;
    Ok(format!(
        "a SCAP data stream: {} with {} rules and {} profiles",
        short_id(&benchmark.id),
        benchmark.rules().count(),
        benchmark.profiles.len()
    ))
}

/// Checks every profile that can be chosen, each as if it were.
fn tailoring(path: &Path, catalogue: &Catalogue, product: &Product) -> Result<String> {
    let tailoring = crate::policy::read_tailoring(path)?;
    let product = meant_for(&tailoring, catalogue, product)?;
    let mut sentences = Vec::new();
    for profile in tailoring.profiles.iter().filter(|profile| !profile.is_abstract) {
        let request = Request {
            profile: Some(profile.id.clone()),
            tailoring: vec![tailoring.clone()],
            today: super::today(),
            ..Request::default()
        };
        let policy = resolve(catalogue, &request, &product)?;
        let asked = policy.rules.iter().filter(|rule| rule.not_selected.is_none()).count();
        let exceptions = policy.rules.iter().filter_map(|rule| rule.exception.as_ref());
        let (expired, valid): (Vec<_>, Vec<_>) = exceptions.partition(|exception| exception.expired);
        sentences.push(format!(
            "{} asks {product} for {asked} rules; exceptions: {}, expired: {}",
            short_id(&profile.id),
            valid.len(),
            expired.len()
        ));
        if policy.ignored > 0 {
            sentences
                .push(format!("{} lines left out what the catalogue does not have anyway", policy.ignored));
        }
    }
    Ok(format!("a tailoring: {}", sentences.join("; ")))
}

/// The operating system to check for: what the user says, what the file says if there are tiers for it, that of this machine.
fn meant_for(tailoring: &Tailoring, catalogue: &Catalogue, product: &Product) -> Result<String> {
    let benchmark = benchmark(catalogue)?;
    match (&product.product, tailoring.benchmark.as_ref().map(Target::of)) {
        (None, Some(Target::Ssg(named))) if products(&benchmark).contains(&named.as_str()) => Ok(named),
        _ => super::product(product),
    }
}

/// The name of a document's root element; empty when there is none in the first bytes.
fn root_element(path: &Path) -> Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut head = Vec::new();
    file.take(64 * 1024).read_to_end(&mut head).with_context(|| format!("reading {}", path.display()))?;
    let head = String::from_utf8_lossy(&head);
    let name = |tag: &str| {
        let end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(tag.len());
        tag.get(..end).and_then(|name| name.rsplit(':').next()).unwrap_or_default().to_owned()
    };
    let mut comment = false;
    for tag in head.split('<').skip(1) {
        comment |= tag.starts_with("!--");
        if !comment && !tag.starts_with(['?', '!']) {
            return Ok(name(tag));
        }
        comment &= !tag.contains("-->");
    }
    Ok(String::new())
}
