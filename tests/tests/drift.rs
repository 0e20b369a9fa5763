//! A machine that is no longer what it was hardened to: found, told and mended as its configuration says. In a root tree. Needs root.

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};
use serde_json::Value;

/// The rules that the machine is held to: an option of sshd and the mode of a file.
const RULES: &str = "--rule sshd_set_max_auth_tries --rule file_permissions_etc_passwd";

/// A Debian, hardened to a tier as far as [`RULES`] go, whose configuration says what to do about drift.
fn machine(tier: &str, action: &str) -> Result<Copy> {
    let machine = Root::named("debian12")?.copy()?;
    machine.lend(&agent::binary()?, "agent")?;
    machine.shell(&format!(
        "mkdir -p /etc/trempe /srv/metrics; printf 'tier: {tier}\\n{action}\\n' > /etc/trempe/agent.yml
         $LAB/agent apply --yes {RULES} > /root/applied 2>&1 || [ $? -eq 2 ] || {{ cat /root/applied >&2; exit 1; }}"
    ))?;
    Ok(machine)
}

fn drift(machine: &Copy, code: u8) -> Result<Value> {
    let said = machine.shell(&format!("$LAB/agent drift --format json || [ $? -eq {code} ]"))?;
    serde_json::from_str(&said).with_context(|| said)
}

fn holds(list: &Value, rule: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|own| own == rule))
}

#[test]
fn where_nothing_is_configured_nothing_is_looked_at() -> Result<()> {
    let machine = machine("light", "")?;
    let said = machine.shell("$LAB/agent drift 2>&1")?;
    ensure!(said.contains("no drift.action"), "{said}");
    ensure!(
        machine.shell("ls /run/trempe/drift.json 2>&1 || true")?.contains("No such file"),
        "it was recorded"
    );
    Ok(())
}

#[test]
fn what_was_changed_is_found_told_and_measured() -> Result<()> {
    let machine = machine("standard", "drift: {action: warn, metrics: /srv/metrics/trempe.prom}")?;
    machine.shell("chmod 666 /etc/passwd; echo MaxAuthTries 40 > /etc/ssh/sshd_config.d/0.conf")?;
    let drift = drift(&machine, 2)?;
    let drifted = drift["drifted"].as_array().map_or(0, Vec::len);
    ensure!(drifted == 2 && holds(&drift["drifted"], "file_permissions_etc_passwd"), "{drift:#}");
    ensure!(holds(&drift["drifted"], "sshd_set_max_auth_tries"), "{drift:#}");
    let found = drift["found"].to_string();
    ensure!(found.contains("0666") && found.contains("MaxAuthTries 40"), "{found}");
    let line = machine.shell("cat /run/motd.d/50-trempe")?;
    ensure!(line.lines().count() == 1 && line.contains("2 of them since"), "{line}");
    let metrics = machine.shell("cat /srv/metrics/trempe.prom")?;
    ensure!(metrics.contains("\ntrempe_drifted_rules 2\n"), "{metrics}");
    ensure!(metrics.contains("rule=\"file_permissions_etc_passwd\""), "{metrics}");
    ensure!(machine.shell("$LAB/agent status || true")?.contains("drift since"), "status tells it");
    ensure!(machine.shell("stat -c %a /etc/passwd")?.trim() == "666", "warn changes nothing");
    Ok(())
}

#[test]
fn what_was_changed_is_mended_where_that_is_asked_for() -> Result<()> {
    let machine = machine("light", "drift: {action: reapply}")?;
    machine.shell("chmod 666 /etc/passwd")?;
    let said = machine.shell("$LAB/agent drift --format json || [ $? -ne 0 ]")?;
    let drift: Value = serde_json::from_str(&said).with_context(|| said)?;
    ensure!(holds(&drift["mended"], "file_permissions_etc_passwd"), "{drift:#}");
    ensure!(machine.shell("stat -c %a /etc/passwd")?.trim() == "644", "it is mended");
    ensure!(
        machine.shell("$LAB/agent rollback >/dev/null 2>&1; stat -c %a /etc/passwd")?.trim() == "666",
        "with an undo log"
    );
    Ok(())
}
