//! Whether a file can be believed: only root and the user who runs the agent may be able to write it.
//!
//! Whoever can write a policy decides how the machine is hardened; whoever can write the directory can put another file in its
//! place. So both are looked at, up to the root directory. A sticky directory such as `/tmp` protects the files in it.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Refuses a file that anyone but root and the user who runs the agent can write; run by root, anyone but root.
///
/// # Errors
/// When it or a directory above it is so, with the command that mends it; when it is not there.
pub fn check(path: &Path) -> Result<()> {
    check_for(path, nix::unistd::geteuid().as_raw())
}

fn check_for(path: &Path, user: u32) -> Result<()> {
    let named = std::path::absolute(path).with_context(|| format!("reading {}", path.display()))?;
    let real = path.canonicalize().with_context(|| format!("reading {}", path.display()))?;
    if !real.metadata().with_context(|| format!("looking at {}", path.display()))?.is_file() {
        bail!("{} is not used: it is no regular file", path.display());
    }
    // A symbolic link can be exchanged where it is, and what it leads to where that is.
    let directories: BTreeSet<&Path> = named.ancestors().skip(1).chain(real.ancestors().skip(1)).collect();
    guarded(&real, path, user)?;
    directories.into_iter().try_for_each(|directory| guarded(directory, path, user))
}

/// Refuses what others own or can write.
fn guarded(place: &Path, file: &Path, user: u32) -> Result<()> {
    const STICKY: u32 = 0o1000;
    let meta = place.metadata().with_context(|| format!("looking at {}", place.display()))?;
    let what = if place.is_dir() { "the directory" } else { "the file" };
    if meta.uid() != 0 && meta.uid() != user {
        let owner = nix::unistd::User::from_uid(meta.uid().into()).ok().flatten();
        let owner = owner.map_or_else(|| meta.uid().to_string(), |user| user.name);
        bail!(
            "{} is not used: {what} {} belongs to {owner}, who could change it (chown root {})",
            file.display(),
            place.display(),
            place.display()
        );
    }
    let open: PathBuf = place.to_path_buf();
    let open_to = match meta.mode() & 0o022 {
        0 => return Ok(()),
        _ if meta.is_dir() && meta.mode() & STICKY != 0 => return Ok(()),
        0o020 => "g-w",
        0o002 => "o-w",
        _ => "go-w",
    };
    bail!(
        "{} is not used: others could change it, because they can write {what} {} (chmod {open_to} {})",
        file.display(),
        open.display(),
        open.display()
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn message(path: &Path, user: u32) -> String {
        check_for(path, user).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn modes_of_file_and_directory_decide() {
        let dir = tempfile::tempdir().unwrap();
        let user = nix::unistd::geteuid().as_raw();
        let (inside, file) = (dir.path().join("d"), dir.path().join("d/f"));
        fs::create_dir(&inside).unwrap();
        fs::write(&file, "").unwrap();
        for (dir_mode, mode, refused) in [
            (0o755, 0o644, ""),
            (0o700, 0o600, ""),
            (0o755, 0o664, "chmod g-w"),
            (0o755, 0o646, "chmod o-w"),
            (0o755, 0o666, "chmod go-w"),
            (0o777, 0o644, "chmod go-w"),
            (0o1777, 0o644, ""),
        ] {
            fs::set_permissions(&inside, Permissions::from_mode(dir_mode)).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let said = message(&file, user);
            assert_eq!(said.is_empty(), refused.is_empty(), "{dir_mode:o} {mode:o}: {said}");
            assert!(said.contains(refused), "{dir_mode:o} {mode:o}: {said}");
        }
    }

    #[test]
    fn a_link_is_no_better_than_where_it_is_and_where_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let user = nix::unistd::geteuid().as_raw();
        let (open, file) = (dir.path().join("open"), dir.path().join("f"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, open.join("link")).unwrap();
        assert!(message(&file, user).is_empty());
        assert!(message(&open.join("link"), user).contains("/open"));
    }

    #[test]
    fn a_file_of_somebody_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "").unwrap();
        let owner = fs::metadata(&file).unwrap().uid();
        let refused = owner != 0;
        assert_eq!(!message(&file, owner + 1).is_empty(), refused);
        assert!(message(&dir.path().join("none"), owner).contains("No such file"));
    }
}
