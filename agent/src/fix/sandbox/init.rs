//! The first process of a script's namespaces: goes where there is no way back, and starts bash there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{Pid, pivot_root};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::apply::journal::STATE_DIR;
use crate::fix::stand_in;

/// What runs scripts, in the root of the machine.
const SHELL: &str = "/bin/bash";
/// What OpenSCAP 1.3.7 gives to a fix, and all it gives.
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/sbin";
/// The most memory that one process may ask for, in bytes.
const MOST_MEMORY: u64 = 2 << 30;
/// What a script may do as root: to be the owner of all files. Not to mount, to make devices, to load modules, to set the clock.
const CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP);
/// Devices that a script needs and that hold nothing: name and number.
const DEVICES: [(&str, u64); 5] = [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)];

/// Starts the script and waits for its end; gives its exit code.
pub fn start(seconds: &str) -> Result<i32> {
    die_with_parent_outside()?;
    unshare(CloneFlags::CLONE_NEWNS).context("leaving the mounts of the session")?;
    std::env::set_current_dir("root")?;
    pivot_root(".", ".").context("changing the root")?;
    umount2(".", MntFlags::MNT_DETACH).context("leaving the root of the machine")?;
    std::env::set_current_dir("/")?;
    furnish()?;
    stand_in::cover()?;
    confine(seconds.parse()?)?;
    if !Path::new(SHELL).exists() {
        bail!("there is no {SHELL} to run it");
    }
    let mut shell = Command::new(SHELL);
    shell.arg(stand_in::SCRIPT).env_clear().env("PATH", PATH).stdin(Stdio::null());
    let child = shell.spawn().with_context(|| format!("starting {SHELL}"))?;
    let child = Pid::from_raw(i32::try_from(child.id())?);
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return Ok(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => return Ok(128 + signal as i32),
            // Orphans come to the first process.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("waiting for the script"),
        }
    }
}

/// Seen from inside a namespace, the parent outside is 0.
fn die_with_parent_outside() -> Result<()> {
    if std::process::id() != 1 {
        bail!("this is no process namespace of its own");
    }
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).context("asking to end with the agent")
}

/// What a system has beside its disks, without anything that reaches the running one.
fn furnish() -> Result<()> {
    let closed = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    put("/proc", "proc", closed | MsFlags::MS_RDONLY, None)?;
    put("/sys", "sysfs", closed | MsFlags::MS_RDONLY, None)?;
    put("/dev", "tmpfs", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, Some("mode=0755,size=1m"))?;
    for (name, minor) in DEVICES {
        let path = Path::new("/dev").join(name);
        let mode = Mode::from_bits_truncate(0o666);
        mknod(&path, SFlag::S_IFCHR, mode, makedev(1, minor))
            .with_context(|| format!("making /dev/{name}"))?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    }
    for (link, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")]
    {
        std::os::unix::fs::symlink(target, Path::new("/dev").join(link))?;
    }
    fs::create_dir("/dev/shm")?;
    put("/dev/shm", "tmpfs", closed, Some("mode=1777,size=16m"))?;
    if Path::new(STATE_DIR).is_dir() {
        put(STATE_DIR, "tmpfs", closed, Some("mode=0700,size=64k"))?;
    }
    Ok(())
}

fn put(target: &str, kind: &str, flags: MsFlags, options: Option<&str>) -> Result<()> {
    if !Path::new(target).is_dir() {
        fs::create_dir(target).with_context(|| format!("making {target}"))?;
    }
    mount(Some(kind), target, Some(kind), flags, options).with_context(|| format!("mounting {target}"))
}

/// Gives up what a script must not have.
fn confine(seconds: u64) -> Result<()> {
    let limits = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_AS, MOST_MEMORY),
        (Resource::RLIMIT_CPU, seconds),
        (Resource::RLIMIT_NOFILE, 1024),
    ];
    for (resource, most) in limits {
        setrlimit(resource, most, most).with_context(|| format!("limiting {resource:?}"))?;
    }
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if CAPABILITIES.contains(one) {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // Beyond the last that this kernel knows.
            Err(rustix::io::Errno::INVAL) => break,
            Err(error) => return Err(error).context("giving up capabilities"),
        }
    }
    set_no_new_privs().context("giving up further rights")
}
