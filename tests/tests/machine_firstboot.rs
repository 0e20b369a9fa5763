//! The first boot of an image, to the tier that its seed names: cloud-init, both phases, and who gets in when.
//!
//! Every machine here is made from an image with the agent's package in it and nothing configured; the tier comes with the seed.

use anyhow::{Context, Result, bail, ensure};
use e2e::agreement::{self, Question};
use e2e::firstboot::{
    ADDRESS, NETWORK, OWN_TMP, after_phase_1, as_clone, finished, knock, provisioned, status,
    status_after_failure, strict_soon, tier, unexpected, verdicts,
};
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::manifest::Manifest;
use e2e::person::LEFT_TO_A_PERSON;
use e2e::root::Root;
use e2e::scenario::Scenario;
use e2e::seed::{Seed, Source};
use e2e::triage;
use e2e::verdict::Verdict;
use e2e::vm::Vm;
use serde_json::Value;

/// Everything a cloud's user may ask for in one seed.
fn busy_seed(tier_lines: &str) -> String {
    format!(
        "{tier_lines}ssh_pwauth: true\nchpasswd:\n  expire: false\n  users: [{{name: guest, password: {PASSWORD}, type: text}}]\n\
         packages: [tree]\nruncmd:\n  - [sh, -c, 'echo ran > /var/log/runcmd.out']\n  - [sh, -c, 'cp /bin/true /tmp/x && /tmp/x && echo executed > /var/log/exec.out; rm -f /tmp/x']\n\
         write_files:\n  - path: /opt/written\n    content: by cloud-init\n  - path: /var/lib/cloud/scripts/per-instance/own.sh\n    permissions: '0755'\n    content: |\n      #!/bin/sh\n      echo script > /var/log/script.out\n"
    )
}

/// What a cloud's user gives beside, as a script.
const PART: &str = "Content-Type: text/x-shellscript\n\n#!/bin/sh\necho part > /var/log/part.out";

const PASSWORD: &str = "Quench-2026-Steel";
const GUEST: &str = "  - name: guest\n    lock_passwd: false\n    shell: /bin/bash\n";

/// What the seed asked for was done, though the machine was hardened meanwhile.
fn provisioning_worked(vm: &Vm) -> Result<()> {
    for (file, text) in [
        ("/var/log/runcmd.out", "ran"),
        ("/var/log/exec.out", "executed"),
        ("/var/log/script.out", "script"),
        ("/var/log/part.out", "part"),
        ("/opt/written", "by cloud-init"),
    ] {
        let found = vm.shell(&format!("cat {file}"))?;
        ensure!(found.trim() == text, "{file}: {found:?}");
    }
    vm.shell("dpkg-query -W tree")?;
    vm.shell("apt-get -q -y install bc >&2 || { apt-get -q update >&2; apt-get -q -y install bc >&2; }")
        .context("apt-get install after the hardening")?;
    vm.shell("apt-get -q -y purge bc >&2")?;
    Ok(())
}

fn tmp_is_noexec(vm: &Vm) -> Result<()> {
    let options = vm.shell("findmnt -no OPTIONS /tmp")?;
    ensure!(options.contains("noexec"), "/tmp is mounted with {options}");
    ensure!(vm.shell("cp /bin/true /tmp/x && /tmp/x").is_err(), "a program in /tmp was executed");
    vm.shell("rm -f /tmp/x").map(drop)
}

