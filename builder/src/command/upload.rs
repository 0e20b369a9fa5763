//! `builder upload IMAGE --to TARGET…`: an image to all targets at once. Each is by itself: what fails at one does not stop the others.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cli::{Format, Upload};
use crate::exit::Exit;
use crate::target::secret::Secrets;
use crate::target::{self, Targets};
use crate::upload::bars::Bars;
use crate::upload::image::Image;
use crate::upload::{Delivered, How, Outcome, connect, deliver, journal};

/// Runs the command.
///
/// # Errors
/// When there is no such image or target, or it is interrupted.
pub fn run(args: &Upload) -> Result<Exit> {
    let path = Image::find(&args.image, &args.out)?;
    let sending = Sending {
        path,
        name: args.name.as_deref(),
        to: &args.to,
        targets: args.targets.as_deref(),
        quiet: args.quiet,
        format: args.format,
    };
    send(&sending, &mut Secrets::default())
}

/// What is to be sent where.
pub struct Sending<'a> {
    /// The image's file.
    pub path: PathBuf,
    /// Another name for it.
    pub name: Option<&'a str>,
    /// The targets.
    pub to: &'a [String],
    /// The file of targets.
    pub targets: Option<&'a Path>,
    /// Whether nothing is said while it runs.
    pub quiet: bool,
    /// How it is told at the end.
    pub format: Format,
}

/// Sends an image, and tells what became of it. Secrets that are known are not looked up again.
///
/// # Errors
/// When there is no such image or target, or it is interrupted.
pub fn send(sending: &Sending, secrets: &mut Secrets) -> Result<Exit> {
    let targets = Targets::read(&target::path(sending.targets)?)?;
    targets.select(sending.to)?;
    let journals = journal::directory()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting tokio")?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = all(sending, &targets, &journals, secrets) => done,
            name = super::interrupted() => bail!(
                "ended by {}; the same command goes on where it can, and clears away what is half made", name?
            ),
        }
    });
    // The digest of a large file is not waited for.
    runtime.shutdown_background();
    let (image, outcomes) = done?;
    match sending.format {
        Format::Json => super::say(&(serde_json::to_string_pretty(&value(&image, &outcomes))? + "\n"))?,
        Format::Text => super::say(&told(&image, &outcomes))?,
    }
    Ok(if outcomes.iter().all(|(_, done)| done.is_ok()) { Exit::Good } else { Exit::Trouble })
}

async fn all(
    sending: &Sending<'_>,
    targets: &Targets,
    journals: &Path,
    secrets: &mut Secrets,
) -> Result<(Image, Vec<Outcome<Delivered>>)> {
    let bars = Bars::new(sending.quiet);
    let places = connect(targets, sending.to, secrets).await?;
    let (path, name) = (sending.path.clone(), sending.name.map(str::to_owned));
    let begun = Instant::now();
    let image = {
        let bar = bars.add("digest", path.metadata().map_or(0, |meta| meta.len()));
        let moved = bar.moved();
        let digest = move || {
            Image::open(&path, name.as_deref(), |bytes| {
                moved.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            })
        };
        let image = tokio::task::spawn_blocking(digest).await.context("digesting the image")??;
        bar.say(&format!("sha256 {}, {:.1} s", image.sha256, begun.elapsed().as_secs_f64()));
        image
    };
    let outcomes = deliver(places, &image, journals, &bars).await;
    Ok((image, outcomes))
}

/// For people.
fn told(image: &Image, outcomes: &[Outcome<Delivered>]) -> String {
    let mut text = String::new();
    for (label, outcome) in outcomes {
        // Writing to a string does not fail.
        let _ = match outcome {
            Ok(Delivered { how, id, api, product, seconds, removed, left }) => {
                let how = if *how == How::Uploaded { "uploaded" } else { "there already" };
                let removed = match removed {
                    0 => String::new(),
                    count => format!("; {count} older removed"),
                };
                let left = left
                    .as_ref()
                    .map_or(String::new(), |left| format!("\n    an older one could not be removed, {left}"));
                let by = [product.as_str(), "API", api].join(" ");
                writeln!(
                    text,
                    "{label}: {} {how} ({}, {id}, {seconds:.1} s){removed}{left}",
                    image.name,
                    by.trim()
                )
            }
            Err(failure) => {
                let remedy = failure.remedy();
                let remedy = if remedy.is_empty() { String::new() } else { format!("\n    do: {remedy}") };
                writeln!(text, "{label}: FAILED: {failure}{remedy}")
            }
        };
    }
    text
}

/// For programs.
fn value(image: &Image, outcomes: &[Outcome<Delivered>]) -> Value {
    let target = |(label, outcome): &Outcome<Delivered>| match outcome {
        Ok(done) => {
            let mut value = json!({"target": label});
            if let (Some(fields), Ok(Value::Object(more))) =
                (value.as_object_mut(), serde_json::to_value(done))
            {
                fields.extend(more);
            }
            value
        }
        Err(failure) => json!({
            "target": label, "result": "failed", "error": failure.to_string(), "remedy": failure.remedy()
        }),
    };
    let Image { name, path, size, virtual_size, sha256, .. } = image;
    json!({
        "schema": 1,
        "image": {"name": name, "file": path, "size": size, "virtual_size": virtual_size, "sha256": sha256},
        "targets": outcomes.iter().map(target).collect::<Vec<_>>(),
    })
}
