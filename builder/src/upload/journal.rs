//! What was begun at a target and is not finished: on disk before it is begun there, so that a killed upload is cleared up or gone on
//! with by the next one.
//!
//! One file for each target and image, `$XDG_STATE_HOME/trempe/uploads/TARGET~NAME.json`, and a lock beside it that only one builder holds.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

/// An upload that has begun.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Begun {
    /// Its own id: written into the image's description there, and what a server knows a repeated request by.
    pub upload: String,
    /// SHA-256 of the image.
    pub sha256: String,
    /// The server it goes to.
    pub server: String,
    /// The image, where it is known.
    pub image: Option<String>,
    /// Whether all of it was sent, so that the server is at work.
    pub sent: bool,
    /// The task that makes an image of the object.
    pub task: Option<String>,
    /// The object in the store of API v4.
    pub object: Option<Object>,
}

/// An object that is being put into a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// The store's id of an upload in parts.
    pub parts_id: Option<String>,
    /// The size of a part.
    pub part_size: u64,
    /// What the store calls the parts that are there, in order.
    pub parts: Vec<String>,
    /// Whether it is there as a whole.
    pub whole: bool,
}

/// The journal of one target and image, held by this builder.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    _lock: Flock<File>,
}

/// The directory of journals.
///
/// # Errors
/// When there is no home directory to keep it in.
pub fn directory() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    Ok(state.context("there is no HOME to keep the journal of uploads in")?.join("trempe/uploads"))
}

impl Journal {
    /// Takes the journal; `None` when another builder has it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take(directory: &Path, target: &str, name: &str) -> Result<Option<Journal>> {
        fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        // No label and no name has a ~.
        let path = directory.join(format!("{target}~{name}.json"));
        let lock = path.with_extension("lock");
        let file = File::create(&lock).with_context(|| format!("creating {}", lock.display()))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok();
        Ok(lock.map(|lock| Journal { path, _lock: lock }))
    }

    /// What was begun and not finished.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn begun(&self) -> Result<Option<Begun>> {
        let shown = self.path.display();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {shown}")),
        };
        match serde_json::from_str(&text) {
            Ok(begun) => Ok(Some(begun)),
            Err(error) => {
                bail!("{shown}: {error}: look for a half made image at the target, then remove this file")
            }
        }
    }

    /// Writes what has begun, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, begun: &Begun) -> Result<()> {
        let writing = || format!("writing {}", self.path.display());
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory).with_context(writing)?;
        file.write_all(serde_json::to_string(begun)?.as_bytes()).with_context(writing)?;
        file.as_file().sync_all().with_context(writing)?;
        file.persist(&self.path).with_context(writing)?;
        Ok(())
    }

    /// Forgets it: everything is finished, or nothing is left.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_known_after_a_kill_and_one_builder_has_it() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::take(home.path(), "paris", "web").unwrap().unwrap();
        assert!(Journal::take(home.path(), "paris", "web").unwrap().is_none());
        assert!(Journal::take(home.path(), "paris", "web2").unwrap().is_some());
        assert_eq!(journal.begun().unwrap(), None);
        let begun = Begun { upload: "u".to_owned(), image: Some("i".to_owned()), ..Begun::default() };
        journal.write(&begun).unwrap();
        drop(journal);
        let journal = Journal::take(home.path(), "paris", "web").unwrap().unwrap();
        assert_eq!(journal.begun().unwrap(), Some(begun));
        journal.forget().unwrap();
        journal.forget().unwrap();
        assert_eq!(journal.begun().unwrap(), None);
        fs::write(home.path().join("paris~web.json"), "{").unwrap();
        assert!(journal.begun().unwrap_err().to_string().contains("remove this file"));
    }
}
