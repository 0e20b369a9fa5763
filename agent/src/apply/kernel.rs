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

/// The parameters of the interfaces that are there which take their first value from this one, a default such as
/// `net.ipv4.conf.default.rp_filter`, and their values; none for any other parameter.
///
/// # Errors
/// When the kernel refuses to tell.
pub fn of_interfaces(system: &System, key: &str) -> Result<Vec<(String, String)>> {
    let Some((family, name)) = key.split_once(".conf.default.") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for interface in system.list(System::sysctl_path(&format!("{family}.conf")))? {
        // With slashes, since the name of an interface may have a dot.
        let own = format!("{}/conf/{interface}/{name}", family.replace('.', "/"));
        if interface != "default"
            && interface != "all"
            && let Some(value) = system.sysctl(&own)?
        {
            found.push((own, value));
        }
    }
    Ok(found)
}

/// The options that belong to one mount and not to the file system behind it, each with its contrary (`mount(8)`).
const FLAGS: [(&str, &str); 8] = [
    ("ro", "rw"),
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("noexec", "exec"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
    ("relatime", "norelatime"),
    ("nosymfollow", "symfollow"),
];

/// Remounts a mounted file system with further options; those it has stay as they are.
///
/// # Errors
/// When nothing is mounted there, or `mount` refuses.
pub fn remount(system: &System, target: &str, options: &[String]) -> Result<()> {
    let mounts = system.mounts()?;
    let now = mounts.now_at(target).with_context(|| format!("nothing is mounted at {target}"))?;
    run_mount(system, target, &remount_options(&now.options, options, &[]))
}

/// Remounts a mounted file system without options that were added; what is no longer mounted has none.
///
/// # Errors
/// When `mount` refuses.
pub fn remount_without(system: &System, target: &str, added: &[String]) -> Result<()> {
    match system.mounts()?.now_at(target) {
        Some(now) if !added.is_empty() => {
            run_mount(system, target, &remount_options(&now.options, &[], added))
        }
        _ => Ok(()),
    }
}

fn run_mount(system: &System, target: &str, options: &str) -> Result<()> {
    // Without this, mount(8) mixes in what fstab says, which may be more than what is to be changed.
    let args = ["--options-source", "disable", "-o", options, target];
    system.run(Tool::Mount, &args)?.success().map(drop)
}

/// The options of a remount after which a mount has those of `now` and `add`, and none of `take`.
///
/// A remount clears every flag that it does not name, so it names all. Flags are changed on the mount alone
/// (`bind`), which leaves the file system behind it, its other mounts and its own options untouched.
fn remount_options(now: &[String], add: &[String], take: &[String]) -> String {
    let contrary = |option: &str| {
        let pair = FLAGS.iter().find(|(one, other)| option == *one || option == *other)?;
        Some(if pair.0 == option { pair.1 } else { pair.0 })
    };
    let only_flags = add.iter().chain(take).all(|option| contrary(option).is_some());
    let opposed = |option: &str| contrary(option).is_some_and(|other| add.iter().any(|added| added == other));
    let kept = now.iter().map(String::as_str).filter(|option| {
        !opposed(option)
            && !take.iter().any(|taken| taken == option)
            && (!only_flags || contrary(option).is_some())
    });
    let new = add.iter().filter(|option| !now.contains(option)).map(String::as_str);
    let back = take.iter().filter_map(|option| contrary(option));
    let how = ["remount"].into_iter().chain(only_flags.then_some("bind"));
    how.chain(kept).chain(new).chain(back).collect::<Vec<_>>().join(",")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remount_names_every_option_that_shall_stay() {
        let list = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        for (now, add, take, expected) in [
            (
                "rw,nosuid,noatime,size=1024k",
                "nodev,noexec",
                "",
                "remount,bind,rw,nosuid,noatime,nodev,noexec",
            ),
            ("rw,nodev,relatime", "nodev", "", "remount,bind,rw,nodev,relatime"),
            ("rw,relatime,errors=remount-ro", "ro", "", "remount,bind,relatime,ro"),
            ("rw,nosuid,nodev,size=1024k", "", "nodev", "remount,bind,rw,nosuid,dev"),
            ("ro,noexec", "", "ro", "remount,bind,noexec,rw"),
            ("rw,nosuid,gid=5", "hidepid=2", "", "remount,rw,nosuid,gid=5,hidepid=2"),
        ] {
            let (now, add, take): (Vec<String>, Vec<String>, Vec<String>) =
                (list(now), list(add), list(take));
            assert_eq!(remount_options(&now, &add, &take), expected, "{now:?} {add:?} {take:?}");
        }
    }
}
