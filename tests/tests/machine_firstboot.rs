//! The first boot of an image, to the tier that its seed names: cloud-init, both phases, and who gets in when.
//!
//! Every machine here is made from an image with the agent's package in it and nothing configured; the tier comes with the seed.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::agent;
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::verdict::Verdict;
use e2e::vm::Vm;
use serde_json::Value;

/// How long both phases may take on an emulated processor.
const PROVISIONED: Duration = Duration::from_secs(1800);

/// `/tmp` on a file system of its own, so that there is something to mount noexec; on Debian 13 it is one anyway.
const OWN_TMP: &str = "echo 'tmpfs /tmp tmpfs defaults,size=256m 0 0' >> /etc/fstab";

/// What a seed says of the tier.
fn tier(tier: &str) -> String {
    format!("trempe:\n  tier: {tier}\n")
}

/// What the status file says.
fn status(vm: &Vm) -> Result<Value> {
    serde_json::from_str(&vm.shell("cat /run/trempe/status.json")?).context("reading status.json")
}

/// Switches a new machine on and knocks at its door from the first moment on, as the users named, with the key. Returns when the
/// administrator is in, with what the status file said at the first login of each.
fn knock(vm: &mut Vm, users: &[&str]) -> Result<BTreeMap<String, String>> {
    let begun = Instant::now();
    vm.power_on()?;
    let mut inside = BTreeMap::new();
    let (mut answered, mut refused) = (None, 0);
    while inside.len() < users.len() {
        ensure!(begun.elapsed() < PROVISIONED, "no login; the console:\n{}", vm.console());
        if !vm.ssh_answers() {
            sleep(Duration::from_millis(200));
            continue;
        }
        answered.get_or_insert_with(|| begun.elapsed());
        for user in users.iter().filter(|user| !inside.contains_key(**user)).copied().collect::<Vec<_>>() {
            match vm.attempt(user, None).args(["cat", "/run/trempe/status.json"]).output() {
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
fn after_phase_1(inside: &BTreeMap<String, String>) -> Result<()> {
    for (user, said) in inside {
        let status: Value = serde_json::from_str(said).with_context(|| format!("{user} read {said:?}"))?;
        let over = status["phase"] == "after-provisioning" || status["state"] == "done";
        ensure!(over, "{user} was in before the first phase was over: {status}");
    }
    Ok(())
}

/// Waits for the second phase and returns its status; prints how long both took.
fn provisioned(vm: &Vm) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let state = vm.shell("systemctl show -P ActiveState trempe-provisioned.service")?;
        match state.trim() {
            "active" => break,
            "failed" => bail!(
                "phase 2 failed: {}",
                vm.shell("journalctl -b -u trempe-provisioned --no-pager | tail -30")?
            ),
            _ if begun.elapsed() > PROVISIONED => bail!("phase 2 did not end"),
            _ => sleep(Duration::from_secs(1)),
        }
    }
    println!("{}", vm.shell("systemctl show -p Id -p ExecMainStartTimestamp -p ExecMainExitTimestamp trempe-firstboot trempe-provisioned; cloud-init status --long || true; cat /var/lib/trempe/firstboot.json")?);
    status(vm)
}

fn verdicts(vm: &Vm) -> Result<BTreeMap<String, Verdict>> {
    let audit = agent::run_installed(vm, &["audit"])?;
    Ok(audit.by_id().into_iter().map(|(id, rule)| (id, rule.result)).collect())
}

/// What fails after a first boot: only what is left to a person.
fn unexpected(verdicts: &BTreeMap<String, Verdict>) -> Vec<&String> {
    let bad = |verdict: &Verdict| matches!(verdict, Verdict::Fail | Verdict::Error | Verdict::Unknown);
    verdicts
        .iter()
        .filter(|(id, verdict)| bad(verdict) && !e2e::person::LEFT_TO_A_PERSON.contains(&id.as_str()))
        .map(|(id, _)| id)
        .collect()
}

/// Everything a cloud's user may ask for in one seed.
fn busy_seed(tier_lines: &str) -> String {
    format!(
        "{tier_lines}ssh_pwauth: true\nchpasswd:\n  expire: false\n  users: [{{name: guest, password: Quench-2026-Steel, type: text}}]\n\
         packages: [tree]\nruncmd:\n  - [sh, -c, 'echo ran > /var/log/runcmd.out']\n  - [sh, -c, 'cp /bin/true /tmp/x; /tmp/x || true']\n\
         write_files:\n  - path: /opt/written\n    content: by cloud-init\n  - path: /var/lib/cloud/scripts/per-instance/own.sh\n    permissions: '0755'\n    content: |\n      #!/bin/sh\n      echo script > /var/log/script.out\n"
    )
}

const GUEST: &str = "  - name: guest\n    lock_passwd: false\n    shell: /bin/bash\n";

/// What the seed asked for was done, though the machine was hardened meanwhile.
fn provisioning_worked(vm: &Vm) -> Result<()> {
    for (file, text) in
        [("/var/log/runcmd.out", "ran"), ("/var/log/script.out", "script"), ("/opt/written", "by cloud-init")]
    {
        let found = vm.shell(&format!("cat {file}"))?;
        ensure!(found.trim() == text, "{file}: {found:?}");
    }
    vm.shell("dpkg-query -W tree")?;
    vm.shell(
        "apt-get -q -y install telnet >&2 || { apt-get -q update >&2; apt-get -q -y install telnet >&2; }",
    )
    .context("apt-get install after the hardening")?;
    vm.shell("apt-get -q -y purge telnet >&2")?;
    Ok(())
}

fn tmp_is_noexec(vm: &Vm) -> Result<()> {
    let options = vm.shell("findmnt -no OPTIONS /tmp")?;
    ensure!(options.contains("noexec"), "/tmp is mounted with {options}");
    ensure!(vm.shell("cp /bin/true /tmp/x && /tmp/x").is_err(), "a program in /tmp was executed");
    vm.shell("rm -f /tmp/x").map(drop)
}

fn strict(root: &str, source: Source) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    let seed = Seed::new(source, &busy_seed(&tier("strict"))).users(GUEST);
    let mut vm = Vm::from_image(&image, &seed)?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = provisioned(&vm)?;
    println!("{ended:#}");
    ensure!(ended["problems"].as_array().is_some_and(Vec::is_empty), "problems: {ended:#}");

    provisioning_worked(&vm)?;
    tmp_is_noexec(&vm)?;
    ensure!(
        vm.attempt("guest", Some("Quench-2026-Steel")).args(["true"]).run().is_err(),
        "a password let guest in"
    );
    ensure!(
        ended["notes"].to_string().contains("user-data asks for 'ssh_pwauth: true'"),
        "nobody says who wanted passwords: {ended:#}"
    );

    vm.shell("while systemctl --quiet is-active trempe-aide-init.service; do sleep 2; done")?;
    let first = verdicts(&vm)?;
    ensure!(unexpected(&first).is_empty(), "unexpected after the first boot: {:?}", unexpected(&first));
    let runs = vm.shell("ls /var/lib/trempe/runs")?;
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(vm.shell("ls /var/lib/trempe/runs")? == runs, "a reboot brought another run");
    ensure!(verdicts(&vm)? == first, "a reboot changed the audit");
    tmp_is_noexec(&vm)
}

#[test]
fn debian12_is_strict_after_its_first_boot() -> Result<()> {
    strict("debian12-ready", Source::NoCloud)
}

#[test]
fn debian13_is_strict_after_its_first_boot_matrix() -> Result<()> {
    strict("debian13-ready", Source::ConfigDrive)
}

/// Under light nothing is cut off: passwords and root, whom `nologin` does not keep out, come in, after the first phase too.
#[test]
fn light_cuts_nobody_off_and_root_waits_like_everybody() -> Result<()> {
    let root = "  - name: root\n    lock_passwd: false\n    ssh_authorized_keys: [ROOT_KEY]\n";
    let image = Image::new(&Root::named("debian13-ready")?, OWN_TMP)?;
    let seed = Seed::new(Source::ConfigDrive, &format!("disable_root: false\n{}", busy_seed(&tier("light"))));
    let mut vm = Vm::from_image(&image, &seed.users(&format!("{GUEST}{root}")))?;
    after_phase_1(&knock(&mut vm, &["root", "admin"])?)?;
    let ended = provisioned(&vm)?;
    ensure!(ended["tier"] == "light" && ended["state"] == "done", "{ended:#}");
    ensure!(
        vm.attempt("guest", Some("Quench-2026-Steel")).args(["true"]).run().is_ok(),
        "light keeps passwords out"
    );
    provisioning_worked(&vm)?;
    let first = verdicts(&vm)?;
    ensure!(unexpected(&first).is_empty(), "unexpected after the first boot: {:?}", unexpected(&first));
    Ok(())
}

/// The exception of the seed: under strict, with the rule excepted in a tailoring file, a password lets in.
fn password_excepted(root: &str) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    let tailoring = "<Tailoring xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"xccdf_org.example_tailoring_site\"><version time=\"2026-11-25T00:00:00Z\">1</version><Profile id=\"xccdf_org.example_profile_site\" extends=\"strict\"><title>Ours</title><select idref=\"sshd_disable_password_authentication\" selected=\"false\"><remark>no keys on the jump host yet</remark></select></Profile></Tailoring>";
    let file = format!("  - path: /etc/trempe/tailoring.d/site.xml\n    content: '{tailoring}'\n");
    let seed = Seed::new(Source::NoCloud, &format!("{}{file}", busy_seed(&tier("strict")))).users(GUEST);
    let mut vm = Vm::from_image(&image, &seed)?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done", "{ended:#}");
    ensure!(!ended["notes"].to_string().contains("ssh_pwauth"), "{ended:#}");
    vm.attempt("guest", Some("Quench-2026-Steel")).args(["true"]).run().context("the excepted password")?;
    Ok(())
}

#[test]
fn an_excepted_password_lets_in_under_strict_matrix() -> Result<()> {
    password_excepted("debian12-ready")
}

/// A clone is another instance: it hardens itself once more. So does an image that was sealed again.
#[test]
fn clones_and_resealed_images_begin_anew_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let mut seed = Seed::new(Source::NoCloud, &tier("light"));
    let mut vm = Vm::from_image(&image, &seed)?;
    knock(&mut vm, &["admin"])?;
    provisioned(&vm)?;
    let finished = |vm: &Vm| vm.shell("cat /var/lib/trempe/firstboot.json");
    let first = finished(&vm)?;
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(finished(&vm)? == first, "a reboot did it again");

    "clone".clone_into(&mut seed.instance);
    vm.reseed(&seed)?;
    vm.reboot()?;
    let told = provisioned(&vm)?;
    let clone = finished(&vm)?;
    ensure!(clone != first && clone.contains("clone") && told["state"] == "done", "{told:#} {clone}");
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(finished(&vm)? == clone, "the clone did it twice");

    vm.shell("cloud-init clean --logs --machine-id")?;
    vm.reboot()?;
    let told = provisioned(&vm)?;
    ensure!(finished(&vm)? != clone && told["state"] == "done", "{told:#}");
    Ok(())
}

