//! What tests of the first boot do with a machine: knock at its door, wait for both phases, read what it says.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::agent;
use crate::machine::Machine;
use crate::person::LEFT_TO_A_PERSON;
use crate::seed::Seed;
use crate::verdict::Verdict;
use crate::vm::Vm;

/// How long both phases may take on an emulated processor.
const PROVISIONED: Duration = Duration::from_secs(1800);

/// `/tmp` on a file system of its own, so that there is something to mount noexec; on Debian 13 it is one anyway.
pub const OWN_TMP: &str = "echo 'tmpfs /tmp tmpfs defaults,size=256m 0 0' >> /etc/fstab";

/// A static address of a machine, and cloud-init's way of saying so.
pub const ADDRESS: &str = "10.0.2.77";
/// See [`ADDRESS`].
pub const NETWORK: &str = "version: 2\nethernets:\n  nic0:\n    match: {macaddress: '52:54:00:12:34:56'}\n    set-name: eth0\n    \
                       addresses: [10.0.2.77/24]\n    gateway4: 10.0.2.2\n    nameservers: {addresses: [10.0.2.3]}\n";

/// What a seed says of the tier.
pub fn tier(tier: &str) -> String {
    format!("trempe:\n  tier: {tier}\n")
}

/// Strict without AIDE's database, which takes minutes to build where the processor is emulated.
pub fn strict_soon() -> String {
    format!("{}  exceptions: [{{rule: aide_build_database, reason: built later}}]\n", tier("strict"))
}

/// What the status file says.
pub fn status(vm: &Vm) -> Result<Value> {
    serde_json::from_str(&vm.shell("cat /run/trempe/status.json")?).context("reading status.json")
}

/// Switches a new machine on and knocks at its door from the first moment on, as the users named, with the key. Returns when the
/// administrator is in, with what the status file said at the first login of each.
pub fn knock(vm: &mut Vm, users: &[&str]) -> Result<BTreeMap<String, String>> {
    let begun = Instant::now();
    vm.power_on()?;
    let mut inside = BTreeMap::new();
    let (mut answered, mut refused) = (None, 0);
    while inside.len() < users.len() {
        ensure!(!vm.exited()?, "the machine is off; the console:\n{}", vm.console());
        ensure!(begun.elapsed() < PROVISIONED, "no login; the console:\n{}", vm.console());
        vm.revive()?;
        if !vm.ssh_answers() {
            sleep(Duration::from_millis(200));
            continue;
        }
        answered.get_or_insert_with(|| begun.elapsed());
        for user in users.iter().filter(|user| !inside.contains_key(**user)).copied().collect::<Vec<_>>() {
            match vm.attempt(user, None).args(["cat /run/trempe/status.json || echo '{}'"]).output() {
                Ok(said) => drop(inside.insert(user.to_owned(), said)),
                Err(_) => refused += 1,
            }
        }
    }
    println!(
        "port 22 answered after {:.0} s, all were in after {:.0} s, {refused} attempts were refused before",
        answered.unwrap_or_default().as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    Ok(inside)
}

/// Whoever got in, got in after the first phase.
pub fn after_phase_1(inside: &BTreeMap<String, String>) -> Result<()> {
    for (user, said) in inside {
        let status: Value = serde_json::from_str(said).with_context(|| format!("{user} read {said:?}"))?;
        let over = status["phase"] == "after-provisioning"
            || ["done", "idle"].iter().any(|state| status["state"] == *state);
        ensure!(over, "{user} was in before the first phase was over: {status}");
    }
    Ok(())
}

/// Waits for the second phase and returns its status; prints how long both took.
pub fn provisioned(vm: &Vm) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let show = "systemctl show --value -p ActiveState -p ConditionResult -p ConditionTimestampMonotonic trempe-provisioned.service";
        let said = vm.shell(show)?;
        let said: Vec<&str> = said.split_whitespace().collect();
        match said.first().copied().unwrap_or_default() {
            "active" => break,
            "inactive" if spared(&said) => break,
            "failed" => bail!(
                "phase 2 failed: {}",
                vm.shell("journalctl -b -u trempe-provisioned --no-pager | tail -30")?
            ),
            _ if begun.elapsed() > PROVISIONED => bail!("phase 2 did not end"),
            _ => sleep(Duration::from_secs(1)),
        }
    }
    println!("{}", vm.shell("systemctl show -p Id -p ExecMainStartTimestamp -p ExecMainExitTimestamp trempe-firstboot trempe-provisioned; cloud-init status --long || true; cat /var/lib/trempe/firstboot.json || true")?);
    status(vm)
}

/// What was done for the instance, as the machine keeps it.
pub fn finished(vm: &Vm) -> Result<String> {
    vm.shell("cat /var/lib/trempe/firstboot.json")
}

/// Gives a hardened machine the id of another instance, and has it boot: it must do both phases anew. Returns what it keeps then.
pub fn as_clone(vm: &mut Vm, seed: &mut Seed) -> Result<String> {
    let before = finished(vm)?;
    "clone".clone_into(&mut seed.instance);
    vm.reseed(seed)?;
    vm.reboot()?;
    let told = provisioned(vm)?;
    let clone = finished(vm)?;
    ensure!(clone != before && clone.contains("clone") && told["state"] == "done", "{told:#} {clone}");
    Ok(clone)
}

/// Whether systemd looked whether there is something to do for a unit, and there is not.
fn spared(said: &[&str]) -> bool {
    matches!(said, [_, "no", when] if *when != "0")
}

/// The verdicts of the installed agent, against the machine's own configuration.
pub fn verdicts(vm: &Vm) -> Result<BTreeMap<String, Verdict>> {
    let audit = agent::run_installed(vm, &["audit"])?;
    Ok(audit.by_id().into_iter().map(|(id, rule)| (id, rule.result)).collect())
}

/// What fails after a first boot: only what is left to a person.
pub fn unexpected(verdicts: &BTreeMap<String, Verdict>) -> Vec<&String> {
    let bad = |verdict: &Verdict| matches!(verdict, Verdict::Fail | Verdict::Error | Verdict::Unknown);
    verdicts
        .iter()
        .filter(|(id, verdict)| bad(verdict) && !LEFT_TO_A_PERSON.contains(&id.as_str()))
        .map(|(id, _)| id)
        .collect()
}

/// As [`provisioned`], for a phase that ends with a problem.
pub fn status_after_failure(vm: &Vm) -> Result<Value> {
    let begun = Instant::now();
    while vm.shell("systemctl show -P ActiveState trempe-provisioned.service")?.trim() != "failed" {
        ensure!(begun.elapsed() < PROVISIONED, "phase 2 did not end in trouble");
        sleep(Duration::from_secs(1));
    }
    status(vm)
}
