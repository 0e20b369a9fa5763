//! A booted machine that is no longer what it was hardened to: its timer finds that, those who log in are told, and it is mended where
//! the configuration says so.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::firstboot::{OWN_TMP, knock, provisioned, strict_soon};
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::vm::Vm;
use serde_json::Value;

/// The timer's own hours are daily; an administrator sets others this way.
const EVERY_MINUTE: &str = "mkdir -p /etc/systemd/system/trempe-drift.timer.d
    printf '[Timer]\\nOnBootSec=\\nOnCalendar=\\nOnCalendar=minutely\\nRandomizedDelaySec=0\\nAccuracySec=1s\\n' \
        > /etc/systemd/system/trempe-drift.timer.d/soon.conf";

/// An option of sshd, a kernel parameter, the mode of a file; and the rules that they are of.
const TAMPERED: &str = "sed -i 's/^MaxAuthTries.*/MaxAuthTries 9/' /etc/ssh/sshd_config.d/00-trempe.conf
    systemctl reload ssh
    sysctl -q -w net.ipv4.conf.all.accept_redirects=1
    chmod 0644 /etc/shadow";
const RULES: [&str; 3] =
    ["file_permissions_etc_shadow", "sshd_set_max_auth_tries", "sysctl_net_ipv4_conf_all_accept_redirects"];
/// The same three as they stand.
const STANDING: &str = "sshd -T | sed -n 's/^maxauthtries //p'; sysctl -n net.ipv4.conf.all.accept_redirects; stat -c %a /etc/shadow";

const MOST: Duration = Duration::from_secs(900);

/// What the timer's next run finds; `before` it something is done.
fn timed(vm: &Vm, action: &str, before: &str) -> Result<Value> {
    vm.shell(&format!(
        "systemctl stop trempe-drift.timer trempe-drift.service
         printf 'drift: {{action: {action}, metrics: /var/lib/trempe.prom}}\\n' > /etc/trempe/agent.d/20-drift.yml
         {before}
         rm -f /run/trempe/drift.json /run/motd.d/50-trempe
         systemctl start trempe-drift.timer"
    ))?;
    let begun = Instant::now();
    while vm.shell("cat /run/trempe/drift.json 2> /dev/null || true")?.is_empty() {
        ensure!(
            begun.elapsed() < MOST,
            "{}",
            vm.shell("journalctl -b -u trempe-drift --no-pager | tail -20")?
        );
        sleep(Duration::from_secs(3));
    }
    // Its message and its metrics come after the record.
    vm.shell("systemctl stop trempe-drift.timer; while [ $(systemctl show -P ActiveState trempe-drift.service) = activating ]; do sleep 1; done")?;
    println!(
        "{action}: {:.0} s; {}",
        begun.elapsed().as_secs_f64(),
        vm.shell("systemctl show -p Result -p ExecMainStatus trempe-drift.service")?
    );
    Ok(serde_json::from_str(&vm.shell("cat /run/trempe/drift.json")?)?)
}

/// In alphabetical order.
fn rules<'a>(drift: &'a Value, which: &str) -> Vec<&'a str> {
    let mut rules: Vec<&str> =
        drift[which].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    rules.sort_unstable();
    rules
}

/// What somebody reads who logs in at a terminal.
fn greeting(vm: &Vm) -> Result<String> {
    let typed = tempfile::NamedTempFile::new()?;
    std::fs::write(typed.path(), "exit\n")?;
    vm.attempt("admin", None).args(["-tt"]).input(typed.path())?.output()
}

#[test]
fn what_was_changed_by_hand_is_found_told_and_mended_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, &format!("{OWN_TMP}\n{EVERY_MINUTE}"))?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &strict_soon()))?;
    knock(&mut vm, &["admin"])?;
    provisioned(&vm)?;
    let as_it_was = vm.shell(STANDING)?;

    let untouched = timed(&vm, "warn", "")?;
    ensure!(rules(&untouched, "drifted").is_empty(), "{untouched:#}");

    let warned = timed(&vm, "warn", TAMPERED)?;
    ensure!(rules(&warned, "drifted") == RULES && rules(&warned, "mended").is_empty(), "{warned:#}");
    let found = rules(&warned, "found").join("\n");
    ensure!(
        ["MaxAuthTries", "9", "0644"].iter().all(|word| found.contains(word)),
        "not what changed: {found}"
    );
    let told = greeting(&vm)?;
    ensure!(told.contains("rules not met"), "those who log in read {told}");
    ensure!(vm.shell(STANDING)? != as_it_was, "it was mended, and only a warning was asked for");

    let mended = timed(&vm, "reapply", "")?;
    ensure!(rules(&mended, "drifted") == RULES && rules(&mended, "mended") == RULES, "{mended:#}");
    ensure!(vm.shell(STANDING)? == as_it_was, "{}, before {as_it_was}", vm.shell(STANDING)?);
    let metrics = vm.shell("grep -E '^trempe_(drifted|mended)_rules' /var/lib/trempe.prom")?;
    ensure!(metrics.contains("drifted_rules 3") && metrics.contains("mended_rules 3"), "{metrics}");
    let journal = vm.shell("journalctl -b -u trempe-drift --no-pager")?;
    ensure!(RULES.iter().all(|rule| journal.contains(rule)), "{journal}");

    let after = timed(&vm, "warn", "")?;
    ensure!(rules(&after, "drifted").is_empty(), "{after:#}");
    Ok(())
}
