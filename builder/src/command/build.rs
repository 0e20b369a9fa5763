//! `builder build SPEC`: from a specification to an image. SIGINT, SIGTERM and SIGHUP end it with nothing left behind.

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::build::manifest::Manifest;
use crate::build::progress::Progress;
use crate::build::{Order, build};
use crate::cli::{Build, Format};
use crate::exit::Exit;

/// Runs the command.
///
/// # Errors
/// When the image is not built.
pub fn run(args: &Build) -> Result<Exit> {
    let order = Order {
        spec: args.spec.clone(),
        out: args.out.clone(),
        agent: args.agent_package.clone(),
        fresh: args.fresh,
        emulate: args.emulate,
    };
    let progress = Progress::new(args.quiet);
    // One thread: the kernel ends what a thread started when that thread ends.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting tokio")?;
    let manifest = runtime.block_on(async {
        tokio::select! {
            manifest = build(&order, &progress) => manifest,
            name = interrupted() => bail!("ended by {}; nothing is left of the build", name?),
        }
    })?;
    match args.format {
        Format::Json => super::say(&manifest.json()?)?,
        Format::Text => super::say(&told(&manifest, args))?,
    }
    Ok(Exit::Good)
}

/// The signal that ends the build.
async fn interrupted() -> Result<&'static str> {
    let on = |kind| signal(kind).context("listening for signals");
    let (mut int, mut term, mut hup) =
        (on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?);
    Ok(tokio::select! {
        _ = int.recv() => "SIGINT",
        _ = term.recv() => "SIGTERM",
        _ = hup.recv() => "SIGHUP",
    })
}

/// What is said of an image.
fn told(manifest: &Manifest, args: &Build) -> String {
    let Manifest { name, image, tier, .. } = manifest;
    let path = args.out.join(name).join(&image.file);
    let tier = tier.as_ref().map_or(String::new(), |tier| format!("; machines harden themselves to {tier}"));
    format!(
        "{}\n  {} MiB for a disk of {} MiB, sha256 {}\n  {} packages, agent {}{tier}\n",
        path.display(),
        image.size >> 20,
        image.virtual_size >> 20,
        image.sha256,
        image.packages.len(),
        manifest.agent.version
    )
}
