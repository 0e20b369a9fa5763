//! `agent export`: the catalogue as an XCCDF 1.2 benchmark, for SCAP Workbench, autotailor and every other tool that reads one.

use anyhow::Result;

use super::deliver;
use crate::cli::Export;
use crate::content::{Catalogue, benchmark};
use crate::exit::Exit;

/// Runs the command.
///
/// # Errors
/// When it cannot be written.
pub fn run(args: &Export) -> Result<Exit> {
    let benchmark = benchmark(&Catalogue::embedded()?)?;
    deliver(&benchmark.to_xml()?, args.output.as_deref())?;
    Ok(Exit::Good)
}
