//! Block devices with a file system that are attached and perhaps not mounted: what udev found on them.

use std::path::Path;

use anyhow::Result;

use super::System;

/// Where udev keeps what it knows of devices (`systemd-udevd`; one file for each, `b8:1` for block devices).
const DATABASE: &str = "/run/udev/data";

/// A file system on an attached device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The device, with its path below `/dev`.
    pub device: String,
    /// The type, as the kernel names it.
    pub fs_type: String,
    /// The label; empty when it has none.
    pub label: String,
    /// Whether it is a disc in a drive, real or made up by a hypervisor.
    pub optical: bool,
}

impl System {
    /// The file systems that udev found on attached devices; none where no udev runs.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn disks(&self) -> Result<Vec<Disk>> {
        let mut disks = Vec::new();
        for name in self.list(DATABASE)? {
            if name.starts_with('b')
                && let Some(text) = self.read_text(Path::new(DATABASE).join(&name))?
            {
                disks.extend(parse(&name, &text));
            }
        }
        Ok(disks)
    }
}

/// Reads an entry of the database: properties are its lines `E:NAME=VALUE`, links `S:`.
fn parse(name: &str, text: &str) -> Option<Disk> {
    let property = |wanted: &str| {
        text.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(wanted)?.strip_prefix('='))
    };
    let link = text.lines().find_map(|line| line.strip_prefix("S:"));
    Some(Disk {
        fs_type: property("ID_FS_TYPE")?.to_owned(),
        label: property("ID_FS_LABEL").unwrap_or_default().to_owned(),
        optical: property("ID_CDROM") == Some("1"),
        device: link.map_or_else(|| name.to_owned(), str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn what_udev_found_is_read() {
        let entry = "S:disk/by-label/cidata\nI:123\nE:ID_CDROM=1\nE:ID_FS_LABEL=cidata\nE:ID_FS_TYPE=iso9660\nG:systemd\n";
        let tree = Tree::new()
            .file("/run/udev/data/b11:0", entry)
            .file("/run/udev/data/b8:0", "E:ID_PART_TABLE_TYPE=gpt\n")
            .file("/run/udev/data/c1:3", entry);
        let disk = Disk {
            device: "disk/by-label/cidata".into(),
            fs_type: "iso9660".into(),
            label: "cidata".into(),
            optical: true,
        };
        assert_eq!(tree.system().disks().unwrap(), [disk]);
        assert!(Tree::new().system().disks().unwrap().is_empty());
    }
}
