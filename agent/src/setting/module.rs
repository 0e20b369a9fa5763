//! A kernel module that must not be loaded, now or ever.
//!
//! `modprobe.d(5)` decides: of files with the same name the one in the first directory counts, and of all `install` lines for a
//! module the first one that is read. `blacklist` alone only keeps a module from being loaded for its aliases; an `install` line
//! that runs a program which does nothing keeps everybody from loading it. A module that a mounted file system, or the machine
//! at its next boot, needs is never taken away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Names;
use crate::finding::Finding;
use crate::system::{Disk, FstabEntry, System};

/// Our own drop-in. `modprobe` takes the first `install` line of a module it finds, so ours sorts before the others.
const DROP_IN: &str = "/etc/modprobe.d/00-trempe.conf";

/// Where modprobe looks, in the order in which one file hides another of the same name.
const DIRS: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];

/// Programs that load nothing.
const NOTHING: [&str; 4] = ["/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true"];

/// The labels, in small letters, of disks that cloud-init takes for datasources: NoCloud, ConfigDrive, OVF.
const DATASOURCES: [&str; 3] = ["cidata", "config-2", "ovf env"];

/// Kernel modules that are kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The modules, as the kernel sources name them. Dashes and underscores are the same.
    pub name: Names,
    /// The file system types they provide, when they do: they stay while one of these is used.
    #[serde(default)]
    pub file_systems: Vec<String>,
    /// The bus they drive, as sysfs names its devices (`usb`): they stay while a mounted disk hangs on it.
    #[serde(default)]
    pub bus: Option<String>,
}

/// An `install` line of `modprobe.d(5)`: what is run instead of loading a module.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    module: String,
    command: String,
    place: String,
}

impl Setting for Module {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let lines = lines(system)?;
        let mut own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
        let mut free = false;
        for name in self.name.as_slice() {
            if !examine_files(name, &lines, &mut finding) {
                own = set(&own, name);
                free = true;
            }
        }
        if free {
            finding.change(Change::write(DROP_IN, own));
        }
        for name in self.name.as_slice() {
            examine_kernel(name, system, &mut finding)?;
        }
        if !finding.is_compliant()
            && let Some(user) = self.user(system)?
        {
            finding.manual(format!("{user}, which needs the module"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let names = self.name.as_slice().join(", ");
        format!("the kernel module {names} cannot be loaded (modprobe.d) and is not loaded now")
    }
}

/// Whether the files keep a module out.
fn examine_files(name: &str, lines: &[Placed], finding: &mut Finding) -> bool {
    let decides = lines.iter().find(|placed| same(&placed.module, name));
    let wanted = format!("install {name} /bin/false");
    match decides {
        Some(Placed { command, place, .. }) => {
            let blocked = NOTHING.contains(&command.as_str());
            finding.persistent(blocked, format!("install {name} {command}"), wanted, place);
            blocked
        }
        None => {
            finding.persistent(false, format!("{name} can be loaded"), wanted, "/etc/modprobe.d");
            false
        }
    }
}

fn examine_kernel(name: &str, system: &System, finding: &mut Finding) -> Result<()> {
    let Some(users) = system.module_users(name)? else { return Ok(()) };
    let found = match users {
        None => "not loaded",
        Some(0) => "loaded",
        Some(_) => "loaded and in use",
    };
    finding.running(users.is_none(), format!("{name} is {found}"), "not loaded", "/proc/modules");
    match users {
        None => {}
        Some(0) => drop(finding.change(Change::UnloadModule { module: name.to_owned() })),
        Some(_) if finding.changes.is_empty() => {
            finding.manual(format!("{name} is in use and stays until the next reboot"));
        }
        Some(_) => drop(finding.effect(Effect::Reboot)),
    }
    Ok(())
}

impl Module {
    /// What uses the modules now or at the next boot, in words.
    fn user(&self, system: &System) -> Result<Option<String>> {
        let mounts = system.mounts()?;
        let ours = |fs_type: &str| self.file_systems.iter().any(|name| name == fs_type);
        for mount in &mounts.now {
            if ours(&mount.fs_type) {
                return Ok(Some(format!("a {} file system is mounted at {}", mount.fs_type, mount.target)));
            }
            if let Some(bus) = &self.bus
                && on_bus(system, &mount.source, bus)?
            {
                return Ok(Some(format!("{} at {} hangs on {bus}", mount.source, mount.target)));
            }
        }
        // cloud-init mounts its datasource for a moment at every boot.
        // Azure's has no label of its own, but is a disc.
        let labelled = |disk: &Disk| DATASOURCES.contains(&disk.label.to_lowercase().as_str());
        let seed = |disk: &Disk| ours(&disk.fs_type) && (disk.optical || labelled(disk));
        if let Some(disk) = system.disks()?.into_iter().find(seed) {
            return Ok(Some(format!(
                "cloud-init reads its datasource, or may, from /dev/{}, a {} file system",
                disk.device, disk.fs_type
            )));
        }
        let boot = mounts.boot.iter().find(|entry| ours(&entry.fs_type));
        let words = |entry: &FstabEntry| {
            format!("{} mounts a {} file system at {}", entry.file, entry.fs_type, entry.target)
        };
        Ok(boot.map(words))
    }
}

/// Whether a block device hangs on a bus: its path in sysfs leads over it.
fn on_bus(system: &System, device: &str, bus: &str) -> Result<bool> {
    let Some(name) = device.strip_prefix("/dev/") else { return Ok(false) };
    let path = system.read_link(format!("/sys/class/block/{name}"))?.unwrap_or_default();
    Ok(path.components().any(|part| part.as_os_str().to_string_lossy().starts_with(bus)))
}

/// Whether two module names are the same module.
fn same(one: &str, other: &str) -> bool {
    one.replace('-', "_") == other.replace('-', "_")
}

/// All `install` lines, in the order in which modprobe reads them: the first for a module counts.
fn lines(system: &System) -> Result<Vec<Placed>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in system.drop_ins(dir, ".conf")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.entry(name).or_insert(path);
        }
    }
    let mut found = Vec::new();
    for path in files.values() {
        found.extend(parse(path, &system.read_text(path)?.unwrap_or_default()));
    }
    Ok(found)
}