fn strict(root: &str, source: Source, restarts: usize) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    let mut seed = Seed::new(source, &busy_seed(&strict_soon())).users(GUEST);
    seed.part = Some(PART.to_owned());
    let mut vm = Vm::from_image(&image, &seed)?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = provisioned(&vm)?;
    println!("{ended:#}");
    ensure!(ended["problems"].as_array().is_some_and(Vec::is_empty), "problems: {ended:#}");

    provisioning_worked(&vm)?;
    tmp_is_noexec(&vm)?;
    let refused = vm.attempt("guest", Some(PASSWORD)).args(["true"]).run();
    let refused = refused.err().context("a password let guest in")?;
    ensure!(
        format!("{refused:#}").contains("Permission denied"),
        "guest was kept out by something else: {refused:#}"
    );
    ensure!(
        ended["notes"].to_string().contains("user-data asks for 'ssh_pwauth: true'"),
        "nobody says who wanted passwords: {ended:#}"
    );

    let first = verdicts(&vm)?;
    ensure!(unexpected(&first).is_empty(), "unexpected after the first boot: {:?}", unexpected(&first));
    let runs = vm.shell("ls /var/lib/trempe/runs")?;
    // It takes an emulated machine minutes: the whole matrix alone does it.
    let manifest = if restarts > 1 { Some(Manifest::of(&vm)?) } else { None };
    for _ in 0..restarts {
        vm.reboot()?;
        provisioned(&vm)?;
        ensure!(vm.shell("ls /var/lib/trempe/runs")? == runs, "a reboot brought another run");
        ensure!(verdicts(&vm)? == first, "a reboot changed the audit");
    }
    if let Some(before) = manifest {
        let changed = before.differences(&Manifest::of(&vm)?);
        let changed: Vec<String> = changed.into_iter().filter(|line| stays(line)).collect();
        ensure!(changed.is_empty(), "reboots changed the machine: {changed:#?}");
    }
    tmp_is_noexec(&vm)
}

/// What runs and kernel parameters settle in the minutes after a boot; all else stays as it is, but files that count boots.
fn stays(line: &str) -> bool {
    let of_files =
        ["file ", "content ", "attribute ", "package ", "unit "].iter().any(|kind| line.starts_with(kind));
    of_files && !["/run/", "/var/spool/anacron", "/etc/resolv.conf"].iter().any(|path| line.contains(path))
}

#[test]
fn debian12_is_strict_after_its_first_boot() -> Result<()> {
    strict("debian12-ready", Source::ConfigDrive, 1)
}

#[test]
fn debian13_is_strict_after_its_first_boot_matrix() -> Result<()> {
    strict("debian13-ready", Source::NoCloud, 3)
}

/// Under light nothing is cut off: passwords and root, whom `nologin` does not keep out, come in, after the first phase too. And
/// the address that the seed gave stays when the seed goes, cloud-init being disabled.
#[test]
fn light_cuts_nobody_off_and_root_waits_like_everybody_matrix() -> Result<()> {
    let root = "  - name: root\n    lock_passwd: false\n    ssh_authorized_keys: [ROOT_KEY]\n";
    let image = Image::new(&Root::named("debian13-ready")?, OWN_TMP)?;
    let configuration = format!("{}  cloud_init: {{afterwards: disable}}\n", tier("light"));
    let seed = Seed::new(Source::NoCloud, &format!("disable_root: false\n{}", busy_seed(&configuration)));
    let mut seed = seed.users(&format!("{GUEST}{root}"));
    seed.part = Some(PART.to_owned());
    seed.network = Some(NETWORK.to_owned());
    let mut vm = Vm::from_image(&image, &seed)?;
    vm.at_address(ADDRESS);
    after_phase_1(&knock(&mut vm, &["root", "admin"])?)?;
    let ended = provisioned(&vm)?;
    ensure!(ended["tier"] == "light" && ended["state"] == "done", "{ended:#}");
    vm.attempt("guest", Some(PASSWORD)).args(["true"]).run().context("light keeps passwords out")?;
    provisioning_worked(&vm)?;
    let first = verdicts(&vm)?;
    ensure!(unexpected(&first).is_empty(), "unexpected after the first boot: {:?}", unexpected(&first));
    vm.stop()?;
    vm.remove_seed()?;
    vm.start()?; // by its address: without it there is no login
    ensure!(vm.shell("cloud-init status || true")?.contains("disabled"), "cloud-init ran again");
    ensure!(verdicts(&vm)? == first, "without its seed the machine is another");
    Ok(())
}

