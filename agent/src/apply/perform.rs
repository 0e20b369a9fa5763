//! Making one change.

use std::path::Path;

use anyhow::{Result, bail};

use super::file::{self, Attributes, Whole};
use super::{kernel, package, unit, validate};
use crate::change::Change;
use crate::system::{System, Tool};

/// Makes a change.
///
/// # Errors
/// When it cannot be made, or a validator refuses what would be written.
pub fn perform(system: &System, change: &Change) -> Result<()> {
    match change {
        Change::WriteFile { path, content, mode } => write(system, path, content, *mode),
        Change::Link { path, target } => {
            file::make_directories(system, path.parent().unwrap_or(Path::new("/")), 0o755)?;
            file::link(system, path, target)
        }
        Change::RemoveFile { path } => file::remove(system, path),
        Change::MakeDirectory { path, mode } => file::make_directories(system, path, *mode).map(drop),
        Change::SetMeta { path, mode, uid, gid } => file::set_meta(system, path, *mode, *uid, *gid),
        Change::Sysctl { key, value } => kernel::set_sysctl(system, key, value),
        Change::Mount { target, options } => kernel::remount(system, target, options),
        Change::Unit { unit, goal } => unit::perform(system, unit, *goal),
        Change::UnloadModule { module } => kernel::unload(system, module),
        Change::Packages { install, remove } => package::perform(system, install, remove),
        Change::Generate { tool, args, .. } => generate(system, *tool, args),
    }
}

fn write(system: &System, path: &Path, content: &str, mode: u32) -> Result<()> {
    let path = system.follow(path)?;
    validate::staged(system, &path, content)?;
    file::make_directories(system, path.parent().unwrap_or(Path::new("/")), 0o755)?;
    let attributes = match file::read(system, &path)? {
        Some(whole) => whole.attributes,
        None => Attributes::new(mode),
    };
    file::put(system, &path, &Whole { content: content.as_bytes().to_vec(), attributes }).map(drop)
}

fn generate(system: &System, tool: Tool, args: &[String]) -> Result<()> {
    if !system.is_running() {
        bail!("{} can only run on the machine itself, not with --root", tool.name());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    system.run(tool, &args)?.success().map(drop)
}
