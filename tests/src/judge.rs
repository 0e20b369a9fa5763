//! The reference: oscap 1.3.7 as Debian 12 ships it, run in any tree, whatever that tree has itself.
//!
//! Its program and libraries come from the root tree `debian12`, and are started by the loader that came with them. They lie in the
//! machine's scratch directory, so the tree is judged as it is.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::cache;
use crate::command::Program;
use crate::machine::Machine;
use crate::root::Root;

/// Program, what it runs scripts of content with, loader, and what both tools take for given of platforms.
const FILES: [&str; 5] = [
    "usr/bin/oscap",
    "usr/lib/x86_64-linux-gnu/libopenscap_sce.so.25",
    "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "usr/share/openscap/cpe/openscap-cpe-dict.xml",
    "usr/share/openscap/cpe/openscap-cpe-oval.xml",
];

/// Stands for it in cache keys.
pub fn recipe() -> String {
    format!("judge {}", FILES.join(" "))
}

/// Puts the program into a machine's scratch directory. Gives the words that start it there; its arguments follow.
pub fn lend(machine: &dyn Machine) -> Result<Vec<String>> {
    let tree = Root::named("debian12")?.path;
    for file in files(&tree)? {
        let real = tree.join(&file).canonicalize().with_context(|| format!("looking for {file}"))?;
        ensure!(real.starts_with(&tree), "{file} leads out of the tree");
        machine.lend(&real, file.rsplit('/').next().unwrap_or(&file))?;
    }
    let scratch = machine.scratch();
    Ok(vec![
        "env".to_owned(),
        "SEXP_VALIDATE_DISABLE=1".to_owned(),
        format!("OSCAP_CPE_PATH={scratch}"),
        format!("{scratch}/ld-linux-x86-64.so.2"),
        "--library-path".to_owned(),
        scratch.to_owned(),
        format!("{scratch}/oscap"),
    ])
}

/// What it consists of: paths in the tree.
fn files(tree: &Path) -> Result<Vec<String>> {
    let list = cache::entry("judge", &[&tree.to_string_lossy(), &FILES.join(" ")], |path| {
        let said = Program::new("chroot").args([tree.as_os_str(), "ldd".as_ref(), "/usr/bin/oscap".as_ref()]);
        let libraries = said.output()?;
        let libraries = libraries.lines().filter_map(|line| line.split_once(" => /")?.1.split(' ').next());
        let all: Vec<&str> = FILES.into_iter().chain(libraries).collect();
        Ok(std::fs::write(path, all.join("\n"))?)
    })?;
    Ok(std::fs::read_to_string(list)?.lines().map(str::to_owned).collect())
}
