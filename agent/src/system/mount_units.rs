//! Mounts that systemd makes from units: `systemd.mount(5)`.
//!
//! A unit counts when something pulls it in. Of units with one name, the one in the first directory counts; its drop-ins are read
//! in the order of their names, and those below `/etc` also amend the units that systemd makes of `fstab` lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{FileKind, FstabEntry, System};

/// Where units are, in the order in which one hides another. The first two come before units made of `fstab` lines.
const DIRS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// How many of them come before units made of `fstab` lines.
const STRONGER: usize = 2;

/// Mounts from units, strongest first.
#[derive(Debug, Default)]
pub struct MountUnits {
    /// Those that replace what `fstab` says of the same place.
    pub before_fstab: Vec<FstabEntry>,
    /// Those that count where `fstab` says nothing.
    pub after_fstab: Vec<FstabEntry>,
}

impl MountUnits {
    /// Reads the units of a machine, and the drop-ins that amend `fstab` entries.
    ///
    /// # Errors
    /// When a directory or a file is there and cannot be read.
    pub fn learn(system: &System, fstab: &[FstabEntry]) -> Result<MountUnits> {
        let wanted = wanted(system)?;
        let mut units = MountUnits::default();
        let mut seen = BTreeSet::new();
        for (index, dir) in DIRS.iter().enumerate() {
            for path in system.drop_ins(dir, ".mount")? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !seen.insert(name.clone()) || !wanted.contains(&name) {
                    continue;
                }
                if let Some(entry) = unit(system, &path, &name)? {
                    let strong = index < STRONGER;
                    if strong { &mut units.before_fstab } else { &mut units.after_fstab }.push(entry);
                }
            }
        }
        for entry in fstab {
            if let Some((file, options)) = amended(system, &unit_name(&entry.target))? {
                let file = file.display().to_string();
                units.before_fstab.push(FstabEntry { file, options, line: 0, ..entry.clone() });
            }
        }
        Ok(units)
    }
}

/// The names of the units that some `.wants` or `.requires` directory pulls in.
fn wanted(system: &System) -> Result<BTreeSet<String>> {
    let mut wanted = BTreeSet::new();
    for dir in DIRS {
        for name in system.list(dir)? {
            if name.ends_with(".wants") || name.ends_with(".requires") {
                wanted.extend(system.list(format!("{dir}/{name}"))?);
            }
        }
    }
    Ok(wanted)
}

/// What a unit mounts; `None` when it is masked or no unit.
fn unit(system: &System, path: &Path, name: &str) -> Result<Option<FstabEntry>> {
    let regular = system.meta_followed(path)?.is_some_and(|meta| meta.kind == FileKind::Regular);
    if !regular {
        return Ok(None);
    }
    let text = system.read_text(path)?.unwrap_or_default();
    let Some(mut entry) = parse(&path.display().to_string(), &text) else { return Ok(None) };
    if let Some((file, options)) = amended(system, name)? {
        entry.file = file.display().to_string();
        entry.options = options;
    }
    Ok(Some(entry))
}

/// The options that the drop-ins of a unit leave, and the last file that sets them.
fn amended(system: &System, name: &str) -> Result<Option<(PathBuf, Vec<String>)>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in system.drop_ins(format!("{dir}/{name}.d"), ".conf")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.entry(name).or_insert(path);
        }
    }
    let mut last = None;
    for path in files.into_values() {
        let text = system.read_text(&path)?.unwrap_or_default();
        if let Some(options) = mount_section(&text).remove("Options") {
            last = Some((path, split(&options)));
        }
    }
    Ok(last)
}

/// Reads a mount unit.
fn parse(file: &str, text: &str) -> Option<FstabEntry> {
    let mut section = mount_section(text);
    Some(FstabEntry {
        source: section.remove("What")?,
        target: section.remove("Where")?,
        fs_type: section.remove("Type").unwrap_or_default(),
        options: section.remove("Options").map(|options| split(&options)).unwrap_or_default(),
        file: file.to_owned(),
        line: 0,
    })
}

