//! `builder build SPEC`: from a specification to an image that is proved at each tier. SIGINT, SIGTERM and SIGHUP end it with nothing left behind.

use anyhow::{Context, Result, bail};

use crate::build::manifest::Manifest;
use crate::build::progress::Progress;
use crate::build::{Order, build};
use crate::cli::{Build, Format};
use crate::exit::Exit;
use crate::spec::Spec;
use crate::target::secret::Secrets;
use crate::verify;

use super::{targets, upload};

/// Runs the command.
///
/// # Errors
/// When the image is not built.
pub fn run(args: &Build) -> Result<Exit> {
    let progress = Progress::new(args.quiet);
    if !args.no_verify {
        // Now, and not when the image is there.
        verify::ready(Spec::read(&args.spec)?.firmware.value)?;
    }
    let mut secrets = Secrets::default();
    let secret = match args.to.is_empty() {
        true => Vec::new(),
        false => targets::let_in(&args.to, args.targets.as_deref(), &mut secrets)?,
    };
    let order = Order {
        spec: args.spec.clone(),
        out: args.out.clone(),
        agent: args.agent_package.clone(),
        fresh: args.fresh,
        emulate: args.emulate,
        secret,
    };
    // One thread: the kernel ends what a thread started when that thread ends.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting tokio")?;
    let manifest = runtime.block_on(async {
        tokio::select! {
            manifest = build(&order, &progress) => manifest,
            name = super::interrupted() => bail!("ended by {}; nothing is left of the build", name?),
        }
    })?;
    match args.format {
        Format::Json => super::say(&manifest.json()?)?,
        Format::Text => super::say(&told(&manifest, args))?,
    }
    let image = args.out.join(&manifest.name).join(&manifest.image.file);
    if !args.no_verify {
        let order =
            verify::Order { fresh: args.fresh, emulate: args.emulate, ..verify::Order::of(image.clone()) };
        let proved = super::verify::prove(&order, args.quiet, args.format)?;
        if proved != Exit::Good {
            // What is not proved goes nowhere.
            return Ok(proved);
        }
    }
    if args.to.is_empty() {
        return Ok(Exit::Good);
    }
    let sending = upload::Sending {
        path: image,
        name: None,
        to: &args.to,
        targets: args.targets.as_deref(),
        quiet: args.quiet,
        format: args.format,
    };
    upload::send(&sending, &mut secrets)
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
