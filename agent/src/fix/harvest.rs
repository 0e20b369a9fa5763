//! What a script wrote, as changes: the upper directory of its overlay against what was there before.
//!
//! The marks in an upper directory are those of `Documentation/filesystems/overlayfs.rst` of the kernel: a character device 0/0 for
//! what was removed, an attribute on a directory that hides the one below it. Everything else in it is there in whole, also what
//! was only opened for writing: it is a change only where it differs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::sandbox::{Upper, is_opaque, is_whiteout};
use crate::change::Change;
use crate::system::{FileKind, Meta, System};

/// What is made anew for each script, and so was never the machine's; what programs keep to be faster; and rpm's database, to which rpm
/// writes also when it is only asked.
const ANEW: [&str; 7] =
    ["/proc", "/sys", "/dev", "/run", "/var/cache", "/var/lib/rpm", "/usr/lib/sysimage/rpm"];
/// Where programs leave what they need while they run: what is new there is none of the machine's settings.
const PASSING: [&str; 2] = ["/tmp", "/var/tmp"];
/// Files that only lock others.
const LOCKS: [&str; 4] = ["/etc/.pwd.lock", "/etc/passwd.lock", "/etc/shadow.lock", "/etc/group.lock"];
/// The largest file that a change can carry.
const LARGEST: u64 = 16 << 20;
/// Attributes that the kernel or whoever writes a file gives it.
const GIVEN: [&str; 4] = ["trusted.", "security.selinux", "security.ima", "security.evm"];

/// What a script wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Harvest {
    /// As changes, in the order in which they can be made.
    pub changes: Vec<Change>,
    /// What no change can express.
    pub obstacles: Vec<String>,
}

/// Compares what a script left with the machine as it was before.
///
/// # Errors
/// When one of the two cannot be read.
pub fn harvest(uppers: &[Upper], system: &System) -> Result<Harvest> {
    let mut harvest = Harvest::default();
    for upper in uppers {
        let nested = |path: &Path| uppers.iter().any(|other| other.mounted == path && other != upper);
        let meta = fs::symlink_metadata(&upper.dir).context("looking at what the script left")?;
        harvest.attributes(&meta, &upper.mounted, &upper.dir, system)?;
        harvest.directory(&upper.dir, &upper.mounted, system, &nested)?;
    }
    Ok(harvest)
}

