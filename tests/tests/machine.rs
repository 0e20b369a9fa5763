//! The life of a booted machine.

use e2e::machine::Machine;
use e2e::root::Root;
use e2e::vm::Vm;

#[test]
fn the_laboratory_boots_reboots_and_loses_power() {
    let mut vm = Vm::boot(&Root::named("debian12").unwrap()).unwrap();
    assert_eq!(
        vm.shell("id -un; systemctl is-system-running --wait || systemctl --failed").unwrap(),
        "root\nrunning\n"
    );
    vm.shell("apt-get -q install -y --download-only hello").unwrap();
    vm.shell("echo kept > /etc/kept && sync; sed -i 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX=lab=1/' /etc/default/grub; update-grub").unwrap();
    vm.reboot().unwrap();
    assert_eq!(vm.shell("cat /etc/kept; grep -o lab=1 /proc/cmdline").unwrap(), "kept\nlab=1\n");
    vm.shell("echo synced > /etc/synced && sync && echo lost > /etc/lost").unwrap();
    vm.power_cut().unwrap();
    vm.start().unwrap();
    assert_eq!(
        vm.shell("cat /etc/synced; cat /etc/lost 2>/dev/null || true").unwrap().lines().next(),
        Some("synced")
    );
}
