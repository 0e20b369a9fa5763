//! What could fail after an hour, looked at before: programs, and room on the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::manifest::Tools;
use super::medium;
use crate::render::{Version, packer};
use crate::spec::{Family, Source, Spec};

/// The programs of a build, and the packages of Debian and Ubuntu that they are in.
const PROGRAMS: [(&str, &str); 5] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-img", "qemu-utils"),
    ("xorriso", "xorriso"),
    ("ssh-keygen", "openssh-client"),
    ("setpriv", "util-linux"),
];
/// What making a disk from packages takes beside them.
const BOOTSTRAP: [(&str, &str); 5] = [
    ("mmdebstrap", "mmdebstrap"),
    ("sfdisk", "fdisk"),
    ("mke2fs", "e2fsprogs"),
    ("mkfs.vfat", "dosfstools"),
    ("mcopy", "mtools"),
];
/// The keys that a distribution's packages are signed with, and the package they are in.
const KEYRINGS: [(Family, &str, &str); 2] = [
    (Family::Debian, "/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    (Family::Ubuntu, "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring"),
];
/// Where programs are that a user's `PATH` may lack.
const ADMINISTRATION: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// What an installed system takes while it becomes an image: its tree, the disk, and what of the disk is kept. Systems are seldom larger than a
/// third of that, and no larger than their disk.
const SYSTEM: u64 = 6 << 30;
/// What a vendor's largest disc takes that Packer has to fetch, and a disk image.
const DISC: u64 = 12 << 30;
const IMAGE: u64 = 3 << 30;

/// Looks at everything that a build needs.
///
/// # Errors
/// For all that is missing, with the command that installs it.
pub fn preflight(spec: &Spec) -> Result<Tools> {
    let bootstrap = matches!(spec.source.value, Source::Bootstrap(_));
    let needed = PROGRAMS.iter().chain(BOOTSTRAP.iter().filter(|_| bootstrap));
    let missing = needed.filter(|(program, _)| find(program).is_none());
    let mut packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    let keyring = KEYRINGS.iter().find(|(of, ..)| bootstrap && *of == spec.os.value.family);
    packages.extend(keyring.filter(|(_, path, _)| !Path::new(path).exists()).map(|(.., package)| *package));
    let packer = packer::installed();
    if packer.is_err() && find("packer").is_none() {
        packages.push("packer");
    }
    if !packages.is_empty() {
        bail!("a build needs what is not here: {}", remedy(&packages));
    }
    if bootstrap && !nix::unistd::geteuid().is_root() {
        namespaces(&find("mmdebstrap").context("looking for mmdebstrap")?)?;
    }
    let packer = packer?;
    if packer.has_plugins() {
        plugin(packer)?;
    }
    for path in crate::render::firmware(spec, packer) {
        if !Path::new(path).exists() {
            bail!(
                "the machine that builds this image has UEFI, and {path} is not here: apt-get install ovmf"
            );
        }
    }
    let mmdebstrap = if bootstrap { Some(first_line("mmdebstrap", "--version")?) } else { None };
    Ok(Tools { packer, qemu: first_line("qemu-img", "--version")?, mmdebstrap })
}

/// How packages that are missing come here.
fn remedy(packages: &[&str]) -> String {
    let elsewhere = [
        ("packer", "; Packer, where the distribution has none, from HashiCorp"),
        (
            "ubuntu-keyring",
            "; Debian has no ubuntu-keyring: there, 'apt-get install ./FILE' the one of http://archive.ubuntu.com/ubuntu/pool/main/u/ubuntu-keyring/",
        ),
    ];
    let told: String = elsewhere
        .iter()
        .filter(|(package, _)| packages.contains(package))
        .map(|(_, where_from)| *where_from)
        .collect();
    format!("apt-get install {}{told}", packages.join(" "))
}

/// A user who is not root needs a namespace of users in which he is: mmdebstrap makes one as it will for the disk.
fn namespaces(mmdebstrap: &Path) -> Result<()> {
    let tried = Command::new(mmdebstrap).args(["--unshare-helper", "true"]).output();
    let tried = tried.context("starting mmdebstrap")?;
    if !tried.status.success() {
        let said = String::from_utf8_lossy(&tried.stderr);
        bail!(
            "mmdebstrap cannot work as this user: {}: apt-get install uidmap, and where /etc/subuid has no line of yours, \
             usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER; or build as root",
            said.trim().lines().last().unwrap_or("it does not say why")
        );
    }
    Ok(())
}

/// A Packer that has its plugins apart must have been given the one for QEMU.
fn plugin(version: Version) -> Result<()> {
    let listing =
        Command::new("packer").args(["plugins", "installed"]).env("CHECKPOINT_DISABLE", "1").output();
    let listed = listing.context("starting packer")?.stdout;
    if !packer::has_qemu(&String::from_utf8_lossy(&listed)) {
        let (source, oldest) = packer::QEMU;
        bail!(
            "Packer {version} has no plugin for QEMU, {oldest} or newer: packer plugins install {source} (as the user who builds)"
        );
    }
    Ok(())
}

/// Where a program is.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(ADMINISTRATION.map(PathBuf::from));
    directories.map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// `PATH` with the directories that hold programs of administration.
pub fn path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    for directory in ADMINISTRATION {
        path.push(":");
        path.push(directory);
    }
    path
}

