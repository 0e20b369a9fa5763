//! Validators: what is about to take effect is first checked by the program that will read it.
//!
//! Files that are read at every use (sudoers, fstab) are checked as a staged copy before they are put in place;
//! files that are read when a daemon reloads are checked in place before it is told.
//! To add one, add a line to [`staged`] or to [`IN_PLACE`].

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::system::{System, Tool};

/// Checks a file's new content before it is put in place.
///
/// # Errors
/// When its reader would refuse it, with what the reader said.
pub fn staged(system: &System, path: &Path, content: &str) -> Result<()> {
    let checked = match path {
        path if path == Path::new("/etc/sudoers") || path.starts_with("/etc/sudoers.d") => {
            check(system, Tool::Visudo, &["-c", "-q", "-f", "-"], Some(content))
        }
        path if path == Path::new("/etc/nftables.conf") => {
            check(system, Tool::Nft, &["-c", "-f", "-"], Some(content))
        }
        path if path == Path::new("/etc/fstab") => fstab(system, content),
        path if path.starts_with("/etc/pam.d") => crate::apply::pam::check(system, path, content),
        _ => Ok(()),
    };
    checked.with_context(|| format!("{} would not be understood and was left as it is", path.display()))
}

fn check(system: &System, tool: Tool, args: &[&str], input: Option<&str>) -> Result<()> {
    if !system.has_tool(tool) {
        bail!("{} is needed to check it and is not installed", tool.name());
    }
    system.run_on_host(tool, args, input.map(str::as_bytes))?.success().map(drop)
}

/// Each line must be understood; a mount point that is missing, or a device that is not there now, was so before.
fn fstab(system: &System, content: &str) -> Result<()> {
    let mut copy = tempfile::NamedTempFile::new_in(system.host_path("/etc")).context("staging a copy")?;
    std::io::Write::write_all(&mut copy, content.as_bytes()).context("staging a copy")?;
    let path = copy.path().display().to_string();
    let output = system.run_on_host(Tool::Findmnt, &["--verify", "--tab-file", &path], None)?;
    let refused = output.stdout.lines().find(|line| line.contains("parse error"));
    match refused {
        Some(line) => bail!("findmnt: {}", line.trim()),
        None => Ok(()),
    }
}

/// Checks of what is in place: which paths call for one, the program, its arguments.
const IN_PLACE: [(&str, Tool, &[&str]); 2] =
    [("/etc/ssh", Tool::Sshd, &["-t"]), ("/etc/sudoers", Tool::Visudo, &["-c", "-q"])];

/// Checks, before daemons are told, everything that changes to `paths` touched. Returns the paths that must be taken back
/// and what the checker said of them.
pub fn in_place(system: &System, paths: &[&Path]) -> Vec<(&'static str, String)> {
    if !system.is_running() {
        return Vec::new();
    }
    let touched = |prefix: &str| paths.iter().any(|path| path.to_string_lossy().starts_with(prefix));
    let mut refused = Vec::new();
    for (prefix, tool, args) in IN_PLACE {
        if !touched(prefix) || !system.has_tool(tool) {
            continue;
        }
        let checked = with_runtime_directory(tool, || system.run(tool, args)?.success());
        if let Err(error) = checked {
            refused.push((prefix, format!("{error:#}")));
        }
    }
    refused
}

/// sshd refuses to check anything when its privilege separation directory is missing, which it is until ssh first ran.
fn with_runtime_directory<T>(tool: Tool, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let dir = Path::new("/run/sshd");
    let made = tool == Tool::Sshd && !dir.exists() && std::fs::create_dir(dir).is_ok();
    let result = run();
    if made {
        drop(std::fs::remove_dir(dir));
    }
    result
}
