//! Packages are installed and removed, and come and go again, by the real apt and dpkg: in a root tree without a network, from
//! an archive of a few packages made on the spot. Needs root.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::image::package;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};

/// Builds the archive below `/srv/archive` and makes it apt's only one. The package `aide` writes below `/etc` when it is
/// configured, and kills the agent then when `/root/kill` is there, or fails when `/root/fail` is; `talker` needs `telnet` and was pulled in by `chat`.
const ARCHIVE: &str = r#"
mkdir -p /srv/archive && cd /srv/archive
make() { # NAME DEPENDS [POSTINST]
    mkdir -p $1/DEBIAN $1/usr/share/$1
    echo "$1" > $1/usr/share/$1/data
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: tests <root@localhost>\nDescription: test\n' $1 > $1/DEBIAN/control
    [ -z "$2" ] || echo "Depends: $2" >> $1/DEBIAN/control
    if [ -n "${3-}" ]; then printf '#!/bin/sh\n%s\n' "$3" > $1/DEBIAN/postinst; chmod 755 $1/DEBIAN/postinst; fi
    dpkg-deb --build -Znone $1 $1.deb >/dev/null
    { dpkg-deb -f $1.deb; echo "Filename: ./$1.deb"; echo "Size: $(stat -c %s $1.deb)"
      echo "SHA256: $(sha256sum $1.deb | cut -d' ' -f1)"; echo; } >> Packages
}
make libaide0 ''
make aide libaide0 'echo "aide:x:990:" >> /etc/group
if [ -e /root/kill ]; then rm /root/kill; pkill -9 -x agent; sleep 60; fi
if [ -e /root/fail ]; then exit 1; fi'
make telnet ''
make talker telnet
make chat ''
make extra ''
make orphan ''
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list
apt-get -qq update
apt-get -qq install chat talker telnet orphan </dev/null >/dev/null 2>&1
apt-mark -q auto orphan talker >/dev/null
"#;
const RULES: &str = "--rule package_aide_installed --rule package_telnet_removed";

fn machine() -> Result<Copy> {
    let machine = Root::named("debian12")?.copy()?;
    machine.lend(&agent::binary()?, "agent")?;
    machine.shell(ARCHIVE).context("making the archive")?;
    Ok(machine)
}

/// Everything below `/etc`, the installed packages, and which of them nobody asked for.
fn state(machine: &Copy) -> Result<BTreeSet<String>> {
    let script = "find /etc ! -type d -printf '%p %m %u %g %l\\n'; find /etc -type f -print0 | sort -z | xargs -0 sha256sum
                  dpkg-query -W -f '${Package} ${Status}\\n'; apt-mark showauto | sed 's/^/auto /'";
    Ok(machine.shell(script)?.lines().map(str::to_owned).collect())
}

fn differences(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    before.symmetric_difference(after).cloned().collect()
}

fn installed(machine: &Copy, name: &str) -> Result<bool> {
    Ok(machine
        .shell(&format!("dpkg-query -W -f '${{Status}}' {name} 2>/dev/null || true"))?
        .ends_with(" installed"))
}

/// A command that may end with 0 or 2; gives all it said.
fn agent(machine: &Copy, words: &str) -> Result<String> {
    machine.shell(&format!("$LAB/agent {words} 2>&1 || [ $? -eq 2 ]"))
}

/// The agent's own package: while something could only be taken back by it, it stays; a purge leaves nothing.
#[test]
fn our_own_package_goes_when_nothing_needs_it_and_wholly() -> Result<()> {
    let machine = Root::named("debian12")?.copy()?;
    let (_built, deb) = package("deb")?;
    let deb = machine.lend(&deb, "agent.deb")?;
    machine.shell(&format!(
        "dpkg --install {deb}; agent apply --yes --tier standard --rule banner_etc_issue_cis"
    ))?;
    for (begin, said, end) in [
        (
            "cp /var/lib/trempe/runs/*/journal.jsonl /root; sed -i '$d' /var/lib/trempe/runs/*/journal.jsonl",
            "was interrupted half way: 'agent rollback' takes it back",
            "cp /root/journal.jsonl /var/lib/trempe/runs/*/",
        ),
        ("touch /var/lib/trempe/pending.json", "waits to be confirmed", "rm /var/lib/trempe/pending.json"),
    ] {
        let told =
            machine.shell(&format!("{begin}; dpkg --remove trempe-agent 2>&1 || echo code $?; {end}"))?;
        ensure!(told.contains(said) && told.contains("code 1"), "{told}");
        ensure!(installed(&machine, "trempe-agent")?, "{told}");
    }
    let told =
        machine.shell("dpkg --purge trempe-agent 2>&1; find / -xdev -path '*trempe*' ! -path '/run/*'")?;
    ensure!(!told.contains("rmdir") && !told.contains("\n/"), "left: {told}");
    Ok(())
}

#[test]
fn packages_come_and_go_with_what_depends_on_them() -> Result<()> {
    let machine = machine()?;
    let before = state(&machine)?;
    let plan = agent(&machine, &format!("plan --tier strict {RULES}"))?;
    ensure!(
        plan.contains("libaide0") && plan.contains("talker"),
        "the plan hides what comes or goes along: {plan}"
    );
    ensure!(state(&machine)? == before, "planning changed something");

    agent(&machine, &format!("apply --yes --tier strict {RULES}"))?;
    for (name, wanted) in
        [("aide", true), ("libaide0", true), ("telnet", false), ("talker", false), ("orphan", true)]
    {
        ensure!(installed(&machine, name)? == wanted, "{name} after the apply");
    }
    machine.shell("apt-get -qq install extra </dev/null >/dev/null 2>&1; echo mine > /etc/mine")?;

    agent(&machine, "rollback --rule package_aide_installed")?;
    for (name, wanted) in
        [("aide", false), ("libaide0", false), ("telnet", false), ("orphan", true), ("extra", true)]
    {
        ensure!(installed(&machine, name)? == wanted, "{name} after one rule was taken back");
    }
    agent(&machine, "rollback")?;
    ensure!(installed(&machine, "extra")?, "what was installed since was taken away");
    machine.shell("rm /etc/mine; apt-get -qq purge extra </dev/null >/dev/null 2>&1")?;
    let left = differences(&before, &state(&machine)?);
    ensure!(left.is_empty(), "not restored: {left:#?}");
    Ok(())
}

