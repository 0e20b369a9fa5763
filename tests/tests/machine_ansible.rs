//! Ansible of both ages at work on a booted machine over ssh. The sample hardens, confirms over a new connection and takes back; the rest
//! belongs to the full matrix. Trees, which are quicker, are in `ansible.rs`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::ansible::{AGES, Ansible, Inhabited, Play};
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::vm::Vm;
use serde_json::Value;

const SOME: &str = "[banner_etc_issue_cis, disable_host_auth, sshd_disable_password_authentication, \
                    sshd_disable_root_login, sysctl_net_ipv4_tcp_syncookies]";
/// What one host's own variables except.
const PASSWORDS: &str = "harden_host_exceptions=\"[{'rule': 'sshd_disable_password_authentication', 'reason': 'no keys yet', \
                         'until': '2099-06-30'}]\"";
/// Somebody who has nothing but a password.
const GUEST: (&str, &str) = ("guest", "Sesam-9-oeffne-dich");
const APPLY: &str = "Make the machine what its tier asks for";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-trempe.conf";
/// What `pam-auth-update` writes, which libpam-pwquality calls when it is installed.
const BY_PACKAGES: &str = "write /var/lib/pam/seen";
const PATIENCE: Duration = Duration::from_secs(600);

/// A playbook that hardens all hosts by these rules of a tier (`[]` for all), one after the other; `vars` are further variables of the role.
fn playbook(tier: &str, rules: &str, vars: &str) -> Result<String> {
    let agent = agent::binary()?;
    Ok(format!(
        "- hosts: all\n  become: true\n  gather_facts: false\n  serial: 1\n  any_errors_fatal: true\n  roles:\n    \
         - role: trempe.hardening.harden\n      vars: {{harden_tier: {tier}, harden_agent: {}, harden_rules: {rules}, {vars}}}\n",
        agent.display()
    ))
}

const ROLLBACK: &str = "
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - {name: Take back, trempe.hardening.rollback: {executable: /usr/local/sbin/agent}}
    - {name: Stand, trempe.hardening.facts: {executable: /usr/local/sbin/agent}}
";

/// Ansible of this age, which knows the machine.
fn beside(vm: &Vm, age: &str) -> Result<Ansible> {
    let mut ansible = Ansible::new(age)?;
    ansible.host("machine", &vm.inventory());
    Ok(ansible)
}

/// The machine's own exception is in force there, and only there; that of the group everywhere.
fn passwords(vm: &Vm, neighbour: &Inhabited) -> Result<()> {
    let there = vm.shell(&format!("cat {DROP_IN}"))?;
    let beside = neighbour.shell(&format!("cat {DROP_IN}"))?;
    ensure!([&there, &beside].iter().all(|said| said.contains("HostbasedAuthentication no")), "{beside}");
    ensure!([&there, &beside].iter().all(|said| !said.contains("PermitRootLogin")), "{beside}");
    ensure!(!there.contains("PasswordAuthentication no"), "{there}");
    ensure!(beside.contains("PasswordAuthentication no"), "{beside}");
    let (user, password) = GUEST;
    vm.attempt(user, Some(password)).args(["true"]).run().context("the excepted password").map(drop)
}

fn changes(play: &Play) -> Result<String> {
    Ok(play.task(APPLY)?["changes"].to_string())
}

/// Check, run, second run, with an exception of the group and one that the machine alone has, not its neighbour; rollback.
fn life(vm: &Vm, age: &str) -> Result<()> {
    let neighbour = Inhabited::new(Root::named("debian12")?.copy()?)?;
    let mut ansible = Ansible::new(age)?;
    ansible.host("machine", &format!("{} {PASSWORDS}", vm.inventory()));
    ansible.tree("neighbour", Some(&neighbour))?;
    ansible.host("neighbour", "harden_confirm_within="); // no systemd runs there
    let excepted = "harden_exceptions: [{rule: sshd_disable_root_login, reason: console, until: 2099-06-30}]";
    let text = playbook("strict", SOME, excepted)?;
    let checked = ansible.play(&text, &["--check", "--diff"])?.good()?;
    let there = format!(
        "ls -d {DROP_IN} /usr/local/sbin/agent /var/lib/trempe /var/lib/trempe-check* 2>/dev/null || true"
    );
    ensure!(vm.shell(&there)?.is_empty(), "check mode left: {}", vm.shell(&there)?);
    let run = ansible.play(&text, &["--diff"])?.good()?;
    ensure!(changes(&checked)? == changes(&run)?, "{}\n---\n{}", checked.text, run.text);
    ensure!(run.text.contains("+HostbasedAuthentication no"), "{}", run.text);
    // Confirmed over a new connection: nothing waits any more.
    ensure!(run.task("Keep what was done, as the machine can be reached")?["run"] == run.task(APPLY)?["run"]);
    passwords(vm, &neighbour)?;
    let again = ansible.play(&text, &[])?.good()?;
    ensure!(again.changed().is_empty() && again.text.contains("changed=0 "), "{}", again.text);
    let taken = ansible.play(ROLLBACK, &[])?.good()?;
    ensure!(taken.changed() == ["Take back", "Take back"], "{}", taken.text);
    ensure!(taken.task("Stand")?["ansible_facts"]["trempe"]["pending"].is_null(), "{}", taken.text);
    ensure!(vm.shell(&format!("ls {DROP_IN} 2>/dev/null || echo gone"))? == "gone\n");
    vm.shell("rm -r /usr/local/sbin/agent /var/lib/trempe /etc/trempe").map(drop)
}

