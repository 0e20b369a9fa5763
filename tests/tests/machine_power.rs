//! The power goes in the middle of a first boot: the next one ends as if nothing had happened.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::firstboot::{
    OWN_TMP, after_phase_1, as_clone, finished, knock, provisioned, strict_soon, tier, unexpected, verdicts,
};
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::manifest::Manifest;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::vm::Vm;

/// What two machines of one image differ in, power cut or not: their identities, and what counts boots and days.
const OF_ITS_OWN: [&str; 13] = [
    "/etc/ssh/ssh_host_",
    "/etc/machine-id",
    "/etc/hostid",
    "content /etc/shadow",                // salts
    "/etc/sudoers.d/90-cloud-init-users", // says when it was written, and nothing of that where it was there before
    "/etc/.pwd.lock",
    "/etc/aide",
    "/etc/mailname",
    "/run/",
    "/var/lib/aide",
    "/var/lib/dbus",
    "/var/lib/ucf",
    "/home/admin",
];

fn counts(line: &str) -> bool {
    let of_files =
        ["file ", "content ", "attribute ", "package ", "unit "].iter().any(|kind| line.starts_with(kind));
    of_files && !OF_ITS_OWN.iter().any(|path| line.contains(path))
}

fn seed() -> Seed {
    Seed::new(Source::NoCloud, &strict_soon())
}

/// A first boot without a cut: how long it takes until both phases are over, and what it leaves.
fn twin(image: &Image) -> Result<(Duration, Manifest)> {
    let begun = Instant::now();
    let mut vm = Vm::from_image(image, &seed())?;
    knock(&mut vm, &["admin"])?;
    provisioned(&vm)?;
    let took = begun.elapsed();
    Ok((took, Manifest::of(&vm)?))
}

/// What systemd shows on the console of the first phase, whose name it shortens, and how far into it the power goes then.
const FIRST_PHASE: &str = "trempe-firstb";
const INTO_IT: Duration = Duration::from_secs(3);
const MOST: Duration = Duration::from_secs(900);

/// What the boot after a cut had to make up for.
struct MadeUp {
    /// A run was cut, and is taken back.
    taken_back: bool,
    /// cloud-init was cut, and begins anew.
    anew: bool,
    /// The first phase had something to do.
    hardened: bool,
}

/// The boot after a cut: nobody is in before it is hardened, everybody after.
fn next_boot(vm: &mut Vm) -> Result<MadeUp> {
    after_phase_1(&knock(vm, &["admin"])?)?;
    let ended = provisioned(vm)?;
    // Nothing is left to do where the power went after all was done.
    let over = ended["state"] == "idle" && finished(vm)?.contains("after-provisioning");
    ensure!(over || ended["state"] == "done", "{ended:#}");
    let journal = vm.shell("journalctl -b -u trempe-firstboot --no-pager")?;
    let taken_back: Vec<&str> =
        journal.lines().filter(|line| line.contains("had been interrupted and was taken back")).collect();
    let anew = vm.shell("journalctl -b -u trempe-cloud-init --no-pager | grep -c 'begins anew' || true")?;
    println!("taken back: {taken_back:?}; cloud-init began anew: {}", anew.trim() != "0");
    let verdicts = verdicts(vm)?;
    if !unexpected(&verdicts).is_empty() {
        let said = vm.shell(
            "agent audit | head -60; auditctl -s; journalctl -b -u auditd -u trempe-provisioned --no-pager | tail -60",
        )?;
        bail!("fails: {:?}\n{said}", unexpected(&verdicts));
    }
    vm.shell("test -z \"$(dpkg --audit)\"").context("packages are left half done")?;
    let hardened = journal.contains("phase 1, before logins: hardened to");
    Ok(MadeUp { taken_back: !taken_back.is_empty(), anew: anew.trim() != "0", hardened })
}

/// A sample of the matrices, at every run: the power goes as soon as the first phase has begun to change things, the next boot makes up
/// for it, and a clone begins anew.
#[test]
fn a_first_boot_that_is_cut_is_made_up_for_and_a_clone_begins_anew() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let mut seed = Seed::new(Source::NoCloud, &tier("light"));
    let mut vm = Vm::from_image(&image, &seed)?;
    let begun = Instant::now();
    vm.power_on()?;
    while !vm.console().contains(FIRST_PHASE) {
        ensure!(begun.elapsed() < MOST, "the first phase does not begin; the console:\n{}", vm.console());
        vm.revive()?;
        sleep(Duration::from_millis(200));
    }
    sleep(INTO_IT);
    vm.power_cut()?;
    ensure!(next_boot(&mut vm)?.hardened, "the first phase was over before the power went");

    as_clone(&mut vm, &mut seed).map(drop)
}