/// Reads one file: a backslash at the end of a line joins the next to it, `#` begins a comment line.
fn parse(file: &Path, text: &str) -> Vec<Placed> {
    let mut found = Vec::new();
    let mut pending: Option<(usize, String)> = None;
    for (index, raw) in text.lines().enumerate() {
        let (number, mut line) = pending.take().unwrap_or((index + 1, String::new()));
        if let Some(part) = raw.strip_suffix('\\') {
            line.push_str(part);
            line.push(' ');
            pending = Some((number, line));
            continue;
        }
        line.push_str(raw);
        let mut words = line.split_whitespace();
        if let (Some("install"), Some(module)) = (words.next(), words.next()) {
            let command = words.collect::<Vec<_>>().join(" ");
            let place = format!("{}:{number}", file.display());
            found.push(Placed { module: module.to_owned(), command, place });
        }
    }
    found
}

/// The text of our drop-in with a module kept out; other lines stay.
fn set(text: &str, module: &str) -> String {
    let ours = |line: &str| {
        let mut words = line.split_whitespace();
        let word = words.next();
        matches!(word, Some("install" | "blacklist")) && words.next().is_some_and(|name| same(name, module))
    };
    let mut lines: Vec<String> = text.lines().filter(|line| !ours(line)).map(str::to_owned).collect();
    lines.push(format!("install {module} /bin/false"));
    lines.push(format!("blacklist {module}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn module(name: &str) -> Module {
        Module { name: Names::One(name.into()), file_systems: vec![], bus: None }
    }

    fn holds(tree: &Tree, name: &str) -> bool {
        module(name).examine(&tree.system()).unwrap().is_compliant()
    }

    #[test]
    fn the_first_install_line_in_the_order_of_names_decides() {
        for (files, expected) in [
            (vec![("/etc/modprobe.d/a.conf", "install udf /bin/true\n")], true),
            (vec![("/etc/modprobe.d/a.conf", "blacklist udf\n")], false),
            (vec![("/etc/modprobe.d/a.conf", "#install udf /bin/true\n")], false),
            (vec![("/etc/modprobe.d/a.conf", "install udf \\\n /usr/bin/false\n")], true),
            (vec![("/etc/modprobe.d/a", "install udf /bin/true\n")], false),
            (vec![("/etc/modprobe.d/a.conf", "install udf /sbin/modprobe -i udf\n")], false),
            (
                vec![
                    ("/etc/modprobe.d/b.conf", "install udf /bin/false\n"),
                    ("/usr/lib/modprobe.d/a.conf", "install udf /sbin/modprobe -i udf\n"),
                ],
                false,
            ),
            (
                vec![
                    ("/etc/modprobe.d/a.conf", "# hides the vendor's\n"),
                    ("/usr/lib/modprobe.d/a.conf", "install udf /bin/false\n"),
                ],
                false,
            ),
        ] {
            let tree = files.iter().fold(Tree::new(), |tree, (path, text)| tree.file(path, text));
            assert_eq!(holds(&tree, "udf"), expected, "{files:?}");
        }
    }

    #[test]
    fn dashes_and_underscores_are_the_same() {
        let tree = Tree::new().file("/etc/modprobe.d/a.conf", "install usb_storage /bin/false\n");
        assert!(holds(&tree, "usb-storage"));
    }

    #[test]
    fn our_drop_in_beats_a_line_that_sorts_later() {
        let other = "install udf /sbin/modprobe --ignore-install udf\n";
        let tree = || Tree::new().file("/usr/lib/modprobe.d/50-x.conf", other).dir("/etc", 0o755);
        tree().round_trip(&module("udf"));
        tree()
            .running()
            .file("/proc/modules", "udf 1 0 - Live 0x0\nfat 1 0 - Live 0x0\n")
            .round_trip(&module("udf"));
    }

    #[test]
    fn other_modules_of_the_drop_in_are_kept() {
        let tree = Tree::new().file(DROP_IN, "install hfs /bin/false\nblacklist hfs\n");
        let text = tree.applied(&module("udf")).text(DROP_IN);
        assert_eq!(text, "install hfs /bin/false\nblacklist hfs\ninstall udf /bin/false\nblacklist udf\n");
    }

    #[test]
    fn the_module_of_cloud_inits_datasource_stays() {
        for (label, optical, stays) in
            [("CONFIG-2", 0, true), ("cidata", 0, true), ("films", 0, false), ("rd_rdfe_stable", 1, true)]
        {
            let entry = format!("S:sr0\nE:ID_CDROM={optical}\nE:ID_FS_TYPE=udf\nE:ID_FS_LABEL={label}\n");
            let tree = Tree::new().file("/run/udev/data/b11:0", &entry);
            let setting = Module { file_systems: vec!["udf".into()], ..module("udf") };
            let finding = setting.examine(&tree.system()).unwrap();
            assert_eq!(finding.manual.is_some(), stays, "{label}: {finding:?}");
            assert_eq!(finding.changes.is_empty(), stays, "{label}: {finding:?}");
        }
    }

    #[test]
    fn a_module_that_is_mounted_at_boot_stays() {
        let tree = Tree::new().file("/etc/fstab", "/dev/sdb1 /srv udf defaults 0 0\n");
        let setting = Module { file_systems: vec!["udf".into()], ..module("udf") };
        let finding = setting.examine(&tree.system()).unwrap();
        assert!(finding.changes.is_empty());
        assert!(finding.manual.unwrap().contains("/srv"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read_and_set(text: String) {
            drop(parse(Path::new("x"), &text));
            let changed = set(&text, "udf");
            proptest::prop_assert_eq!(set(&changed, "udf"), changed);
        }
    }
}
