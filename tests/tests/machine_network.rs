//! A customized address stays when the seed goes, with every way of going on with cloud-init; and what that does to the boot.

use anyhow::{Result, ensure};
use e2e::firstboot::{ADDRESS, NETWORK, OWN_TMP, knock, provisioned, tier};
use e2e::image::Image;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::seed::{Seed, Source};
use e2e::vm::Vm;

/// Where the boot's time goes, in two lines.
fn boot_time(vm: &Vm) -> Result<String> {
    vm.shell(
        "systemctl is-system-running --wait > /dev/null || true; systemd-analyze time | head -1; \
              systemd-analyze blame --no-pager | grep -E 'cloud|trempe' | tr '\\n' ';'",
    )
}

fn survives(root: &str, afterwards: &str) -> Result<()> {
    let image = Image::new(&Root::named(root)?, OWN_TMP)?;
    let configuration = format!("{}  cloud_init: {{afterwards: {afterwards}}}\n", tier("light"));
    let mut seed = Seed::new(Source::NoCloud, &configuration);
    seed.network = Some(NETWORK.to_owned());
    let mut vm = Vm::from_image(&image, &seed)?;
    vm.at_address(ADDRESS);
    knock(&mut vm, &["admin"])?;
    let ended = provisioned(&vm)?;
    ensure!(ended["state"] == "done", "{ended:#}");
    println!("{root}, {afterwards}, first boot: {}", boot_time(&vm)?);
    vm.stop()?;
    vm.remove_seed()?;
    vm.start()?; // by the address: without it there is no login
    println!("{root}, {afterwards}, seed gone: {}", boot_time(&vm)?);
    let addresses = vm.shell("ip -4 -brief address show")?;
    ensure!(addresses.contains(ADDRESS), "{addresses}");
    let said = vm.shell("cloud-init status || true")?;
    ensure!(afterwards != "disable" || said.contains("disabled"), "{said}");
    vm.reboot()?;
    println!("{root}, {afterwards}, and once more: {}", boot_time(&vm)?);
    ensure!(vm.shell("ip -4 -brief address show")?.contains(ADDRESS), "lost at the third boot");
    Ok(())
}

#[test]
fn a_static_address_survives_everywhere_matrix() -> Result<()> {
    for root in ["debian12-ready", "debian13-ready"] {
        for afterwards in ["trim", "disable"] {
            survives(root, afterwards)?;
        }
    }
    Ok(())
}
