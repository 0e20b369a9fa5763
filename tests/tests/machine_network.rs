//! A customized address stays when the seed goes, with every way of going on with cloud-init; and what that does to the boot.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use e2e::command::Program;
use e2e::firstboot::{ADDRESS, NETWORK, OWN_TMP, knock, provisioned, strict_soon, tier};
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::vm::Vm;

/// So many boots of each machine are looked at, after its first.
const BOOTS: usize = 3;
/// What the agent's own units may take of a boot after the first, in seconds of a processor that is not emulated.
const OWN_SHARE: f64 = 0.1;
/// What a boot may take longer than that of the plain image, in such seconds.
const LONGER: f64 = 0.3;
/// The same as the clock of the emulated machine says. Waiting is not slowed by emulation: a wait of a few seconds would hide in the other
/// figure, and not in this one.
const LONGER_BY_THE_CLOCK: f64 = 4.0;
/// Work for the processor alone, and how long it takes: how much slower an emulated one is, under the load of the moment.
const WORK: &str =
    "from=$(date +%s%N); i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo $(($(date +%s%N) - from))";

/// Where a boot's time goes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Boot {
    /// From the first process to the last unit of the default target.
    userspace: f64,
    /// Of it, cloud-init's units.
    cloud_init: f64,
    /// Of it, the agent's units.
    agent: f64,
    /// How many times slower this machine's processor is than the one that emulates it; 1 or so where it is not emulated.
    slower: f64,
}

const CLOUD_INIT: [&str; 5] =
    ["cloud-init-local", "cloud-init-network", "cloud-init", "cloud-config", "cloud-final"];
const AGENT: [&str; 3] = ["trempe-cloud-init", "trempe-firstboot", "trempe-provisioned"];

impl Boot {
    /// The boot that a machine had last, as systemd counts.
    fn of(vm: &Vm) -> Result<Boot> {
        vm.shell("systemctl is-system-running --wait > /dev/null || true")?;
        let manager = moments(vm, "", &["UserspaceTimestampMonotonic", "FinishTimestampMonotonic"])?;
        let units = |names: &[&str]| -> Result<f64> {
            let took = names.iter().map(|name| {
                let state = vm.shell(&format!("systemctl show -P ActiveState {name}.service"))?;
                ensure!(state.trim() != "failed", "{name}.service failed");
                let properties = ["InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"];
                moments(vm, &format!("{name}.service"), &properties)
            });
            took.sum()
        };
        let took = |said: String| said.trim().parse::<f64>().context("how long the work took");
        let slower = took(vm.shell(WORK)?)? / took(Program::new("dash").args(["-c", WORK]).output()?)?;
        Ok(Boot { userspace: manager, cloud_init: units(&CLOUD_INIT)?, agent: units(&AGENT)?, slower })
    }
}

/// The seconds from one moment of a unit, or of systemd itself, to another; 0 for a unit that is not there.
fn moments(vm: &Vm, unit: &str, properties: &[&str; 2]) -> Result<f64> {
    let [from, to] = properties;
    let said = vm.shell(&format!("systemctl show -p {from} -p {to} {unit}"))?;
    let said: BTreeMap<&str, &str> = said.lines().filter_map(|line| line.split_once('=')).collect();
    let moment = |name: &str| -> Result<f64> {
        Ok(said.get(name).context("systemd does not tell")?.parse::<f64>()? / 1e6)
    };
    Ok((moment(to)? - moment(from)?).max(0.0))
}

