//! Tailoring files of a site: read, known to be meant for this machine, and rid of names that only another benchmark has.

use std::path::Path;

use anyhow::{Context, Result};
use xccdf::id::{kind_of, parts};
use xccdf::{Benchmark, BenchmarkRef, Error, Errors, Kind, Limits, Profile, Tailoring, short_id};

use crate::content::{NAMESPACE, SsgNames};
use crate::trust;

/// The most a tailoring file may hold. Those of SCAP Workbench, which lists every rule, have a fraction of it.
const LIMITS: Limits = Limits { max_bytes: 8 << 20, max_depth: 32 };
/// The namespace of the SCAP Security Guide.
const SSG: &str = "org.ssgproject.content";

/// Reads a tailoring file.
///
/// # Errors
/// When it cannot be read or understood, or when somebody else than root and the user could have written it.
pub fn read(path: &Path) -> Result<Tailoring> {
    trust::check(path)?;
    let name = path.display().to_string();
    let file = std::fs::File::open(path).with_context(|| format!("reading {name}"))?;
    Ok(Tailoring::read(std::io::BufReader::new(file), &name, &LIMITS)?)
}

/// Reads the text of a tailoring; `source` is what messages call it.
///
/// # Errors
/// Every mistake in it, with its line.
pub fn parse(text: &str, source: &str) -> Result<Tailoring, Errors> {
    Tailoring::parse_within(text.as_bytes(), source, &LIMITS)
}

/// The content a tailoring file was written for.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// The catalogue.
    Catalogue,
    /// The benchmark of the SCAP Security Guide for a product.
    Ssg(String),
    /// Something else.
    Other(String),
}

impl Target {
    /// What a reference to a benchmark means: its id when there is one, else the name of the file.
    pub fn of(reference: &BenchmarkRef) -> Target {
        match reference.id.as_deref().and_then(parts) {
            Some((NAMESPACE, Kind::Benchmark, _)) => return Target::Catalogue,
            Some((SSG, Kind::Benchmark, name)) => return Target::Ssg(product(name)),
            Some((_, _, name)) => return Target::Other(name.to_owned()),
            None => {}
        }
        let file = reference.href.rsplit('/').next().unwrap_or_default();
        let stem = file.strip_prefix("ssg-").and_then(|rest| rest.split_once('-'));
        match stem {
            Some((name, rest)) if rest.starts_with("ds") || rest.starts_with("xccdf") => {
                Target::Ssg(product(name))
            }
            _ if reference.href == "catalogue" => Target::Catalogue,
            _ => Target::Other(reference.href.clone()),
        }
    }
}

/// `DEBIAN-12` and `debian12` are the same product.
fn product(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Makes a tailoring ready for the catalogue on a product: says no when it is meant for something else, drops what it says of
/// groups and rules that only the SCAP Security Guide has and that it leaves out. Returns how many lines that were.
///
/// # Errors
/// Everything in it that cannot be done here.
pub fn fit(
    tailoring: &mut Tailoring,
    benchmark: &Benchmark,
    names: &SsgNames,
    product: &str,
) -> Result<usize, Errors> {
    let mut errors = Errors::default();
    let target = tailoring.benchmark.as_ref().map(|reference| match Target::of(reference) {
        // Some tools name only the file of the benchmark, and `agent export` writes ours to any name.
        Target::Other(_) if reference.id.is_none() && builds_on_ours(tailoring) => Target::Catalogue,
        target => target,
    });
    target
        .and_then(|target| misplaced(&tailoring.source, &target, product))
        .into_iter()
        .for_each(|error| errors.push(error));
    let fitter = Fitter { source: &tailoring.source, benchmark, names };
    let dropped = tailoring.profiles.iter_mut().map(|profile| fitter.profile(profile, &mut errors)).sum();
    errors.none_or(dropped)
}

/// Whether a profile extends one of the catalogue by its full id.
fn builds_on_ours(tailoring: &Tailoring) -> bool {
    let extended = tailoring.profiles.iter().filter_map(|profile| parts(profile.extends.as_deref()?));
    extended.into_iter().any(|(namespace, ..)| namespace == NAMESPACE)
}

fn misplaced(source: &str, target: &Target, product: &str) -> Option<Error> {
    let (message, remedy) = match target {
        Target::Catalogue => return None,
        Target::Ssg(other) if other == product => return None,
        Target::Ssg(other) => (
            format!("written for the SCAP Security Guide's benchmark of {other}, but this is {product}"),
            format!("give a tailoring of ssg-{product}-ds.xml, or make one with 'agent tailor'"),
        ),
        Target::Other(other) => (
            format!("written for another benchmark, {other:?}"),
            format!("give a tailoring of the catalogue or of ssg-{product}-ds.xml"),
        ),
    };
    Some(Error::new(source, message).about("benchmark").remedy(remedy))
}

/// Takes profiles over, one after the other.
struct Fitter<'a> {
    source: &'a str,
    benchmark: &'a Benchmark,
    names: &'a SsgNames,
}

impl Fitter<'_> {
    fn profile(&self, profile: &mut Profile, errors: &mut Errors) -> usize {
        let before = profile.selects.len() + profile.refine_rules.len();
        profile.selects.retain(|select| {
            let Some(kind) = self.foreign(&select.idref) else { return true };
            if kind == Kind::Rule && select.selected {
                let error = self.missing("select", "rule", &select.idref);
                errors.push(error.at(select.position).remedy("take the line out: it cannot be checked here"));
            }
            false
        });
        profile.refine_rules.retain(|refine| self.foreign(&refine.idref).is_none());
        let set = profile.set_values.iter().map(|set| ("set-value", &set.idref, set.position));
        let refined = profile.refine_values.iter().map(|own| ("refine-value", &own.idref, own.position));
        for (element, id, position) in set.chain(refined) {
            if self.foreign(id) == Some(Kind::Value) {
                let error = self.missing(element, "value", id);
                errors.push(error.at(position).remedy("take the line out: nothing here depends on it"));
            }
        }
        before - profile.selects.len() - profile.refine_rules.len()
    }

    /// What an id names that the SCAP Security Guide has and the catalogue has not.
    fn foreign(&self, id: &str) -> Option<Kind> {
        let short = short_id(id);
        let kinds = [Kind::Rule, Kind::Group, Kind::Value];
        let possible = kinds.into_iter().filter(|kind| kind_of(id).is_none_or(|said| said == *kind));
        let mut there = possible.filter(|kind| self.names.has(*kind, short)).peekable();
        let first = *there.peek()?;
        there.all(|kind| !self.has(kind, short)).then_some(first)
    }

    fn has(&self, kind: Kind, short: &str) -> bool {
        match kind {
            Kind::Rule => self.benchmark.rule(short).is_some(),
            Kind::Value => self.benchmark.value(short).is_some(),
            _ => self.benchmark.groups().any(|group| short_id(&group.head.id) == short),
        }
    }

    fn missing(&self, element: &str, kind: &str, id: &str) -> Error {
        let message = format!("the catalogue has no {kind} {:?}", short_id(id));
        Error::new(self.source, message).about(element)
    }
}
