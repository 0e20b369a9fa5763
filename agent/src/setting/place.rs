//! Places: the paths on a machine that a pattern stands for.
//!
//! A pattern is a path in which the parts may hold `*`, `?` and `[…]`, `**` stands for any number of directories, and
//! a leading `~` for the home of each interactive user in turn. As in OVAL (`file_object`), a wildcard also matches names that
//! start with a dot, directories are never files, and no symbolic link is followed below the part that is written out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use glob::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::system::{FileKind, Meta, System};

/// Deeper trees than this are no trees of files, but a mount gone wrong.
const MAX_DEPTH: usize = 64;

/// What a pattern is to find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Everything but directories and symbolic links.
    #[default]
    File,
    /// Directories.
    Directory,
    /// Everything but directories.
    Entry,
}

impl Sort {
    fn takes(self, kind: FileKind) -> bool {
        match self {
            Sort::File => !matches!(kind, FileKind::Directory | FileKind::Symlink),
            Sort::Directory => kind == FileKind::Directory,
            Sort::Entry => kind != FileKind::Directory,
        }
    }
}

/// A path that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// What its inode says.
    pub meta: Meta,
    /// The user whose home it is in, when the pattern speaks of homes.
    pub user: Option<String>,
}

impl Place {
    /// The last part of the path.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Whether a pattern stands for one path, whatever is on the machine.
pub fn is_literal(pattern: &str) -> bool {
    !pattern.starts_with('~') && !pattern.contains(['*', '?', '['])
}

/// Everything of that sort that a pattern stands for, in the order of the names.
///
/// # Errors
/// When the pattern is none, or a directory that it leads to cannot be read.
pub fn find(system: &System, pattern: &str, sort: Sort) -> Result<Vec<Place>> {
    let mut search = Search { system, sort, user: None, found: Vec::new() };
    match pattern.strip_prefix('~') {
        Some(below) => {
            let parts = parts(below)?;
            for user in system.accounts()?.interactive() {
                let home = system.resolve(Path::new(&user.home))?;
                search.user = Some(user.name.clone());
                search.descend(&home, &parts, 0)?;
            }
        }
        None if pattern.starts_with('/') => search.descend(Path::new("/"), &parts(pattern)?, 0)?,
        None => bail!("'{pattern}' is neither an absolute path nor below ~"),
    }
    Ok(search.found)
}

enum Part<'a> {
    Name(&'a str),
    Matching(Pattern),
    AnyDepth,
}

fn parts(pattern: &str) -> Result<Vec<Part<'_>>> {
    let part = |text| {
        Ok(match text {
            "**" => Part::AnyDepth,
            _ if text.contains(['*', '?', '[']) => {
                Part::Matching(Pattern::new(text).with_context(|| format!("'{text}' is no pattern"))?)
            }
            _ => Part::Name(text),
        })
    };
    pattern.split('/').filter(|text| !text.is_empty()).map(part).collect()
}

struct Search<'a> {
    system: &'a System,
    sort: Sort,
    user: Option<String>,
    found: Vec<Place>,
}

