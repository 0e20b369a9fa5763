//! What is mounted now (`/proc/self/mounts`) and what will be after a reboot (`fstab(5)`, systemd mount units).

use anyhow::{Result, bail};

use super::System;
use super::mount_units::MountUnits;

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Device or source.
    pub source: String,
    /// Where.
    pub target: String,
    /// File system type.
    pub fs_type: String,
    /// Options in force.
    pub options: Vec<String>,
}

/// A line of `/etc/fstab`, or a systemd mount unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FstabEntry {
    /// What to mount.
    pub source: String,
    /// Where.
    pub target: String,
    /// File system type.
    pub fs_type: String,
    /// Options as written.
    pub options: Vec<String>,
    /// The file it is in.
    pub file: String,
    /// The line, counted from 1; 0 for a mount unit.
    pub line: usize,
}

/// The mounts of now and of the next boot.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    /// Mounted now; empty when the files are not those of the running machine.
    pub now: Vec<Mount>,
    /// Mounted at boot, strongest first: local mount units and drop-ins, `fstab`, the vendor's mount units.
    pub boot: Vec<FstabEntry>,
}

impl Mounts {
    pub(super) fn learn(system: &System) -> Result<Mounts> {
        let mut mounts = Mounts::default();
        if system.is_running() {
            mounts.now = parse_mounts(&system.read_text("/proc/self/mounts")?.unwrap_or_default());
            system.overlay.amend_mounts(&mut mounts.now);
        }
        let fstab = parse_fstab(&system.read_text("/etc/fstab")?.unwrap_or_default())?;
        let units = MountUnits::learn(system, &fstab)?;
        let free = |unit: &FstabEntry| fstab.iter().all(|entry| entry.target != unit.target);
        let weaker: Vec<FstabEntry> = units.after_fstab.into_iter().filter(free).collect();
        mounts.boot = units.before_fstab;
        mounts.boot.extend(fstab);
        mounts.boot.extend(weaker);
        Ok(mounts)
    }

    /// What is mounted at exactly `target` now; the last mount there hides the others.
    pub fn now_at(&self, target: &str) -> Option<&Mount> {
        self.now.iter().rev().find(|mount| mount.target == target)
    }

    /// What decides what will be mounted at exactly `target`.
    pub fn boot_at(&self, target: &str) -> Option<&FstabEntry> {
        self.boot.iter().find(|entry| entry.target == target)
    }
}

/// Reads `/proc/self/mounts`.
fn parse_mounts(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().map(unescape);
            let (source, target, fs_type) = (fields.next()?, fields.next()?, fields.next()?);
            let options = fields.next()?.split(',').map(str::to_owned).collect();
            Some(Mount { source, target, fs_type, options })
        })
        .collect()
}

/// Reads `fstab(5)`.
fn parse_fstab(text: &str) -> Result<Vec<FstabEntry>> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
        let [source, target, fs_type, rest @ ..] = fields.as_slice() else {
            bail!(
                "reading /etc/fstab:{}: an entry needs a source, a directory and a type: '{line}'",
                index + 1
            );
        };
        let options = rest.first().map_or("defaults", String::as_str).split(',').map(str::to_owned).collect();
        entries.push(FstabEntry {
            source: source.clone(),
            target: target.clone(),
            fs_type: fs_type.clone(),
            options,
            file: "/etc/fstab".to_owned(),
            line: index + 1,
        });
    }
    Ok(entries)
}

/// Undoes the octal escapes of blanks and backslashes (`getmntent(3)`).
fn unescape(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fstab() {
        let entries =
            parse_fstab("# comment\nUUID=1 / ext4 errors=remount-ro 0 1\ntmpfs /my\\040tmp tmpfs\n").unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].options, ["errors=remount-ro"]);
        assert_eq!((entries[1].target.as_str(), entries[1].line), ("/my tmp", 3));
        assert_eq!(entries[1].options, ["defaults"]);
    }

    #[test]
    fn a_short_fstab_line_is_an_error_with_its_line() {
        let error = parse_fstab("/dev/sda1 /\n").unwrap_err().to_string();
        assert!(error.contains("/etc/fstab:1"), "{error}");
    }

    #[test]
    fn the_last_mount_hides_the_others() {
        let now = parse_mounts("a /tmp ext4 rw 0 0\nb /tmp tmpfs rw,noexec 0 0\n");
        let mounts = Mounts { now, boot: Vec::new() };
        assert_eq!(mounts.now_at("/tmp").unwrap().source, "b");
        assert!(mounts.now_at("/").is_none());
    }
}
