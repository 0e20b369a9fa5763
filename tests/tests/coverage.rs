//! The catalogue has every rule that the CIS server profiles of the SCAP Security Guide select. Needs the content.

use std::fs;

use agent::content::Catalogue;
use anyhow::{Result, ensure};
use e2e::coverage;

/// The share of selected rules that may be left out, with a reason.
const LEFT_OUT: f64 = 0.03;

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
