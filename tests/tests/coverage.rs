//! The catalogue has every rule that the CIS server profiles of the SCAP Security Guide select. Needs the content.

use std::collections::BTreeSet;
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
    for figures in coverage.figures(&catalogue) {
        let within = |part: usize, whole: usize| (whole - part) as f64 <= LEFT_OUT * whole as f64;
        ensure!(within(figures.checked, figures.selected), "rules are left out: {figures:?}");
        ensure!(within(figures.fixes_mended, figures.fixes), "shell fixes have no counterpart: {figures:?}");
        ensure!(figures.selected > 250 && figures.fixes > 250, "{figures:?}");
    }
    Ok(())
}

/// What the strict tier asks for beyond the profile: no passwords over ssh, which CIS leaves to the site.
const BEYOND: [&str; 1] = ["sshd_disable_password_authentication"];

#[test]
fn tiers_select_the_rules_of_the_profiles_and_no_others() -> Result<()> {
    let (coverage, catalogue) = (coverage::read()?, Catalogue::embedded()?);
    // Other content selects other rules: the tiers are those of one version, which the page names.
    if !coverage.is_of(&fs::read_to_string(coverage::path())?) {
        return Ok(());
    }
    for product in coverage::PRODUCTS {
        for (level, tier) in [(1, "standard"), (2, "strict")] {
            let theirs: BTreeSet<&str> =
                coverage.selected(product, level).map(|(id, _)| id.as_str()).collect();
            let request = Request { tier: Some(tier.to_owned()), ..Request::default() };
            let ours = policy::resolve(&catalogue, &request, product)?;
            let chosen = ours.rules.iter().filter(|rule| rule.not_selected.is_none());
            let ours: BTreeSet<&str> = chosen.map(|rule| rule.id.as_str()).collect();
            let more: Vec<&&str> = ours.difference(&theirs).collect();
            let less: Vec<&&str> = theirs.difference(&ours).collect();
            let beyond: &[&str] = if tier == "strict" { &BEYOND } else { &[] };
            ensure!(less.is_empty(), "{product} {tier}: the profile also selects {less:?}");
            ensure!(
                more == beyond.iter().collect::<Vec<_>>(),
                "{product} {tier}: the tier also selects {more:?}"
            );
        }
    }
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
    if coverage.is_of(&former) {
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