impl Harvest {
    fn directory(
        &mut self,
        dir: &Path,
        path: &Path,
        system: &System,
        nested: &dyn Fn(&Path) -> bool,
    ) -> Result<()> {
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
            names.push(entry?.file_name());
        }
        names.sort();
        if is_opaque(dir) {
            for name in system.list(path)? {
                if !names.iter().any(|other| *other == *name) {
                    self.removed(&path.join(name), system)?;
                }
            }
        }
        for name in names {
            let (below, path) = (dir.join(&name), path.join(&name));
            if ANEW.iter().any(|own| path == Path::new(own)) || nested(&path) {
                continue;
            }
            let Some(plain) = name.to_str() else {
                self.obstacles.push(format!("it writes {}, whose name is not UTF-8", path.display()));
                continue;
            };
            let passing = PASSING.iter().any(|own| path.starts_with(own) && path != Path::new(own));
            let lock = LOCKS.contains(&path.to_str().unwrap_or(plain));
            if (passing || lock) && system.meta(&path)?.is_none() {
                continue;
            }
            let meta =
                fs::symlink_metadata(&below).with_context(|| format!("looking at {}", path.display()))?;
            self.entry(&meta, &below, &path, system)?;
            if meta.is_dir() {
                self.directory(&below, &path, system, nested)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, meta: &Metadata, upper: &Path, path: &Path, system: &System) -> Result<()> {
        let kind = meta.file_type();
        if is_whiteout(meta) {
            return self.removed(path, system);
        }
        let was = system.meta(path)?;
        let was_kind = was.as_ref().map(|was| was.kind);
        if kind.is_dir() {
            match was_kind {
                Some(FileKind::Directory) => {}
                None => {
                    let mode = meta.permissions().mode() & 0o7777;
                    self.changes.push(Change::MakeDirectory { path: path.to_path_buf(), mode });
                    return self.owner(meta, path);
                }
                Some(_) => return self.obstacle("puts a directory in place of", path),
            }
            return self.attributes(meta, path, upper, system);
        }
        if was_kind == Some(FileKind::Directory) {
            return self.obstacle("puts a file in place of the directory", path);
        }
        if kind.is_symlink() {
            let target = fs::read_link(upper)?;
            if system.read_link(path)?.as_deref() != Some(target.as_path()) {
                self.changes.push(Change::Link { path: path.to_path_buf(), target });
            }
            return Ok(());
        }
        if kind.is_fifo() || kind.is_socket() || !kind.is_file() {
            return self.obstacle("makes a device, pipe or socket at", path);
        }
        self.file(meta, upper, path, system)
    }

    fn file(&mut self, meta: &Metadata, upper: &Path, path: &Path, system: &System) -> Result<()> {
        let was = system.meta(path)?;
        let regular = was.as_ref().is_some_and(|was| was.kind == FileKind::Regular);
        if meta.len() > LARGEST {
            // Only its attributes can have been meant; whether its content is as before is not looked at byte by byte.
            if regular && same_content(upper, &system.host_path(path))? {
                return self.attributes(meta, path, upper, system);
            }
            return self.obstacle("writes more than a change can carry to", path);
        }
        let bytes =
            fs::read(upper).with_context(|| format!("reading {} as the script left it", path.display()))?;
        let before = if regular { system.read(path)? } else { None };
        if before.as_deref() != Some(bytes.as_slice()) {
            let Ok(content) = String::from_utf8(bytes) else {
                return self.obstacle("writes what is not text to", path);
            };
            if was.is_some() && !regular {
                // A write would go where the link leads.
                self.changes.push(Change::RemoveFile { path: path.to_path_buf() });
            }
            let mode = meta.permissions().mode() & 0o7777;
            self.changes.push(Change::WriteFile { path: path.to_path_buf(), content, mode });
        }
        if regular { self.attributes(meta, path, upper, system) } else { self.owner(meta, path) }
    }

    /// Mode, owner and extended attributes of what was there before.
    fn attributes(&mut self, meta: &Metadata, path: &Path, upper: &Path, system: &System) -> Result<()> {
        let Some(was) = system.meta(path)? else { return Ok(()) };
        let new = Meta::from(meta);
        let differs = |is: u32, was: u32| (is != was).then_some(is);
        let (mode, uid, gid) =
            (differs(new.mode, was.mode), differs(new.uid, was.uid), differs(new.gid, was.gid));
        if mode.is_some() || uid.is_some() || gid.is_some() {
            self.changes.push(Change::SetMeta { path: path.to_path_buf(), mode, uid, gid });
        }
        let before = system.host_path(path);
        if fs::symlink_metadata(&before).is_ok() && extended(upper)? != extended(&before)? {
            return self.obstacle("changes extended attributes, as access control lists are, of", path);
        }
        Ok(())
    }

    /// The owner of what is new, which is root's otherwise.
    fn owner(&mut self, meta: &Metadata, path: &Path) -> Result<()> {
        let other = |id: u32| (id != 0).then_some(id);
        let (uid, gid) = (other(meta.uid()), other(meta.gid()));
        if uid.is_some() || gid.is_some() {
            self.changes.push(Change::SetMeta { path: path.to_path_buf(), mode: None, uid, gid });
        }
        Ok(())
    }

    fn removed(&mut self, path: &Path, system: &System) -> Result<()> {
        match system.meta(path)?.map(|was| was.kind) {
            None => Ok(()),
            Some(FileKind::Directory) => self.obstacle("removes the directory", path),
            Some(_) => {
                self.changes.push(Change::RemoveFile { path: path.to_path_buf() });
                Ok(())
            }
        }
    }

    fn obstacle(&mut self, what: &str, path: &Path) -> Result<()> {
        self.obstacles.push(format!("it {what} {}", path.display()));
        Ok(())
    }
}

/// Extended attributes that somebody has set.
fn extended(path: &Path) -> Result<BTreeMap<OsString, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let context = || format!("reading the extended attributes of {}", path.display());
    let Ok(names) = xattr::list(path) else { return Ok(found) };
    for name in names {
        let given = GIVEN.iter().any(|given| name.to_string_lossy().starts_with(given));
        if !given && let Some(value) = xattr::get(path, &name).with_context(context)? {
            found.insert(name, value);
        }
    }
    Ok(found)
}