/// What a power cut right after `apt-get update` leaves: lists that are empty, which another `apt-get update` keeps.
const SPOILT: &str = r#"
cd /srv/archive
printf 'Date: %s\nSHA256:\n %s %s Packages\n' "$(LC_ALL=C date -Ru)" "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" > Release
echo 'deb [trusted=yes] copy:/srv/archive ./' > /etc/apt/sources.list
apt-get -qq -o Acquire::GzipIndexes=false update
for list in /var/lib/apt/lists/*_Packages; do : > $list; done
rm -f /var/cache/apt/*.bin
apt-get -qq update
cat /var/lib/apt/lists/*_Packages | wc -c
"#;

#[test]
fn lists_that_a_power_cut_left_empty_are_fetched_anew() -> Result<()> {
    let machine = machine()?;
    ensure!(machine.shell(SPOILT)? == "0\n", "apt mends its lists by itself");
    agent(&machine, &format!("apply --yes --tier strict {RULES}"))?;
    ensure!(installed(&machine, "aide")?, "the package was not found");
    Ok(())
}

#[test]
fn a_package_that_is_nowhere_is_an_error_of_its_rule_alone() -> Result<()> {
    let machine = machine()?;
    let before = state(&machine)?;
    let said = agent(
        &machine,
        &format!("apply --yes --tier strict {RULES} --rule package_audit_installed || [ $? -eq 1 ]"),
    )?;
    ensure!(said.contains("auditd"), "{said}");
    ensure!(installed(&machine, "aide")? && !installed(&machine, "telnet")?, "{said}");
    agent(&machine, "rollback")?;
    let left = differences(&before, &state(&machine)?);
    ensure!(left.is_empty(), "not restored: {left:#?}");
    Ok(())
}

#[test]
fn what_others_need_since_is_not_taken_away() -> Result<()> {
    let machine = machine()?;
    agent(&machine, &format!("apply --yes --tier strict {RULES}"))?;
    machine.shell("cd /srv/archive; sed -i '/^Depends/d; $ a Depends: aide' chat/DEBIAN/control; sed -i 's/^Version: 1/Version: 2/' chat/DEBIAN/control
                   dpkg-deb --build -Znone chat chat2.deb >/dev/null; dpkg -i chat2.deb >/dev/null")?;
    let said = machine.shell("$LAB/agent rollback 2>&1 || echo code $?")?;
    ensure!(said.contains("chat") && said.contains("code 1"), "{said}");
    ensure!(installed(&machine, "aide")? && installed(&machine, "chat")?, "{said}");
    Ok(())
}

#[test]
fn a_run_killed_while_packages_are_configured_is_taken_back() -> Result<()> {
    for next in ["rollback", "apply --yes --tier strict --rule sysctl_kernel_randomize_va_space"] {
        let machine = machine()?;
        let before = state(&machine)?;
        machine.shell("touch /root/kill")?;
        // Everything in the namespace ends with the agent, as if the power had gone.
        let killed = machine.shell(&format!("$LAB/agent apply --yes --tier strict {RULES}; exit 99"));
        ensure!(killed.is_err(), "the agent was not killed");
        ensure!(state(&machine)? != before, "killed before anything was done");
        let said = agent(&machine, next)?;
        let left: Vec<String> = differences(&before, &state(&machine)?)
            .into_iter()
            .filter(|line| !line.contains("sysctl"))
            .collect();
        ensure!(left.is_empty(), "not restored by {next} ({said}): {left:#?}");
    }
    Ok(())
}

#[test]
fn without_a_package_manager_the_rule_says_what_is_to_be_done_by_hand() -> Result<()> {
    let machine = machine()?;
    machine.shell("mv /usr/bin/apt-get /root/")?;
    let before = state(&machine)?;
    let said =
        machine.shell(&format!("$LAB/agent apply --yes --tier strict {RULES} 2>&1 || echo code $?"))?;
    ensure!(said.contains("no supported package manager") && said.contains("aide"), "{said}");
    ensure!(said.contains("code 1"), "{said}");
    ensure!(state(&machine)? == before, "something was changed");
    Ok(())
}

#[test]
fn a_package_whose_script_fails_fails_its_rule_alone() -> Result<()> {
    let machine = machine()?;
    let before = state(&machine)?;
    machine.shell("touch /root/fail")?;
    let said =
        machine.shell(&format!("$LAB/agent apply --yes --tier strict {RULES} 2>&1 || echo code $?"))?;
    ensure!(said.contains("code 1"), "{said}");
    ensure!(!installed(&machine, "aide")? && !installed(&machine, "libaide0")?, "half of it is left: {said}");
    ensure!(!installed(&machine, "telnet")?, "the other rule was not served: {said}");
    agent(&machine, "rollback")?;
    let left = differences(&before, &state(&machine)?);
    ensure!(left.is_empty(), "not restored: {left:#?}");
    Ok(())
}
