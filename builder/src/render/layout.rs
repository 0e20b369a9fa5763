//! Where everything lies on a disk that no installer partitions: a GUID partition table, every partition on a whole mebibyte.
//!
//! All ids are made of the image's name and the partition's, so that the same specification gives the same disk.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::spec::storage::{BIOS_BOOT, EFI};
use crate::spec::{Size, Spec};

/// Sectors of 512 bytes in a mebibyte.
const MEBIBYTE: u64 = 2048;
/// Types of partitions, as `sfdisk` takes them: UEFI specification 5.3.3, Discoverable Partitions, and GRUB's own.
const TYPES: [(Kind, &str); 4] = [
    (Kind::Bios, "21686148-6449-6E6F-744E-656564454649"),
    (Kind::Efi, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    (Kind::Swap, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"),
    (Kind::Mount, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
];

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// GRUB's second part, on BIOS.
    Bios,
    /// The EFI system partition.
    Efi,
    /// Swap.
    Swap,
    /// A file system.
    Mount,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// What it is for.
    pub kind: Kind,
    /// Its first sector.
    pub start: u64,
    /// How many sectors it has.
    pub sectors: u64,
    /// The id of its type.
    pub r#type: &'static str,
    /// Its name, and the label of what is in it.
    pub label: String,
    /// The UUID of the file system.
    pub uuid: String,
    /// The serial number of a FAT file system: eight hexadecimal digits.
    pub serial: String,
    /// The UUID of the partition itself.
    pub uuid_partition: String,
    /// Where it is mounted; empty where it is not.
    pub mount: String,
    /// Its line in `/etc/fstab`; empty for none.
    pub fstab: String,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// The UUID of the partition table.
    pub id: String,
    /// The partitions in the order of the disk, `/` the last; of nested file systems the deeper one first.
    pub partitions: Vec<Partition>,
    /// The BIOS boot partition.
    pub bios: Option<Partition>,
    /// The EFI system partition.
    pub efi: Option<Partition>,
    /// The file system that the kernel is on.
    pub boot: Partition,
    /// The file system of `/`.
    pub root: Partition,
    /// Where the kernel is on that file system: nothing, or `/boot`.
    pub boot_directory: &'static str,
}

impl Layout {
    /// The layout that a specification asks for; `None` when it has no `/`, which no specification that was read lacks.
    pub fn of(spec: &Spec) -> Option<Layout> {
        let mut parts = Vec::new();
        let mut take = |kind, name: &str, mount: &str, size: Size| {
            parts.push(Partition::new(spec, kind, name, mount, end(&parts), size.in_mebibytes()));
        };
        if spec.firmware.value.has_bios() {
            take(Kind::Bios, "bios", "", BIOS_BOOT);
        }
        if spec.firmware.value.has_uefi() {
            take(Kind::Efi, "efi", "/boot/efi", EFI);
        }
        if spec.storage.swap > Size::default() {
            take(Kind::Swap, "swap", "", spec.storage.swap);
        }
        let mut mounts: Vec<_> = spec.storage.mounts.iter().map(|mount| &mount.value).collect();
        mounts.retain(|mount| mount.at.as_str() != "/");
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.at.as_str().matches('/').count()));
        for mount in mounts {
            take(Kind::Mount, &mount.at.label(), mount.at.as_str(), mount.size);
        }
        let (free, disk) = (end(&parts), spec.storage.disk.value.in_mebibytes());
        // The last mebibyte holds the second copy of the table.
        parts.push(Partition::new(spec, Kind::Mount, "root", "/", free, disk.saturating_sub(free + 1)));
        let of = |kind| parts.iter().find(|part: &&Partition| part.kind == kind).cloned();
        let on = |mount: &str| parts.iter().find(|part| part.mount == mount).cloned();
        let root = on("/")?;
        let boot = on("/boot");
        Some(Layout {
            id: uuid(spec, "disk"),
            bios: of(Kind::Bios),
            efi: of(Kind::Efi),
            boot_directory: if boot.is_some() { "" } else { "/boot" },
            boot: boot.unwrap_or_else(|| root.clone()),
            root,
            partitions: parts,
        })
    }
}

