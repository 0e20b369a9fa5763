//! cloud-init, cut off in the stages that come before the first phase: by a power failure, or by a shutdown.
//!
//! It notes what it does once for an instance before it does it, and waits for no disk: the next boot would find empty files (of the
//! network, of host keys, of sudo) and leave them so, and nobody could come in. So a mark is made before its first stage; the first
//! phase, once all is on disk, makes another in its place. Where the first mark is found at a boot, cloud-init begins anew, a few times
//! at most: a user's script may be what ends it. Both marks lie where `cloud-init clean` clears them away, so that each machine made of
//! an image has its own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::apply::file::{self, Attributes, Whole};
use crate::system::System;

const CLOUD: &str = "/var/lib/cloud";
const DIRECTORY: &str = "/var/lib/cloud/data";
/// Its stages have begun.
const BEGUN: &str = "/var/lib/cloud/data/trempe.begun";
/// They are over.
const OVER: &str = "/var/lib/cloud/data/trempe.done";
/// The machine that it set up, or began to.
const INSTANCE: &str = "/var/lib/cloud/data/instance-id";
/// Its own mark of a boot that it finished, made anew at each (`cloudinit.helpers`, `Paths.boot_finished`).
const FINISHED: &str = "/var/lib/cloud/instance/boot-finished";
/// What stays when it begins anew: data that lie on the machine itself (`cloudinit.cmd.clean`), and what an image brings for it to run.
const BROUGHT: [&str; 3] = ["seed", "scripts", "handlers"];
/// There where what it knows of the machine is to be kept for good (`manual_cache_clean`, `Paths.lookups`).
const KEPT: &str = "/var/lib/cloud/instance/manual-clean";
/// Where the machine's data came from, as cloud-init describes it.
const DATASOURCE: &str = "/var/lib/cloud/instance/datasource";
/// Those that give what a customization leaves for one boot alone, such as an address; a second look finds nothing.
const GIVE_ONCE: [&str; 2] = ["DataSourceVMware", "DataSourceOVF"];

/// How often it begins anew for one machine.
const MOST: u8 = 3;

/// What the mark of stages that have begun says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Begun {
    /// How often they were begun anew.
    anew: u8,
    /// Why they could not be at this boot.
    failed: String,
}

/// Before its first stage: has it begin anew where it was cut. Returns whether it does.
///
/// # Errors
/// When what it left cannot be cleared away, or the mark cannot be made.
pub fn before(system: &System) -> Result<bool> {
    if system.exists(OVER)? {
        return Ok(false);
    }
    let Some(begun) = begun(system)? else {
        // It was at work before there was an agent: nothing is known of how far it came.
        let new = !system.exists(INSTANCE)? && !system.exists(FINISHED)?;
        return if new { note(system, &Begun::default()) } else { over(system) }.map(|()| false);
    };
    // A machine on which it came to its end once must never begin anew: its keys and what its user's scripts did are in use. That is so
    // where the first phase is masked, too.
    if system.exists(FINISHED)? {
        return over(system).map(|()| false);
    }
    if begun.anew >= MOST || given_once(system)? {
        return Ok(false);
    }
    let anew = begun.anew.saturating_add(1);
    match clear(system).context("having cloud-init begin anew") {
        Ok(()) => note(system, &Begun { anew, failed: String::new() }).map(|()| true),
        Err(error) => {
            note(system, &Begun { anew, failed: format!("{error:#}") })?;
            Err(error)
        }
    }
}

/// After its stages, in the first phase: what they wrote is on disk, and not theirs to write again. Returns whether they did at this
/// boot what they do once for a machine.
///
/// # Errors
/// When they were to begin anew and could not, which is tried again a few times; when the mark cannot be made.
pub fn after(system: &System) -> Result<bool> {
    let Some(begun) = begun(system)? else { return Ok(false) };
    if begun.failed.is_empty() || begun.anew >= MOST {
        nix::unistd::sync();
        over(system)?;
    }
    if !begun.failed.is_empty() {
        bail!("what cloud-init was cut off in may be half done: {}", begun.failed);
    }
    Ok(true)
}

/// Whether what it knows of the machine could not be had again: then half of it is better than none, which a plain image has too.
fn given_once(system: &System) -> Result<bool> {
    let from = system.read_text(DATASOURCE)?.unwrap_or_default();
    Ok(system.exists(KEPT)? || GIVE_ONCE.iter().any(|name| from.contains(name)))
}

/// The mark of stages that have begun. One that cannot be understood is one all the same.
fn begun(system: &System) -> Result<Option<Begun>> {
    let text = system.read_text(BEGUN)?;
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_default()))
}

/// What `cloud-init clean` clears away. Not by it: it also runs what others had it run before a machine becomes an image
/// (`/etc/cloud/clean.d`), which on Ubuntu takes what the installer told cloud-init.
fn clear(system: &System) -> Result<()> {
    let but = |directory: &str, stays: &[&str]| -> Result<()> {
        let mut names = system.list(directory)?;
        names.retain(|name| !stays.contains(&name.as_str()));
        names.iter().try_for_each(|name| remove(system, &Path::new(directory).join(name)))
    };
    // The mark goes last of all: it is written anew.
    let stays: Vec<&str> = BROUGHT.into_iter().chain(["data"]).collect();
    but(CLOUD, &stays)?;
    but(DIRECTORY, &["trempe.begun"])?;
    nix::unistd::sync();
    Ok(())
}

