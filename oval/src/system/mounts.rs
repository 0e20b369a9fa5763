//! The mount table, as `getmntent(3)` reads it.

use super::System;
use std::path::Path;
use std::rc::Rc;

/// Types of file systems that are not local: those without files of their own, and those whose files another machine holds.
const REMOTE: [&str; 21] = [
    "proc",
    "sysfs",
    "autofs",
    "afs",
    "ceph",
    "cifs",
    "smb3",
    "smbfs",
    "sshfs",
    "ncpfs",
    "ncp",
    "nfs",
    "nfs4",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "pvfs2",
    "ocfs2",
    "lustre",
    "davfs",
];

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// What is mounted.
    pub device: String,
    /// Where.
    pub point: String,
    /// The type of the file system.
    pub kind: String,
    /// How.
    pub options: Vec<String>,
}

impl Mount {
    /// Whether its files are this machine's (`is_local_fs` of oscap).
    pub fn is_local(&self) -> bool {
        let kind = self.kind.strip_prefix("fuse.").unwrap_or(&self.kind);
        !REMOTE.contains(&kind)
    }
}

/// Reads the first of these mount tables that is there.
pub(super) fn read(system: &System, tables: &[&str]) -> Option<Rc<[Mount]>> {
    let text = tables.iter().find_map(|path| {
        // Files below /proc have no size: `System::read` reads them to their end.
        let bytes = system.read(Path::new(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    })?;
    Some(parse(&text).into())
}

fn parse(text: &str) -> Vec<Mount> {
    let line = |line: &str| {
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty()).map(unescape);
        let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
        let options = words.next().unwrap_or_default().split(',').map(str::to_owned).collect();
        Some(Mount { device, point, kind, options })
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

/// Blanks and backslashes are written as three octal digits.
fn unescape(word: &str) -> String {
    let mut parts = word.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).map(|digits| u8::from_str_radix(digits, 8)) {
            Some(Ok(byte)) if byte.is_ascii() => {
                out.push(char::from(byte));
                out.push_str(part.get(3..).unwrap_or_default());
            }
            _ => {
                out.push('\\');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_mounted() {
        let tree = tempfile::tempdir().unwrap();
        for (table, line) in
            [("proc/mounts", "tmpfs /tmp tmpfs rw 0 0\n"), ("etc/mtab", "tmpfs /tmp tmpfs rw,noexec 0 0\n")]
        {
            std::fs::create_dir_all(tree.path().join(table).parent().unwrap()).unwrap();
            std::fs::write(tree.path().join(table), line).unwrap();
        }
        let system = System::below(tree.path()).unwrap();
        let options: Vec<Vec<String>> = system.mounts().unwrap().iter().map(|m| m.options.clone()).collect();
        assert_eq!(options, [["rw"]], "a table that a program left behind is not asked");
    }

    #[test]
    fn the_table_is_read_as_getmntent_reads_it() {
        let text =
            "/dev/sda1 / ext4 rw,relatime 0 0\n# x\nhost:/a\\040b /mnt/a\\040b nfs4 ro 0 0\ntmpfs /x tmpfs";
        let mounts = parse(text);
        let shown: Vec<_> = mounts
            .iter()
            .map(|m| (m.point.as_str(), m.kind.as_str(), m.options.len(), m.is_local()))
            .collect();
        assert_eq!(shown, [("/", "ext4", 2, true), ("/mnt/a b", "nfs4", 1, false), ("/x", "tmpfs", 1, true)]);
    }
}
