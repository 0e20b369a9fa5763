//! Images: a root tree with the agent's package installed, that has never been booted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::command::Program;
use crate::machine::Machine;
use crate::root::{Copy, Root};
use crate::{agent, cache};

/// An image on a disk of its own, thrown away when dropped.
#[derive(Debug)]
pub struct Image {
    /// The tree it was made from; the kernel is taken from there.
    pub root: Root,
    copy: Copy,
}

impl Image {
    /// Installs the package of the agent under test, then runs `script` as root inside (for a line in fstab, say).
    pub fn new(root: &Root, script: &str) -> Result<Self> {
        let copy = root.copy()?;
        let (_packages, deb) = package("deb")?;
        let deb = copy.lend(&deb, "agent.deb")?;
        copy.program(&["dpkg", "--install", &deb]).run().context("installing the agent's package")?;
        copy.shell(script).context("preparing the image")?;
        Ok(Self { root: root.clone(), copy })
    }

    /// Its disk, raw.
    pub fn disk(&self) -> PathBuf {
        self.copy.disk()
    }
}

/// The package of the agent under test, of a kind: `deb` or `rpm`.
pub fn package(kind: &str) -> Result<(TempDir, PathBuf)> {
    let directory = cache::scratch("package")?;
    Program::new(cache::checkout().join("packaging/build"))
        .args([agent::binary()?.as_path(), directory.path(), Path::new(kind)])
        .run()
        .context("building the package")?;
    let files = std::fs::read_dir(directory.path())?;
    let package = files
        .filter_map(|file| Some(file.ok()?.path()))
        .find(|path| path.extension().is_some_and(|name| name == kind))
        .context("no package was built")?;
    Ok((directory, package))
}
