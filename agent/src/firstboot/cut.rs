//! cloud-init, cut by a power failure in the stages that come before the first phase.
//!
//! It notes what it does once for an instance before it does it, and waits for no disk: the next boot would find empty files (of the
//! network, of host keys, of sudo) and leave them so, and nobody could come in. So a mark is made before its first stage; the first
//! phase, once all is on disk, makes another in its place. Where the first mark is found at a boot, cloud-init begins anew. Both lie
//! where `cloud-init clean` clears them away, so that each machine made of an image has its own. A shutdown takes the first away too
//! (`packaging/systemd/trempe-cloud-init.service`).

use std::path::Path;

use anyhow::{Context, Result};

use crate::apply::file::{self, Attributes, Whole};
use crate::system::{System, Tool};

const DIRECTORY: &str = "/var/lib/cloud/data";
/// Its stages have begun.
const BEGUN: &str = "/var/lib/cloud/data/trempe.begun";
/// They are over.
const OVER: &str = "/var/lib/cloud/data/trempe.done";
/// Its own mark of a boot that it finished, made anew at each (`cloudinit.helpers`, `Paths.boot_finished`).
const FINISHED: &str = "/var/lib/cloud/instance/boot-finished";

/// Before its first stage: has it begin anew where it was cut. Returns whether it does.
///
/// # Errors
/// When it cannot be cleared away, or the mark cannot be made.
pub fn before(system: &System) -> Result<bool> {
    if system.exists(OVER)? {
        return Ok(false);
    }
    // A machine on which it came to its end once must never begin anew: its keys and what its user's scripts did are in use. That is so
    // where the agent was installed later, and where the first phase is masked, too.
    if system.exists(FINISHED)? {
        return over(system).map(|()| false);
    }
    let cut = system.exists(BEGUN)?;
    if cut {
        let cleaned = system.run(Tool::CloudInit, &["clean"]).and_then(crate::system::Output::success);
        cleaned.context("having cloud-init begin anew")?;
    }
    mark(system, BEGUN)?;
    Ok(cut)
}

/// After its stages, in the first phase: what they wrote is on disk, and not theirs to write again.
///
/// # Errors
/// When the mark cannot be made.
pub fn after(system: &System) -> Result<()> {
    if !system.exists(BEGUN)? {
        return Ok(());
    }
    nix::unistd::sync();
    over(system)
}

fn over(system: &System) -> Result<()> {
    mark(system, OVER)?;
    if system.exists(BEGUN)? { file::remove(system, Path::new(BEGUN)) } else { Ok(()) }
}

fn mark(system: &System, path: &str) -> Result<()> {
    file::make_directories(system, Path::new(DIRECTORY), 0o755)?;
    let empty = Whole { content: Vec::new(), attributes: Attributes::new(0o644) };
    file::write(system, Path::new(path), &empty).context("marking how far cloud-init is")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn it_begins_anew_only_where_it_was_cut() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        assert!(!before(&tree.system()).unwrap(), "nothing was begun");
        assert!(tree.has(BEGUN));
        after(&tree.system()).unwrap();
        assert!(tree.has(OVER) && !tree.has(BEGUN));
        assert!(!before(&tree.system()).unwrap() && !tree.has(BEGUN), "its stages are over");

        for finished in [Tree::new().file(FINISHED, ""), Tree::new().file(FINISHED, "").file(BEGUN, "")] {
            assert!(!before(&finished.system()).unwrap(), "it came to its end");
            assert!(finished.has(OVER) && !finished.has(BEGUN), "and is never begun anew");
        }
        let alone = Tree::new().dir("/var/lib", 0o755);
        after(&alone.system()).unwrap();
        assert!(!alone.has(OVER), "no mark was made before: nothing is known of its stages");
    }
}
