//! Changes to the running kernel: parameters, mount options, modules.

use std::fs;

use anyhow::{Context, Result};

use crate::system::{System, Tool};

/// Sets the running value of a kernel parameter.
///
/// # Errors
/// When the kernel refuses it.
pub fn set_sysctl(system: &System, key: &str, value: &str) -> Result<()> {
    let path = system.host_path(System::sysctl_path(key));
    fs::write(&path, value).with_context(|| format!("setting the kernel parameter {key} to {value}"))
}

/// Remounts a mounted file system with further options.
///
/// # Errors
/// When `mount` refuses.
pub fn remount(system: &System, target: &str, options: &[String]) -> Result<()> {
    let list = format!("remount,{}", options.join(","));
    system.run(Tool::Mount, &["-o", &list, target])?.success().map(drop)
}

/// Remounts a mounted file system without options that were added.
///
/// # Errors
/// When `mount` refuses.
pub fn remount_without(system: &System, target: &str, added: &[String]) -> Result<()> {
    let opposites: Vec<String> = added.iter().filter_map(|option| opposite(option)).collect();
    if opposites.is_empty() || system.mounts()?.now_at(target).is_none() {
        return Ok(());
    }
    remount(system, target, &opposites)
}

/// The option that takes another back (`mount(8)`).
fn opposite(option: &str) -> Option<String> {
    match option {
        "ro" => Some("rw".to_owned()),
        other => other.strip_prefix("no").map(str::to_owned),
    }
}

/// Unloads a kernel module.
///
/// # Errors
/// When something still uses it: it stays until the next boot, at which it is not loaded again.
pub fn unload(system: &System, module: &str) -> Result<()> {
    if system.module_loaded(module)? != Some(true) {
        return Ok(());
    }
    system.run(Tool::Modprobe, &["-r", module])?.success().map(drop)
}
