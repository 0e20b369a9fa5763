//! The report as JSON: the contract other people's scripts rely on (`docs/report.md`).

use std::io::Write;

use anyhow::Result;

use super::Report;

/// Writes a report, indented, with a final newline.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)?;
    Ok(())
}
