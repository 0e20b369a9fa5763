//! What Packer starts from: the disk of a bootstrap, an installer's disc, or somebody else's disk image.
//!
//! To add a source, add it to the specification's [`Source`] and say in [`Medium::of`] where its file comes from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Order;
use super::acceleration::Trial;
use super::bootstrap::{self, Disk};
use super::digest;
use super::process::Program;
use super::progress::{Progress, Stage};
use super::workspace::Workspace;
use crate::render::File;
use crate::spec::source::Url;
use crate::spec::{Family, Source, Spec};

/// What Packer starts from.
#[derive(Debug)]
pub struct Medium {
    /// Its path; `None` where Packer fetches it from the address in the template.
    pub path: Option<PathBuf>,
    /// What to try the hypervisor with.
    pub trial: Trial,
    /// Whether it has a menu, and something is typed there.
    pub menu: bool,
}

impl Medium {
    /// The medium of a specification.
    ///
    /// # Errors
    /// When the disk cannot be made.
    pub async fn of(
        spec: &Spec,
        order: &Order,
        space: &Workspace,
        files: &[File],
        progress: &Progress,
        stages: &mut Vec<Stage>,
    ) -> Result<Medium> {
        match &spec.source.value {
            Source::Bootstrap(_) => {
                let stage = progress.begin("bootstrap");
                let Disk { path, kernel, reused } = bootstrap::disk(space, files, order, progress).await?;
                stages.push(stage.end(reused));
                Ok(Medium { path: Some(path), trial: Trial::Kernel(kernel), menu: false })
            }
            Source::Iso(iso) => {
                let path = local(&iso.url, order.beside());
                let kernel = match &path {
                    Some(path) => kernel(path, spec.os.value.family, space).await,
                    None => None,
                };
                Ok(Medium { path, trial: kernel.map_or(Trial::Nothing, Trial::Kernel), menu: true })
            }
            Source::Image(image) => {
                let path = local(&image.url, order.beside());
                let bios = spec.firmware.value.has_bios();
                let trial = path.clone().filter(|_| bios).map_or(Trial::Nothing, Trial::Disk);
                Ok(Medium { path, trial, menu: false })
            }
        }
    }
}

/// The path of a file on this machine; `None` when it is an address.
pub(super) fn local(url: &Url, beside: &Path) -> Option<PathBuf> {
    let text = url.as_str();
    let path = text.strip_prefix("file://").or((!text.contains("://")).then_some(text))?;
    std::path::absolute(beside.join(path)).ok()
}

/// Refuses a medium on this machine that is not the one its digest belongs to. What Packer fetches it digests itself.
///
/// # Errors
/// When it cannot be read, or has another digest.
pub async fn verify(spec: &Spec, beside: &Path, progress: &Progress) -> Result<Option<Stage>> {
    let source = &spec.source.value;
    let path = source.url().and_then(|url| local(url, beside));
    let (Some(path), Some(checksum)) = (path, source.checksum()) else { return Ok(None) };
    let checksum = checksum.as_str().to_owned();
    let stage = progress.begin("checksum");
    let shown = path.display();
    let algorithm = checksum.split_once(':').map_or("sha256", |(kind, _)| kind);
    let found = format!("{algorithm}:{}", digest::by(algorithm, &path).await?);
    if found != checksum {
        bail!(
            "{shown} is not what the specification wants: its digest is {found}, and {checksum} is wanted. \
             Fetch it again, or write the digest that the vendor publishes for this file"
        );
    }
    Ok(Some(stage.end(false)))
}

/// The installer's kernel, out of the disc. One that has it elsewhere is no worse for it: the hypervisor is then tried otherwise.
async fn kernel(disc: &Path, family: Family, space: &Workspace) -> Option<PathBuf> {
    let there = match family {
        Family::Rhel => "/images/pxeboot/vmlinuz",
        Family::Debian => "/install.amd/vmlinuz",
        Family::Ubuntu => "/casper/vmlinuz",
    };
    let here = space.files().join("kernel");
    let xorriso = Program::new("xorriso").args(["-osirrox", "on", "-indev"]).args([disc]);
    let extracted = xorriso.args(["-extract", there]).args([&here]).answer().await;
    extracted
        .ok()
        .filter(|answer| answer.code == Some(0) && fs::metadata(&here).is_ok_and(|meta| meta.len() > 0))?;
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_an_address() {
        let table = [
            ("/srv/a.iso", Some("/srv/a.iso")),
            ("a.iso", Some("/home/me/a.iso")),
            ("file:///srv/a.iso", Some("/srv/a.iso")),
            ("https://host/a.iso", None),
        ];
        for (text, expected) in table {
            let url = Url::try_from(text.to_owned()).unwrap();
            assert_eq!(local(&url, Path::new("/home/me")), expected.map(PathBuf::from), "{text}");
        }
    }
}
