//! The disk of a bootstrap: made by the rendered scripts, kept, and used again while they are the same and its packages not old.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::Program;
use super::progress::Progress;
use super::workspace::Workspace;
use super::{Order, digest, preflight};
use crate::render::File;

/// How long a disk's packages are taken for new.
pub const NEW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A disk that starts by itself.
#[derive(Debug)]
pub struct Disk {
    /// The disk, raw.
    pub path: PathBuf,
    /// Its kernel, to try the hypervisor with.
    pub kernel: PathBuf,
    /// Whether it was there.
    pub reused: bool,
}

/// How old the disk in a directory is; `None` where there is none.
pub fn age(directory: &Path) -> Option<Duration> {
    let made = fs::metadata(directory.join("disk.raw")).and_then(|meta| meta.modified());
    made.ok()?.elapsed().ok()
}

/// The disk that these files make.
///
/// # Errors
/// When a script fails; its last words are quoted.
pub async fn disk(space: &Workspace, files: &[File], order: &Order, progress: &Progress) -> Result<Disk> {
    let scripts = files.iter().filter(|file| file.path.starts_with("bootstrap/"));
    let recipe = digest::texts(scripts.flat_map(|file| [file.path, file.text.as_str()]));
    let kept = space.kept(&recipe);
    let disk = |reused| Disk { path: kept.join("disk.raw"), kernel: kept.join("kernel"), reused };
    if !order.fresh && age(&kept).is_some_and(|age| age < NEW) {
        return Ok(disk(true));
    }
    let made = space.files().join("bootstrap");
    let script = Program::new("bash").args([made.join("bootstrap.sh"), made.join("disk.raw")]);
    script
        .env("PATH", preflight::path())
        .env("LC_ALL", "C.UTF-8")
        .without(&order.secret)
        .run(&space.log("bootstrap.log"), |line| {
            if let Some(step) = line.strip_prefix("I: ") {
                progress.step(step);
            }
        })
        .await
        .context("making the disk from packages")?;
    if kept.exists() {
        fs::remove_dir_all(&kept).with_context(|| format!("removing {}", kept.display()))?;
    }
    fs::rename(&made, &kept).with_context(|| format!("keeping {}", kept.display()))?;
    Ok(disk(false))
}
