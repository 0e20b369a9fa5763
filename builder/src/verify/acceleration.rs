//! KVM where the image really starts with it, emulation elsewhere.
//!
//! `/dev/kvm` can be there and of no use: inside some hypervisors a kernel hangs before its first word. So the image is tried once. A kernel that
//! runs says so over the serial port or, where its console is not there, mounts its disk and writes to it; firmware and boot loaders write next to nothing.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::case::Case;
use super::image::Image;
use super::machine::{Hardware, disk_over, free_port, own_variables};
use super::place::Place;
use super::{Order, firmware};
use crate::build::acceleration::{Acceleration, WRITTEN, taken};
use crate::build::progress::Progress;

/// How long an image may take from power on to its kernel's first signs of life.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the machines of an image run on. `case` is what it is tried with.
///
/// # Errors
/// When QEMU cannot be started at all.
pub async fn choose(
    image: &Image,
    place: &Place,
    case: Case,
    order: &Order,
    progress: &Progress,
) -> Result<Acceleration> {
    if order.emulate {
        return Ok(Acceleration::Emulation);
    }
    let kvm = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    let why = match kvm {
        Ok(_) if starts(image, place, case, order).await? => return Ok(Acceleration::Kvm),
        Ok(_) => "the image does not start with it".to_owned(),
        Err(error) => format!("/dev/kvm: {error}; 'adduser $USER kvm' lets a user have it"),
    };
    progress.note(&format!(
        "KVM is of no use here ({why}): the machines are emulated, which takes ten times as long"
    ));
    Ok(Acceleration::Emulation)
}

/// Whether a kernel of the image gives signs of life under KVM.
async fn starts(image: &Image, place: &Place, case: Case, order: &Order) -> Result<bool> {
    let directory = place.machine("kvm")?;
    let disk = disk_over(&image.path, &image.format, &directory).await?;
    let flash = own_variables(firmware::flash(case.firmware)?, &directory)?;
    let console = directory.join("console");
    let hardware = Hardware {
        case,
        acceleration: Acceleration::Kvm,
        memory: order.memory,
        bus: order.bus,
        disk: &disk,
        seed: None,
        flash: flash.as_ref(),
        console: &console,
        port: free_port()?,
        offline: true,
    };
    let before = taken(&disk);
    let mut machine = hardware.start(&directory.join("qemu.log"))?;
    let begun = Instant::now();
    let mut lives = false;
    while !lives && begun.elapsed() < PATIENCE && !machine.ended() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let said = fs::read(&console).unwrap_or_default();
        lives = String::from_utf8_lossy(&said).contains("Linux version") || taken(&disk) > before + WRITTEN;
    }
    Ok(lives)
}
