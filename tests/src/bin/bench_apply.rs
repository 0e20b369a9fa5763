//! Times `agent apply --tier strict` in a booted machine that has all packages already, and its rollback: see
//! `tests/bench/apply.sh`.

use std::time::Instant;

use anyhow::{Context, Result};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::vm::Vm;
use serde_json::Value;

fn main() -> Result<()> {
    let vm = Vm::boot(&Root::named("debian12-ready")?)?;
    vm.lend(&agent::binary()?, "agent")?;
    // The packages are the package manager's time.
    let plan = vm.shell("$LAB/agent plan --tier strict --format json || [ $? -eq 2 ]")?;
    let plan: Value = serde_json::from_str(&plan).context("reading the plan")?;
    let names = |list: &str, suffix: &str| -> Vec<String> {
        let names = plan["plan"]["packages"][list].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(|name| format!("{name}{suffix}")).collect()
    };
    let packages = [names("installed", ""), names("removed", "-")].concat().join(" ");
    vm.shell(&format!("DEBIAN_FRONTEND=noninteractive apt-get -qq install {packages} </dev/null >&2; sync"))?;
    for (what, command) in [
        ("audit", "audit --tier strict"),
        ("apply", "apply --tier strict --yes"),
        ("update-grub, a part of apply", ""),
        ("rollback", "rollback"),
    ] {
        let script =
            if command.is_empty() { "update-grub".to_owned() } else { format!("$LAB/agent {command}") };
        let begun = Instant::now();
        vm.shell(&format!("{script} >/dev/null 2>&1 || [ $? -eq 2 ]"))?;
        println!("{what:30} {:6.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
