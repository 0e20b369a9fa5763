//! `builder init`: a commented specification to start from.

use anyhow::{Context, Result};

use crate::cli::Init;
use crate::exit::Exit;
use crate::spec::Os;
use crate::spec::example::example;

/// Runs the command.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn run(args: &Init) -> Result<Exit> {
    let os = Os::named(&args.os).with_context(|| format!("unknown operating system {:?}", args.os))?;
    let text = example(os);
    match &args.output {
        Some(path) => super::create(path, &text)?,
        None => super::say(&text)?,
    }
    Ok(Exit::Good)
}
