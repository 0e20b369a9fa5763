//! The agent and oscap judge the same trees: every difference is explained in `docs/triage.md`, and every explanation is
//! of a difference.

use anyhow::{Result, ensure};
use e2e::agreement::{self, Difference, Question};
use e2e::scenario::Scenario;
use e2e::triage;

/// Plain and full trees as installed, and after the agent's own work.
const TREES: [&str; 7] = [
    "debian12",
    "debian12/applied",
    "debian12-full",
    "debian12-full/applied",
    "debian13",
    "debian13/applied",
    "debian13-full",
];
/// Systems of Red Hat's family made of data, as installed and after the agent's own work.
const RED_HAT: [&str; 6] = [
    "rhel9-server",
    "rhel9-server/applied",
    "rhel8-server",
    "rhel8-server/applied",
    "rhel10-server",
    "rhel10-server/applied",
];

/// Ubuntu as its archive has it, with what a server of its has, and after the agent's own work.
const UBUNTU: [&str; 4] = ["jammy", "jammy/applied", "noble", "noble/applied"];

/// The same trees spoilt, oddly written, and on other disks; and what takes long.
const SPOILT: [&str; 10] = [
    "debian12/open",
    "debian12/odd",
    "debian12-full/open",
    "debian12-full/odd",
    "debian12-full/disks",
    "debian13/open",
    "debian13/odd",
    "debian13-full/applied",
    "debian13-full/open",
    "debian13-full/odd",
];

/// A running machine before and after.
const BOOTED: [&str; 2] = ["debian12-ready@booted", "debian12-ready@booted/applied"];

fn differences(scenario: &str) -> Result<(Vec<Difference>, String)> {
    let scenario = Scenario::named(scenario)?;
    let question = Question { tier: "strict".into(), rules: Vec::new() };
    let agreement = agreement::compare(&scenario, &question, scenario.machine()?.as_ref())?;
    let table = agreement.table(&triage::read()?);
    Ok((agreement.differences, format!("== {}\n{table}", scenario.name)))
}

/// Compares on every tree; the differences that `docs/triage.md` does not explain are told in the error.
fn compare(trees: &[&str]) -> Result<Vec<Difference>> {
    let mut all = Vec::new();
    for tree in trees {
        let (differences, table) = differences(tree)?;
        println!("{table}");
        all.extend(differences);
    }
    let triage = triage::read()?;
    let unexplained =
        all.iter().filter(|difference| !triage.iter().any(|line| line.explains(difference))).count();
    ensure!(unexplained == 0, "{unexplained} differences that docs/triage.md does not explain: see above");
    Ok(all)
}

#[test]
fn agent_and_oscap_agree_on_trees_or_the_difference_is_explained() -> Result<()> {
    compare(&TREES).map(drop)
}

#[test]
fn agent_and_oscap_agree_on_a_server_of_red_hat() -> Result<()> {
    compare(&RED_HAT[..2]).map(drop)
}

#[test]
fn agent_and_oscap_agree_on_servers_of_red_hat_matrix() -> Result<()> {
    compare(&RED_HAT).map(drop)
}

#[test]
fn agent_and_oscap_agree_on_ubuntu_matrix() -> Result<()> {
    compare(&UBUNTU).map(drop)
}

#[test]
fn agent_and_oscap_agree_on_spoilt_trees_too_matrix() -> Result<()> {
    let trees: Vec<&str> = TREES.iter().chain(&SPOILT).chain(&RED_HAT).chain(&UBUNTU).copied().collect();
    let all = compare(&trees)?;
    let triage = triage::read()?;
    let mut outdated = agreement::outdated(&triage, &all);
    outdated.retain(|line| !line.is_of_booted_machines());
    ensure!(outdated.is_empty(), "lines of docs/triage.md whose difference no longer occurs: {outdated:#?}");
    Ok(())
}

#[test]
fn agent_and_oscap_agree_in_a_booted_machine_matrix() -> Result<()> {
    compare(&BOOTED).map(drop)
}
