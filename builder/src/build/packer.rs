//! Packer as a child: boots the medium, lets installer and provisioning scripts run, has the machine seal itself.
//!
//! `PACKER_LOG` always goes to a file. What the guest itself says comes over its second serial port and is followed while it is said
//! ([`guest`](super::guest)): an installer that has failed ends the build at once, and that the machine was sealed is taken from there,
//! because the machine switches itself off afterwards and Packer cannot ask it.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::acceleration::Acceleration;
use super::guest::{Guest, SILENCE, SILENCE_EMULATED};
use super::medium::Medium;
use super::preflight;
use super::process::Program;
use super::progress::Progress;
use super::workspace::Workspace;

/// When an emulated machine's installer shows its menu. Some menus choose by themselves after half a minute.
const MENU: Duration = Duration::from_secs(20);

/// What Packer says when it is let into the machine that was installed.
const CONNECTED: &str = "Connected to SSH";

/// How long an installer may say nothing on such a machine.
fn silence(acceleration: Acceleration) -> Duration {
    match acceleration {
        Acceleration::Kvm => SILENCE,
        Acceleration::Emulation => SILENCE_EMULATED,
    }
}

/// Makes the image from a medium.
///
/// # Errors
/// When Packer or the installer fails, or the machine was not sealed; the last words of both are quoted.
pub async fn provision(
    space: &Workspace,
    medium: &Medium,
    acceleration: Acceleration,
    secret: &[String],
    progress: &Progress,
) -> Result<PathBuf> {
    let (accelerator, cpu) = acceleration.words();
    let guest = Guest::new(space.log("guest.log"));
    let mut variables = vec![
        format!("accelerator={accelerator}"),
        format!("cpu={cpu}"),
        format!("guest_log={}", space.log("guest.log").display()),
        format!("console_log={}", space.log("console.log").display()),
    ];
    if medium.menu && acceleration == Acceleration::Emulation {
        variables.push(format!("boot_wait={}s", MENU.as_secs()));
    }
    variables.extend(medium.path.as_ref().map(|path| format!("iso_url={}", path.display())));
    let scratch = space.files().join("tmp");
    fs::create_dir(&scratch).context("creating Packer's directory")?;
    let packer = Program::new("packer")
        .args(["build", "-color=false"])
        .args(variables.iter().flat_map(|it| ["-var", it]))
        .args(["."])
        .directory(space.files())
        .env("PATH", preflight::path())
        .env("CHECKPOINT_DISABLE", "1")
        .env("PACKER_LOG", "1")
        .env("PACKER_LOG_PATH", space.log("packer-debug.log"))
        .env("PACKER_CACHE_DIR", space.fetched())
        // Its own scripts and discs: /tmp of a hardened machine is noexec, and may be small.
        .env("TMPDIR", &scratch)
        .without(secret);
    let log = space.log("packer.log");
    let installs = Cell::new(medium.menu.then_some(silence(acceleration)));
    let ran = tokio::select! {
        ran = packer.run(&log, |line| {
            if let Some(step) = line.strip_prefix("==> qemu.image: ") {
                progress.step(step);
                if step.starts_with(CONNECTED) {
                    installs.set(None);
                }
            }
        }) => ran,
        failed = guest.failure(progress, &installs) => Err(failed),
    };
    ran.map_err(|error| guest.quoted(error))?;
    guest.sealed()?;
    let output = space.files().join("output");
    let mut images =
        fs::read_dir(&output).with_context(|| format!("reading {}", output.display()))?.flatten();
    let image = images.find(|entry| entry.path().extension().is_some_and(|extension| extension == "qcow2"));
    match image {
        Some(image) => Ok(image.path()),
        None => bail!("Packer left no image"),
    }
}
