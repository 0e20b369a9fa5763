//! Machines without cloud-init, or with it switched off: nothing is waited for, and the image's own configuration counts.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::firstboot::OWN_TMP;
use e2e::image::Image;
use e2e::person::LEFT_TO_A_PERSON;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::vm::Vm;
use serde_json::Value;

const PASSWORD: &str = "Quench-2026-Steel";
const MOST: Duration = Duration::from_secs(1200);

/// Does by hand what cloud-init does for others: somebody who administers the machine, host keys, the network. The tier is the image's.
const BY_HAND: &str = "useradd -m -s /bin/bash -G sudo boss; echo boss:Quench-2026-Steel | chpasswd
    echo 'boss ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/boss; chmod 0440 /etc/sudoers.d/boss
    ssh-keygen -q -A
    printf '[Match]\\nName=en* eth*\\n[Network]\\nDHCP=yes\\n' > /etc/systemd/network/all.network
    systemctl --quiet enable systemd-networkd
    echo 'tier: standard' > /etc/trempe/agent.yml
    printf 'exceptions:\n  - {rule: aide_build_database, reason: built later}\n' > /etc/trempe/agent.d/10.yml";

/// What a command says to whoever logs in with the password; an error while nobody comes in.
fn ask(vm: &Vm, words: &str) -> Result<String> {
    vm.attempt("boss", Some(PASSWORD)).args([words]).output()
}

fn hardened_alone(how: &str) -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, &format!("{OWN_TMP}\n{BY_HAND}\n{how}"))?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, ""))?;
    vm.remove_seed()?;
    let begun = Instant::now();
    vm.power_on()?;
    let status = loop {
        vm.revive()?;
        let said = ask(&vm, "cat /run/trempe/status.json");
        let status = said.ok().and_then(|said| serde_json::from_str::<Value>(&said).ok()).unwrap_or_default();
        let early = status["phase"] == "before-logins" && status["state"] == "running";
        ensure!(!early, "somebody was in before the first phase was over: {status:#}");
        if status["phase"] == "after-provisioning" && status["state"] != "running" {
            break status;
        }
        ensure!(begun.elapsed() < MOST, "phase 2 does not end: {status:#}; the console:\n{}", vm.console());
        sleep(Duration::from_secs(1));
    };
    println!("{how}: {:.0} s", begun.elapsed().as_secs_f64());
    ensure!(status["tier"] == "standard" && status["state"] == "done", "{status:#}");
    for nothing in ["problems", "errors"] {
        ensure!(status[nothing].as_array().is_some_and(Vec::is_empty), "{status:#}");
    }
    let fails = status["failing"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let bad: Vec<&str> = fails.filter(|rule| !LEFT_TO_A_PERSON.contains(rule)).collect();
    ensure!(bad.is_empty(), "fails: {bad:?}");
    let ran = ask(&vm, "systemctl show -P ActiveState cloud-final.service").context("asking systemd")?;
    ensure!(ran.trim() == "inactive", "cloud-init's last stage is {ran}");
    ask(&vm, "sudo -n agent audit > /dev/null; [ $? -ne 1 ]").context("the audit")?;
    Ok(())
}

#[test]
fn a_machine_without_cloud_init_hardens_itself_matrix() -> Result<()> {
    hardened_alone("DEBIAN_FRONTEND=noninteractive apt-get -q -y purge cloud-init > /dev/null")
}

#[test]
fn a_machine_whose_cloud_init_is_switched_off_hardens_itself_matrix() -> Result<()> {
    hardened_alone("touch /etc/cloud/cloud-init.disabled")
}