/// The exception of the seed: under strict, with the rule excepted in a tailoring file, a password lets in.
fn password_excepted(root: &str) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    let tailoring = "<Tailoring xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"xccdf_org.example_tailoring_site\"><version time=\"2026-11-25T00:00:00Z\">1</version><Profile id=\"xccdf_org.example_profile_site\" extends=\"strict\"><title>Ours</title><select idref=\"sshd_disable_password_authentication\" selected=\"false\"><remark>no keys on the jump host yet</remark></select></Profile></Tailoring>";
    let file = format!("  - path: /etc/trempe/tailoring.d/site.xml\n    content: '{tailoring}'\n");
    let seed = Seed::new(Source::NoCloud, &format!("{}{file}", busy_seed(&strict_soon()))).users(GUEST);
    let mut vm = Vm::from_image(&image, &seed)?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done", "{ended:#}");
    ensure!(!ended["notes"].to_string().contains("ssh_pwauth"), "{ended:#}");
    vm.attempt("guest", Some(PASSWORD)).args(["true"]).run().context("the excepted password")?;
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
    let first = finished(&vm)?;
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(finished(&vm)? == first, "a reboot did it again");

    let clone = as_clone(&mut vm, &mut seed)?;
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(finished(&vm)? == clone, "the clone did it twice");

    vm.shell("cloud-init clean --logs --machine-id")?;
    vm.reboot()?;
    let told = provisioned(&vm)?;
    let sealed = finished(&vm)?;
    ensure!(sealed != clone && told["state"] == "done", "{told:#}");
    vm.reboot()?;
    provisioned(&vm)?;
    ensure!(finished(&vm)? == sealed, "what was sealed again did it twice");
    Ok(())
}

/// A seed that makes no sense: the image's own tier counts, one can log in, and everybody is told.
#[test]
fn a_bad_seed_leaves_the_image_tier_and_is_told_everywhere_matrix() -> Result<()> {
    let script = format!("{OWN_TMP}; echo 'tier: light' > /etc/trempe/agent.yml");
    let script = format!("{script}; echo 'drift: {{action: sometimes}}' > /etc/trempe/agent.d/10-site.yaml");
    let image = Image::new(&Root::named("debian12-ready")?, &script)?;
    let seed = Seed::new(Source::NoCloud, "trempe:\n  tier: strict\n  teir: light\n");
    let mut vm = Vm::from_image(&image, &seed)?;
    vm.oem_strings(&["trempe.tier=hard"]);
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let ended = status_after_failure(&vm)?;
    ensure!(ended["tier"] == "light", "{ended:#}");
    let console = vm.console();
    let journal = vm.shell("journalctl -b -u trempe-firstboot --no-pager")?;
    for (source, word) in [("user-data", "teir"), ("agent.d", "sometimes"), ("SMBIOS", "hard")] {
        ensure!(ended["problems"].to_string().contains(word), "{source}: {ended:#}");
        ensure!(console.contains(word), "the console says nothing of {source}");
        ensure!(journal.contains(word), "the journal says nothing of {source}");
    }
    let code = vm.shell("systemctl show -P ExecMainStatus trempe-firstboot.service")?;
    ensure!(code.trim() == "1", "exit code {code}");
    Ok(())
}

/// What cloud-init passes over may have been meant for the agent.
#[test]
fn user_data_that_cloud_init_passes_over_is_told_matrix() -> Result<()> {
    let script = format!("{OWN_TMP}; echo 'tier: light' > /etc/trempe/agent.yml");
    for root in ["debian12-ready", "debian13-ready"] {
        let mut seed = Seed::new(Source::NoCloud, "");
        seed.part = Some("Content-Type: text/cloud-config\n\n#cloud-config\ntrempe: [tier\n".to_owned());
        let image = Image::new(&Root::named(root)?, &script)?;
        let mut vm = Vm::from_image(&image, &seed)?;
        after_phase_1(&knock(&mut vm, &["admin"])?)?;
        let ended = status_after_failure(&vm)?;
        let told = ended["problems"].to_string().contains("cloud-init did not understand");
        ensure!(ended["tier"] == "light" && told, "{root}: {ended:#}");
    }
    Ok(())
}

