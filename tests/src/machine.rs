//! What root trees and booted machines have in common: one can run programs in them as root.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::Program;

/// This machine itself. Nothing is run in it that changes anything but its scratch directory, which goes when this is dropped.
#[derive(Debug)]
pub struct Here(());

impl Here {
    const SCRATCH: &str = "/run/lab";

    /// Makes the scratch directory; an error when another run is using it.
    pub fn new() -> Result<Self> {
        fs::create_dir(Self::SCRATCH)
            .with_context(|| format!("creating {} (remove it when nothing uses it)", Self::SCRATCH))?;
        Ok(Self(()))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(Self::SCRATCH); // a new run tells when it is still there
    }
}

impl Machine for Here {
    fn program(&self, words: &[&str]) -> Program {
        let (name, arguments) = words.split_first().map_or(("true", &[][..]), |(name, rest)| (*name, rest));
        Program::new(name).args(arguments).env("LC_ALL", "C.UTF-8")
    }

    fn scratch(&self) -> &'static str {
        Self::SCRATCH
    }

    fn lend(&self, file: &Path, name: &str) -> Result<String> {
        let target = PathBuf::from(Self::SCRATCH).join(name);
        fs::copy(file, &target).with_context(|| format!("lending {}", file.display()))?;
        Ok(target.to_string_lossy().into_owned())
    }
}

/// A place to run programs in.
pub trait Machine {
    /// A program about to run inside, as root.
    fn program(&self, words: &[&str]) -> Program;

    /// A directory inside that is ours and no part of what is judged.
    fn scratch(&self) -> &'static str;

    /// Makes a file of ours available in the scratch directory, executable by root; gives its path there.
    fn lend(&self, file: &Path, name: &str) -> Result<String>;

    /// Runs a shell script inside; gives what it wrote to standard output. `$LAB` is the scratch directory.
    fn shell(&self, script: &str) -> Result<String> {
        self.program(&["bash", "-euc", &format!("LAB={}\n{script}", self.scratch())]).output()
    }

    /// Copies a file out.
    fn fetch(&self, from: &str, to: &Path) -> Result<()> {
        let content = self.program(&["cat", from]).run()?.stdout;
        fs::write(to, content).with_context(|| format!("writing {}", to.display()))
    }
}
