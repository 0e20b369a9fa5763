//! The catalogue has every rule that the CIS server profiles of the SCAP Security Guide select. Needs the content.

use std::fs;

use agent::content::Catalogue;
use agent::policy::{self, Request};
use anyhow::{Result, anyhow, ensure};
use e2e::content::Content;
use e2e::coverage;
use xccdf::{no_alias, resolve, short_id};

/// The share of selected rules that may be left out, with a reason.
const LEFT_OUT: f64 = 0.03;
/// The values that a tier sets otherwise than the profile it stands for, and why.
const OTHERWISE: [(&str, &str); 2] = [
    (
        "var_network_filtering_service",
        "the profile wants three front ends of the firewall at once; of these the tiers choose ufw",
    ),
    (
        "dconf_login_banner_text",
        "on Red Hat the profile takes one text or any that names no vendor; the tiers set the one text everywhere",
    ),
];

#[test]
fn every_selected_rule_is_in_the_catalogue_or_has_its_reason() -> Result<()> {
    let coverage = coverage::read()?;
    let catalogue = Catalogue::embedded()?;
    let former = fs::read_to_string(coverage::path()).unwrap_or_default();
    let unexplained = coverage.unexplained(&catalogue, &former);
    ensure!(unexplained.is_empty(), "{} rules are missing: {unexplained:?}", unexplained.len());
    let missing = coverage.rules.keys().filter(|id| catalogue.rule(id).is_none()).count();
    let share = missing as f64 / coverage.rules.len() as f64;
    ensure!(share <= LEFT_OUT, "{missing} rules are left out: more than {LEFT_OUT}");
    Ok(())
}

#[test]
fn the_page_is_up_to_date() -> Result<()> {
    let coverage = coverage::read()?;
    let former = fs::read_to_string(coverage::path()).unwrap_or_default();
    let page = coverage.page(&Catalogue::embedded()?, &former);
    if std::env::var_os("TREMPE_BLESS").is_some() {
        fs::write(coverage::path(), &page)?;
        return Ok(());
    }
    // Other content selects other rules: the page is about one version.
    if former.contains(&format!("Security Guide {}.", coverage.version)) {
        ensure!(page == former, "docs/coverage.md is stale: run this test once with TREMPE_BLESS=1");
    }
    Ok(())
}

#[test]
fn tiers_have_the_values_of_the_profiles() -> Result<()> {
    let catalogue = Catalogue::embedded()?;
    let mut others = Vec::new();
    for product in coverage::PRODUCTS {
        let benchmark = Content::find(product)?.benchmark()?;
        for (tier, profile) in ["standard", "strict"].into_iter().zip(coverage::levels(product)) {
            let theirs =
                resolve(&benchmark, &[], Some(profile), &no_alias).map_err(|errors| anyhow!("{errors}"))?;
            let request = Request { tier: Some(tier.to_owned()), ..Request::default() };
            let ours = policy::resolve(&catalogue, &request, product)?;
            let chosen = ours.rules.iter().filter(|rule| rule.not_selected.is_none());
            let values = chosen.flat_map(|rule| &rule.values);
            for (id, value) in values.filter(|(id, _)| !OTHERWISE.iter().any(|(other, _)| other == id)) {
                let same = theirs.values.iter().find(|theirs| short_id(&theirs.id) == id);
                if let Some(theirs) = same.filter(|theirs| theirs.content.to_string() != *value) {
                    others.push(format!("{product} {tier}: {id} is {value:?}, theirs {}", theirs.content));
                }
            }
        }
    }
    others.sort();
    others.dedup();
    ensure!(others.is_empty(), "values that are not those of the content: {others:#?}");
    Ok(())
}