/// `trempe=off` on the kernel's command line: nothing is hardened, and nothing is said to be still to come. Without it the next boot does.
#[test]
fn a_machine_that_is_told_not_to_stays_as_it_is_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &strict_soon()))?;
    vm.kernel_arguments("trempe=off");
    knock(&mut vm, &["admin"])?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "idle" && ended["notes"].to_string().contains("switched off"), "{ended:#}");
    vm.shell("test ! -e /var/lib/trempe/runs && ! ls /etc/ssh/sshd_config.d/*trempe*")
        .context("it was hardened")?;
    let said = vm.shell("agent status || true")?;
    ensure!(!said.contains("still to come"), "{said}");
    vm.reboot()?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done" && ended["tier"] == "strict", "{ended:#}");
    Ok(())
}

/// Every way in which a hypervisor and a cloud can tell a machine something, at once; each outdoes those before it.
#[test]
fn a_machine_is_told_in_every_way_and_the_last_counts_matrix() -> Result<()> {
    let script = format!(
        "{OWN_TMP}; echo 'tier: strict' > /etc/trempe/agent.yml; echo 'firstboot: {{time_limit: 11m}}' > /etc/trempe/agent.d/10.yml"
    );
    let image = Image::new(&Root::named("debian12-ready")?, &script)?;
    let seed = Seed::new(
        Source::ConfigDrive,
        "trempe:\n  tier: standard\n  exceptions: [{rule: banner_etc_motd_cis, reason: ours}]\n",
    );
    let mut vm = Vm::from_image(&image, &seed)?;
    vm.oem_strings(&[
        "trempe.tier=strict",
        "io.systemd.credential:trempe.config=firstboot: {time_limit: 12m}",
        "somebody=else",
    ]);
    vm.kernel_arguments("trempe.tier=light");
    knock(&mut vm, &["admin"])?;
    let ended = provisioned(&vm)?;
    ensure!(ended["tier"] == "light" && ended["state"] == "done", "{ended:#}");
    let told: Value = serde_json::from_str(&vm.shell("agent status --config --format json")?)?;
    let names: Vec<&str> =
        told["sources"].as_array().into_iter().flatten().filter_map(|own| own["source"].as_str()).collect();
    let expected = [
        "/etc/trempe/agent.yml",
        "/etc/trempe/agent.d/10.yml",
        "user-data",
        "SMBIOS trempe.tier",
        "/run/credentials/@system/trempe.config",
        "kernel command line",
    ];
    ensure!(names == expected, "{told:#}");
    let counts = |key: &str| {
        let keys = told["configuration"].as_array().into_iter().flatten();
        keys.filter(|own| own["key"] == key)
            .map(|own| (own["value"].to_string(), own["from"].to_string()))
            .next()
    };
    for (key, value, from) in [
        ("tier", "light", "kernel command line"),
        ("firstboot.time_limit", "12m", "/run/credentials/@system/trempe.config"),
        ("exceptions", "banner_etc_motd_cis", "user-data"),
    ] {
        let (said, by) = counts(key).with_context(|| format!("{key} is not told"))?;
        ensure!(said.contains(value) && by.contains(from), "{key}: {said} {by}");
    }
    Ok(())
}

/// One image, three seeds: each machine meets its tier, as the agent and oscap see it.
fn each_seed(root: &str) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    for name in ["light", "standard", "strict"] {
        let mut vm = Vm::from_image(&image, &Seed::new(Source::ConfigDrive, &tier(name)))?;
        println!("== {root}, {name}");
        after_phase_1(&knock(&mut vm, &["admin"])?)?;
        let ended = provisioned(&vm)?;
        ensure!(ended["tier"] == name && ended["state"] == "done", "{root}, {name}: {ended:#}");
        vm.shell("while systemctl --quiet is-active trempe-aide-init.service; do sleep 2; done")?;
        let verdicts = verdicts(&vm)?;
        let unexpected = unexpected(&verdicts);
        if !unexpected.is_empty() {
            bail!("unexpected under {name}: {unexpected:?}\n{}", vm.shell("agent audit | head -60")?);
        }
        judged_alike(&vm, root, name)?;
    }
    Ok(())
}

#[test]
fn one_image_becomes_what_each_seed_says_on_debian12_matrix() -> Result<()> {
    each_seed("debian12-ready")
}

