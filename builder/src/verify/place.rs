//! Where results go, and where machines have their disks while they run.
//!
//! | path | what it is |
//! |---|---|
//! | `NAME.verify/verify.json` | the record |
//! | `NAME.verify/audit-TIER-FIRMWARE.json` | the agent's audit (`docs/report.md`) |
//! | `NAME.verify/console-TIER-FIRMWARE.log` | firmware, boot loader, and the machine's journal |
//! | `NAME.verify/.lock` | held while the image is verified |
//! | `NAME.verify/.work~…/` | disks of machines that run; what a killed verification left goes when the next begins |

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

use super::case::Case;

const WORK: &str = ".work~";

/// A verification's place.
#[derive(Debug)]
pub struct Place {
    directory: PathBuf,
    work: TempDir,
    _lock: Flock<File>,
}

impl Place {
    /// Takes the place for results of that image, and clears away what a killed verification left there.
    ///
    /// # Errors
    /// When another verification has it, or it cannot be written.
    pub fn open(image: &Path, out: Option<&Path>) -> Result<Place> {
        let directory = out.map_or_else(|| image.with_extension("verify"), Path::to_owned);
        fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
        let directory =
            directory.canonicalize().with_context(|| format!("finding {}", directory.display()))?;
        let path = directory.join(".lock");
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else {
            bail!(
                "another verification writes to {}: wait for it, or give --out another directory",
                directory.display()
            );
        };
        for entry in
            fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?.flatten()
        {
            if entry.file_name().to_string_lossy().starts_with(WORK) && entry.path().is_dir() {
                let path = entry.path();
                fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
            }
        }
        let work = tempfile::Builder::new().prefix(WORK).tempdir_in(&directory);
        let work = work.with_context(|| format!("creating a directory in {}", directory.display()))?;
        Ok(Place { directory, work, _lock: lock })
    }

    /// A directory for a machine, gone with the verification.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn machine(&self, name: &str) -> Result<PathBuf> {
        let path = self.work.path().join(name);
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    /// The record.
    pub fn record(&self) -> PathBuf {
        self.directory.join("verify.json")
    }

    /// The audit of a case.
    pub fn audit(&self, case: Case) -> PathBuf {
        self.directory.join(format!("audit-{}.json", case.word()))
    }

    /// The console's words of a case.
    pub fn console(&self, case: Case) -> PathBuf {
        self.directory.join(format!("console-{}.log", case.word()))
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, text: &str) -> Result<()> {
        let unfinished = path.with_extension("unfinished");
        let writing = || format!("writing {}", path.display());
        fs::write(&unfinished, text).with_context(writing)?;
        fs::rename(&unfinished, path).with_context(writing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_verification_at_a_time_and_the_next_clears_what_a_killed_one_left() {
        let home = tempfile::tempdir().unwrap();
        let image = home.path().join("web.qcow2");
        let left = home.path().join("web.verify/.work~old");
        fs::create_dir_all(&left).unwrap();
        let place = Place::open(&image, None).unwrap();
        assert!(!left.exists());
        let machine = place.machine("light-bios").unwrap();
        let error = Place::open(&image, None).unwrap_err().to_string();
        assert!(error.contains("another verification"), "{error}");
        drop(place);
        assert!(!machine.exists());
        Place::open(&image, None).unwrap();
    }
}