fn same_content(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (fs::File::open(one)?, fs::File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (std::io::BufReader::new(one), std::io::BufReader::new(other));
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(true);
        }
        let right = right.get_mut(..count).unwrap_or_default();
        other.read_exact(right)?;
        if left.get(..count) != Some(&*right) {
            return Ok(false);
        }
    }
}

/// A change to a file of the machine, in the words of a test.
#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::setting::testing::Tree;

    fn upper(build: impl FnOnce(&Path)) -> (tempfile::TempDir, Vec<Upper>) {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        build(&dir.path().join("etc"));
        let uppers = vec![Upper { mounted: PathBuf::from("/"), dir: dir.path().to_path_buf() }];
        (dir, uppers)
    }

    fn told(tree: &Tree, build: impl FnOnce(&Path)) -> (Vec<String>, Vec<String>) {
        let (_dir, uppers) = upper(build);
        let found = harvest(&uppers, &tree.system()).unwrap();
        let ours = |change: &&Change| change.path().is_some_and(|path| path.starts_with("/etc/"));
        let sentences = found.changes.iter().filter(ours).map(Change::sentence).collect();
        (sentences, found.obstacles)
    }

    fn put(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_differs_is_a_change_and_what_was_only_touched_is_none() {
        let tree = Tree::new()
            .file_with_mode("/etc/same", "x\n", 0o644)
            .file_with_mode("/etc/text", "x\n", 0o644)
            .file_with_mode("/etc/mode", "x\n", 0o644)
            .link("/etc/link", "same")
            .dir("/etc/d", 0o755);
        let (changes, obstacles) = told(&tree, |etc| {
            put(&etc.join("same"), "x\n", 0o644);
            put(&etc.join("text"), "y\n", 0o644);
            put(&etc.join("mode"), "x\n", 0o600);
            put(&etc.join("new"), "n\n", 0o640);
            put(&etc.join("link"), "now a file\n", 0o644);
            std::os::unix::fs::symlink("same", etc.join("made")).unwrap();
            fs::create_dir(etc.join("e")).unwrap();
            fs::set_permissions(etc.join("e"), fs::Permissions::from_mode(0o750)).unwrap();
        });
        let root = nix::unistd::geteuid().is_root();
        let ours = |line: &String| root || !line.contains("owner");
        assert_eq!(
            changes.into_iter().filter(ours).collect::<Vec<_>>(),
            [
                "create directory /etc/e with mode 0750",
                "remove /etc/link",
                "write /etc/link",
                "link /etc/made to same",
                "set mode 0600 of /etc/mode",
                "write /etc/new",
                "write /etc/text",
            ]
        );
        assert_eq!(obstacles, Vec::<String>::new());
    }

    #[test]
    fn what_no_change_can_express_is_told() {
        let tree = Tree::new().file("/etc/text", "x\n").dir("/etc/d", 0o755);
        let (changes, obstacles) = told(&tree, |etc| {
            put(&etc.join("binary"), [0xff, 0xfe], 0o644);
            put(&etc.join("d"), "in place of a directory", 0o644);
            drop(std::os::unix::net::UnixListener::bind(etc.join("socket")).unwrap());
        });
        assert_eq!(changes, Vec::<String>::new());
        assert_eq!(
            obstacles,
            [
                "it writes what is not text to /etc/binary",
                "it puts a file in place of the directory /etc/d",
                "it makes a device, pipe or socket at /etc/socket",
            ]
        );
    }
}
