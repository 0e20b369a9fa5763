//! The files of a synthetic tree, many in one text, each with its attributes before it:
//!
//! ```text
//! == /etc/ssh/ 0755 root:root openssh-server
//! == /etc/ssh/sshd_config 0600 root:root openssh-server config
//! PermitRootLogin no
//! == /etc/grub2.cfg -> ../boot/grub2/grub.cfg
//! == /etc/motd gone
//! ```
//!
//! A path that ends in a slash is a directory. Mode and owner may be left out (`0644`, `0755` for directories, `root:root`), and so may
//! the package that the file is from and what it is to rpm. `gone` takes away what is there. What stands before the first file is a remark.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// One file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where; never with a slash at its end.
    pub path: String,
    /// What.
    pub kind: Kind,
    /// Permissions.
    pub mode: u32,
    /// Names of user and group.
    pub owner: (String, String),
    /// The package it is from.
    pub package: Option<String>,
    /// What it is to rpm: `config`, `ghost`, `doc`.
    pub flag: Option<String>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A link that leads there.
    Link(String),
    /// A file with this in it.
    File(String),
    /// Nothing.
    Gone,
}

/// Reads a text of files.
pub fn parse(text: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(head) = line.strip_prefix("== ") {
            entries.push(self::head(head).with_context(|| format!("line {}: {line}", index + 1))?);
            continue;
        }
        match entries.last_mut().map(|entry| &mut entry.kind) {
            Some(Kind::File(content)) => {
                content.push_str(line);
                content.push('\n');
            }
            Some(_) if !line.trim().is_empty() => bail!("line {}: only a file has content", index + 1),
            _ => {}
        }
    }
    Ok(entries)
}

fn head(text: &str) -> Result<Entry> {
    let mut words = text.split_whitespace();
    let path = words.next().context("no path")?;
    let root = || ("root".to_owned(), "root".to_owned());
    let plain = |kind, mode| Entry {
        path: path.trim_end_matches('/').to_owned(),
        kind,
        mode,
        owner: root(),
        package: None,
        flag: None,
    };
    let mut entry = match path.ends_with('/') {
        true => plain(Kind::Directory, 0o755),
        false => plain(Kind::File(String::new()), 0o644),
    };
    let mut words = words.peekable();
    match words.peek() {
        Some(&"gone") => return Ok(Entry { kind: Kind::Gone, ..entry }),
        Some(&"->") => {
            words.next();
            entry.kind = Kind::Link(words.next().context("a link that leads nowhere")?.to_owned());
            entry.mode = 0o777;
        }
        _ => {}
    }
    if let Some(mode) = words.next_if(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        entry.mode = u32::from_str_radix(mode, 8)?;
    }
    if let Some((user, group)) = words.peek().and_then(|word| word.split_once(':')) {
        entry.owner = (user.to_owned(), group.to_owned());
        words.next();
    }
    entry.package = words.next().map(str::to_owned);
    entry.flag = words.next().map(str::to_owned);
    Ok(entry)
}

/// Of entries in the order of their paths, the last for each path.
pub fn keep_last(entries: &mut Vec<Entry>) {
    entries.reverse();
    entries.dedup_by(|later, earlier| later.path == earlier.path);
    entries.reverse();
}

impl Entry {
    /// Makes it in a tree whose `/etc/passwd` and `/etc/group` know its owner (root is known without). What is missing above it is made
    /// too.
    pub fn make(&self, root: &Path) -> Result<()> {
        let path = self.below(root);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        if !path.is_dir() {
            let _ = fs::remove_file(&path); // from a layer below
        }
        match &self.kind {
            Kind::Gone => return Ok(()),
            Kind::Directory => fs::create_dir_all(&path)?,
            Kind::Link(target) => symlink(target, &path)?,
            Kind::File(content) => fs::write(&path, content)?,
        }
        let (user, group) = (id(root, "passwd", &self.owner.0)?, id(root, "group", &self.owner.1)?);
        lchown(&path, Some(user), Some(group))?;
        if !matches!(self.kind, Kind::Link(_)) {
            fs::set_permissions(&path, fs::Permissions::from_mode(self.mode))?;
        }
        Ok(())
    }

    /// Where it lies on this machine when its tree is there.
    pub fn below(&self, root: &Path) -> std::path::PathBuf {
        root.join(self.path.trim_start_matches('/'))
    }
}

/// The number of a name, or a number itself.
fn id(root: &Path, file: &str, name: &str) -> Result<u32> {
    if name == "root" {
        return Ok(0);
    }
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let table = fs::read_to_string(root.join("etc").join(file))?;
    let line = table.lines().find(|line| line.split(':').next() == Some(name));
    let number =
        line.and_then(|line| line.split(':').nth(2)).with_context(|| format!("nobody is called {name}"))?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_what_is_left_out() {
        let text = "A remark.\n== /etc/ 0711\n== /etc/a 0600 x:y package config\none\n\ntwo\n== /etc/b -> a\n== /etc/c p\n== /etc/a gone\n";
        let mut entries = parse(text).unwrap();
        let file = Kind::File("one\n\ntwo\n".to_owned());
        let owner = |user: &str, group: &str| (user.to_owned(), group.to_owned());
        assert_eq!(entries[0].kind, Kind::Directory);
        assert_eq!((entries[0].path.as_str(), entries[0].mode), ("/etc", 0o711));
        assert_eq!((&entries[1].kind, &entries[1].owner), (&file, &owner("x", "y")));
        assert_eq!(entries[1].flag.as_deref(), Some("config"));
        assert_eq!(entries[2].kind, Kind::Link("a".to_owned()));
        assert_eq!((entries[3].package.as_deref(), &entries[3].owner), (Some("p"), &owner("root", "root")));
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        keep_last(&mut entries);
        assert_eq!(
            entries.iter().map(|own| own.path.as_str()).collect::<Vec<_>>(),
            ["/etc", "/etc/a", "/etc/b", "/etc/c"]
        );
        assert_eq!(entries[1].kind, Kind::Gone);
        assert!(parse("== /etc/\ncontent\n").is_err());
    }
}
