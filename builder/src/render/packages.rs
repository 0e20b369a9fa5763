//! Which packages an image needs to be a machine, by distribution and by what makes it.

use crate::spec::{Family, Firmware, Os, Source, Spec, Target, os};

/// What every machine needs to be reached and provisioned.
fn machine(family: Family) -> &'static [&'static str] {
    match family {
        Family::Rhel => {
            &["cloud-init", "cloud-utils-growpart", "openssh-server", "sudo", "chrony", "lvm2", "tar"]
        }
        Family::Debian => &["cloud-init", "cloud-guest-utils", "openssh-server", "sudo", "ca-certificates"],
        Family::Ubuntu => &["cloud-init", "cloud-guest-utils", "openssh-server", "sudo", "ca-certificates"],
    }
}

/// What an installer brings by itself and a mirror's packages do not.
fn bare(os: Os) -> &'static [&'static str] {
    match os.id {
        "debian12" => &[
            "linux-image-amd64",
            "systemd-sysv",
            "systemd-timesyncd",
            "libpam-systemd",
            "udev",
            "dbus",
            "netbase",
            "ifupdown",
            "isc-dhcp-client",
            "locales",
            "console-setup",
            "less",
            "vim-tiny",
        ],
        "debian13" => &[
            "linux-image-amd64",
            "systemd-sysv",
            "systemd-timesyncd",
            "libpam-systemd",
            "udev",
            "dbus",
            "netbase",
            "ifupdown",
            "dhcpcd-base",
            "locales",
            "console-setup",
            "less",
            "vim-tiny",
        ],
        _ => &[
            "linux-image-virtual",
            "linux-modules-extra-virtual",
            "ubuntu-minimal",
            "systemd-sysv",
            "libpam-systemd",
            "netplan.io",
            "locales",
            "console-setup",
            "less",
        ],
    }
}

/// GRUB for the firmware, signed where it has to be. Debian has one package that keeps both firmwares up to date.
fn boot_loader(family: Family, firmware: Firmware) -> &'static [&'static str] {
    match (family, firmware) {
        (Family::Rhel, Firmware::Bios) => &["grub2-pc"],
        (Family::Rhel, Firmware::Uefi | Firmware::UefiSecure) => &["grub2-efi-x64", "shim-x64"],
        (Family::Rhel, Firmware::Both) => &["grub2-pc", "grub2-efi-x64", "shim-x64"],
        (_, Firmware::Bios) => &["grub-pc"],
        (_, Firmware::Uefi | Firmware::UefiSecure) => {
            &["grub-efi-amd64", "grub-efi-amd64-signed", "shim-signed"]
        }
        (Family::Debian, Firmware::Both) => &["grub-cloud-amd64"],
        (Family::Ubuntu, Firmware::Both) => &["grub-pc", "grub-efi-amd64-signed", "shim-signed"],
    }
}

/// All of them, each once, in a steady order.
pub fn packages(spec: &Spec) -> Vec<String> {
    let family = spec.os.value.family;
    let mut all: Vec<&str> = machine(family).to_vec();
    match spec.source.value {
        Source::Bootstrap(_) => {
            all.extend(bare(spec.os.value));
            all.extend(boot_loader(family, spec.firmware.value));
        }
        // Other installers choose the boot loader by the firmware they run on; Anaconda does not for the one it does not run on.
        Source::Iso(_) if family == Family::Rhel => all.extend(boot_loader(family, spec.firmware.value)),
        Source::Iso(_) | Source::Image(_) => {}
    }
    if spec.targets.contains(&Target::Vsphere) {
        // perl: what vCenter customizes a guest with where cloud-init does not.
        all.extend(["open-vm-tools", "perl"]);
    }
    if spec.packages.troubleshooting {
        all.extend(os::troubleshooting(family));
    }
    all.extend(spec.packages.install.iter().map(crate::spec::Name::as_str));
    let mut once: Vec<String> = Vec::new();
    for package in all {
        if !once.iter().any(|before| before == package) {
            once.push(package.to_owned());
        }
    }
    once
}
