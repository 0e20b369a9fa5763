//! The machine's own package manager: installing, removing, purging.
//!
//! Packages are installed and removed by apt or dnf, which knows where they come from and what they need. They are purged by dpkg or rpm, which
//! takes exactly those named and refuses when something else depends on them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::file;
use crate::system::{FileKind, PackageDelta, System, Tool};

/// How long another package manager is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options of each call: it never asks, keeps configuration files that were changed, and pulls in nothing that is merely
/// recommended.
const OPTIONS: [&str; 7] = [
    "--yes",
    "--quiet",
    "--no-install-recommends",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "DPkg::Lock::Timeout=120",
];

/// The same for dnf.
const DNF: [&str; 3] = ["--assumeyes", "--quiet", "--setopt=install_weak_deps=False"];

/// Where apt keeps its lists of packages.
const LISTS: &str = "/var/lib/apt/lists";

/// What installing and removing these packages would do to the machine, dependencies and dependents included. When the package
/// lists are missing or stale they are fetched once.
///
/// # Errors
/// When the package manager cannot do it, with what it said.
pub fn foresee(system: &System, install: &[String], remove: &[String]) -> Result<PackageDelta> {
    with_lists(system, || system.package_delta(install, remove))
}

/// Installs and removes packages.
///
/// # Errors
/// When the package manager fails, with what it said.
pub fn perform(system: &System, install: &[String], remove: &[String]) -> Result<()> {
    let packages = system.packages()?;
    let missing = install.iter().filter(|name| !packages.has(name)).cloned();
    let unwanted = remove.iter().filter(|name| packages.has(name)).map(|name| format!("{name}-"));
    let wanted: Vec<String> = missing.chain(unwanted).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    if uses_dnf(system) {
        let missing: Vec<&str> =
            install.iter().filter(|name| !packages.has(name)).map(String::as_str).collect();
        let unwanted: Vec<&str> =
            remove.iter().filter(|name| packages.has(name)).map(String::as_str).collect();
        dnf(system, "remove", &["--noautoremove"], &unwanted)?;
        return dnf(system, "install", &[], &missing);
    }
    needs_apt(system, &wanted)?;
    let mut args = OPTIONS.to_vec();
    args.push("install");
    args.extend(wanted.iter().map(String::as_str));
    with_lists(system, || system.run(Tool::AptGet, &args)?.success().map(drop))
}

/// Does what needs apt's lists, and once more with new ones when they are missing, stale or spoilt.
fn with_lists<T>(system: &System, attempt: impl Fn() -> Result<T>) -> Result<T> {
    match attempt() {
        Err(error) if is_stale(&format!("{error:#}")) => {
            forget_empty_lists(system)?;
            update(system)?;
            attempt()
        }
        other => other,
    }
}

/// Takes the lists away that are empty. apt does not have its lists on disk before it goes on: a power cut leaves such, and `apt-get update`
/// keeps them as long as the mirror's index is the same. Lists with something in them stay: the mirror may be out of reach.
fn forget_empty_lists(system: &System) -> Result<()> {
    for name in system.list(LISTS)?.iter().filter(|name| name.contains("_Packages")) {
        let path = Path::new(LISTS).join(name);
        if system.meta(&path)?.is_some_and(|meta| meta.kind == FileKind::Regular && meta.size == 0) {
            file::remove(system, &path)?;
        }
    }
    Ok(())
}

/// Removes packages with their configuration files; nothing else goes.
///
/// # Errors
/// When another package depends on one of them, or dpkg fails.
pub fn purge(system: &System, names: &[&str]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if uses_dnf(system) {
        let args: Vec<&str> = std::iter::once("--erase").chain(names.iter().copied()).collect();
        return system.run(Tool::Rpm, &args)?.success().map(drop);
    }
    // A package that was cut while it was unpacked cannot be removed otherwise.
    let mut args = vec!["--purge", "--force-remove-reinstreq"];
    args.extend(names);
    dpkg(system, &args)
}

/// Lets a package manager that was cut half-way, or that is still at work, come to its end.
///
/// # Errors
/// When it does not.
pub fn finish_pending(system: &System) -> Result<()> {
    if uses_dnf(system) {
        return Ok(()); // rpm configures nothing later
    }
    dpkg(system, &["--force-confold", "--configure", "--pending"])
}

/// The packages, of those named, that nothing needs any more and that nobody asked for.
///
/// # Errors
/// When the package manager cannot tell.
pub fn no_longer_needed(system: &System, of: &[String]) -> Result<Vec<String>> {
    if uses_dnf(system) {
        return Ok(Vec::new()); // each removal names what goes, dependencies stay
    }
    let output = system.run(Tool::AptGet, &["--simulate", "--quiet", "autoremove"])?.success()?;
    let delta = PackageDelta::parse(&output.stdout);
    Ok(delta.removed.into_iter().filter(|name| of.contains(name)).collect())
}

