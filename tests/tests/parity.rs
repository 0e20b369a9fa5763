//! The same verdicts as OpenSCAP, from the same content: oscap and the agent judge one root tree by one data stream, rule by rule.
//!
//! Needs root, oscap, and the data streams that `content.rs` finds.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, ensure};
use e2e::content::Content;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};
use e2e::verdict::Verdict;
use e2e::{agent, oscap};
use xccdf::short_id;

/// Compares one profile on a machine; tells every rule on which the two do not say the same.
fn disagreements(copy: &Copy, product: &str, profile: &str) -> Result<Vec<String>> {
    let content = Content::find(product)?;
    let begun = Instant::now();
    let theirs = oscap::evaluate(copy, &content, profile, &[])?;
    let oscap_took = begun.elapsed();
    let lent = copy.lend(&content.path, "content.xml")?;
    let begun = Instant::now();
    let audit = agent::audit(copy, &["--content", &lent, "--profile", profile].map(str::to_owned))?;
    let agent_took = begun.elapsed();
    let ours = audit.by_id();
    let said = |id: &str| ours.get(id).map_or(Verdict::Absent, |rule| rule.result);
    let selected =
        ours.iter().filter(|(_, rule)| rule.result != Verdict::Notselected).map(|(id, _)| id.as_str());
    let ids: BTreeSet<&str> = selected.chain(theirs.keys().map(String::as_str)).collect();
    let mut differences = Vec::new();
    for id in &ids {
        let (oscap, agent) = (theirs.get(*id).copied().unwrap_or(Verdict::Absent), said(id));
        if oscap != agent {
            let grounds = ours.get(*id).map(|rule| rule.grounds().join("; ")).unwrap_or_default();
            differences.push(format!("{product} {profile} {id}: oscap {oscap}, agent {agent}: {grounds}"));
        }
    }
    println!(
        "{product} {profile}: {} rules, {} differ; oscap {:.1} s, agent {:.1} s",
        ids.len(),
        differences.len(),
        oscap_took.as_secs_f64(),
        agent_took.as_secs_f64()
    );
    Ok(differences)
}

fn agree(root: &str, pairs: &[(&str, &str)]) -> Result<()> {
    let copy = Root::named(root)?.copy()?;
    let mut differ = Vec::new();
    for (product, profile) in pairs {
        differ.extend(disagreements(&copy, product, profile)?);
    }
    differ.iter().for_each(|line| println!("{line}"));
    ensure!(differ.is_empty(), "{root}: {} verdicts differ: see above", differ.len());
    Ok(())
}

/// The systems' own content, and content for another system, of which nothing applies.
#[test]
fn verdicts_are_those_of_oscap() -> Result<()> {
    let mut pairs = vec![("debian12", "cis_level2_server"), ("debian12", "anssi_bp28_high")];
    if Content::products()?.iter().any(|product| product == "rhel9") {
        pairs.push(("rhel9", "cis")); // Debian's package has no content for Red Hat
    }
    agree("debian12", &pairs)
}

/// OpenSCAP takes what the agent writes for its own: an ARF, and reports made of results and ARF. (`oscap xccdf validate` takes minutes for a
/// benchmark of this size; the tests of `xccdf` have it judge small ones.)
#[test]
fn oscap_reads_the_results() {
    let copy = Root::named("debian12").unwrap().copy().unwrap();
    copy.lend(&agent::binary().unwrap(), "agent").unwrap();
    let content = copy.lend(&Content::find("debian12").unwrap().path, "content.xml").unwrap();
    let said = copy
        .shell(&format!(
            "cd $LAB
             ./agent audit --content {content} --profile cis_level1_server --results x.xml --results-arf a.xml \\
                 --rule sshd_disable_root_login --rule package_aide_installed > /dev/null || [ $? = 2 ]
             oscap ds rds-validate a.xml && oscap info a.xml | grep -i 'result id'
             for file in x a; do oscap xccdf generate report $file.xml | grep -c 'sshd_disable_root_login' ; done"
        ))
        .unwrap();
    assert!(said.contains("xccdf_org.trempe_testresult"), "{said}");
}

/// Every profile of every data stream, on each plain tree.
#[test]
fn verdicts_are_those_of_oscap_for_every_profile_matrix() -> Result<()> {
    let mut pairs = Vec::new();
    for product in Content::products()? {
        let benchmark = Content::find(&product)?.benchmark()?;
        pairs.extend(benchmark.profiles.iter().map(|own| (product.clone(), short_id(&own.id).to_owned())));
    }
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(product, profile)| (product.as_str(), profile.as_str())).collect();
    ["debian12", "debian13", "debian12-full"].into_iter().try_for_each(|root| agree(root, &pairs))
}
