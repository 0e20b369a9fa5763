//! `builder completions` and `builder man`: from the command line's own description.

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::cli::{Cli, Completions, Man};
use crate::exit::Exit;

/// Writes the completions for a shell to standard output.
///
/// # Errors
/// When nobody reads them.
pub fn completions(args: &Completions) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "builder", &mut script);
    super::say(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}

/// Writes the manual pages, one for the builder and one for each subcommand.
///
/// # Errors
/// When they cannot be written.
pub fn pages(args: &Man) -> Result<Exit> {
    let directory = &args.directory;
    let write = || {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(Cli::command(), directory)
    };
    write().with_context(|| format!("writing manual pages into {}", directory.display()))?;
    Ok(Exit::Good)
}