#[test]
fn one_image_becomes_what_each_seed_says_on_debian13_matrix() -> Result<()> {
    each_seed("debian13-ready")
}

/// oscap says the same of the machine, or `docs/triage.md` why not. Of the rules that only it was asked about nothing is said.
fn judged_alike(vm: &Vm, root: &str, name: &str) -> Result<()> {
    let scenario = Scenario {
        name: format!("{root}@booted/applied"),
        root: Root::named(root)?,
        booted: true,
        script: "# hardened by $LAB/agent at its first boot".to_owned(),
    };
    let own = "sshd_disable_password_authentication"; // not in the content
    let rules =
        verdicts(vm)?.into_iter().filter(|(id, verdict)| *verdict != Verdict::Notselected && id != own);
    let question = Question { tier: name.to_owned(), rules: rules.map(|(id, _)| id).collect() };
    let triage = triage::read()?;
    let agreement = agreement::compare(&scenario, &question, vm)?;
    println!("{}", agreement.table(&triage));
    ensure!(agreement.unexplained(&triage).is_empty(), "the two do not agree under {name}: see above");
    let mut bad = agreement.unexplained_bad(&triage);
    println!("oscap finds bad: {bad:?}");
    bad.retain(|rule| !LEFT_TO_A_PERSON.contains(&rule.as_str()));
    ensure!(bad.is_empty(), "unexpected by oscap under {name}: {bad:?}");
    Ok(())
}

/// A stage of cloud-init that hangs, and that will not be ended, keeps nobody out for ever: both phases do their work.
#[test]
fn a_stage_that_hangs_keeps_nobody_out_matrix() -> Result<()> {
    let own = "/usr/lib/systemd/system/cloud-config.service.d/10-trempe.conf";
    let script = format!(
        "{OWN_TMP}; grep -qx 'TimeoutStartSec=20min' {own}; grep -qx 'TimeoutStopSec=1min' {own}; sed -i 's/=20min/=60s/; s/=1min/=10s/' {own}; \
         printf '#!/bin/sh\\ntrap \"\" TERM\\ntouch /run/hangs\\nwhile :; do sleep 1; done\\n' > /usr/sbin/locale-gen; \
         chmod 755 /usr/sbin/locale-gen"
    );
    for root in ["debian12-ready", "debian13-ready"] {
        let image = Image::new(&Root::named(root)?, &script)?;
        let user_data = format!("{}locale: fr_FR.UTF-8\n", tier("light"));
        let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &user_data))?;
        after_phase_1(&knock(&mut vm, &["admin"])?)?;
        let ended = provisioned(&vm)?;
        ensure!(ended["tier"] == "light" && ended["state"] == "done", "{ended:#}");
        vm.shell("test -e /run/hangs").context("nothing hung")?;
        let result = vm.shell("systemctl show -P Result cloud-config.service")?;
        ensure!(result.trim() == "timeout", "cloud-config.service ended with {result}");
        ensure!(vm.shell("pgrep locale-gen").is_err(), "what hung goes on");
    }
    Ok(())
}

/// While cloud-init's last stage goes on the second phase is still to come, and that is told.
#[test]
fn a_last_stage_without_end_is_told_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let user_data = format!("{}runcmd: [[sh, -c, 'while :; do sleep 1; done']]\n", tier("light"));
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &user_data))?;
    after_phase_1(&knock(&mut vm, &["admin"])?)?;
    let said = vm.shell("agent status || echo \"ends with $?\"")?;
    ensure!(said.contains("is still to come") && said.contains("ends with 2"), "{said}");
    vm.shell("pkill -f 'while :; do sleep 1'")?;
    provisioned(&vm)?;
    let said = vm.shell("agent status || true")?;
    ensure!(!said.contains("is still to come"), "{said}");
    Ok(())
}

