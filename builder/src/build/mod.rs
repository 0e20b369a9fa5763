//! Stage 3, build: a specification becomes an image, on this machine, by Packer and QEMU.
//!
//! | step | file | what it leaves |
//! |---|---|---|
//! | preflight | [`preflight`] | nothing: all that could fail an hour later is looked at now |
//! | checksum | [`medium`] | nothing: an installer's disc or a disk image is the one that is wanted |
//! | prepare | [`workspace`] | the rendered files and a key pair, in a directory that only this build uses |
//! | bootstrap | [`bootstrap`] | a disk that starts by itself; kept, and used again while nothing it is made of changes |
//! | install, provision | [`packer`], [`guest`] | the image: Packer boots disc or disk, the agent goes in, the machine seals itself |
//! | finish | [`manifest`] | the image checked, its digest, and the manifest beside it |
//!
//! Programs run in process groups of their own ([`process`]); a build that is dropped ends them and takes its directory away.

pub mod acceleration;
pub mod bootstrap;
pub mod digest;
pub mod guest;
pub mod manifest;
pub mod medium;
pub mod packer;
pub mod preflight;
pub mod process;
pub mod progress;
pub mod workspace;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::render::{Choices, place, render};
use crate::spec::{Platform, Source, Spec};
use manifest::{AgentPackage, Manifest, Tools};
use medium::Medium;
use progress::{Progress, Stage};
use workspace::Workspace;

/// What a build is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The specification's file.
    pub spec: PathBuf,
    /// The directory that images go to.
    pub out: PathBuf,
    /// The agent's package, or the directory that it is in; the one that lies around where it is built or installed when left out.
    pub agent: Option<PathBuf>,
    /// Whether everything is made anew.
    pub fresh: bool,
    /// Emulation although there is KVM.
    pub emulate: bool,
    /// Environment variables with secrets, which no script and no guest is to see.
    pub secret: Vec<String>,
}

impl Order {
    /// The directory that relative paths of the specification begin at: its own.
    pub fn beside(&self) -> &Path {
        self.spec.parent().unwrap_or(Path::new("."))
    }
}

/// Builds an image, or finds that it is there already.
///
/// # Errors
/// When anything fails; what was half made is gone by then, and the logs are kept in the image's directory.
pub async fn build(order: &Order, progress: &Progress) -> Result<Manifest> {
    let spec = Spec::read(&order.spec)?;
    supported(&spec)?;
    let family = spec.os.value.family;
    let package = AgentPackage::find(order.agent.as_deref(), family)?;
    let tools = preflight::preflight(&spec)?;
    let digest = digest::spec(&order.spec, &spec)?;
    let space = Workspace::open(&order.out, spec.name.value.as_str())?;
    if let Some(manifest) = Manifest::kept(&space, &digest, &package).filter(|_| !order.fresh) {
        progress.note("nothing has changed since the image was built; --fresh builds it all the same");
        return Ok(manifest);
    }
    preflight::room(&order.out, &spec, order.beside())?;
    let mut stages = Vec::new();
    let done = make(order, &spec, &package, &tools, &space, progress, &mut stages).await;
    let kept = space.keep_logs();
    let image = done.map_err(|error| match &kept {
        Ok(Some(logs)) => error.context(format!("building {} (logs: {})", spec.name.value, logs.display())),
        Ok(None) | Err(_) => error.context(format!("building {}", spec.name.value)),
    })?;
    let manifest = Manifest::new(&spec, digest, &package, tools, image, stages)?;
    manifest.write(&space)?;
    Ok(manifest)
}

fn supported(spec: &Spec) -> Result<()> {
    if !spec.platforms().contains(&Platform::Qemu) {
        bail!(
            "from an installer's disc, target vsphere alone is built by a vCenter: write its files with 'builder render SPEC --out DIR' and \
             run Packer in DIR/vsphere. With target qcow2 beside it the image is built here, and 'builder upload' takes it to a vCenter too"
        );
    }
    Ok(())
}

/// The steps.
async fn make(
    order: &Order,
    spec: &Spec,
    package: &AgentPackage,
    tools: &Tools,
    space: &Workspace,
    progress: &Progress,
    stages: &mut Vec<Stage>,
) -> Result<manifest::Image> {
    let beside = order.beside();
    stages.extend(medium::verify(spec, beside, progress).await?);

    let stage = progress.begin("prepare");
    let public_key = space.key().await?;
    let choices = Choices { packer: tools.packer, public_key };
    let files = render(spec, Platform::Qemu, &choices)?;
    space.write(&files)?;
    place::tailoring(spec, beside, space.files())?;
    package.place(space.files())?;
    stages.push(stage.end(false));

    let medium = Medium::of(spec, order, space, &files, progress, stages).await?;
    let acceleration = acceleration::choose(&medium.trial, space, order.emulate, progress).await?;
    let stage = progress.begin(match spec.source.value {
        Source::Iso(_) => "install",
        Source::Bootstrap(_) | Source::Image(_) => "provision",
    });
    let image = packer::provision(space, &medium, acceleration, &order.secret, progress).await?;
    stages.push(stage.end(false));

    let stage = progress.begin("finish");
    let image = manifest::Image::finish(&image, space).await.context("finishing the image")?;
    stages.push(stage.end(false));
    Ok(image)
}
