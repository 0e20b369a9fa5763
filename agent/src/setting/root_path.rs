//! Where root looks for programs: what is first in the path is what root runs.
//!
//! Looked at are the path the agent itself was given, which is root's when root runs it, and the paths that are set at
//! root's login: `ENV_SUPATH` of `login.defs(5)`, `/etc/environment`, and plain assignments in root's start-up files. Of an
//! assignment with variables in it, only the entries written out are judged.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::Change;
use crate::finding::{Finding, State};
use crate::system::{FileKind, Meta, System};

/// Files in which root's path is set, and what assigns it there.
const FILES: [(&str, &str); 7] = [
    ("/etc/login.defs", "ENV_SUPATH"),
    ("/etc/environment", "PATH"),
    ("/root/.profile", "PATH"),
    ("/root/.bash_profile", "PATH"),
    ("/root/.bash_login", "PATH"),
    ("/root/.bashrc", "PATH"),
    ("/root/.zshrc", "PATH"),
];

/// What holds for every entry of root's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RootPath {
    /// It is absolute: not empty, not the present directory.
    Absolute,
    /// It is a directory.
    Directories,
    /// It belongs to root.
    OwnedByRoot,
    /// Neither its group nor others may write to it.
    ClosedToOthers,
}

/// A path and where it is set.
#[derive(Debug, PartialEq, Eq)]
struct SearchPath {
    entries: Vec<String>,
    place: String,
    state: State,
}

impl Setting for RootPath {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        for path in paths(system)? {
            let mut bad = false;
            for entry in &path.entries {
                if let Some(found) = self.fault(entry, system, &mut finding)? {
                    finding.expect(
                        false,
                        path.state,
                        format!("{entry}: {found}"),
                        self.wanted(),
                        &path.place,
                    );
                    bad = true;
                }
            }
            if !bad {
                finding.expect(true, path.state, path.entries.join(":"), self.wanted(), &path.place);
            }
        }
        finding.changes.dedup();
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("in root's path there is only {}", self.wanted())
    }
}

impl RootPath {
    /// What is wrong with an entry, in words; what would mend it goes into the finding.
    fn fault(&self, entry: &str, system: &System, finding: &mut Finding) -> Result<Option<String>> {
        if !entry.starts_with('/') || entry.split('/').any(|part| part == "..") {
            return Ok(matches!(self, RootPath::Absolute).then(|| "not absolute".to_owned()));
        }
        let directory = |meta: &Meta| meta.kind == FileKind::Directory;
        let found = system.meta_followed(entry)?.filter(directory);
        let mut set = |mode, uid| -> Result<()> {
            let path = system.follow(entry.as_ref())?;
            let change = Change::SetMeta { path, mode, uid, gid: None };
            if !finding.changes.contains(&change) {
                finding.change(change);
            }
            Ok(())
        };
        Ok(match (self, found) {
            (RootPath::Absolute, _) => None,
            (RootPath::Directories, None) => Some("no directory".to_owned()),
            (RootPath::OwnedByRoot, Some(meta)) if meta.uid != 0 => {
                set(None, Some(0))?;
                Some(format!("owner {}", meta.uid))
            }
            (RootPath::ClosedToOthers, Some(meta)) if meta.mode & 0o022 != 0 => {
                set(Some(meta.mode & !0o022), None)?;
                Some(format!("mode {:04o}", meta.mode))
            }
            _ => None,
        })
    }

    fn wanted(&self) -> &'static str {
        match self {
            RootPath::Absolute => "absolute directories",
            RootPath::Directories => "directories that are there",
            RootPath::OwnedByRoot => "directories of root",
            RootPath::ClosedToOthers => "directories that only root may write to",
        }
    }
}

/// Every path that root gets.
fn paths(system: &System) -> Result<Vec<SearchPath>> {
    let mut paths = Vec::new();
    if system.is_running() {
        let own = std::env::var("PATH").unwrap_or_default();
        paths.push(SearchPath {
            entries: own.split(':').map(str::to_owned).collect(),
            place: "the environment of the agent".to_owned(),
            state: State::Running,
        });
    }
    for (file, key) in FILES {
        let Some(text) = system.read_text(file)? else { continue };
        paths.extend(text.lines().enumerate().filter_map(|(index, line)| {
            let entries = assigned(line, key)?;
            let place = format!("{file}:{}", index + 1);
            Some(SearchPath { entries, place, state: State::Persistent })
        }));
    }
    Ok(paths)
}

/// The entries written out in a line that assigns `key`: `export PATH="…"`, or `ENV_SUPATH PATH=…` of `login.defs`.
fn assigned(line: &str, key: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let after = line.strip_prefix(key)?;
    let value = match after.strip_prefix('=') {
        Some(value) => value,
        None if after.starts_with(char::is_whitespace) => after.trim_start().trim_start_matches("PATH="),
        None => return None,
    };
    let value = value.split([';', '#', ' ', '\t']).next().unwrap_or_default();
    let value = value.trim_matches(['"', '\'']);
    Some(value.split(':').filter(|entry| !entry.contains(['$', '~', '`'])).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;
    use proptest::prelude::*;

    #[test]
    fn assignments_are_read_as_far_as_they_are_written_out() {
        for (line, key, expected) in [
            ("PATH=/usr/bin:/bin", "PATH", Some(vec!["/usr/bin", "/bin"])),
            ("  export PATH=\"$PATH:/opt/bin:.\"", "PATH", Some(vec!["/opt/bin", "."])),
            ("PATH=:/bin; export PATH", "PATH", Some(vec!["", "/bin"])),
            ("ENV_SUPATH\tPATH=/sbin:/bin", "ENV_SUPATH", Some(vec!["/sbin", "/bin"])),
            ("ENV_SUPATH /sbin", "ENV_SUPATH", Some(vec!["/sbin"])),
            ("# PATH=/bin", "PATH", None),
            ("MANPATH=/usr/man", "PATH", None),
            ("PATHS=/x", "PATH", None),
        ] {
            let expected = expected.map(|entries| entries.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(assigned(line, key), expected, "{line}");
        }
    }

    fn tree(path: &str) -> Tree {
        Tree::new().file("/etc/login.defs", &format!("ENV_SUPATH PATH={path}\n")).dir("/sbin", 0o755)
    }

    #[test]
    fn each_question_has_its_own_faults() {
        let faults = |kind: RootPath, path: &str| {
            let tree = tree(path).dir("/open", 0o775).file("/file", "");
            let finding = kind.examine(&tree.system()).unwrap();
            finding.evidence.iter().filter(|one| !one.holds).map(|one| one.found.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            faults(RootPath::Absolute, "/sbin::.:/a/../b"),
            [": not absolute", ".: not absolute", "/a/../b: not absolute"]
        );
        assert_eq!(
            faults(RootPath::Directories, "/sbin:/file:/none"),
            ["/file: no directory", "/none: no directory"]
        );
        assert_eq!(faults(RootPath::ClosedToOthers, "/sbin:/open:/none"), ["/open: mode 0775"]);
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree =
            tree("/sbin:/open:/bin").dir("/usr/open", 0o777).link("/bin", "/usr/open").dir("/open", 0o2775);
        tree.round_trip(&RootPath::ClosedToOthers);
        let tree = tree.applied(&RootPath::ClosedToOthers);
        assert_eq!((tree.mode("/open"), tree.mode("/usr/open")), (0o2755, 0o755));
    }

    #[test]
    fn an_empty_finding_is_no_pass() {
        assert!(!RootPath::Absolute.examine(&Tree::new().system()).unwrap().is_compliant());
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "\\PC*") {
            assigned(&line, "PATH");
        }
    }
}
