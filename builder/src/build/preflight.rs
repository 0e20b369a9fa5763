//! What could fail after an hour, looked at before: programs, and room on the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::manifest::Tools;
use crate::render::packer;
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
/// What a build takes while it runs: the tree twice, the disk, and the image.
const ROOM: u64 = 6 << 30;

/// Looks at everything that a build needs.
///
/// # Errors
/// For all that is missing, with the command that installs it.
pub fn preflight(out: &Path, spec: &Spec) -> Result<Tools> {
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
        bail!(
            "a build needs what is not here: apt-get install {} (Packer, where the distribution has none, from HashiCorp)",
            packages.join(" ")
        );
    }
    let packer = packer?;
    for path in crate::render::firmware(spec, packer) {
        if !Path::new(path).exists() {
            bail!(
                "the machine that builds this image has UEFI, and {path} is not here: apt-get install ovmf"
            );
        }
    }
    room(out)?;
    let mmdebstrap = if bootstrap { Some(first_line("mmdebstrap", "--version")?) } else { None };
    Ok(Tools { packer, qemu: first_line("qemu-img", "--version")?, mmdebstrap })
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

fn room(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let state = nix::sys::statvfs::statvfs(out).with_context(|| format!("looking at {}", out.display()))?;
    let free = state.blocks_available().saturating_mul(state.fragment_size());
    if free < ROOM {
        let (free, wanted) = (free >> 20, ROOM >> 20);
        bail!(
            "{}: {free} MiB are free, a build takes {wanted}: make room, or give --out another directory",
            out.display()
        );
    }
    Ok(())
}
