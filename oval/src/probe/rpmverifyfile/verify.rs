//! Compares a file with what its package says of it, as `rpmfilesVerify` of rpm 4.18 does.

use crate::model::Schema;
use crate::system::{Algorithm, Kind, Meta, RpmFile, System};
use nix::fcntl::OFlag;
use nix::sys::stat::fstat;
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// A set of attributes of files, by rpm's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes(u64);

impl Attributes {
    pub const NONE: Attributes = Attributes(0);
    pub const DIGEST: Attributes = Attributes(1);
    pub const SIZE: Attributes = Attributes(1 << 1);
    pub const LINK: Attributes = Attributes(1 << 2);
    pub const USER: Attributes = Attributes(1 << 3);
    pub const GROUP: Attributes = Attributes(1 << 4);
    pub const TIME: Attributes = Attributes(1 << 5);
    pub const MODE: Attributes = Attributes(1 << 6);
    pub const DEVICE: Attributes = Attributes(1 << 7);
    pub const CAPABILITIES: Attributes = Attributes(1 << 8);

    /// Both together.
    pub fn with(self, other: Attributes) -> Attributes {
        Attributes(self.0 | other.0)
    }

    fn without(self, other: Attributes) -> Attributes {
        Attributes(self.0 & !other.0)
    }

    /// Whether one is in it.
    pub fn has(self, other: Attributes) -> bool {
        self.0 & other.0 != 0
    }
}

/// The type of a file in a mode.
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const GHOST: u64 = 1 << 6;

/// Compares files; knows the names of users and groups.
pub(super) struct Verifier<'a> {
    system: &'a System,
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
    /// The version of the schema that the object was written for.
    pub schema: Schema,
}

impl<'a> Verifier<'a> {
    pub fn new(system: &'a System, schema: Schema) -> Self {
        Verifier { system, users: names(system, "/etc/passwd"), groups: names(system, "/etc/group"), schema }
    }

    /// What differs; `None` when the file is not there or cannot be read.
    pub fn verify(&self, file: &RpmFile, omitted: Attributes) -> Option<Attributes> {
        let content = Attributes::DIGEST.with(Attributes::SIZE).with(Attributes::TIME);
        let mut check = Attributes(file.verify);
        match file.state {
            // Not installed on purpose, or shared over the network: nothing to say against it.
            1 | 3 => return Some(Attributes::NONE),
            // Replaced by another package's: it is enough that it is there.
            2 => check = Attributes::NONE,
            // Of another architecture.
            4 => check = check.without(content.with(Attributes::DEVICE)),
            _ => {}
        }
        let path = Path::new(&file.path);
        let mut meta = self.system.lstat(path).ok()?;
        if file.mode & TYPE == DIRECTORY
            && meta.kind == Kind::Symlink
            && let Ok(target) = self.system.stat(path)
            && target.kind == Kind::Directory
            && (meta.user == 0 || self.users.get(&meta.user) == Some(&file.user))
        {
            meta = target;
        }
        check = check.without(if meta.kind == Kind::Symlink { Attributes::MODE } else { Attributes::LINK });
        if meta.kind != Kind::Regular {
            check = check.without(content.with(Attributes::CAPABILITIES));
        }
        if file.flags & GHOST != 0 {
            check = check.without(content.with(Attributes::LINK));
        }
        self.differences(file, path, &meta, check.without(omitted))
    }

    fn differences(&self, file: &RpmFile, path: &Path, meta: &Meta, check: Attributes) -> Option<Attributes> {
        let mut differs = Attributes::NONE;
        let mut note = |attribute: Attributes, different: bool| {
            if different {
                differs = differs.with(attribute);
            }
        };
        if check.has(Attributes::DIGEST) {
            // What has another size has another digest: nobody need read it.
            let differs = u64::try_from(meta.size).ok() != Some(file.size)
                || self.digest(path, file.digest_kind).ok()? != file.digest;
            note(Attributes::DIGEST, differs);
        }
        if check.has(Attributes::LINK) {
            note(Attributes::LINK, self.system.read_link(path).ok()?.as_os_str() != file.link.as_str());
        }
        if check.has(Attributes::SIZE) {
            note(Attributes::SIZE, u64::try_from(meta.size).ok() != Some(file.size));
        }
        if check.has(Attributes::MODE) {
            let kind = if file.flags & GHOST == 0 { TYPE } else { 0 };
            let mask = kind | 0o7777;
            note(Attributes::MODE, (kind_bits(meta.kind) | u32::from(meta.mode)) & mask != file.mode & mask);
        }
        if check.has(Attributes::DEVICE) {
            note(Attributes::DEVICE, self.device_differs(file, path, meta));
        }
        if check.has(Attributes::TIME) {
            note(Attributes::TIME, u64::try_from(meta.modified).ok() != Some(file.modified));
        }
        if check.has(Attributes::CAPABILITIES) {
            // Which capabilities is not compared: only whether there are any.
            let any = self.system.attribute(path, "security.capability").is_ok_and(|value| value.is_some());
            note(Attributes::CAPABILITIES, any == file.capabilities.is_empty());
        }
        if check.has(Attributes::USER) {
            note(Attributes::USER, self.users.get(&meta.user) != Some(&file.user));
        }
        if check.has(Attributes::GROUP) {
            note(Attributes::GROUP, self.groups.get(&meta.group) != Some(&file.group));
        }
        Some(differs)
    }

    fn device_differs(&self, file: &RpmFile, path: &Path, meta: &Meta) -> bool {
        let kinds = [kind_bits(Kind::BlockDevice), kind_bits(Kind::CharacterDevice)];
        let (wanted, found) = (file.mode & TYPE, kind_bits(meta.kind));
        if !kinds.contains(&wanted) && !kinds.contains(&found) {
            return false;
        }
        let number = self.system.open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW).ok();
        let number = number.and_then(|file| Some(fstat(file).ok()?.st_rdev));
        wanted != found || number.is_none_or(|number| number & 0xffff != file.device & 0xffff)
    }

    /// The digest of a file, in hexadecimal, by OpenPGP's number of its kind.
    fn digest(&self, path: &Path, kind: u64) -> io::Result<String> {
        let algorithm = match kind {
            0 | 1 => Algorithm::Md5,
            2 => Algorithm::Sha1,
            8 => Algorithm::Sha256,
            9 => Algorithm::Sha384,
            10 => Algorithm::Sha512,
            11 => Algorithm::Sha224,
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "a digest of another kind")),
        };
        self.system.digest(path, OFlag::O_NOFOLLOW, algorithm)
    }
}

/// The type bits of a mode.
fn kind_bits(kind: Kind) -> u32 {
    match kind {
        Kind::Fifo => 0o010_000,
        Kind::CharacterDevice => 0o020_000,
        Kind::Directory => DIRECTORY,
        Kind::BlockDevice => 0o060_000,
        Kind::Regular => 0o100_000,
        Kind::Symlink => 0o120_000,
        Kind::Socket => 0o140_000,
    }
}

/// Names by number, from a file whose third part is the number; the first name counts.
fn names(system: &System, file: &str) -> HashMap<u32, String> {
    // That 0 is root, rpm knows by itself (`rpmio/rpmug.c`).
    let mut names = HashMap::from([(0, "root".to_owned())]);
    for line in system.read_text(file).unwrap_or_default().lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(Ok(number))) = (parts.next(), parts.nth(1).map(str::parse)) {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}
