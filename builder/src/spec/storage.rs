//! The disk: its size, and what is on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::Size;

/// The disk and what is on it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The size of the disk. A machine's disk may be larger: the file system that grows takes the rest.
    #[schemars(with = "Size")]
    pub disk: Spanned<Size>,
    /// What the file systems are on.
    #[schemars(with = "Scheme")]
    pub scheme: Spanned<Scheme>,
    /// The kind of file systems; the distribution's own (xfs for the Red Hat family, ext4 elsewhere) when left out.
    #[schemars(with = "Option<FileSystem>")]
    pub filesystem: Option<Spanned<FileSystem>>,
    /// Swap; 0 for none.
    pub swap: Size,
    /// The file systems, in order. `/` must be among them; it gets what is left.
    #[schemars(with = "Vec<Mount>")]
    pub mounts: Vec<Spanned<Mount>>,
}

/// What file systems are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// A partition each, `/` the last: cloud-init makes it grow with the disk.
    #[default]
    Partitions,
    /// Logical volumes in one group, `/boot` beside it: any of them can grow later, none does by itself.
    Lvm,
}

/// A kind of file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileSystem {
    /// ext4
    Ext4,
    /// XFS
    Xfs,
}

impl FileSystem {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::Xfs => "xfs",
        }
    }

    /// How many characters its label can have: `mke2fs(8)` and `mkfs.xfs(8)`, which refuses a longer one.
    pub fn longest_label(self) -> usize {
        match self {
            FileSystem::Ext4 => LONGEST,
            FileSystem::Xfs => 12,
        }
    }
}

/// A file system of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where it is mounted.
    pub at: MountPoint,
    /// How large it is; for `/`, how large at least.
    pub size: Size,
}

/// An absolute path of plain names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct MountPoint(String);

impl MountPoint {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for a label or a logical volume, at most 16 characters where the path is one that people have: `root`, `var_log_audit`.
    pub fn label(&self) -> String {
        let name = self.0.trim_matches('/').replace(['/', '.'], "_");
        if name.is_empty() { "root".to_owned() } else { name }
    }
}

/// Mount points that are made by the system itself.
const OTHERS: [&str; 6] = ["/boot/efi", "/dev", "/proc", "/run", "/sys", "/etc"];
/// The longest label of an ext4 file system.
const LONGEST: usize = 16;

impl TryFrom<String> for MountPoint {
    type Error = String;

    fn try_from(text: String) -> Result<MountPoint, String> {
        let plain = |part: &str| {
            let letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(letter)
        };
        let below = text.strip_prefix('/').filter(|below| below.is_empty() || below.split('/').all(plain));
        if below.is_none() {
            return Err(format!("{text:?} is no mount point: write an absolute path as /var/log"));
        }
        let inside = |other: &str| text == other || text.starts_with(&format!("{other}/"));
        if let Some(other) = OTHERS.iter().find(|other| inside(other)) {
            return Err(format!(
                "{other} is no file system to be listed: the builder or the system sees to it"
            ));
        }
        let point = MountPoint(text);
        if point.label().len() > LONGEST {
            return Err(format!("{:?} is longer than the {LONGEST} characters of a label", point.0));
        }
        Ok(point)
    }
}

/// The layout that CIS asks for, at its Level 2: mount point and size in mebibytes.
const CIS: [(&str, u64); 8] = [
    ("/boot", 1024),
    ("/home", 1024),
    ("/tmp", 1024),
    ("/var", 4096),
    ("/var/tmp", 1024),
    ("/var/log", 2048),
    ("/var/log/audit", 1024),
    ("/", 6144),
];

/// The mount points that CIS wants to be file systems of their own; `/tmp` at Level 1, all at Level 2.
pub const SEPARATE: [&str; 6] = ["/tmp", "/home", "/var", "/var/tmp", "/var/log", "/var/log/audit"];

/// A value that nobody wrote.
pub(crate) fn unwritten<T>(value: T) -> Spanned<T> {
    Spanned::new(value, serde_saphyr::Location::UNKNOWN, serde_saphyr::Location::UNKNOWN)
}

impl Default for Storage {
    fn default() -> Storage {
        let mount = |(at, size): (&str, u64)| {
            unwritten(Mount { at: MountPoint(at.to_owned()), size: Size::mebibytes(size) })
        };
        Storage {
            disk: unwritten(Size::gibibytes(20)),
            scheme: unwritten(Scheme::default()),
            filesystem: None,
            swap: Size::default(),
            mounts: CIS.into_iter().map(mount).collect(),
        }
    }
}

impl Storage {
    /// Whether a mount point is a file system of its own.
    pub fn separates(&self, mount_point: &str) -> bool {
        self.mounts.iter().any(|mount| mount.value.at.as_str() == mount_point)
    }
}

/// The size of an EFI system partition.
pub const EFI: Size = Size::mebibytes(512);
/// The size of a BIOS boot partition.
pub const BIOS_BOOT: Size = Size::mebibytes(1);
