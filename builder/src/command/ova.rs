//! `builder ova IMAGE`: an image as one file that VMware imports.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::build::manifest::Manifest;
use crate::cli::Ova;
use crate::exit::Exit;
use crate::ova::Appliance;
use crate::upload::image::Image;

/// Runs the command.
///
/// # Errors
/// When there is no such image, or the archive cannot be made.
pub fn run(args: &Ova) -> Result<Exit> {
    let image = Image::find(&args.image, &args.out)?;
    let stem = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = args.name.clone().or(Manifest::beside(&image)?.map(|manifest| manifest.name)).unwrap_or(stem);
    let to: PathBuf = args.output.clone().unwrap_or_else(|| image.with_file_name(format!("{name}.ova")));
    // One thread: the kernel ends what a thread started when that thread ends.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting tokio")?;
    let appliance = runtime.block_on(async {
        tokio::select! {
            appliance = Appliance::of(&image, &name) => appliance,
            signal = super::interrupted() => bail!("ended by {}; nothing is left of it", signal?),
        }
    })?;
    appliance.archive(&to)?;
    super::say(&format!(
        "{}\n  disk {} MiB, sha256 {}\n",
        to.display(),
        appliance.disk.size >> 20,
        appliance.disk.sha256
    ))?;
    Ok(Exit::Good)
}
