//! What root trees and booted machines have in common: one can run programs in them as root.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::Program;

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