/// A machine whose address comes from its seed, on an image as it is or as `without` leaves it. Its boots after the first, and then, where
/// `seed_goes`, one without the seed: it has its address still.
fn boots(root: &str, user_data: &str, without: &str, seed_goes: bool) -> Result<Vec<Boot>> {
    let image = Image::new(&Root::named(root)?, &format!("{OWN_TMP}\n{without}"))?;
    let mut seed = Seed::new(Source::NoCloud, user_data);
    seed.network = Some(NETWORK.to_owned());
    let mut vm = Vm::from_image(&image, &seed)?;
    vm.at_address(ADDRESS);
    if without.is_empty() {
        knock(&mut vm, &["admin"])?;
        let ended = provisioned(&vm)?;
        ensure!(ended["state"] == "done", "{ended:#}");
    } else {
        vm.start()?;
        vm.shell("cloud-init status --wait || true")?;
    }
    let mut boots = Vec::new();
    for _ in 0..BOOTS {
        vm.stop()?;
        vm.start()?;
        boots.push(Boot::of(&vm)?);
        has_address(&vm)?;
    }
    let said = vm.shell("cloud-init status || true")?;
    ensure!(!user_data.contains("disable") || said.contains("disabled"), "{said}");
    let every_boot = modules_of_users(&vm)?;
    ensure!(!user_data.contains("keep") || every_boot > 0, "nobody sees what cloud-init does at a boot");
    ensure!(
        !user_data.contains("trim") || every_boot == 0,
        "what is done once for a machine is still looked at"
    );
    println!("{}", vm.shell("cloud-init analyze blame 2>/dev/null | head -12 || true")?);
    if seed_goes {
        vm.stop()?;
        vm.remove_seed()?;
        vm.start()?; // by the address: without it there is no login
        has_address(&vm)?;
    }
    Ok(boots)
}

fn has_address(vm: &Vm) -> Result<()> {
    let addresses = vm.shell("ip -4 -brief address show")?;
    ensure!(addresses.contains(ADDRESS), "{addresses}");
    Ok(())
}

/// How often cloud-init came to the module of users in the last boot that it ran in.
fn modules_of_users(vm: &Vm) -> Result<usize> {
    let last = "tac /var/log/cloud-init.log | sed '/running .init-local./q'";
    let said = vm.shell(&format!("{last} | grep -c 'running config-users.groups' || true"))?;
    said.trim().parse().context("counting modules")
}

fn median(boots: &[Boot], share: impl Fn(&Boot) -> f64) -> f64 {
    let mut shares: Vec<f64> = boots.iter().map(share).collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or_default()
}

/// One line of the table. Returns what the agent's units and all of the boot take where nothing is emulated, and all of it as it is.
fn line(what: &str, boots: &[Boot]) -> [f64; 3] {
    let userspace = median(boots, |boot| boot.userspace);
    let cloud_init = median(boots, |boot| boot.cloud_init);
    let agent = median(boots, |boot| boot.agent);
    let real = median(boots, |boot| boot.agent / boot.slower.max(1.0));
    let whole = median(boots, |boot| boot.userspace / boot.slower.max(1.0));
    println!(
        "| {what:40} | {userspace:7.1} s | {cloud_init:7.1} s | {agent:6.2} s | {real:6.3} s | {whole:6.3} s |"
    );
    [real, whole, userspace]
}

fn table(root: &str) -> Result<()> {
    let with = |lines: &str, afterwards: &str| format!("{lines}  cloud_init: {{afterwards: {afterwards}}}\n");
    let mut lines =
        vec![("plain image, no agent".to_owned(), boots(root, "", "dpkg --purge trempe-agent", false)?)];
    for (name, tier_lines, afterwards) in [
        ("light", tier("light"), "keep"),
        ("strict", strict_soon(), "keep"),
        ("light", tier("light"), "trim"),
        ("light", tier("light"), "disable"),
    ] {
        let boots = boots(root, &with(&tier_lines, afterwards), "", afterwards != "keep")?;
        lines.push((format!("{name}, cloud-init: {afterwards}"), boots));
    }
    println!(
        "| {root}, boots after the first, medians | userspace | cloud-init | agent | agent, not emulated | userspace, not emulated |"
    );
    let table: Vec<[f64; 3]> = lines.iter().map(|(what, boots)| line(what, boots)).collect();
    let [_, plain, by_the_clock] = *table.first().context("nothing was booted")?;
    for ((what, _), [agent, whole, userspace]) in lines.iter().zip(&table) {
        ensure!(*agent <= OWN_SHARE, "{what}: the agent takes {agent} s of each boot");
        ensure!(whole - plain <= LONGER, "{what}: a boot takes {whole} s, the plain image's {plain} s");
        let waited = userspace - by_the_clock <= LONGER_BY_THE_CLOCK;
        ensure!(
            waited,
            "{what}: by the clock a boot takes {userspace} s, the plain image's {by_the_clock} s"
        );
    }
    Ok(())
}

#[test]
fn a_static_address_survives_and_boots_become_no_slower_on_debian12_matrix() -> Result<()> {
    table("debian12-ready")
}

#[test]
fn a_static_address_survives_and_boots_become_no_slower_on_debian13_matrix() -> Result<()> {
    table("debian13-ready")
}
