//! Programs that the laboratory needs inside a tree, with the libraries that they need: this machine's own.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::Program;

/// What it takes to run a script in the tree, and the fixes of content.
const PROGRAMS: &str = "bash cat env ls find grep sed gawk mawk chmod chown chgrp mkdir rm mv cp ln touch stat sort uniq head tail cut tr wc tee xargs \
                        readlink id getent mktemp dirname basename true false sha256sum rpm mount uname date printf test expr diff seq realpath";

/// Other names for some of them.
const NAMES: [(&str, &str); 2] = [("sh", "bash"), ("awk", "mawk")];

/// Stands for them in cache keys.
pub fn recipe() -> String {
    format!("{PROGRAMS} {NAMES:?} and what this program needs")
}

/// Copies them into a tree. `/bin` and the like are links there already.
pub fn install(tree: &Path) -> Result<()> {
    let programs = PROGRAMS.split_whitespace().filter_map(found).collect::<Vec<PathBuf>>();
    let mut libraries = BTreeSet::new();
    // What this program needs, builds of the agent need that are not static.
    for program in programs.iter().chain([&std::env::current_exe()?]) {
        let said = Program::new("ldd").args([program]).accept(&[0, 1]).output()?;
        libraries.extend(said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from));
    }
    let put = |from: &Path, directory: &str| -> Result<()> {
        let to = tree.join(directory).join(from.file_name().context("no file")?);
        fs::create_dir_all(tree.join(directory))?;
        fs::copy(from, &to).with_context(|| format!("copying {}", from.display()))?;
        Ok(())
    };
    programs.iter().try_for_each(|program| put(program, "usr/bin"))?;
    libraries.iter().try_for_each(|library| put(library, "usr/lib64"))?;
    fs::write(tree.join("etc/ld.so.conf"), "/usr/lib64\n")?;
    Program::new("ldconfig").args(["-r".as_ref(), tree.as_os_str()]).run()?;
    for (name, program) in NAMES {
        let link = tree.join("usr/bin").join(name);
        let _ = fs::remove_file(&link);
        symlink(program, link)?;
    }
    Ok(())
}

fn found(program: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin"].iter().map(|place| Path::new(place).join(program)).find(|path| path.exists())
}