impl Partition {
    fn new(spec: &Spec, kind: Kind, name: &str, mount: &str, start: u64, size: u64) -> Partition {
        // A mount point may be called as a partition that is none: /swap, /efi.
        let of = if kind == Kind::Mount { mount } else { name };
        let own = uuid(spec, of);
        let serial: String = own.chars().filter(|c| *c != '-').take(8).collect();
        let fstab = match kind {
            Kind::Bios => String::new(),
            Kind::Efi => {
                let (high, low) = serial.split_at(4);
                format!("UUID={}-{} /boot/efi vfat umask=0077 0 1", high.to_uppercase(), low.to_uppercase())
            }
            Kind::Swap => format!("UUID={own} none swap sw 0 0"),
            Kind::Mount => format!("UUID={own} {mount} ext4 defaults 0 {}", if mount == "/" { 1 } else { 2 }),
        };
        Partition {
            kind,
            start: start * MEBIBYTE,
            sectors: size * MEBIBYTE,
            r#type: TYPES.iter().find(|(of, _)| *of == kind).map_or("", |(_, id)| id),
            label: name.to_owned(),
            serial,
            uuid_partition: uuid(spec, &format!("partition {of}")),
            uuid: own,
            mount: mount.to_owned(),
            fstab,
        }
    }
}

/// Where the next partition begins, in mebibytes. The first mebibyte holds the table.
fn end(parts: &[Partition]) -> u64 {
    parts.last().map_or(1, |part| (part.start + part.sectors) / MEBIBYTE)
}

/// An id that is the same for the same image and part: RFC 9562 version 8.
fn uuid(spec: &Spec, part: &str) -> String {
    let digest = Sha256::digest(format!("{}\n{}\n{part}", spec.name.value, spec.os.value).as_bytes());
    let mut bytes: Vec<u8> = digest.iter().copied().take(16).collect();
    if let Some(byte) = bytes.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x80;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let cut = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [cut(0, 8), cut(8, 12), cut(12, 16), cut(16, 20), cut(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_one_another_and_end_before_the_backup_table() {
        for (firmware, swap) in [("bios", "0"), ("uefi", "1 GiB"), ("both", "0"), ("uefi-secure", "512 MiB")]
        {
            let text = format!("name: a\nos: debian12\nfirmware: {firmware}\nstorage: {{swap: {swap}}}\n");
            let spec = Spec::parse(&text, "spec").unwrap();
            let layout = Layout::of(&spec).unwrap();
            let mut free = MEBIBYTE;
            for part in &layout.partitions {
                assert_eq!(part.start, free, "{firmware} {}", part.label);
                assert!(part.sectors >= MEBIBYTE && part.label.len() <= 16, "{}", part.label);
                free += part.sectors;
            }
            assert_eq!(free, (20 * 1024 - 1) * MEBIBYTE, "{firmware}");
            assert_eq!(layout.partitions.last(), Some(&layout.root));
            let mut ids: Vec<_> =
                layout.partitions.iter().flat_map(|part| [&part.uuid, &part.uuid_partition]).collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count);
        }
    }

    #[test]
    fn a_mount_point_called_as_another_partition_has_an_id_of_its_own() {
        let text = "name: a\nos: debian12\nstorage: {swap: 1 GiB, mounts: [{at: /swap, size: 1 GiB}, {at: /efi, size: 1 GiB}, {at: /disk, size: 1 GiB}, {at: /, size: 6 GiB}]}\n";
        let layout = Layout::of(&Spec::parse(text, "spec").unwrap()).unwrap();
        let ids = layout.partitions.iter().flat_map(|part| [&part.uuid, &part.uuid_partition]);
        let all: Vec<_> = ids.chain([&layout.id]).collect();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((different.len(), layout.partitions.len()), (all.len(), 7));
    }

    #[test]
    fn what_is_deeper_is_made_first() {
        let layout = Layout::of(&Spec::parse("name: a\nos: debian12\n", "spec").unwrap()).unwrap();
        let place = |mount| layout.partitions.iter().position(|part| part.mount == mount);
        assert!(place("/var/log/audit") < place("/var/log"));
        assert!(place("/var/log") < place("/var"));
    }
}
