//! Rendered files in a directory, as Packer finds them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::File;
use crate::spec::Spec;

/// Writes files below a directory; those of an earlier time are written over.
///
/// # Errors
/// When one cannot be written.
pub fn write(directory: &Path, files: &[File]) -> Result<()> {
    for file in files {
        let path = directory.join(file.path);
        let writing = || format!("writing {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(directory)).with_context(writing)?;
        fs::write(&path, &file.text).with_context(writing)?;
        let mode = if file.executable { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).with_context(writing)?;
    }
    Ok(())
}

/// Puts the tailoring files that a specification names beside those that the guest gets. Relative paths begin at `beside`, the
/// specification's directory.
///
/// # Errors
/// When one is not there, or cannot be copied.
pub fn tailoring(spec: &Spec, beside: &Path, directory: &Path) -> Result<()> {
    for path in &spec.agent.tailoring {
        let from = beside.join(&path.value);
        let name = from.file_name().with_context(|| format!("{}: no file", from.display()))?;
        let to = directory.join("files").join(name);
        fs::copy(&from, &to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}