fn remove(system: &System, path: &Path) -> Result<()> {
    let real = system.host_path(path);
    let directory = fs::symlink_metadata(&real).is_ok_and(|meta| meta.is_dir());
    let removed = if directory { fs::remove_dir_all(&real) } else { fs::remove_file(&real) };
    removed.with_context(|| format!("removing {}", path.display()))
}

fn over(system: &System) -> Result<()> {
    write(system, OVER, Vec::new())?;
    if system.exists(BEGUN)? { file::remove(system, Path::new(BEGUN)) } else { Ok(()) }
}

fn note(system: &System, begun: &Begun) -> Result<()> {
    write(system, BEGUN, serde_json::to_vec(begun)?)
}

fn write(system: &System, path: &str, content: Vec<u8>) -> Result<()> {
    file::make_directories(system, Path::new(DIRECTORY), 0o755)?;
    file::write(system, Path::new(path), &Whole { content, attributes: Attributes::new(0o644) })
        .context("marking how far cloud-init is")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const SEMAPHORE: &str = "/var/lib/cloud/instances/i/sem/config_ssh";
    const LOCAL: &str = "/var/lib/cloud/seed/nocloud/user-data";
    const SCRIPT: &str = "/var/lib/cloud/scripts/per-boot/own.sh";

    /// What cloud-init leaves in the middle of its work.
    fn cut() -> Tree {
        Tree::new()
            .file(SEMAPHORE, "")
            .file(INSTANCE, "i\n")
            .file(LOCAL, "#cloud-config\n")
            .file(SCRIPT, "#!/bin/sh\n")
            .link("/var/lib/cloud/instance", "/var/lib/cloud/instances/i")
            .file(BEGUN, "")
    }

    #[test]
    fn it_begins_anew_only_where_it_was_cut() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        assert!(!before(&tree.system()).unwrap(), "nothing was begun");
        assert!(tree.has(BEGUN));
        assert!(after(&tree.system()).unwrap(), "what is done once was done");
        assert!(tree.has(OVER) && !tree.has(BEGUN));
        assert!(!before(&tree.system()).unwrap() && !tree.has(BEGUN), "its stages are over");
        assert!(!after(&tree.system()).unwrap());

        let set_up = || Tree::new().file(INSTANCE, "i\n");
        let ended = || set_up().file(FINISHED, "");
        for finished in [set_up(), ended(), ended().file(BEGUN, "")] {
            assert!(!before(&finished.system()).unwrap(), "it came to its end, or was at work before us");
            assert!(finished.has(OVER) && !finished.has(BEGUN), "and is never begun anew");
        }
        let alone = Tree::new().dir("/var/lib", 0o755);
        assert!(!after(&alone.system()).unwrap());
        assert!(!alone.has(OVER), "no mark was made before: nothing is known of its stages");
    }

    #[test]
    fn what_it_did_goes_and_what_it_was_given_stays() {
        let tree = cut();
        for _ in 0..MOST {
            assert!(before(&tree.system()).unwrap());
            assert!(!tree.has(SEMAPHORE) && !tree.has(INSTANCE) && !tree.has("/var/lib/cloud/instance"));
            assert!(tree.has(LOCAL) && tree.has(SCRIPT) && tree.has(BEGUN));
        }
        assert!(!before(&tree.system()).unwrap(), "something ends it each time");
        assert!(after(&tree.system()).unwrap() && tree.has(OVER));
    }

    #[test]
    fn what_is_given_once_is_not_thrown_away() {
        for (file, text) in [
            ("manual-clean", ""),
            ("datasource", "DataSourceVMware: DataSourceVMware [seed=imc]\n"),
            ("datasource", "DataSourceOVF: DataSourceOVF [seed=vmware-tools]\n"),
        ] {
            let tree = cut().file(&format!("/var/lib/cloud/instances/i/{file}"), text);
            assert!(!before(&tree.system()).unwrap(), "{file} {text}");
            assert!(tree.has(SEMAPHORE) && after(&tree.system()).unwrap());
        }
        let other = cut().file("/var/lib/cloud/instances/i/datasource", "DataSourceNoCloud: x\n");
        assert!(before(&other.system()).unwrap());
    }

    #[test]
    fn what_cannot_begin_anew_is_told_and_tried_again() {
        let tree = cut().file(BEGUN, "{\"anew\": 1, \"failed\": \"having cloud-init begin anew: no space\"}");
        let error = format!("{:#}", after(&tree.system()).unwrap_err());
        assert!(error.contains("no space"), "{error}");
        assert!(tree.has(BEGUN) && !tree.has(OVER));
        assert!(before(&tree.system()).unwrap());
        assert!(after(&tree.system()).unwrap());
        let tree = cut().file(BEGUN, "{\"anew\": 3, \"failed\": \"no space\"}");
        assert!(!before(&tree.system()).unwrap());
        assert!(after(&tree.system()).is_err() && tree.has(OVER), "it is told, and not tried for ever");
    }
}
