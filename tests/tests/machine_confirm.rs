//! Runs that wait to be confirmed: every way in which that can end. Part of the full matrix; see `machine_door.rs` for the rest.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::vm::Vm;

/// A rule about sshd and one about something else.
const RULES: &str = "--rule disable_host_auth --rule banner_etc_issue_cis";
/// What the first of them leaves.
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-trempe.conf";
/// What must be gone once nothing waits any more.
const TRACES: &str = "/var/lib/trempe/pending.json /etc/systemd/system/trempe-revert.service \
                      /etc/systemd/system/trempe-revert.timer \
                      /etc/systemd/system/timers.target.wants/trempe-revert.timer";
/// An emulated machine takes its time.
const PATIENCE: Duration = Duration::from_secs(240);

fn booted() -> Result<Vm> {
    let vm = Vm::boot(&Root::named("debian12")?)?;
    vm.lend(&agent::binary()?, "agent")?;
    Ok(vm)
}

fn apply(vm: &Vm, within: &str) -> Result<String> {
    let begun = Instant::now();
    // In one go: an emulated machine lets little time pass until it is taken back.
    let script =
        format!("$LAB/agent apply --yes --tier standard {RULES} --confirm-within {within}; cat {DROP_IN}");
    let said = vm.shell(&script)?;
    println!("apply: {:.1} s", begun.elapsed().as_secs_f64());
    ensure!(said.contains("all of it is taken back at 2"), "{said}");
    ensure!(said.contains("HostbasedAuthentication no"), "{said}");
    Ok(said)
}

/// Waits until the run is taken back, and nothing of the waiting is left.
fn gone(vm: &Vm) -> Result<()> {
    let begun = Instant::now();
    let script = format!("ls -d {DROP_IN} {TRACES} 2>/dev/null || true");
    loop {
        let left = vm.shell(&script)?;
        if left.is_empty() {
            break;
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "still there: {left}{}",
            vm.shell("journalctl -u trempe-revert")?
        );
        sleep(Duration::from_secs(1));
    }
    println!("taken back after {:.1} s", begun.elapsed().as_secs_f64());
    let status = vm.shell("$LAB/agent status || true")?;
    ensure!(!status.contains("is taken back at"), "{status}");
    ensure!(vm.shell("systemctl list-timers --all")?.lines().all(|line| !line.contains("trempe-revert")));
    Ok(())
}

#[test]
fn a_run_goes_unless_it_is_confirmed_matrix() {
    let vm = booted().unwrap();
    let door = vm.shell("time $LAB/agent door 2>&1").unwrap();
    assert!(door.contains("admin\n  ssh key       open, proved\n"), "{door}");
    assert!(door.contains("root by sudo  without a password, proved"), "{door}");
    println!("{door}");

    apply(&vm, "15s").unwrap();
    let verified =
        "systemd-analyze verify /etc/systemd/system/trempe-revert.timer 2>&1 | grep -i trempe || true";
    assert_eq!(vm.shell(verified).unwrap(), "");
    gone(&vm).unwrap();
    assert!(vm.shell("$LAB/agent confirm 2>&1 || true").unwrap().contains("nothing waits to be confirmed"));

    apply(&vm, "10m").unwrap();
    let status = vm.shell("$LAB/agent status || true").unwrap();
    assert!(status.contains("unless 'agent confirm' comes before"), "{status}");
    let again = vm.shell("$LAB/agent apply --yes --tier light 2>&1 || true").unwrap();
    assert!(again.contains("waits to be confirmed until"), "{again}");
    assert!(vm.shell("$LAB/agent confirm").unwrap().contains("confirmed, it stays"));
    let left = vm.shell(&format!("ls -d {DROP_IN} {TRACES} 2>/dev/null || true")).unwrap();
    assert_eq!(left, format!("{DROP_IN}\n"));

    // Taking it back by hand is an answer too.
    vm.shell("$LAB/agent rollback; sleep 2").unwrap();
    apply(&vm, "10m").unwrap();
    vm.shell("$LAB/agent rollback; sleep 2").unwrap();
    gone(&vm).unwrap();
}

#[test]
fn a_run_goes_across_a_reboot_matrix() {
    let mut vm = booted().unwrap();
    apply(&vm, "30s").unwrap();
    vm.reboot().unwrap();
    gone(&vm).unwrap();
    apply(&vm, "20m").unwrap();
    vm.reboot().unwrap();
    let timers = vm.shell("systemctl list-timers").unwrap();
    assert!(timers.contains("trempe-revert.timer"), "{timers}");
    vm.shell("$LAB/agent confirm").unwrap();
    vm.reboot().unwrap();
    assert!(vm.shell(&format!("cat {DROP_IN}")).unwrap().contains("HostbasedAuthentication no"));
    // The power goes before the run is over, and nobody comes back to it.
    vm.shell("$LAB/agent rollback; sleep 2").unwrap(); // while sshd reads its configuration again it takes no connection
    vm.shell(&format!(
        "(setsid $LAB/agent apply --yes --tier standard {RULES} --confirm-within 30s >/dev/null 2>&1 &)
         while ! grep -q intent /var/lib/trempe/runs/*/journal.jsonl 2>/dev/null; do sleep 0.05; done; sync"
    ))
    .unwrap();
    vm.power_cut().unwrap();
    vm.start().unwrap();
    gone(&vm).unwrap();
}

/// sshd is not told to read somebody else's broken file, and goes on with what it knows.
#[test]
fn a_running_daemon_outlives_somebody_elses_broken_file_matrix() {
    let vm = booted().unwrap();
    vm.shell("echo 'NoSuchKeyword yes' > /etc/ssh/sshd_config.d/60-foreign.conf").unwrap();
    let said = vm.shell(&format!("$LAB/agent apply --yes --tier standard {RULES} || [ $? -le 2 ]")).unwrap();
    assert!(
        said.contains("60-foreign.conf: line 1") && said.contains("fixed banner_etc_issue_cis"),
        "{said}"
    );
    assert_eq!(vm.shell("systemctl is-active ssh").unwrap(), "active\n");
}