/// So many changes into a run, and the power goes.
const CHANGES: usize = 40;

/// A run that somebody began by hand, long after the first boot: nobody may be able to come back to it.
#[test]
fn a_cut_run_is_taken_back_before_anybody_logs_in_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let mut vm = Vm::from_image(&image, &Seed::new(Source::NoCloud, &tier("light")))?;
    knock(&mut vm, &["admin"])?;
    provisioned(&vm)?;
    let before = Manifest::of(&vm)?;
    let intents = "cat /var/lib/trempe/runs/*/journal.jsonl | grep -c '\"intent\"'";
    vm.shell(&format!(
        "had=$({intents}); (setsid agent apply --yes --tier strict > /dev/null 2>&1 &)
         while [ $({intents}) -lt $((had + {CHANGES})) ]; do sleep 0.1; done; sync"
    ))?;
    vm.power_cut()?;
    let inside = knock(&mut vm, &["admin"])?;
    let said = inside.get("admin").map(String::as_str).unwrap_or_default();
    ensure!(said.contains("had been interrupted and was taken back"), "the first login found {said}");
    let status = vm.shell("agent status || true")?;
    ensure!(!status.contains("half way"), "{status}");
    let left: Vec<String> =
        before.differences(&Manifest::of(&vm)?).into_iter().filter(|line| counts(line)).collect();
    ensure!(left.is_empty(), "left of the cut run: {left:#?}");
    Ok(())
}

/// So many moments of one first boot, evenly spread. `TREMPE_CUTS="8 14"` boots what some of them left alone.
const MOMENTS: u32 = 20;

/// One first boot, and what a power cut at each of many moments would have left of its disk: each of those is booted.
#[test]
fn power_cuts_all_over_the_first_boot_leave_nothing_half_done_matrix() -> Result<()> {
    let image = Image::new(&Root::named("debian12-ready")?, OWN_TMP)?;
    let (took, manifest) = twin(&image)?;
    println!("uninterrupted: {:.0} s", took.as_secs_f64());
    let mut vm = Vm::from_image(&image, &seed())?;
    let begun = Instant::now();
    vm.power_on()?;
    let mut cut = Vec::new();
    for moment in 1..=MOMENTS {
        let after = took.mul_f64(f64::from(moment) / f64::from(MOMENTS + 1));
        sleep(after.saturating_sub(begun.elapsed()));
        let console = vm.console();
        let at = console.lines().last().unwrap_or_default();
        println!(
            "-- cut {moment} after {:.0} s; the console's last line: {at}",
            begun.elapsed().as_secs_f64()
        );
        cut.push((moment, vm.as_after_a_power_cut()?));
    }
    vm.power_cut()?;
    let mut bad = Vec::new();
    let (mut taken_back, mut anew) = (0, 0);
    let wanted = std::env::var("TREMPE_CUTS").unwrap_or_default();
    let wanted: Vec<u32> = wanted.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    cut.retain(|(moment, _)| wanted.is_empty() || wanted.contains(moment));
    ensure!(!cut.is_empty(), "there are cuts 1 to {MOMENTS}");
    for (moment, mut vm) in cut {
        let begun = Instant::now();
        let mut complaints = match next_boot(&mut vm).and_then(|made_up| Ok((made_up, Manifest::of(&vm)?))) {
            Ok((made_up, after)) => {
                taken_back += usize::from(made_up.taken_back);
                anew += usize::from(made_up.anew);
                manifest.differences(&after)
            }
            Err(error) => vec![format!("file of none could be looked at: {error:#}")],
        };
        complaints.retain(|line| counts(line));
        println!(
            "-- cut {moment}: done after {:.0} s, complaints: {complaints:#?}",
            begun.elapsed().as_secs_f64()
        );
        bad.extend(complaints.into_iter().map(|line| format!("cut {moment}: {line}")));
    }
    ensure!(bad.is_empty(), "not as the twin: {bad:#?}");
    println!("{taken_back} cuts hit a run, {anew} cloud-init's first stages");
    let all = wanted.is_empty();
    ensure!(!all || (taken_back > 0 && anew > 0), "the cuts did not hit what they are to hit");
    Ok(())
}
