//! cloud-config, autoinstall and preseed files: what cloud-init and the installers of Debian and Ubuntu do with them.

use super::{Hit, Kind, Line, Lint, Severity};

const CLOUD: &[Kind] = &[Kind::CloudConfig];

/// The lints.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "cloud-datasource-list",
        severity: Severity::Error,
        kinds: CLOUD,
        why: "cloud-init's early detection reads this key on one line alone; written otherwise it counts for nothing, and thirty sources are tried",
        remedy: "write datasource_list: [ ConfigDrive, NoCloud, None ]",
        find: |file| {
            let apart = |line: &&Line| line.command() == "datasource_list:" && !line.text.contains(']');
            file.lines.iter().filter(apart).map(Hit::of).collect()
        },
    },
    Lint {
        id: "cloud-network-key",
        severity: Severity::Warning,
        kinds: CLOUD,
        why: "a network: key in the image's configuration, be it `config: disabled`, outdoes the address that a machine is given by its hypervisor",
        remedy: "leave it out of images; where it freezes an address, write it on the machine after its first boot",
        find: |file| {
            let installer = file.contains(&["autoinstall:"]);
            let own = |line: &&Line| !installer && line.text.starts_with("network:");
            file.lines.iter().filter(own).map(Hit::of).collect()
        },
    },
    Lint {
        id: "cloud-vmware-flag",
        severity: Severity::Warning,
        kinds: CLOUD,
        why: "VMware Tools read only a bare, small true or false; anything else counts as unset, and vCenter's perl scripts customize the machine",
        remedy: "write disable_vmware_customization: false, in /etc/cloud/cloud.cfg itself where Tools are older than 12.4",
        find: |file| {
            let odd = |line: &&Line| {
                line.command() == "disable_vmware_customization:"
                    && !matches!(line.words().nth(1), Some("true" | "false"))
            };
            file.lines.iter().filter(odd).map(Hit::of).collect()
        },
    },
    Lint {
        id: "cloud-host-keys",
        severity: Severity::Error,
        kinds: CLOUD,
        why: "every machine of the image has the same host keys: whoever owns one can pose as all of them",
        remedy: "leave ssh_deletekeys out",
        find: |file| {
            let kept = |line: &&Line| line.command() == "ssh_deletekeys:" && line.text.contains("false");
            file.lines.iter().filter(kept).map(Hit::of).collect()
        },
    },
    Lint {
        id: "cloud-cache-clean",
        severity: Severity::Warning,
        kinds: CLOUD,
        why: "cloud-init then trusts what it finds: a clone of an image that was not cleaned keeps its host keys and name",
        remedy: "leave manual_cache_clean out; where it works around lost addresses (cloud-init before 24.2), run cloud-init clean when sealing",
        find: |file| {
            let trusting =
                |line: &&Line| line.command() == "manual_cache_clean:" && line.text.contains("true");
            file.lines.iter().filter(trusting).map(Hit::of).collect()
        },
    },
    Lint {
        id: "cloud-password",
        severity: Severity::Error,
        kinds: &[Kind::CloudConfig, Kind::Preseed],
        why: "a password in clear is in every copy of the file and in the logs of the installation",
        remedy: "give a key (ssh_authorized_keys), or a hash where there must be a password",
        find: |file| {
            let told = |line: &&Line| {
                let key = line.text.trim_start().trim_start_matches("- ");
                let value =
                    |name: &str| key.strip_prefix(name).map(str::trim).filter(|value| !value.is_empty());
                let hash = |value: &str| value.trim_matches(['"', '\'']).starts_with(['$', '!', '*']);
                let clear = ["plain_text_passwd:", "password:"].iter().find_map(|name| value(name));
                let preseed =
                    ["passwd/root-password ", "passwd/user-password ", "passwd/root-password-again "];
                clear.is_some_and(|value| !hash(value)) || preseed.iter().any(|name| line.text.contains(name))
            };
            file.lines.iter().filter(told).map(|line| Hit::at(line.number, "a password in clear")).collect()
        },
    },
    Lint {
        id: "autoinstall-live-ssh",
        severity: Severity::Warning,
        kinds: CLOUD,
        why: "the live installer answers on port 22 too: Packer logs in to it, provisions it, and finds nothing of that on the disk",
        remedy: "add early-commands: [systemctl stop ssh.service ssh.socket]",
        find: |file| {
            let installs = file.contains(&["autoinstall:"]) && !file.contains(&["stop ssh"]);
            installs.then(|| Hit::whole("sshd of the installer stays on")).into_iter().collect()
        },
    },
    Lint {
        id: "preseed-efi-fallback",
        severity: Severity::Warning,
        kinds: &[Kind::Preseed],
        why: "a machine made of the image has an empty list of UEFI boot entries, and finds nothing to start",
        remedy: "add: d-i grub-installer/force-efi-extra-removable boolean true",
        find: |file| {
            let efi = file.contains(&["method{ efi }"]) && !file.contains(&["force-efi-extra-removable"]);
            efi.then(|| Hit::whole("an EFI system partition without the fallback path")).into_iter().collect()
        },
    },
];