/// Those of the named packages that were installed only because others need them.
///
/// # Errors
/// When the package manager cannot tell.
pub fn automatic(system: &System, of: &[String]) -> Result<Vec<String>> {
    if of.is_empty() || uses_dnf(system) {
        return Ok(Vec::new());
    }
    let output = system.run(Tool::AptMark, &["showauto"])?.success()?;
    Ok(output
        .stdout
        .lines()
        .map(str::trim)
        .filter(|name| of.iter().any(|o| o == name))
        .map(str::to_owned)
        .collect())
}

/// Marks packages as installed only because others need them.
///
/// # Errors
/// When the package manager refuses.
pub fn mark_automatic(system: &System, names: &[String]) -> Result<()> {
    if names.is_empty() || uses_dnf(system) {
        return Ok(());
    }
    let mut args = vec!["auto"];
    args.extend(names.iter().map(String::as_str));
    system.run(Tool::AptMark, &args)?.success().map(drop)
}

/// Whether the package manager could not do something because another one is at work.
pub fn is_busy(error: &anyhow::Error) -> bool {
    is_locked(&format!("{error:#}"))
}

fn is_locked(said: &str) -> bool {
    said.contains("lock was locked") || said.contains("is locked by")
}

fn uses_dnf(system: &System) -> bool {
    !system.has_tool(Tool::AptGet) && system.has_tool(Tool::Dnf)
}

fn dnf(system: &System, verb: &str, options: &[&str], names: &[&str]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut args = DNF.to_vec();
    args.extend(options);
    args.push(verb);
    args.extend(names);
    system.run(Tool::Dnf, &args)?.success().map(drop)
}

fn needs_apt(system: &System, names: &[String]) -> Result<()> {
    if !system.has_tool(Tool::AptGet) {
        bail!("no supported package manager (apt, dnf) is installed here; by hand: {}", names.join(", "));
    }
    Ok(())
}

/// What a package manager says when a host does not answer: apt, libcurl below dnf, the resolver.
const SILENCE: [&str; 8] = [
    "Could not connect to",
    "Could not resolve",
    "Cannot initiate the connection",
    "Couldn't connect to server",
    "Connection failed",
    "Connection timed out",
    "Temporary failure resolving",
    "Timeout was reached",
];

/// The line in which a package manager says that a mirror does not answer, when that is what is wrong.
pub fn silence(error: &anyhow::Error) -> Option<String> {
    let said = format!("{error:#}");
    let line = said.lines().find(|line| SILENCE.iter().any(|sign| line.contains(sign)))?;
    Some(format!("no mirror answers: {}", line.trim()))
}

fn is_stale(said: &str) -> bool {
    let signs = [
        "Unable to locate",
        "Unable to fetch",
        "has no installation candidate",
        "404",
        "package lists or status file could not be parsed",
    ];
    signs.iter().any(|sign| said.contains(sign))
}

fn update(system: &System) -> Result<()> {
    system.run(Tool::AptGet, &["--quiet", "update"])?.success().map(drop)
}

/// One call of dpkg, which unlike apt does not wait for its turn.
fn dpkg(system: &System, args: &[&str]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let output = system.run(Tool::Dpkg, args)?;
        let busy = is_locked(&output.stderr);
        if output.code == Some(0) || !busy || begun.elapsed() > PATIENCE {
            return output.success().map(drop).context("the package manager could not do it");
        }
        thread::sleep(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_that_is_silent_is_told_from_a_package_that_is_not_there() {
        for (said, line) in [
            (
                "Reading package lists...\nE: Failed to fetch http://deb/a.deb  Could not connect to deb:80 (192.0.2.1), connection timed out\nE: x",
                Some("Failed to fetch http://deb/a.deb  Could not connect to deb:80"),
            ),
            ("W: Temporary failure resolving 'deb.example.org'", Some("Temporary failure resolving")),
            (
                " - Curl error (7): Couldn't connect to server for https://m/repomd.xml",
                Some("Curl error (7)"),
            ),
            ("E: Unable to locate package nosuch", None),
            ("E: Failed to fetch http://deb/a.deb  404  Not Found [IP: 192.0.2.1 80]", None),
        ] {
            let told = silence(&anyhow::anyhow!("{said}"));
            assert_eq!(told.is_some(), line.is_some(), "{said}: {told:?}");
            assert!(told.is_none_or(|told| told.contains(line.unwrap_or_default()) && !told.contains('\n')));
        }
    }
}
