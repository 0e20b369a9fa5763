//! Scripts, wherever they are written: by themselves, in `%post`, in provisioners.

use super::{Hit, Kind, Line, Lint, Severity};

const SCRIPTS: &[Kind] = &[Kind::Script, Kind::Kickstart, Kind::Hcl, Kind::CloudConfig, Kind::Preseed];

/// The lints.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "grub2-install-efi",
        severity: Severity::Error,
        kinds: SCRIPTS,
        why: "on EFI it ends with \"this utility should not be used for EFI platforms\", and with --force it puts an unsigned file in the place of \
              the signed one: Secure Boot then refuses to start",
        remedy: "leave it out: Anaconda and the packages set EFI up; to repair, reinstall grub2-efi-x64, shim-x64 and grub2-common",
        find: |file| {
            let efi = file.kind != Kind::Kickstart
                || file.contains(&["/boot/efi", "biosboot", "reqpart", "autopart", "efi"]);
            let bios = |line: &&Line| {
                line.text.contains("--target=i386-pc") || line.text.contains("--target i386-pc")
            };
            let calls = |line: &&Line| {
                line.words().any(|word| word.trim_matches(['"', '\'', ';', '[', ']', ',']) == "grub2-install")
            };
            file.script().filter(|line| efi && calls(line) && !bios(line)).map(Hit::of).collect()
        },
    },
    Lint {
        id: "grub2-mkconfig-efi",
        severity: Severity::Error,
        kinds: SCRIPTS,
        why: "from release 9 on the file below /boot/efi is a stub that leads to /boot/grub2/grub.cfg: written over, boot entries and the boot password \
              no longer count",
        remedy: "write grub2-mkconfig -o /boot/grub2/grub.cfg; change kernel arguments with grubby",
        find: |file| {
            let stub =
                |line: &&Line| line.text.contains("grub2-mkconfig") && line.text.contains("/boot/efi/EFI");
            file.script().filter(stub).map(Hit::of).collect()
        },
    },
    Lint {
        id: "network-left-disabled",
        severity: Severity::Warning,
        kinds: SCRIPTS,
        why: "a network: key in cloud.cfg.d, be it `config: disabled`, outdoes the address that a machine is given by its hypervisor",
        remedy: "leave it out of images; where it freezes an address, write it on the machine after its first boot",
        find: |file| {
            let left =
                |line: &&Line| line.text.contains("config: disabled") && line.text.contains("network:");
            file.script()
                .filter(left)
                .filter(|line| !line.text.trim_start().starts_with("grep"))
                .map(Hit::of)
                .collect()
        },
    },
    Lint {
        id: "runs-from-tmp",
        severity: Severity::Warning,
        kinds: SCRIPTS,
        why: "CIS makes /tmp and /var/tmp noexec: what is executed there ends with exit code 126",
        remedy: "put it below /root or /var/lib, or call the interpreter: bash /tmp/x.sh",
        find: |file| {
            let runs = |line: &&Line| {
                let executed = |word: &str| {
                    word.starts_with("/tmp/") || word.starts_with("/var/tmp/") || word.starts_with("./tmp/")
                };
                let first = line
                    .words()
                    .find(|word| !matches!(*word, "sudo" | "exec" | "&&" | "-" | "-E" | "-n"))
                    .unwrap_or_default();
                executed(first.trim_matches(['"', '\'', '[', ',']))
                    || (line.text.contains("chmod")
                        && line.text.contains("+x")
                        && line.text.contains(" /tmp/"))
            };
            file.script().filter(runs).map(Hit::of).collect()
        },
    },
    Lint {
        id: "not-sealed",
        severity: Severity::Warning,
        kinds: &[Kind::Script],
        why: "a script that ends an image leaves something that no two machines may share: machine id, host keys or cloud-init's state",
        remedy: "run cloud-init clean --logs --seed, empty /etc/machine-id (do not remove it) and remove /etc/ssh/ssh_host_*",
        find: |file| {
            let marks = [&["cloud-init clean"][..], &["/etc/machine-id", "--machine-id"], &["ssh_host_"]];
            let done = marks.iter().filter(|mark| file.contains(mark)).count();
            let missing: Vec<&str> = marks
                .iter()
                .filter(|mark| !file.contains(mark))
                .filter_map(|mark| mark.first().copied())
                .collect();
            let partly = done > 0 && !missing.is_empty();
            partly.then(|| Hit::whole(format!("nothing about {}", missing.join(", ")))).into_iter().collect()
        },
    },
    Lint {
        id: "machine-id-removed",
        severity: Severity::Warning,
        kinds: SCRIPTS,
        why: "without the file systemd cannot mount one over it on a read-only root, and takes every boot for the first",
        remedy: "empty it: : > /etc/machine-id",
        find: |file| {
            let removed = |line: &&Line| {
                let words: Vec<&str> = line.words().collect();
                words.contains(&"rm")
                    && words
                        .iter()
                        .any(|word| word.trim_matches(['"', '\'', ';', ',', ']']) == "/etc/machine-id")
            };
            file.script().filter(removed).map(Hit::of).collect()
        },
    },
    Lint {
        id: "serial-console-last",
        severity: Severity::Warning,
        kinds: SCRIPTS,
        why: "Nutanix AHV gives machines no serial port: with ttyS0 as the last console Debian and Ubuntu images have hung there",
        remedy: "put console=tty0 last, or leave ttyS0 out of what the installed machine starts with",
        find: |file| {
            let last = |line: &&Line| {
                let consoles: Vec<&str> = line.text.split("console=").skip(1).collect();
                let installed = line.text.contains("GRUB_CMDLINE")
                    || line.command() == "bootloader"
                    || line.text.contains("grubby");
                installed
                    && !line.text.contains("--remove-args")
                    && consoles.last().is_some_and(|last| last.starts_with("ttyS"))
            };
            file.lines.iter().filter(last).map(Hit::of).collect()
        },
    },
];
