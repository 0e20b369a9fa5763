//! `builder render SPEC`: the files that Packer, installers and the guest read, to look at or to build from by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::cli::{Format, Render};
use crate::exit::Exit;
use crate::render::{Choices, File, KEY_TO_COME, Version, packer, place, render};
use crate::spec::{Platform, Spec};

/// Runs the command.
///
/// # Errors
/// When the specification is no good, or a file cannot be read or written.
pub fn run(args: &Render) -> Result<Exit> {
    let spec = Spec::read(&args.spec)?;
    let choices = Choices { packer: version(args.packer), public_key: key(args.public_key.as_deref())? };
    let mut all = Vec::new();
    for platform in spec.platforms() {
        all.push((platform, render(&spec, platform, &choices)?));
    }
    match &args.out {
        Some(directory) => {
            let beside = args.spec.parent().unwrap_or(Path::new("."));
            for (platform, files) in &all {
                place::write(&directory.join(platform.word()), files)?;
                place::tailoring(&spec, beside, &directory.join(platform.word()))?;
            }
        }
        None => super::say(&shown(&all, args)?)?,
    }
    Ok(Exit::Good)
}

/// The files for standard output.
fn shown(all: &[(Platform, Vec<File>)], args: &Render) -> Result<String> {
    let wanted =
        |file: &&File| args.file.as_ref().is_none_or(|name| file.path.rsplit('/').next() == Some(name));
    let files = || {
        all.iter().flat_map(|(platform, files)| files.iter().filter(wanted).map(move |file| (platform, file)))
    };
    if let (Some(name), None) = (&args.file, files().next()) {
        let names: Vec<&str> = all.iter().flat_map(|(_, files)| files.iter().map(|file| file.path)).collect();
        bail!("no file is called {name:?}; there are: {}", names.join(", "));
    }
    if args.format == Format::Json {
        let entry = |(platform, file): (&Platform, &File)| json!({"platform": platform, "path": file.path, "text": file.text});
        return Ok(serde_json::to_string_pretty(&files().map(entry).collect::<Vec<_>>())? + "\n");
    }
    if args.file.is_some() {
        return Ok(files().map(|(_, file)| file.text.as_str()).collect());
    }
    let entry = |(platform, file): (&Platform, &File)| {
        format!("=== {}/{}\n{}\n", platform.word(), file.path, file.text)
    };
    Ok(files().map(entry).collect())
}

/// The version asked for, that of the installed Packer, or the oldest: what it understands all do.
fn version(asked: Option<Version>) -> Version {
    asked.or_else(|| packer::installed().ok()).unwrap_or(packer::OLDEST)
}

/// The public key, from its file.
fn key(path: Option<&Path>) -> Result<String> {
    let Some(path) = path else { return Ok(KEY_TO_COME.to_owned()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let line = text.lines().next().unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || " +/=.@_-".contains(c);
    let good = line.starts_with("ssh-") || line.starts_with("ecdsa-");
    if !good || !line.chars().all(plain) {
        bail!(
            "{}: no public key as ssh-keygen writes it (NAME.pub, one line that begins with ssh-)",
            path.display()
        );
    }
    Ok(line.to_owned())
}
