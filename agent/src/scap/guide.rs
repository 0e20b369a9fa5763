//! What guides the choice among the rules of content of others: a profile, that of a tier, and tailorings laid over it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use xccdf::{
    Benchmark, BenchmarkRef, Errors, Kind, Policy, Profile, Select, Status, Tailoring, Text, Version,
    no_alias, short_id,
};

use super::Request;
use crate::content::{self, Catalogue, TIERS, products, tier_profile, xccdf_id};
use crate::policy::{Record, enforce, read_tailoring};
use crate::report::now;
use crate::system::System;

/// The tier that no profile of others stands for.
const LIGHT: &str = TIERS[0];

/// The profiles of the SCAP Security Guide that are its CIS server levels, by tier: the first that a benchmark has.
const LEVELS: [(&str, [&str; 2]); 2] =
    [(TIERS[1], ["cis_level1_server", "cis_server_l1"]), (TIERS[2], ["cis_level2_server", "cis"])];

/// Profile and tailorings.
pub struct Guide {
    /// The tailorings, each laid over the ones before, without what expired exceptions took out.
    pub tailoring: Vec<Tailoring>,
    /// The records of their exceptions.
    pub records: Vec<Record>,
    /// The profile that is named, by itself or by a tier; `None` leaves it to the tailoring, or to the benchmark's own defaults.
    profile: Option<String>,
}

impl Guide {
    /// What a request says of a benchmark.
    ///
    /// # Errors
    /// When a tailoring is not understood or others could have written it, or the benchmark has nothing for the tier.
    pub fn of(request: &Request, benchmark: &Benchmark) -> Result<Guide> {
        let (mut tailoring, mut records) = (Vec::new(), Vec::new());
        let mut profile = request.profile.clone();
        match request.tier.as_deref() {
            None => {}
            Some(LIGHT) => {
                let light = light(request, benchmark)?;
                profile = light.profiles.first().map(|profile| profile.id.clone());
                tailoring.push(light);
            }
            Some(tier) => profile = Some(level(tier, request, benchmark)?),
        }
        for path in &request.tailoring {
            let mut own = read_tailoring(path)?;
            records.extend(enforce(&mut own, crate::config::today()).map_err(|errors: Errors| errors)?);
            tailoring.push(own);
        }
        Ok(Guide { tailoring, records, profile })
    }

    /// What is asked of the benchmark.
    ///
    /// # Errors
    /// As [`xccdf::resolve`].
    pub fn policy(&self, benchmark: &Benchmark) -> Result<Policy> {
        Ok(xccdf::resolve(benchmark, &self.tailoring, self.profile.as_deref(), &no_alias)?)
    }
}

/// The benchmark's profile for a tier.
fn level(tier: &str, request: &Request, benchmark: &Benchmark) -> Result<String> {
    let Some((_, names)) = LEVELS.iter().find(|(name, _)| *name == tier) else {
        bail!("--tier {tier}: a tier is {}", TIERS.join(", "));
    };
    match names.iter().find_map(|name| benchmark.profile(name)) {
        Some(profile) => Ok(profile.id.clone()),
        None => bail!(
            "{} has no CIS server profile for --tier {tier}; give --profile with one of {}",
            request.content,
            benchmark.profiles.iter().map(|own| short_id(&own.id)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A tailoring whose only profile takes the rules of the light tier that the benchmark has, and no others; with the values of its
/// profile for the standard tier, if it has one.
fn light(request: &Request, benchmark: &Benchmark) -> Result<Tailoring> {
    let wanted = light_rules(&System::open(&request.root)?.os()?.product())?;
    let select = |rule: &xccdf::Rule| Select {
        idref: rule.head.id.clone(),
        selected: wanted.contains(short_id(&rule.head.id)),
        ..Select::default()
    };
    let selects: Vec<Select> = benchmark.rules().map(select).collect();
    if !selects.iter().any(|own| own.selected) {
        bail!("{} has no rule of the light tier; give --profile", request.content);
    }
    let (_, standard) = LEVELS[0];
    let profile = Profile {
        id: xccdf_id(Kind::Profile, LIGHT),
        extends: standard.iter().find_map(|name| benchmark.profile(name)).map(|own| own.id.clone()),
        title: Text::from("Light: what can neither cut access nor break a workload"),
        selects,
        ..Profile::default()
    };
    Ok(Tailoring {
        source: format!("tier-{LIGHT}"),
        id: xccdf_id(Kind::Tailoring, LIGHT),
        benchmark: Some(BenchmarkRef {
            href: request.content.clone(),
            id: Some(benchmark.id.clone()),
            version: None,
        }),
        status: vec![Status { name: "accepted".to_owned(), date: None }],
        version: Version { name: "1".to_owned(), time: Some(now()), ..Version::default() },
        profiles: vec![profile],
        ..Tailoring::default()
    })
}

/// The short ids of the light tier's rules for a product; for one that it was not written for, those of all products.
fn light_rules(product: &str) -> Result<BTreeSet<String>> {
    let own = content::benchmark(&Catalogue::embedded()?)?;
    let all = products(&own);
    let asked = if all.contains(&product) { vec![product] } else { all };
    let mut rules = BTreeSet::new();
    for product in asked {
        let profile = tier_profile(LIGHT, product);
        let policy =
            xccdf::resolve(&own, &[], Some(&profile), &no_alias).context("reading the light tier")?;
        rules.extend(policy.selected().map(|rule| short_id(&rule.id).to_owned()));
    }
    Ok(rules)
}
