//! What is understood and yet cannot be: each thing that does not go with another, with the way out.

use serde_saphyr::Spanned;

use super::read::Problem;
use super::storage::{BIOS_BOOT, EFI, FileSystem, Mount, Scheme, Storage};
use super::{Family, Firmware, Size, Source, Spec};

/// A mebibyte at each end of the disk, for the partition table.
const TABLE: u64 = 2;
/// The smallest file system, in mebibytes: less, and its kind's own administration leaves no room.
const SMALLEST: u64 = 64;

/// The longest name of an image: those of virtual machines end there in places.
const LONGEST: usize = 63;

/// Everything that cannot be.
pub fn problems(spec: &Spec, file: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
    if spec.name.value.as_str().contains(odd) || spec.name.value.as_str().len() > LONGEST {
        let wanted = format!("small letters, digits, dots and dashes, {LONGEST} characters at most");
        found.push(Problem::at(
            file,
            &spec.name,
            format!("{:?} cannot be an image's name: {wanted}", spec.name.value.as_str()),
        ));
    }
    source(spec, file, &mut found);
    firmware(spec, file, &mut found);
    mounts(&spec.storage, file, &mut found);
    room(spec, file, &mut found);
    if spec.targets.is_empty() {
        found.push(whole(file, "targets: name at least one of qcow2, nutanix, vsphere"));
    }
    if spec.hardware.cpus == 0 {
        found.push(whole(file, "hardware.cpus: a machine has at least one processor"));
    }
    let least = Size::mebibytes(if spec.os.value.family == Family::Debian { 512 } else { 2048 });
    if spec.hardware.memory < least {
        let os = spec.os.value.title;
        found.push(whole(file, format!("hardware.memory: building {os} needs at least {least}")));
    }
    found
}

fn whole(file: &str, message: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), line: 0, column: 0, message: message.into() }
}

fn source(spec: &Spec, file: &str, found: &mut Vec<Problem>) {
    let os = spec.os.value;
    let bootstrap = matches!(spec.source.value, Source::Bootstrap(_));
    if bootstrap && os.family == Family::Rhel {
        let remedy = "give source: {iso: {url: …, checksum: …}}, or an image";
        found.push(Problem::at(file, &spec.os, format!("{} has no bootstrap: {remedy}", os.title)));
    }
    let scheme = &spec.storage.scheme;
    if bootstrap && scheme.value == Scheme::Lvm {
        let remedy = "write storage.scheme: partitions";
        found.push(Problem::at(
            file,
            scheme,
            format!("logical volumes need an installer, and bootstrap has none: {remedy}"),
        ));
    }
    let xfs = spec.storage.filesystem.as_ref().filter(|kind| kind.value == FileSystem::Xfs);
    if let Some(kind) = xfs.filter(|_| bootstrap) {
        found.push(Problem::at(file, kind, "bootstrap makes ext4 only: write filesystem: ext4"));
    }
}

fn firmware(spec: &Spec, file: &str, found: &mut Vec<Problem>) {
    let installer = matches!(spec.source.value, Source::Iso(_));
    if spec.firmware.value == Firmware::Both && installer && spec.os.value.family != Family::Rhel {
        let remedy =
            "write firmware: uefi or bios, or source: {bootstrap: {}}, which makes one disk for both";
        let title = spec.os.value.title;
        found.push(Problem::at(
            file,
            &spec.firmware,
            format!("{title}'s installer sets up one firmware, the one it runs on: {remedy}"),
        ));
    }
}

fn mounts(storage: &Storage, file: &str, found: &mut Vec<Problem>) {
    let all = &storage.mounts;
    if !storage.separates("/") {
        let remedy = "add {at: /, size: 6 GiB}; it gets what is left of the disk";
        found.push(whole(file, format!("storage.mounts: there is no /: {remedy}")));
    }
    for (index, mount) in all.iter().enumerate() {
        let Mount { at, size } = &mount.value;
        if all.iter().take(index).any(|before| before.value.at == *at) {
            found.push(Problem::at(file, mount, format!("{} is there twice", at.as_str())));
        }
        if size.in_mebibytes() < SMALLEST {
            let message = format!("{}: less than {SMALLEST} MiB leave no room for files", at.as_str());
            found.push(Problem::at(file, mount, message));
        }
        let same = |other: &&Spanned<Mount>| {
            other.value.at != *at
                && other.value.at.label() == at.label()
                && at.as_str() < other.value.at.as_str()
        };
        if let Some(other) = all.iter().find(same) {
            let message = format!("{} and {} would get the same label", at.as_str(), other.value.at.as_str());
            found.push(Problem::at(file, mount, message));
        }
    }
}

fn room(spec: &Spec, file: &str, found: &mut Vec<Problem>) {
    let storage = &spec.storage;
    let sizes = storage.mounts.iter().map(|mount| mount.value.size.in_mebibytes());
    let firmware = spec.firmware.value;
    let efi = if firmware.has_uefi() { EFI.in_mebibytes() } else { 0 };
    let bios = if firmware.has_bios() { BIOS_BOOT.in_mebibytes() } else { 0 };
    let fixed = TABLE + efi + bios + storage.swap.in_mebibytes();
    let needed = Size::mebibytes(sizes.fold(fixed, u64::saturating_add));
    if needed > storage.disk.value {
        let remedy = "make the disk larger or a file system smaller";
        let message =
            format!("what is to be on the disk takes {needed}, and it has {}: {remedy}", storage.disk.value);
        found.push(Problem::at(file, &storage.disk, message));
    }
}
