//! Packer as a child: boots the disk, lets the provisioning scripts run, has the machine seal itself.
//!
//! `PACKER_LOG` always goes to a file. What the guest itself says comes over its second serial port and is followed while it is said; that
//! the machine was sealed is taken from there, because the machine switches itself off afterwards and Packer cannot ask it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::acceleration::Acceleration;
use super::bootstrap::Disk;
use super::preflight;
use super::process::{Program, plain};
use super::progress::Progress;
use super::workspace::Workspace;

/// What the sealing script says at its end.
const SEALED: &str = "trempe: sealed";
/// How many of the guest's last lines an error quotes.
const LAST: usize = 15;

/// Makes the image from a disk.
///
/// # Errors
/// When Packer fails, or the machine was not sealed; the last words of both are quoted.
pub async fn provision(
    space: &Workspace,
    disk: &Disk,
    acceleration: Acceleration,
    progress: &Progress,
) -> Result<PathBuf> {
    let (accelerator, cpu) = acceleration.words();
    let guest = space.log("guest.log");
    let variables = [
        format!("accelerator={accelerator}"),
        format!("cpu={cpu}"),
        format!("iso_url={}", disk.path.display()),
        format!("guest_log={}", guest.display()),
        format!("console_log={}", space.log("console.log").display()),
    ];
    let scratch = space.files().join("tmp");
    fs::create_dir(&scratch).context("creating Packer's directory")?;
    let packer = Program::new("packer")
        .args(["build", "-color=false"])
        .args(variables.iter().flat_map(|it| ["-var", it]));
    let ran = packer
        .args(["."])
        .directory(space.files())
        .env("PATH", preflight::path())
        .env("CHECKPOINT_DISABLE", "1")
        .env("PACKER_LOG", "1")
        .env("PACKER_LOG_PATH", space.log("packer-debug.log"))
        .env("PACKER_CACHE_DIR", space.files().join("packer_cache"))
        // Its own scripts and discs: /tmp of a hardened machine is noexec, and may be small.
        .env("TMPDIR", &scratch)
        .run(&space.log("packer.log"), |line| {
            if let Some(step) = line.strip_prefix("==> qemu.image: ") {
                progress.step(step);
            }
        })
        .await;
    let said = words(&guest);
    ran.map_err(|error| match said.is_empty() {
        true => error.context("the guest said nothing over its serial port"),
        false => error.context(format!("the guest's last words:\n  {}", tail(&said))),
    })?;
    if !said.iter().any(|line| line == SEALED) {
        bail!("the machine was switched off without having been sealed; its last words:\n  {}", tail(&said));
    }
    let output = space.files().join("output");
    let mut images =
        fs::read_dir(&output).with_context(|| format!("reading {}", output.display()))?.flatten();
    let image = images.find(|entry| entry.path().extension().is_some_and(|extension| extension == "qcow2"));
    Ok(image.context("Packer left no image")?.path())
}

/// What the guest said, line by line.
fn words(log: &Path) -> Vec<String> {
    let said = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().map(plain).filter(|line| !line.trim().is_empty()).collect()
}

fn tail(lines: &[String]) -> String {
    lines.iter().skip(lines.len().saturating_sub(LAST)).cloned().collect::<Vec<_>>().join("\n  ")
}
