//! One file for each subcommand: take arguments, call the stages in order, write what they return.
//!
//! To add a subcommand, add its arguments to `cli.rs`, a file here, and a line in `main.rs`.

pub mod build;
pub mod check;
pub mod init;
pub mod manual;
pub mod ova;
pub mod render;
pub mod schema;
pub mod targets;
pub mod upload;
pub mod verify;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Writes to standard output.
///
/// # Errors
/// When nobody reads it.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str) -> Result<()> {
    let writing = || format!("writing {}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).with_context(writing)?;
    file.write_all(text.as_bytes()).with_context(writing)
}

/// The signal that ends what runs.
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