/// A run of somebody else that is still to be confirmed: the second phase waits for what becomes of it, and then does its work.
#[test]
fn another_run_is_waited_for_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let run = "agent apply --yes --tier strict --rule sudo_custom_logfile --confirm-within 1h";
    let user_data = format!("{}runcmd: ['{run} || true']\n", tier("light"));
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &user_data))?;
    knock(&mut vm, &["admin"])?;
    let waits = "journalctl -b -u trempe-provisioned | grep -q 'waits to be confirmed.*waiting for what becomes of it'";
    vm.shell(&format!("until {waits}; do sleep 1; done"))?;
    let meanwhile = status(&vm)?;
    ensure!(meanwhile["phase"] == "after-provisioning" && meanwhile["state"] == "running", "{meanwhile:#}");
    vm.shell("agent confirm")?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done" && ended["tier"] == "light", "{ended:#}");
    Ok(())
}

/// As VMware's perl engine does it: the machine is rebooted, properly, in the middle of the second phase.
#[test]
fn a_reboot_in_the_second_phase_is_made_up_for_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &strict_soon()))?;
    knock(&mut vm, &["admin"])?;
    let at_work =
        "systemctl show -P ActiveState trempe-provisioned.service | grep -qx activating && pgrep -x apt-get";
    vm.shell(&format!("until {at_work}; do sleep 0.2; done"))?;
    vm.reboot()?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done", "{ended:#}");
    let verdicts = verdicts(&vm)?;
    ensure!(unexpected(&verdicts).is_empty(), "unexpected: {:?}", unexpected(&verdicts));
    vm.shell("test -z \"$(dpkg --audit)\"").context("packages are left half done")?;
    Ok(())
}

/// The door at the first boot: who administers the machine by password keeps that under strict, and the report says why.
#[test]
fn an_administrator_with_nothing_but_a_password_is_not_cut_off_by_the_first_boot_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let guest = GUEST.replace("  - name: guest\n", "  - name: guest\n    sudo: ALL=(ALL:ALL) ALL\n");
    let mut vm =
        Vm::from_image(&image, &Seed::new(Source::NoCloud, &busy_seed(&strict_soon())).users(&guest))?;
    let inside = knock(&mut vm, &["admin"])?;
    after_phase_1(&inside)?;
    let first: Value = serde_json::from_str(inside.get("admin").context("nobody is in")?)?;
    ensure!(first["errors"].to_string().contains("would lock out: 'guest'"), "{first:#}");
    ensure!(!first["notes"].to_string().contains("ssh_pwauth"), "nothing is refused: {first:#}");
    let ended = status_after_failure(&vm)?;
    ensure!(ended["state"] == "done" && ended["errors"].to_string().contains("'guest'"), "{ended:#}");
    vm.attempt("guest", Some(PASSWORD)).args(["true"]).run().context("the administrator is cut off")?;
    Ok(())
}

/// A phase that takes too long takes back what it did, lets in and says so; with more time the next boot does it all.
#[test]
fn a_phase_that_takes_too_long_lets_in_and_is_done_by_the_next_boot_matrix() -> Result<()> {
    let limit = "/etc/trempe/agent.d/10-limit.yml";
    let script = format!("{OWN_TMP}; echo 'firstboot: {{time_limit: 3s}}' > {limit}");
    let image = Image::new(&Root::named("debian12-ready")?, &script)?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &strict_soon()))?;
    knock(&mut vm, &["admin"])?;
    let ended = status_after_failure(&vm)?;
    println!("{ended:#}");
    let too_long = "firstboot.time_limit";
    ensure!(ended["state"] == "failed" && ended["problems"].to_string().contains(too_long), "{ended:#}");
    let said = vm.shell("journalctl -b -u trempe-firstboot --no-pager")?;
    ensure!(said.contains(too_long), "the first phase does not say that it took too long: {said}");
    ensure!(!vm.shell("agent status || true")?.contains("half way"), "something is left half way");
    let sshd = vm.shell("cat /etc/ssh/sshd_config.d/*trempe* || true")?;
    ensure!(sshd.is_empty(), "what was done was not taken back: {sshd}");

    vm.shell(&format!("rm {limit}"))?;
    vm.reboot()?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done" && ended["tier"] == "strict", "{ended:#}");
    let verdicts = verdicts(&vm)?;
    ensure!(unexpected(&verdicts).is_empty(), "unexpected: {:?}", unexpected(&verdicts));
    Ok(())
}
