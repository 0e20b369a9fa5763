//! What an inode says.

use nix::sys::stat::{FileStat, SFlag};

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Regular,
    Directory,
    Symlink,
    BlockDevice,
    CharacterDevice,
    Fifo,
    Socket,
}

impl Kind {
    /// The word that file items use.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Regular => "regular",
            Kind::Directory => "directory",
            Kind::Symlink => "symbolic link",
            Kind::BlockDevice => "block special",
            Kind::CharacterDevice => "character special",
            Kind::Fifo => "fifo",
            Kind::Socket => "socket",
        }
    }
}

/// What an inode says. Small, because whole trees of it are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The device the file system is on.
    pub device: u64,
    /// The inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: i64,
    /// Last read, in seconds since 1970.
    pub read: i64,
    /// Last change of the content.
    pub modified: i64,
    /// Last change of the inode.
    pub changed: i64,
    /// Owner.
    pub user: u32,
    /// Group.
    pub group: u32,
    /// Permission bits, with set-id and sticky bits: the lower twelve.
    pub mode: u16,
    /// What it is.
    pub kind: Kind,
}

impl From<&FileStat> for Meta {
    fn from(stat: &FileStat) -> Meta {
        let kind = match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFDIR => Kind::Directory,
            SFlag::S_IFLNK => Kind::Symlink,
            SFlag::S_IFBLK => Kind::BlockDevice,
            SFlag::S_IFCHR => Kind::CharacterDevice,
            SFlag::S_IFIFO => Kind::Fifo,
            SFlag::S_IFSOCK => Kind::Socket,
            _ => Kind::Regular,
        };
        Meta {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size,
            read: stat.st_atime,
            modified: stat.st_mtime,
            changed: stat.st_ctime,
            user: stat.st_uid,
            group: stat.st_gid,
            mode: (stat.st_mode & 0o7777) as u16,
            kind,
        }
    }
}
