//! The image: whether it is sound, its digest, and what the manifest beside it promises.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::build::manifest::Manifest;
use crate::build::process::Program;
use crate::build::{digest, preflight};
use crate::spec::Firmware;

/// The programs of a verification, and the packages of Debian and Ubuntu that they are in.
const PROGRAMS: [(&str, &str); 6] = [
    (super::machine::QEMU, "qemu-system-x86"),
    ("qemu-img", "qemu-utils"),
    ("xorriso", "xorriso"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("setpriv", "util-linux"),
];

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// What `qemu-img` calls its form: `qcow2`, `raw`, …
    pub format: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The firmware that its manifest says it starts on.
    pub promised: Option<Firmware>,
}

#[derive(Deserialize)]
struct Info {
    format: String,
}

/// Looks for the programs.
///
/// # Errors
/// For all that are missing, with the command that installs them.
pub fn programs() -> Result<()> {
    let missing = PROGRAMS.into_iter().filter(|(program, _)| preflight::find(program).is_none());
    let mut packages: Vec<&str> = missing.map(|(_, package)| package).collect();
    packages.dedup();
    if !packages.is_empty() {
        bail!("a verification needs what is not here: apt-get install {}", packages.join(" "));
    }
    Ok(())
}

impl Image {
    /// Looks at an image.
    ///
    /// # Errors
    /// When there is none, it is damaged, or it is not the one that its manifest is about.
    pub async fn look_at(path: &Path) -> Result<Image> {
        let path = path.canonicalize().with_context(|| format!("looking at {}", path.display()))?;
        let told = Program::new("qemu-img").args(["info", "--output=json"]).args([&path]).output().await?;
        let Info { format } =
            serde_json::from_str(&told).context("reading what qemu-img says of the image")?;
        if format != "raw" {
            let check =
                Program::new("qemu-img").args(["check", "-q", "-f", &format]).args([&path]).output().await;
            check.with_context(|| format!("{} is damaged", path.display()))?;
        }
        let sha256 = digest::file(&path)?;
        let promised = promise(&path, &sha256)?;
        Ok(Image { path, format, sha256, promised })
    }
}

/// The firmware that the manifest beside an image promises; `None` where there is no manifest.
fn promise(path: &Path, sha256: &str) -> Result<Option<Firmware>> {
    let beside = path.with_extension("manifest.json");
    let Ok(text) = std::fs::read_to_string(&beside) else { return Ok(None) };
    let manifest: Manifest =
        serde_json::from_str(&text).with_context(|| format!("reading {}", beside.display()))?;
    if manifest.image.sha256 != sha256 {
        bail!(
            "{} is not the image that {} is about: build it again, or take the manifest away",
            path.display(),
            beside.display()
        );
    }
    let word = serde_json::Value::from(manifest.firmware);
    let firmware = serde_json::from_value(word).with_context(|| format!("reading {}", beside.display()))?;
    Ok(Some(firmware))
}
