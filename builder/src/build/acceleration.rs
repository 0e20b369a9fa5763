//! KVM where a kernel really starts with it, emulation elsewhere.
//!
//! `/dev/kvm` can be there and of no use: inside some hypervisors a kernel hangs before its first word. So one is tried.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::process::Program;
use super::progress::Progress;
use super::workspace::Workspace;

/// How long a kernel may take to its first word.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Tries this kernel.
///
/// # Errors
/// When QEMU cannot be started at all.
pub async fn choose(
    kernel: &Path,
    space: &Workspace,
    emulate: bool,
    progress: &Progress,
) -> Result<Acceleration> {
    if emulate {
        return Ok(Acceleration::Emulation);
    }
    let kvm = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    let why = match kvm {
        Ok(_) if starts(kernel, &space.files().join("kvm.log")).await? => return Ok(Acceleration::Kvm),
        Ok(_) => "no kernel starts with it".to_owned(),
        Err(error) => format!("/dev/kvm: {error}; 'adduser $USER kvm' lets a user have it"),
    };
    progress.note(&format!(
        "KVM is of no use here ({why}): the machine is emulated, which takes ten times as long"
    ));
    Ok(Acceleration::Emulation)
}

/// Whether a kernel says a word under KVM.
async fn starts(kernel: &Path, console: &Path) -> Result<bool> {
    let qemu = Program::new("qemu-system-x86_64")
        .args(["-accel", "kvm", "-cpu", "host", "-m", "512", "-display", "none", "-no-reboot", "-nodefaults"])
        .args(["-serial".to_owned(), format!("file:{}", console.display())])
        .args(["-append", "console=ttyS0 panic=-1", "-kernel"])
        .args([kernel]);
    let mut machine = qemu.start()?;
    let begun = Instant::now();
    let mut spoke = false;
    while !spoke && begun.elapsed() < PATIENCE && !machine.ended() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let said = std::fs::read(console).unwrap_or_default();
        spoke = String::from_utf8_lossy(&said).contains("Linux version");
    }
    Ok(spoke)
}