/// The assignments of the `[Mount]` section; the last of a name counts.
fn mount_section(text: &str) -> BTreeMap<String, String> {
    let mut section = "";
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if let (true, Some((key, value))) = (section == "[Mount]", line.split_once('=')) {
            found.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    found
}

fn split(options: &str) -> Vec<String> {
    options.split(',').map(str::trim).filter(|option| !option.is_empty()).map(str::to_owned).collect()
}

/// The name of the unit that mounts at a path (`systemd-escape --path --suffix=mount`).
pub fn unit_name(target: &str) -> String {
    let path = target.trim_matches('/');
    let mut name = String::new();
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if at == 0 => name.push_str("\\x2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("\\x{other:02x}")),
        }
    }
    format!("{}.mount", if name.is_empty() { "-" } else { &name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const TMP: &str =
        "[Unit]\nWhat=no\n[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777,nosuid\n";
    const VENDOR: &str = "/usr/lib/systemd/system/tmp.mount";
    const WANTS: &str = "/usr/lib/systemd/system/local-fs.target.wants/tmp.mount";

    fn boot(tree: &Tree) -> Vec<FstabEntry> {
        tree.system().mounts().unwrap().boot.clone()
    }

    #[test]
    fn a_unit_counts_when_something_pulls_it_in() {
        assert!(boot(&Tree::new().file(VENDOR, TMP)).is_empty());
        let found = boot(&Tree::new().file(VENDOR, TMP).link(WANTS, "../tmp.mount"));
        assert_eq!((found[0].source.as_str(), found[0].target.as_str()), ("tmpfs", "/tmp"));
        assert_eq!(found[0].options, ["mode=1777", "nosuid"]);
    }

    #[test]
    fn a_masked_unit_mounts_nothing() {
        let tree = Tree::new().file(VENDOR, TMP).link(WANTS, "../tmp.mount");
        assert!(boot(&tree.link("/etc/systemd/system/tmp.mount", "/dev/null")).is_empty());
    }

    #[test]
    fn drop_ins_replace_the_options_in_the_order_of_their_names() {
        let tree = Tree::new()
            .file(VENDOR, TMP)
            .link(WANTS, "../tmp.mount")
            .file("/etc/systemd/system/tmp.mount.d/20.conf", "[Mount]\nOptions=nodev\n")
            .file("/usr/lib/systemd/system/tmp.mount.d/30.conf", "[Mount]\nOptions=noexec\n");
        let found = boot(&tree);
        assert_eq!((found.len(), &found[0].options[..]), (1, &["noexec".to_owned()][..]));
        assert!(found[0].file.ends_with("30.conf"));
    }

    #[test]
    fn fstab_comes_before_vendor_units_and_after_local_ones() {
        let fstab = "/dev/b /tmp ext4 nodev 0 2\n";
        let tree = Tree::new().file(VENDOR, TMP).link(WANTS, "../tmp.mount").file("/etc/fstab", fstab);
        assert_eq!(boot(&tree).iter().map(|e| e.source.as_str()).collect::<Vec<_>>(), ["/dev/b"]);
        let tree = tree.file("/etc/systemd/system/tmp.mount", TMP);
        assert_eq!(boot(&tree).iter().map(|e| e.source.as_str()).collect::<Vec<_>>(), ["tmpfs", "/dev/b"]);
    }

    #[test]
    fn drop_ins_amend_units_made_of_fstab() {
        let tree = Tree::new()
            .file("/etc/fstab", "/dev/b /var/log ext4 nodev 0 2\n")
            .file("/etc/systemd/system/var-log.mount.d/x.conf", "[Mount]\nOptions=rw\n");
        assert_eq!(boot(&tree)[0].options, ["rw"]);
    }

    #[test]
    fn names_are_escaped() {
        for (path, name) in
            [("/", "-.mount"), ("/var/log/audit", "var-log-audit.mount"), ("/dev/my-x", "dev-my\\x2dx.mount")]
        {
            assert_eq!(unit_name(path), name);
        }
    }
}
