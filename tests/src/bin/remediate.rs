//! Two copies of one root tree: OpenSCAP mends the one by the content's shell fixes, the agent the other by the same, run as data. Times, and
//! whether both come to the same: see `tests/bench/remediate.sh`.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use e2e::content::Content;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::{agent, oscap};
use serde_json::Value;

fn main() -> Result<()> {
    let argument =
        |index: usize, default: &str| std::env::args().nth(index).unwrap_or_else(|| default.to_owned());
    let (name, profile) = (argument(1, "debian12"), argument(2, "cis_level1_server"));
    let root = Root::named(&name)?;
    let content = Content::find(root.os)?;
    let [theirs, ours] = [root.copy()?, root.copy()?];

    let lent = theirs.lend(&content.path, "content.xml")?;
    let mut arguments = oscap::arguments(&profile, &[], &lent, "/run/lab/remediated.xml");
    arguments.insert(2, "--remediate".to_owned());
    let begun = Instant::now();
    let oscap = ["env", "SEXP_VALIDATE_DISABLE=1", "oscap"];
    theirs.program(&oscap).args(arguments).accept(&[0, 2]).run().context("oscap xccdf eval --remediate")?;
    tell("oscap xccdf eval --remediate", begun);

    ours.lend(&content.path, "content.xml")?;
    ours.lend(&agent::binary()?, "agent")?;
    // As a tree that does not run, so that nothing of this machine's kernel is meant.
    let on_the_tree = |command: &str| {
        format!(
            "mount --bind / /mnt; $LAB/agent {command} --content $LAB/content.xml --profile {profile} --fixes content \
             --root /mnt --format json > $LAB/report.json || [ $? -le 2 ]; cat $LAB/report.json"
        )
    };
    for command in ["plan", "apply --yes"] {
        let begun = Instant::now();
        ours.shell(&on_the_tree(command))?;
        tell(&format!("agent {command} --fixes content"), begun);
    }
    let report: Value =
        serde_json::from_str(&ours.shell("cat $LAB/report.json")?).context("reading the report")?;
    let left = report["plan"]["manual"].as_array().into_iter().flatten();
    let left: BTreeMap<&str, &str> =
        left.filter_map(|left| Some((left["rule"].as_str()?, left["reason"].as_str()?))).collect();

    let their_end = oscap::evaluate(&theirs, &content, &profile, &[])?;
    let our_end = oscap::evaluate(&ours, &content, &profile, &[])?;
    let mut differ = 0;
    for (rule, verdict) in &their_end {
        let other = our_end.get(rule);
        if other != Some(verdict) {
            differ += 1;
            let why = left.get(rule.as_str()).map(|why| format!(": {why}")).unwrap_or_default();
            println!(
                "{rule}: {verdict} after oscap, {} after the agent{why}",
                other.map_or("missing".to_owned(), ToString::to_string)
            );
        }
    }
    println!("{profile} on {name}: of {} rules {} end alike", their_end.len(), their_end.len() - differ);
    Ok(())
}

fn tell(what: &str, begun: Instant) {
    println!("{what:34} {:7.1} s", begun.elapsed().as_secs_f64());
}