fn first_line(program: &str, argument: &str) -> Result<String> {
    let output =
        Command::new(program).arg(argument).output().with_context(|| format!("starting {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// What a build of a specification takes of the disk, in bytes, as far as that can be known before it. `beside` is where its paths begin.
fn wanted(spec: &Spec, beside: &Path) -> u64 {
    let source = &spec.source.value;
    let here = source.url().and_then(|url| medium::local(url, beside));
    let system = SYSTEM.min(spec.storage.disk.value.in_mebibytes().saturating_mul(3 << 20));
    system
        + match (source, here) {
            (Source::Bootstrap(_), _) | (Source::Iso(_), Some(_)) => 0,
            (Source::Iso(_), None) => DISC,
            // Packer copies it, and it is converted.
            (Source::Image(_), Some(path)) => {
                std::fs::metadata(path).map_or(0, |meta| meta.len().saturating_mul(2))
            }
            (Source::Image(_), None) => 2 * IMAGE,
        }
}

/// Looks whether what a build makes has room where it is made, and whether a disk from packages can be made there. `beside` is where
/// paths of the specification begin.
///
/// # Errors
/// When there is too little, or nothing can be executed where a system is to be set up.
pub fn room(out: &Path, spec: &Spec, beside: &Path) -> Result<()> {
    let wanted = wanted(spec, beside);
    free(out, wanted, "make room, or give --out another directory")?;
    let root = nix::unistd::geteuid().is_root();
    match spec.source.value {
        Source::Bootstrap(_) if root => executable(out, flags(out)?, "give --out another directory"),
        Source::Bootstrap(_) => {
            // In a user namespace nobody may look into a user's own directories.
            let shared = Path::new("/var/tmp");
            free(shared, wanted, "make room, or build as root, which needs none there")?;
            executable(shared, flags(shared)?, "build as root, which needs nothing there")
        }
        Source::Iso(_) | Source::Image(_) => Ok(()),
    }
}

fn free(directory: &Path, wanted: u64, remedy: &str) -> Result<()> {
    let shown = directory.display();
    let state = statvfs(directory).with_context(|| format!("looking at {shown}"))?;
    let free = state.blocks_available().saturating_mul(state.fragment_size());
    if free < wanted {
        let (free, wanted) = (free >> 20, wanted >> 20);
        bail!("{shown}: {free} MiB are free, a build takes {wanted}: {remedy}");
    }
    Ok(())
}

/// How the file system of a directory is mounted.
fn flags(directory: &Path) -> Result<FsFlags> {
    Ok(statvfs(directory).with_context(|| format!("looking at {}", directory.display()))?.flags())
}

/// Programs of the system that is set up run from where it is made.
fn executable(directory: &Path, flags: FsFlags, remedy: &str) -> Result<()> {
    let shown = directory.display();
    if flags.contains(FsFlags::ST_NOEXEC) {
        bail!("{shown} is mounted noexec, and no disk can be made from packages there: {remedy}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_is_wanted_is_that_of_the_specification() {
        let home = tempfile::tempdir().unwrap();
        let sparse = std::fs::File::create(home.path().join("a.img")).unwrap();
        sparse.set_len(5 << 30).unwrap();
        let digest = format!("sha256:{}", "1".repeat(64));
        let from =
            |kind: &str, url: &str| format!("source: {{{kind}: {{url: '{url}', checksum: '{digest}'}}}}");
        for (text, gib) in [
            ("source: {bootstrap: {}}".to_owned(), 6),
            (from("iso", "a.iso"), 6),
            (from("iso", "https://host/a.iso"), 18),
            (from("image", "a.img"), 16),
            (from("image", "https://host/a.img"), 12),
            ("storage: {disk: 1536 MiB, mounts: [{at: /, size: 512 MiB}]}".to_owned(), 4),
        ] {
            let spec =
                Spec::parse(&format!("name: a\nos: debian12\nfirmware: bios\n{text}\n"), "spec").unwrap();
            assert_eq!(wanted(&spec, home.path()) >> 30, gib, "{text}");
        }
        let error = free(home.path(), u64::MAX, "make room").unwrap_err().to_string();
        assert!(error.contains("MiB are free, a build takes") && error.ends_with(": make room"), "{error}");
        let noexec = FsFlags::ST_NOEXEC | FsFlags::ST_NODEV;
        let error = executable(home.path(), noexec, "elsewhere").unwrap_err().to_string();
        assert!(error.contains("mounted noexec") && error.ends_with(": elsewhere"), "{error}");
        assert!(executable(home.path(), FsFlags::ST_NODEV, "elsewhere").is_ok());
    }

    #[test]
    fn what_the_distribution_may_lack_is_said_to_be_elsewhere() {
        for (packages, also) in [
            (&["xorriso"][..], None),
            (&["xorriso", "packer"], Some("from HashiCorp")),
            (&["ubuntu-keyring"], Some("archive.ubuntu.com")),
        ] {
            let told = remedy(packages);
            let (first, rest) = told.split_once(';').map_or((told.as_str(), None), |(a, b)| (a, Some(b)));
            assert_eq!(first, format!("apt-get install {}", packages.join(" ")));
            assert_eq!(rest.is_some(), also.is_some(), "{told}");
            assert!(also.is_none_or(|also| told.contains(also)), "{told}");
        }
    }

    #[test]
    fn a_user_without_namespaces_is_told_what_is_missing() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let mmdebstrap = home.path().join("mmdebstrap");
        for (does, good) in [("exit 0", true), ("echo 'E: cannot find newuidmap' >&2; exit 25", false)] {
            let script = format!("#!/bin/sh\n[ \"$*\" = '--unshare-helper true' ] || exit 9\n{does}\n");
            std::fs::write(&mmdebstrap, script).unwrap();
            std::fs::set_permissions(&mmdebstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
            let told = namespaces(&mmdebstrap).map_err(|error| error.to_string());
            assert_eq!(told.is_ok(), good, "{told:?}");
            let wanted = |text: &String| text.contains("newuidmap") && text.contains("install uidmap");
            assert!(good || told.as_ref().is_err_and(wanted), "{told:?}");
        }
    }

    #[test]
    fn the_script_for_fresh_machines_installs_all_that_is_looked_for() {
        let script = include_str!("../../../packaging/image");
        let words: Vec<&str> =
            script.split(|sign: char| sign.is_whitespace() || "()".contains(sign)).collect();
        let programs = PROGRAMS.iter().chain(&BOOTSTRAP).map(|(_, package)| *package);
        // The keys of Ubuntu are in no package of Debian 12; without them the build says where they are.
        for package in programs.chain(["debian-archive-keyring", "packer", "ovmf", "uidmap"]) {
            assert!(words.contains(&package), "{package}");
        }
    }
}
