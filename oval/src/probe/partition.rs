//! `partition`: mounted file systems.
//!
//! Source: `src/OVAL/probes/unix/linux/partition_probe.c` of OpenSCAP 1.3.7, its oddities included: the first line of the mount table
//! decides for an exact mount point, and a file system that does not answer ends a search.

use super::{Asked, Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{Operation, Schema};
use crate::pattern::Flags;
use crate::system::Mount;
use crate::verdict::Verdict;
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(point) = request.entity("mount_point") else { return out.fail("the object has no mount_point") };
    let Some(mounts) = context.system.mounts() else {
        return out.end(Flag::GaveUp, "there is no mount table");
    };
    if point.operation == Operation::PatternMatch
        && let Err(why) = context.patterns.compile(point.value(), Flags::default())
    {
        return out.end(Flag::GaveUp, why);
    }
    for mount in mounts.iter().filter(|mount| mount.kind != "rootfs" && is_asked_for(point, context, mount)) {
        let answered = item(context, mount, out);
        let equals = point.operation == Operation::Equals;
        if equals || !answered {
            return;
        }
    }
}

/// A variable's value is taken one by one, whatever its `var_check`.
fn is_asked_for(point: &Asked, context: &Context<'_>, mount: &Mount) -> bool {
    match point.operation {
        Operation::Equals => mount.point == point.value(),
        Operation::NotEqual => mount.point != point.value(),
        Operation::PatternMatch => {
            context.patterns.matches(point.value(), mount.point.as_bytes()) == Verdict::True
        }
        _ => false,
    }
}

fn item(context: &Context<'_>, mount: &Mount, out: &mut Collector<'_>) -> bool {
    let Ok(space) = statvfs(Path::new(&mount.point)) else { return false };
    let kind = if context.schema < Schema::new(5, 10, 0) { constant(&mount.kind) } else { &mount.kind };
    let mut fields = vec![
        Field::text("mount_point", mount.point.as_str()),
        Field::text("device", mount.device.as_str()),
        uuid(context, &mount.device).map_or_else(|| Field::absent("uuid"), |uuid| Field::text("uuid", uuid)),
        Field::text("fs_type", kind),
    ];
    fields.extend(mount.options.iter().map(|option| Field::text("mount_options", option.as_str())));
    if is_relatime(&space) {
        // The flags of a mount are not those of mount(2), where this bit means a bind mount; oscap takes them for that.
        fields.push(Field::text("mount_options", "bind"));
    }
    let blocks = |blocks: u64| i64::try_from(blocks).unwrap_or(i64::MAX);
    fields.push(Field::int("total_space", blocks(space.blocks())));
    fields.push(Field::int("space_used", blocks(space.blocks().saturating_sub(space.blocks_free()))));
    fields.push(Field::int("space_left", blocks(space.blocks_free())));
    if context.schema >= Schema::new(5, 11, 2) {
        fields.push(Field::int("block_size", blocks(space.fragment_size())));
    }
    out.add(Item::new(fields).at("/proc/mounts", None));
    true
}

/// The name of the kernel's constant for a type of file system, which older content asks for; of each type the first one.
const CONSTANTS: [(&str, &str); 43] = [
    ("adfs", "ADFS_SUPER_MAGIC"),
    ("affs", "AFFS_SUPER_MAGIC"),
    ("afs", "AFS_SUPER_MAGIC"),
    ("autofs", "AUTOFS_SUPER_MAGIC"),
    ("coda", "CODA_SUPER_MAGIC"),
    ("cramfs", "CRAMFS_MAGIC"),
    ("debugfs", "DEBUGFS_MAGIC"),
    ("sysfs", "SYSFS_MAGIC"),
    ("securityfs", "SECURITYFS_MAGIC"),
    ("selinuxfs", "SELINUX_MAGIC"),
    ("ramfs", "RAMFS_MAGIC"),
    ("tmpfs", "TMPFS_MAGIC"),
    ("hugetlbfs", "HUGETLBFS_MAGIC"),
    ("squashfs", "SQUASHFS_MAGIC"),
    ("efs", "EFS_SUPER_MAGIC"),
    ("ext2", "EXT2_SUPER_MAGIC"),
    ("ext3", "EXT3_SUPER_MAGIC"),
    ("xenfs", "XENFS_SUPER_MAGIC"),
    ("ext4", "EXT4_SUPER_MAGIC"),
    ("btrfs", "BTRFS_SUPER_MAGIC"),
    ("hpfs", "HPFS_SUPER_MAGIC"),
    ("iso9660", "ISOFS_SUPER_MAGIC"),
    ("jffs2", "JFFS2_SUPER_MAGIC"),
    ("anon", "ANON_INODE_FS_MAGIC"),
    ("minix", "MINIX_SUPER_MAGIC"),
    ("minix2", "MINIX2_SUPER_MAGIC"),
    ("minix3", "MINIX3_SUPER_MAGIC"),
    ("msdos", "MSDOS_SUPER_MAGIC"),
    ("ncpfs", "NCP_SUPER_MAGIC"),
    ("nfs", "NFS_SUPER_MAGIC"),
    ("openprom", "OPENPROM_SUPER_MAGIC"),
    ("proc", "PROC_SUPER_MAGIC"),
    ("qnx4", "QNX4_SUPER_MAGIC"),
    ("reiserfs", "REISERFS_SUPER_MAGIC"),
    ("reiser2fs", "REISER2FS_SUPER_MAGIC_STRING"),
    ("smbfs", "SMB_SUPER_MAGIC"),
    ("usbdevfs", "USBDEVICE_SUPER_MAGIC"),
    ("usbfs", "USBDEVICE_SUPER_MAGIC"),
    ("cgroup", "CGROUP_SUPER_MAGIC"),
    ("futexfs", "FUTEXFS_SUPER_MAGIC"),
    ("stack", "STACK_END_MAGIC"),
    ("devpts", "DEVPTS_SUPER_MAGIC"),
    ("sockfs", "SOCKFS_MAGIC"),
];

fn constant(kind: &str) -> &'static str {
    CONSTANTS.iter().find(|(known, _)| *known == kind).map_or("", |(_, constant)| constant)
}

fn is_relatime(space: &Statvfs) -> bool {
    space.flags().contains(FsFlags::ST_RELATIME)
}

/// The UUID of the file system on a device, from the links that udev makes.
fn uuid(context: &Context<'_>, device: &str) -> Option<String> {
    let links = Path::new("/dev/disk/by-uuid");
    let device = context.system.real_path(Path::new(device)).ok()?;
    let directory = context.system.list(links).ok()?;
    let found = directory.entries().find(|entry| {
        context.system.real_path(&links.join(entry.name)).is_ok_and(|target| target == device)
    })?;
    Some(String::from_utf8_lossy(found.name.as_bytes()).into_owned())
}
