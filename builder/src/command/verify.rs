//! `builder verify IMAGE`: the image booted once for each tier and firmware. SIGINT, SIGTERM and SIGHUP end it with nothing left behind.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::build::progress::Progress;
use crate::cli::{Format, Verify};
use crate::exit::Exit;
use crate::verify::judgement::Limits;
use crate::verify::{Order, table, verify};

/// Runs the command.
///
/// # Errors
/// When the image cannot be verified, or the verification is interrupted.
pub fn run(args: &Verify) -> Result<Exit> {
    let order = Order {
        image: args.image.clone(),
        out: args.out.clone(),
        tiers: args.tier.clone(),
        firmware: args.firmware.clone(),
        seed: args.seed,
        bus: args.disk,
        user_data: args.user_data.clone(),
        limits: Limits { allowed: args.allow.clone(), unexpected: args.max_fail, score: args.min_score },
        time: args.time_limit.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        memory: args.memory,
        jobs: args.jobs,
        offline: args.offline,
        fresh: args.fresh,
        emulate: args.emulate,
    };
    prove(&order, args.quiet, args.format)
}

/// Verifies an image, and tells what came of it.
///
/// # Errors
/// When the image cannot be verified, or the verification is interrupted.
pub fn prove(order: &Order, quiet: bool, format: Format) -> Result<Exit> {
    let progress = Arc::new(Progress::new(quiet));
    // One thread: the kernel ends what a thread started when that thread ends.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting tokio")?;
    let record = runtime.block_on(async {
        tokio::select! {
            record = verify(order, &progress) => record,
            name = super::interrupted() => bail!("ended by {}; no machine is left", name?),
        }
    });
    // With it go the machines that still run.
    drop(runtime);
    let record = record?;
    match format {
        Format::Json => super::say(&record.json()?)?,
        Format::Text => super::say(&table::table(&record))?,
    }
    Ok(record.exit())
}
