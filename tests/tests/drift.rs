//! A machine that is no longer what it was hardened to, in a root tree. Needs root.

use anyhow::{Result, ensure};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;

#[test]
fn where_nothing_is_configured_nothing_is_looked_at() -> Result<()> {
    let machine = Root::named("debian12")?.copy()?;
    machine.lend(&agent::binary()?, "agent")?;
    let looked = "mkdir -p /etc/trempe; echo 'tier: light' > /etc/trempe/agent.yml
                  $LAB/agent drift 2>&1; ls /run/trempe/drift.json 2>&1 || true";
    let said = machine.shell(looked)?;
    ensure!(said.contains("no drift.action"), "{said}");
    ensure!(said.contains("No such file"), "it was recorded: {said}");
    Ok(())
}
