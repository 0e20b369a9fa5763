//! KVM where a kernel really starts with it, emulation elsewhere.
//!
//! `/dev/kvm` can be there and of no use: inside some hypervisors a kernel hangs before its first word. So one is tried.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::process::{Group, Program};
use super::progress::Progress;
use super::workspace::Workspace;

/// How long a kernel may take to its first word.
const KERNEL: Duration = Duration::from_secs(10);
/// How long a disk may take from power on to its kernel's first signs of life.
const DISK: Duration = Duration::from_secs(60);
/// How much a machine has written when its kernel runs, in bytes: firmware and boot loaders write next to nothing.
pub const WRITTEN: u64 = 2 << 20;

/// What a machine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceleration {
    /// The processor.
    Kvm,
    /// QEMU's emulation of one: ten times slower.
    Emulation,
}

impl Acceleration {
    /// What Packer calls it, and the processor that goes with it.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Acceleration::Kvm => ("kvm", "host"),
            Acceleration::Emulation => ("tcg", "max"),
        }
    }
}

/// What the hypervisor is tried with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// A kernel, which says its first words over the serial port.
    Kernel(PathBuf),
    /// A disk that starts on BIOS; it is not written to.
    Disk(PathBuf),
    /// Nothing is here to be tried.
    Nothing,
}

/// What the machine runs on.
///
/// # Errors
/// When QEMU cannot be started at all.
pub async fn choose(
    trial: &Trial,
    space: &Workspace,
    emulate: bool,
    progress: &Progress,
) -> Result<Acceleration> {
    if emulate {
        return Ok(Acceleration::Emulation);
    }
    let kvm = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    let why = match (kvm, trial) {
        (Ok(_), Trial::Nothing) => {
            progress.note("KVM is taken without having been tried; --emulate does without it");
            return Ok(Acceleration::Kvm);
        }
        (Ok(_), Trial::Kernel(kernel)) if speaks(kernel, space.files()).await? => {
            return Ok(Acceleration::Kvm);
        }
        (Ok(_), Trial::Disk(disk)) if lives(disk, space.files()).await? => return Ok(Acceleration::Kvm),
        (Ok(_), _) => "no kernel starts with it".to_owned(),
        (Err(error), _) => format!("/dev/kvm: {error}; 'adduser $USER kvm' lets a user have it"),
    };
    progress.note(&format!(
        "KVM is of no use here ({why}): the machine is emulated, which takes ten times as long"
    ));
    Ok(Acceleration::Emulation)
}

/// A machine with KVM and nothing else.
fn machine(console: &Path) -> Program {
    Program::new("qemu-system-x86_64")
        .args(["-accel", "kvm", "-cpu", "host", "-m", "512", "-display", "none", "-no-reboot", "-nodefaults"])
        .args(["-serial".to_owned(), format!("file:{}", console.display())])
}

/// Whether a kernel says a word under KVM.
async fn speaks(kernel: &Path, scratch: &Path) -> Result<bool> {
    let console = scratch.join("kvm.log");
    let qemu = machine(&console).args(["-append", "console=ttyS0 panic=-1", "-kernel"]).args([kernel]);
    signs(qemu.start()?, KERNEL, || said(&console)).await
}

/// Whether a disk's kernel gives signs of life under KVM: it says so, or it mounts the disk and writes to it.
async fn lives(disk: &Path, scratch: &Path) -> Result<bool> {
    let (console, over) = (scratch.join("kvm.log"), scratch.join("kvm.qcow2"));
    let info = Program::new("qemu-img").args(["info", "--output=json"]).args([disk]).output().await?;
    let info: serde_json::Value = serde_json::from_str(&info).context("reading what qemu-img says")?;
    let format = info.get("format").and_then(serde_json::Value::as_str).unwrap_or("raw");
    let create = Program::new("qemu-img").args(["create", "-q", "-f", "qcow2", "-F", format, "-b"]);
    create.args([disk, &over]).output().await.context("putting a disk over the image")?;
    let before = taken(&over);
    let drive = format!("file={},if=virtio,format=qcow2", over.display());
    let qemu = machine(&console).args(["-drive", &drive]);
    signs(qemu.start()?, DISK, || said(&console) || taken(&over) > before + WRITTEN).await
}

async fn signs(mut machine: Group, patience: Duration, alive: impl Fn() -> bool) -> Result<bool> {
    let begun = Instant::now();
    let mut lives = false;
    while !lives && begun.elapsed() < patience && !machine.ended() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        lives = alive();
    }
    Ok(lives)
}

/// Whether a kernel has spoken.
fn said(console: &Path) -> bool {
    String::from_utf8_lossy(&fs::read(console).unwrap_or_default()).contains("Linux version")
}

/// How much of this host's disk a file takes, in bytes.
pub fn taken(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.blocks() * 512)
}
