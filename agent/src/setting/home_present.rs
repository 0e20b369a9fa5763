//! Each interactive user has the home directory that `/etc/passwd` promises.
//!
//! A missing one is made for its user, with the files of `/etc/skel`, as `useradd -m` would have done. A home that no
//! directory should stand for (`/nonexistent`) or that something else is in the way of is for a person to decide.

use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::access::Mode;
use super::place::{self, Sort};
use crate::change::Change;
use crate::finding::Finding;
use crate::system::{FileKind, System, User};

/// What new homes are filled with.
const SKELETON: &str = "/etc/skel";

/// Homes that say: this user has none.
const NO_HOME: [&str; 3] = ["", "/", "/nonexistent"];

/// Each interactive user has a home directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HomePresent {
    /// The mode of a home that is made, in octal.
    pub mode: Mode,
}

impl Setting for HomePresent {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut stuck = Vec::new();
        for user in system.accounts()?.interactive() {
            let kind = system.meta_followed(&user.home)?.map(|meta| meta.kind);
            let wanted = format!("a directory for {}", user.name);
            match kind {
                Some(FileKind::Directory) => {
                    finding.persistent(true, "a directory", wanted, &user.home);
                }
                Some(_) => {
                    finding.persistent(false, "something else than a directory", wanted, &user.home);
                    stuck.push(&user.name);
                }
                None => {
                    finding.persistent(false, "there is none", wanted, &user.home);
                    if NO_HOME.contains(&user.home.as_str()) {
                        stuck.push(&user.name);
                    } else {
                        self.make(user, system, &mut finding)?;
                    }
                }
            }
        }
        if finding.evidence.is_empty() {
            finding.persistent(true, "no interactive users", "a home for each", "/etc/passwd");
        }
        if !stuck.is_empty() {
            let names = stuck.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            finding.manual(format!("give {names} another home directory or no login shell (usermod)"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        "each interactive user of /etc/passwd has a home directory".to_owned()
    }
}

impl HomePresent {
    fn make(&self, user: &User, system: &System, finding: &mut Finding) -> Result<()> {
        let home = Path::new(&user.home);
        let owned = |path: &Path, mode: Option<u32>| Change::SetMeta {
            path: path.to_path_buf(),
            mode,
            uid: Some(user.uid),
            gid: Some(user.gid),
        };
        finding.change(Change::MakeDirectory { path: home.to_path_buf(), mode: self.mode.0 });
        for skeleton in place::find(system, &format!("{SKELETON}/*"), Sort::File)? {
            let path = home.join(skeleton.name());
            let content = system.read_text(&skeleton.path)?.unwrap_or_default();
            let mode = skeleton.meta.mode & self.mode.0;
            finding.change(Change::WriteFile { path: path.clone(), content, mode });
            finding.change(owned(&path, None));
        }
        // Last: until then nobody but root can put anything in the way.
        finding.change(owned(home, None));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn present() -> HomePresent {
        HomePresent { mode: Mode(0o700) }
    }

    /// A tree with one user, who is the one that runs the tests, so that anyone may give files to them.
    fn tree(home: &str) -> Tree {
        let gid = nix::unistd::getegid();
        Tree::new()
            .file("/etc/passwd", &format!("ann:x:1000:{gid}::{home}:/bin/sh\nsvc:x:1001:1::/x:/bin/false\n"))
            .file("/etc/skel/.profile", "umask 027\n")
            .dir("/home", 0o755)
    }

    #[test]
    fn a_missing_home_is_made_with_its_skeleton() {
        let tree = tree("/home/ann");
        let changes = tree.planned(&present());
        assert!(matches!(&changes[0], Change::MakeDirectory { mode: 0o700, .. }));
        assert!(matches!(&changes[1], Change::WriteFile { mode: 0o600, .. }));
        assert!(matches!(&changes[3], Change::SetMeta { uid: Some(1000), .. }));
        assert_eq!(changes.len(), 4);
        if nix::unistd::geteuid().is_root() {
            tree.round_trip(&present());
        }
    }

    #[test]
    fn a_home_behind_a_link_is_a_home() {
        let tree = tree("/home/ann").dir("/data/ann", 0o700).link("/home/ann", "/data/ann");
        assert!(present().examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn what_is_no_place_for_a_home_is_left_to_a_person() {
        for tree in [tree("/nonexistent"), tree("/home/ann").file("/home/ann", "")] {
            let finding = present().examine(&tree.system()).unwrap();
            assert!(!finding.is_compliant() && finding.changes.is_empty());
            assert!(finding.manual.unwrap().contains("ann"));
        }
    }

    #[test]
    fn without_interactive_users_there_is_nothing_to_miss() {
        let tree = Tree::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        assert!(present().examine(&tree.system()).unwrap().is_compliant());
    }
}
