//! Where a build works: beside the images, so that what is finished appears by a rename.
//!
//! | path below the directory of images | what it is |
//! |---|---|
//! | `NAME/` | the image, its manifest, the logs of the last build |
//! | `.builder/NAME.lock` | held while an image of that name is built |
//! | `.builder/work~NAME~…/` | a build that runs; what a killed one left goes when the next begins |
//! | `.builder/bootstrap-DIGEST/` | a disk that may be used again; too old for that, it goes when a build begins |
//! | `.builder/fetched/` | discs and disk images that Packer fetched, which it takes again while their digests are right |

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

use super::bootstrap;
use super::process::Program;
use crate::render::{File as Rendered, place};

/// How directories of kept disks are called.
const DISK: &str = "bootstrap-";
/// When a kept disk goes. Builds that began while it was still used, under other names, are over by then.
const OLD: Duration = bootstrap::NEW.saturating_add(Duration::from_secs(24 * 60 * 60));

/// A build's place.
#[derive(Debug)]
pub struct Workspace {
    work: TempDir,
    /// Where the finished image goes.
    image: PathBuf,
    /// Where disks are kept.
    kept: PathBuf,
    name: String,
    _lock: Flock<File>,
}

impl Workspace {
    /// Takes the place for an image of that name, and clears away what a killed build left there, and disks that nobody uses again.
    ///
    /// # Errors
    /// When another build has it, or it cannot be written.
    pub fn open(out: &Path, name: &str) -> Result<Workspace> {
        let out = std::path::absolute(out).with_context(|| format!("finding {}", out.display()))?;
        let own = out.join(".builder");
        fs::create_dir_all(&own).with_context(|| format!("creating {}", own.display()))?;
        let path = own.join(format!("{name}.lock"));
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else {
            bail!(
                "another build of {name} runs in {}: wait for it, or give --out another directory",
                out.display()
            );
        };
        // No name has a ~, so that no image is taken for another whose name goes on.
        let prefix = format!("work~{name}~");
        for entry in fs::read_dir(&own).with_context(|| format!("reading {}", own.display()))?.flatten() {
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            let old = name.starts_with(DISK) && bootstrap::age(&path).is_some_and(|age| age > OLD);
            if path.is_dir() && (old || name.starts_with(&prefix)) {
                fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
            }
        }
        let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(&own);
        let work = work.with_context(|| format!("creating a directory in {}", own.display()))?;
        fs::create_dir(work.path().join("logs")).context("creating the directory of logs")?;
        Ok(Workspace { work, image: out.join(name), kept: own, name: name.to_owned(), _lock: lock })
    }

    /// The directory that Packer works in: the rendered files.
    pub fn files(&self) -> &Path {
        self.work.path()
    }

    /// A log of this build.
    pub fn log(&self, name: &str) -> PathBuf {
        self.work.path().join("logs").join(name)
    }

    /// The directory of the finished image.
    pub fn image_directory(&self) -> &Path {
        &self.image
    }

    /// The finished image.
    pub fn image(&self) -> PathBuf {
        self.image.join(format!("{}.qcow2", self.name))
    }

    /// Its manifest.
    pub fn manifest(&self) -> PathBuf {
        self.image.join(format!("{}.manifest.json", self.name))
    }

    /// Where a disk of that digest is kept.
    pub fn kept(&self, digest: &str) -> PathBuf {
        self.kept.join(format!("{DISK}{}", digest.get(..16).unwrap_or(digest)))
    }

    /// Where what Packer fetches is kept.
    pub fn fetched(&self) -> PathBuf {
        self.kept.join("fetched")
    }

    /// Writes rendered files.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, files: &[Rendered]) -> Result<()> {
        place::write(self.work.path(), files)
    }

    /// Makes the build user's key, and gives its public half.
    ///
    /// # Errors
    /// When `ssh-keygen` fails.
    pub async fn key(&self) -> Result<String> {
        let path = self.work.path().join("build_key");
        let keygen =
            Program::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "trempe-build", "-f"]);
        keygen.args([&path]).output().await.context("making the build user's key")?;
        let public = path.with_extension("pub");
        let text = fs::read_to_string(&public).with_context(|| format!("reading {}", public.display()))?;
        Ok(text.trim().to_owned())
    }

    /// Puts this build's logs where the image is, in place of the last build's, and says where; `None` when there are none.
    ///
    /// # Errors
    /// When they cannot be moved.
    pub fn keep_logs(&self) -> Result<Option<PathBuf>> {
        let (from, to) = (self.work.path().join("logs"), self.image.join("logs"));
        if fs::read_dir(&from).is_ok_and(|mut logs| logs.next().is_none()) {
            return Ok(None);
        }
        fs::create_dir_all(&self.image).with_context(|| format!("creating {}", self.image.display()))?;
        if to.exists() {
            fs::remove_dir_all(&to).with_context(|| format!("removing {}", to.display()))?;
        }
        fs::rename(&from, &to).with_context(|| format!("keeping the logs in {}", to.display()))?;
        Ok(Some(to))
    }
}
