//! Specifications that are possible and may yet disappoint.

use super::{Document, Hit, Kind, Lint, Severity};
use crate::spec::cloud_init::{Datasource, DefaultUser};
use crate::spec::storage::{SEPARATE, Scheme};
use crate::spec::{Family, Firmware, Size, Source, Spec, Target, Tier};

const SPEC: &[Kind] = &[Kind::Spec];

/// The lints.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "spec-partitions",
        severity: Severity::Warning,
        kinds: SPEC,
        why: "the tier wants these on file systems of their own, and no agent can repartition a machine: the rules fail on every machine of the image",
        remedy: "add them to storage.mounts, or except the rules (partition_for_…) in a tailoring",
        find: |file| {
            on(file, |spec| {
                let wanted = match spec.agent.tier {
                    Some(Tier::Strict) => &SEPARATE[..],
                    Some(Tier::Standard) => &["/tmp"],
                    Some(Tier::Light) | None => &[],
                };
                let missing: Vec<&str> =
                    wanted.iter().copied().filter(|at| !spec.storage.separates(at)).collect();
                (!missing.is_empty()).then(|| {
                    Hit::at(line_of(file, "mounts:"), format!("no file system for {}", missing.join(", ")))
                })
            })
        },
    },
    Lint {
        id: "spec-telnet",
        severity: Severity::Note,
        kinds: SPEC,
        why: "CIS wants no telnet client, so machines remove it at their first boot",
        remedy: "where it is to stay, except package_telnet_removed in a tailoring (agent tailor --except package_telnet_removed --reason …)",
        find: |file| {
            on(file, |spec| {
                let removed = matches!(spec.agent.tier, Some(Tier::Standard | Tier::Strict));
                let wanted = spec.packages.troubleshooting && spec.agent.tailoring.is_empty();
                (removed && wanted).then(|| {
                    Hit::at(
                        line_of(file, "troubleshooting:"),
                        "telnet on the image, and a tier that removes it",
                    )
                })
            })
        },
    },
    Lint {
        id: "spec-audit-room",
        severity: Severity::Warning,
        kinds: SPEC,
        why: "the strict tier lets the machine stop when the audit log cannot be written: a small partition makes that soon",
        remedy: "give /var/log/audit at least 1 GiB",
        find: |file| {
            on(file, |spec| {
                let audit =
                    spec.storage.mounts.iter().find(|mount| mount.value.at.as_str() == "/var/log/audit")?;
                let small = audit.value.size < Size::gibibytes(1) && spec.agent.tier == Some(Tier::Strict);
                small.then(|| {
                    Hit::at(audit.referenced.line(), format!("/var/log/audit of {}", audit.value.size))
                })
            })
        },
    },
    Lint {
        id: "spec-config-drive",
        severity: Severity::Error,
        kinds: SPEC,
        why: "Nutanix AHV hands its data over on a config drive: without the source ConfigDrive a machine there gets neither name, address nor key",
        remedy: "add ConfigDrive to cloud_init.datasources.qemu",
        find: |file| {
            on(file, |spec| {
                let missing = !spec.cloud_init.datasources.qemu.contains(&Datasource::ConfigDrive);
                let nutanix = spec.targets.contains(&Target::Nutanix);
                (missing && nutanix)
                    .then(|| Hit::at(line_of(file, "qemu:"), "target nutanix without ConfigDrive"))
            })
        },
    },
    Lint {
        id: "spec-default-user",
        severity: Severity::Note,
        kinds: SPEC,
        why: "cloud-init makes this account on every machine, with sudo without a password, whoever wanted one or not",
        remedy: "write default_user: none, and name users in user-data",
        find: |file| {
            on(file, |spec| {
                let made = spec.cloud_init.default_user == DefaultUser::Keep;
                made.then(|| Hit::at(line_of(file, "default_user:"), "the distribution's default user"))
            })
        },
    },
    Lint {
        id: "spec-vmware-wait",
        severity: Severity::Note,
        kinds: SPEC,
        why: "cloud-init waits so long at each boot of each machine that nobody customizes",
        remedy: "write vmware_wait: 5; the file is there within a second",
        find: |file| {
            on(file, |spec| {
                let long = spec.cloud_init.vmware_wait > 15 && spec.targets.contains(&Target::Vsphere);
                long.then(|| {
                    Hit::at(line_of(file, "vmware_wait:"), format!("{} seconds", spec.cloud_init.vmware_wait))
                })
            })
        },
    },
    Lint {
        id: "spec-lvm-growth",
        severity: Severity::Note,
        kinds: SPEC,
        why: "cloud-init makes the last partition grow with the disk, never a logical volume: a machine with a larger disk has the room in no file system",
        remedy: "extend volumes by user-data (growpart, pvresize, lvextend --resizefs), or write scheme: partitions",
        find: |file| {
            on(file, |spec| {
                let lvm = spec.storage.scheme.value == Scheme::Lvm;
                lvm.then(|| Hit::at(spec.storage.scheme.referenced.line(), "logical volumes"))
            })
        },
    },
    Lint {
        id: "spec-checksum",
        severity: Severity::Error,
        kinds: SPEC,
        why: "the digest is the one of the example: no file has it",
        remedy: "put in what the vendor publishes beside the file",
        find: |file| {
            on(file, |spec| {
                let checksum = match &spec.source.value {
                    Source::Iso(iso) => &iso.checksum,
                    Source::Image(image) => &image.checksum,
                    Source::Bootstrap(_) => return None,
                };
                let zeros = checksum.as_str().trim_start_matches("sha256:").chars().all(|c| c == '0');
                zeros.then(|| Hit::at(line_of(file, "checksum:"), "a digest of zeros"))
            })
        },
    },
    Lint {
        id: "spec-secure-boot",
        severity: Severity::Note,
        kinds: SPEC,
        why: "the source's own boot loader is taken as it is: whether it is signed and on the fallback path is not looked at",
        remedy: "verify the image on machines with Secure Boot",
        find: |file| {
            on(file, |spec| {
                let foreign = matches!(spec.source.value, Source::Image(_))
                    && spec.firmware.value == Firmware::UefiSecure;
                foreign
                    .then(|| Hit::at(spec.firmware.referenced.line(), "uefi-secure of somebody else's image"))
            })
        },
    },
    Lint {
        id: "spec-subscription",
        severity: Severity::Note,
        kinds: SPEC,
        why: "the disc's packages are as old as the disc, and the machine is not registered while it is built: no updates are installed",
        remedy: "take the newest disc, or name a repository of your own with source.iso.repository",
        find: |file| {
            on(file, |spec| {
                let own = spec.os.value.id.starts_with("rhel") && spec.os.value.family == Family::Rhel;
                let disc = matches!(&spec.source.value, Source::Iso(iso) if iso.repository.is_none());
                (own && disc).then(|| Hit::at(spec.os.referenced.line(), "packages from the disc alone"))
            })
        },
    },
];

/// What a lint finds in the specification.
fn on(file: &Document, look: impl Fn(&Spec) -> Option<Hit>) -> Vec<Hit> {
    file.spec.as_ref().and_then(look).into_iter().collect()
}

/// The line that has a key; 0 where nobody wrote it.
fn line_of(file: &Document, key: &str) -> u64 {
    file.lines.iter().find(|line| line.words().any(|word| word == key)).map_or(0, |line| line.number)
}