impl Search<'_> {
    fn descend(&mut self, at: &Path, parts: &[Part<'_>], depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            bail!("{}: deeper than {MAX_DEPTH} directories", at.display());
        }
        match parts.split_first() {
            None => {
                if let Some(meta) = self.system.meta(at)? {
                    self.take(at.to_path_buf(), meta);
                }
            }
            Some((Part::Name(name), rest)) => self.descend(&at.join(name), rest, depth + 1)?,
            Some((Part::Matching(pattern), rest)) => {
                for (name, path) in self.entries(at)?.iter().filter(|(name, _)| pattern.matches(name)) {
                    let Some(meta) = self.look(name, path)? else { continue };
                    if rest.is_empty() {
                        self.take(path.clone(), meta);
                    } else if meta.kind == FileKind::Directory {
                        self.descend(path, rest, depth + 1)?;
                    }
                }
            }
            Some((Part::AnyDepth, rest)) => {
                self.descend(at, rest, depth + 1)?;
                for (name, path) in self.entries(at)? {
                    if self.look(&name, &path)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
                        self.descend(&path, parts, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn entries(&self, dir: &Path) -> Result<Vec<(String, PathBuf)>> {
        Ok(self.system.list(dir)?.into_iter().map(|name| (name.clone(), dir.join(name))).collect())
    }

    /// What a listed name is; nothing when it is gone since.
    fn look(&self, name: &str, path: &Path) -> Result<Option<Meta>> {
        let meta = self.system.meta(path)?;
        if meta.is_none() && name.contains(char::REPLACEMENT_CHARACTER) {
            bail!("{}: the name is not UTF-8 and cannot be judged; rename it", path.display());
        }
        Ok(meta)
    }

    fn take(&mut self, path: PathBuf, meta: Meta) {
        if self.sort.takes(meta.kind) {
            self.found.push(Place { path, meta, user: self.user.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const PASSWD: &str = "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n\
                          bob:x:1001:100::/home/bob:/bin/sh\nsvc:x:1002:1002::/srv:/usr/sbin/nologin\n\
                          nobody:x:65534:65534::/nonexistent:/bin/sh\n";

    fn tree() -> Tree {
        Tree::new()
            .file("/etc/passwd", PASSWD)
            .file("/var/log/wtmp", "")
            .file("/var/log/wtmp.1", "")
            .file("/var/log/.hidden.log", "")
            .file("/var/log/a/x.log", "")
            .file("/var/log/a/b/y.log", "")
            .link("/var/log/link.log", "wtmp")
            .link("/var/log/elsewhere", "/home")
            .dir("/var/log/dir.log", 0o755)
            .file("/home/ann/.profile", "")
            .file("/home/ann/sub/.deep", "")
            .file("/home/disk/bob/.profile", "")
            .file("/srv/.profile", "")
            .link("/home/bob", "data/bob")
            .link("/home/data", "/home/disk")
    }

    #[test]
    fn patterns_stand_for_what_is_there() {
        let tree = tree();
        let system = tree.system();
        let table: &[(&str, &[&str])] = &[
            ("/var/log/wtmp", &["/var/log/wtmp"]),
            ("/var/log/none", &[]),
            ("/var/log/link.log", &[]),
            ("/var/log/dir.log", &[]),
            ("/var/log/wtmp.?*", &["/var/log/wtmp.1"]),
            ("/var/log/[bw]tmp*", &["/var/log/wtmp", "/var/log/wtmp.1"]),
            ("/var/log/*.log", &["/var/log/.hidden.log"]),
            ("/var/log/**/*.log", &["/var/log/.hidden.log", "/var/log/a/x.log", "/var/log/a/b/y.log"]),
            ("/var/log/*/x.log", &["/var/log/a/x.log"]),
            ("/var/log/elsewhere/ann/.p*", &["/var/log/elsewhere/ann/.profile"]),
            ("~/.*", &["/home/ann/.profile", "/home/disk/bob/.profile"]),
            ("~/*/.*", &["/home/ann/sub/.deep"]),
        ];
        for (pattern, expected) in table {
            let found = find(&system, pattern, Sort::File).unwrap();
            let paths: Vec<_> = found.iter().map(|place| place.path.display().to_string()).collect();
            assert_eq!(paths, *expected, "{pattern}");
        }
    }

    #[test]
    fn homes_are_directories_of_interactive_users() {
        let tree = tree();
        let system = tree.system();
        let homes = find(&system, "~", Sort::Directory).unwrap();
        let users: Vec<_> = homes.iter().filter_map(|place| place.user.as_deref()).collect();
        assert_eq!(users, ["ann", "bob"]);
        assert!(find(&system, "~", Sort::File).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_pattern_is_an_error() {
        let tree = tree();
        let system = tree.system();
        for bad in ["var/log", "/var/log/[x", "/var/***"] {
            assert!(find(&system, bad, Sort::File).is_err(), "{bad}");
        }
    }
}
