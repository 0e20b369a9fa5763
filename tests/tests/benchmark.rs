//! The library reads the real benchmarks of the SCAP Security Guide: every product there is content for. Needs the content,
//! and oscap.

use anyhow::{Result, anyhow, ensure};
use e2e::command::Program;
use e2e::content::Content;
use e2e::coverage::PRODUCTS;
use xccdf::{Benchmark, Policy, no_alias, resolve};

/// The version that the counts are of.
const VERSION: &str = "0.1.82";
/// Rules, values, and how many rules a profile selects, of products in that version.
type Counts = (&'static str, usize, usize, [(&'static str, usize); 2]);
#[rustfmt::skip]
const COUNTS: [Counts; 7] = [
    ("debian12", 887, 147, [("cis_level1_server", 403), ("cis_level2_server", 507)]),
    ("debian13", 777, 129, [("cis_level1_server", 403), ("cis_level2_server", 519)]),
    ("rhel8", 1701, 468, [("cis_server_l1", 340), ("cis", 443)]),
    ("rhel9", 1540, 454, [("cis_server_l1", 295), ("cis", 401)]),
    ("rhel10", 1073, 165, [("cis_server_l1", 324), ("cis", 439)]),
    ("ubuntu2204", 639, 101, [("cis_level1_server", 398), ("cis_level2_server", 500)]),
    ("ubuntu2404", 648, 104, [("cis_level1_server", 408), ("cis_level2_server", 510)]),
];

fn policy(benchmark: &Benchmark, profile: &str) -> Result<Policy> {
    resolve(benchmark, &[], Some(profile), &no_alias).map_err(|errors| anyhow!("{errors}"))
}

/// Whether this is a version whose counts are known, of a product whose counts are known: then they are right.
fn counted(product: &str, benchmark: &Benchmark) -> Result<bool> {
    let of_product = COUNTS.iter().find(|(name, ..)| *name == product);
    let Some((_, rules, values, profiles)) = of_product.filter(|_| benchmark.version.name == VERSION) else {
        return Ok(false);
    };
    let found = (benchmark.rules().count(), benchmark.values().count());
    ensure!(found == (*rules, *values), "{product}: {found:?} rules and values");
    for (profile, selected) in profiles {
        let found = policy(benchmark, profile)?.selected().count();
        ensure!(found == *selected, "{product}: {profile} selects {found} rules");
    }
    Ok(true)
}

#[test]
fn every_profile_of_every_benchmark_resolves() -> Result<()> {
    let products = Content::products()?;
    let missing: Vec<_> =
        PRODUCTS.iter().filter(|product| !products.iter().any(|at| at == **product)).collect();
    ensure!(missing.is_empty(), "no content for {missing:?}, only for {products:?}");
    for product in &products {
        let benchmark = Content::find(product)?.benchmark()?;
        for profile in &benchmark.profiles {
            let policy = policy(&benchmark, &profile.id)?;
            ensure!(policy.rules.len() == benchmark.rules().count(), "{product}: rules are lost");
            let empty = policy.selected().next().is_none();
            ensure!(!empty, "{product}: {} selects nothing", profile.id);
        }
        let counted = if counted(product, &benchmark)? { "counts checked" } else { "no counts known" };
        println!("{product} {}: {} profiles, {counted}", benchmark.version.name, benchmark.profiles.len());
    }
    Ok(())
}

#[test]
fn what_is_written_of_a_real_benchmark_reads_back_and_fits_the_schema() -> Result<()> {
    let product = PRODUCTS[0];
    let benchmark = Content::find(product)?.benchmark()?;
    let written = benchmark.to_xml()?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &written)?;
    Program::new("oscap").args(["xccdf", "validate", "--skip-schematron"]).args([file.path()]).run()?;
    let again = Benchmark::parse(&written, &benchmark.source).map_err(|errors| anyhow!("{errors}"))?;
    ensure!(again == benchmark, "what was read back is not what was written");
    Ok(())
}
