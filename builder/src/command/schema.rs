//! `builder schema`: the shape of specifications, for editors.

use anyhow::Result;

use crate::cli::Schema;
use crate::exit::Exit;
use crate::spec::Spec;

/// Runs the command.
///
/// # Errors
/// When nobody reads it.
pub fn run(_: &Schema) -> Result<Exit> {
    super::say(&text()?)?;
    Ok(Exit::Good)
}

/// The schema.
///
/// # Errors
/// None that can happen: it is made of the types.
pub fn text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Spec))? + "\n")
}