/// A seed that makes no sense: the image's own tier counts, one can log in, and everybody is told.
#[test]
fn a_bad_seed_leaves_the_image_tier_and_is_told_everywhere_matrix() -> Result<()> {
    let script = format!("{OWN_TMP}; echo 'tier: light' > /etc/trempe/agent.yml");
    let image = Image::new(&Root::named("debian12-ready")?, &script)?;
    let seed = Seed::new(Source::NoCloud, "trempe:\n  tier: strict\n  teir: light\n");
    let mut vm = Vm::from_image(&image, &seed)?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = status_after_failure(&vm)?;
    ensure!(ended["tier"] == "light" && ended["problems"].to_string().contains("teir"), "{ended:#}");
    ensure!(vm.console().contains("teir"), "the console says nothing of it");
    ensure!(vm.shell("journalctl -b -u trempe-firstboot --no-pager")?.contains("teir"), "nor the journal");
    let code = vm.shell("systemctl show -P ExecMainStatus trempe-firstboot.service")?;
    ensure!(code.trim() == "1", "exit code {code}");
    Ok(())
}

/// As [`provisioned`], for a phase that ends with a problem.
fn status_after_failure(vm: &Vm) -> Result<Value> {
    let begun = Instant::now();
    while vm.shell("systemctl show -P ActiveState trempe-provisioned.service")?.trim() != "failed" {
        ensure!(begun.elapsed() < PROVISIONED, "phase 2 did not end in trouble");
        sleep(Duration::from_secs(1));
    }
    status(vm)
}