#[test]
fn a_machine_is_hardened_and_restored_over_ssh() -> Result<()> {
    let vm = Vm::boot(&Root::named("debian12-ready")?)?;
    let (user, password) = GUEST;
    vm.shell(&format!("useradd -m {user} && echo '{user}:{password}' | chpasswd"))?;
    AGES.iter().try_for_each(|age| life(&vm, age))
}

/// All rules of a tier, and how long that takes: check, run, second run.
#[test]
fn a_machine_is_hardened_whole_over_ssh_matrix() -> Result<()> {
    let vm = Vm::boot(&Root::named("debian12-ready")?)?;
    let ansible = beside(&vm, "newest")?;
    let text = playbook("standard", "[]", "harden_confirm_within: 20m")?;
    let checked = ansible.play(&text, &["--check"])?.good()?;
    let run = ansible.play(&text, &[])?.good()?;
    println!("{}", run.task(APPLY)?["summary"]);
    // What rules decide once packages are there comes in the run alone; what packages do when they come need not be done.
    let all = |play: &Play| play.task(APPLY)?["changes"].as_array().cloned().context("no list of changes");
    let (foreseen, done) = (all(&checked)?, all(&run)?);
    let superfluous = |change: &&Value| change["change"] == BY_PACKAGES;
    let missing: Vec<_> =
        foreseen.iter().filter(|change| !done.contains(change) && !superfluous(change)).collect();
    ensure!(!foreseen.is_empty() && missing.is_empty(), "foreseen and not done: {missing:#?}");
    let again = ansible.play(&text, &[])?.good()?;
    ensure!(again.changed().is_empty(), "{}", again.text);
    Ok(())
}

/// The power goes in the middle of a run: Ansible stops and leaves the next host alone; the machine takes back what was half done,
/// and the next run does it anew.
#[test]
fn a_host_that_goes_down_stops_the_rest_and_is_hardened_later_matrix() {
    let mut vm = Vm::boot(&Root::named("debian12-ready").unwrap()).unwrap();
    let mut ansible = beside(&vm, "newest").unwrap();
    ansible.tree("next", None).unwrap();
    let text = playbook("standard", "[]", "harden_confirm_within: 20m").unwrap();
    let mut play = ansible.start(&text, &[]).unwrap();
    let begun = Instant::now();
    while vm
        .shell("grep -l intent /var/lib/trempe/runs/*/journal.jsonl 2>/dev/null || true")
        .unwrap()
        .is_empty()
    {
        assert!(begun.elapsed() < PATIENCE && play.try_wait().unwrap().is_none(), "no change was begun");
        sleep(Duration::from_millis(500));
    }
    vm.shell("sync").unwrap();
    vm.power_cut().unwrap();
    assert!(!play.wait().unwrap().success());
    let told = ansible.told().unwrap();
    let (machine, next): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.host == "machine");
    assert_eq!(machine.last().unwrap().status, "unreachable", "{told:#?}");
    assert!(next.iter().all(|told| told.status != "unreachable"), "nobody went there: {next:#?}");
    vm.start().unwrap();
    let ansible = beside(&vm, "newest").unwrap();
    let text = playbook("strict", SOME, "harden_confirm_within: 20m").unwrap();
    let play = ansible.play(&text, &[]).unwrap().good().unwrap();
    assert!(changes(&play).unwrap().contains("disable_host_auth"), "{}", play.text);
    let runs = vm.shell("/usr/local/sbin/agent history").unwrap();
    assert!(runs.lines().count() == 2 && runs.lines().next().unwrap().ends_with("taken back"), "{runs}");
}
