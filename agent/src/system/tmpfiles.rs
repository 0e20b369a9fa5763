//! `tmpfiles.d(5)`: what systemd-tmpfiles does to modes and owners at each boot.
//!
//! Lines that create come first, in the order of the files' names; then those whose path is a pattern. Only what
//! they do to something that is already there matters here.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use glob::{MatchOptions, Pattern};

use super::{Accounts, FileKind, Meta, System};

/// Where the files are, in the order in which one hides another of the same name.
const DIRS: [&str; 4] =
    ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"];

/// A line that sets mode, owner or group of something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmpfilesLine {
    /// The path it is about.
    path: Pattern,
    /// What every such path begins with.
    prefix: String,
    /// Whether it is about everything below too.
    recursive: bool,
    /// Its mode, and whether that is cut to the kind of access the file gives already (`~`).
    mode: Option<(u32, bool)>,
    owner: Option<String>,
    group: Option<String>,
    /// The file it is in.
    pub file: String,
    /// The line, counted from 1.
    pub number: usize,
}

/// Every line that matters, in the order in which they are carried out.
pub(super) fn learn(system: &System) -> Result<Vec<TmpfilesLine>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in system.drop_ins(dir, ".conf")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.entry(name).or_insert(path);
        }
    }
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for path in files.values() {
        parse(path, &system.read_text(path)?.unwrap_or_default(), &mut first, &mut then);
    }
    first.extend(then);
    Ok(first)
}

/// Sorts the lines of a file into those that are carried out first and those that come after.
fn parse(file: &Path, text: &str, first: &mut Vec<TmpfilesLine>, then: &mut Vec<TmpfilesLine>) {
    for (index, line) in text.lines().enumerate() {
        let fields = words(line);
        let [action, path, rest @ ..] = fields.as_slice() else { continue };
        let Some(letter) = action.chars().next() else { continue };
        // Specifiers stand for something this machine knows; a wildcard takes them all.
        let path = without_specifiers(path);
        let Ok(pattern) = Pattern::new(&path) else { continue };
        let prefix = path.split(['*', '?', '[']).next().unwrap_or_default().to_owned();
        let field =
            |at: usize| rest.get(at).map(String::as_str).filter(|text| *text != "-" && !text.is_empty());
        // A colon limits a field to things that are newly made.
        let lasting = |at: usize| field(at).filter(|text| !text.starts_with(':'));
        let entry = TmpfilesLine {
            path: pattern,
            prefix,
            recursive: letter == 'Z',
            mode: lasting(0).and_then(mode),
            owner: lasting(1).map(str::to_owned),
            group: lasting(2).map(str::to_owned),
            file: file.display().to_string(),
            number: index + 1,
        };
        match letter {
            'f' | 'F' | 'd' | 'D' | 'v' | 'q' | 'Q' | 'p' => first.push(entry),
            'z' | 'Z' | 'm' | 'e' => then.push(entry),
            _ => {}
        }
    }
}

/// The fields of a line; quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return Vec::new();
    }
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn without_specifiers(path: &str) -> String {
    let mut text = String::new();
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' if chars.clone().next() == Some('%') => text.extend(chars.next()),
            '%' => {
                let _specifier = chars.next();
                text.push('*');
            }
            _ => text.push(c),
        }
    }
    text
}

fn mode(text: &str) -> Option<(u32, bool)> {
    let masked = text.starts_with('~');
    let bits = u32::from_str_radix(text.trim_start_matches('~'), 8).ok()?;
    Some((bits & 0o7777, masked))
}

/// What the inode of a path that is there says after the next boot, and the last line that has a hand in it. `None` when
/// no line is about it.
pub fn after_boot<'a>(
    lines: &'a [TmpfilesLine],
    path: &Path,
    meta: &Meta,
    accounts: &Accounts,
) -> Option<(Meta, &'a TmpfilesLine)> {
    let mut after = meta.clone();
    let mut last = None;
    for line in lines.iter().filter(|line| line.is_about(path)) {
        if let Some((bits, masked)) = line.mode {
            after.mode = if masked { cut(bits, &after) } else { bits };
        }
        let user = |name: &String| name.parse().ok().or_else(|| Some(accounts.user(name)?.uid));
        let group = |name: &String| name.parse().ok().or_else(|| Some(accounts.group(name)?.gid));
        after.uid = line.owner.as_ref().and_then(user).unwrap_or(after.uid);
        after.gid = line.group.as_ref().and_then(group).unwrap_or(after.gid);
        if line.mode.is_some() || line.owner.is_some() || line.group.is_some() {
            last = Some(line);
        }
    }
    last.map(|line| (after, line))
}

impl TmpfilesLine {
    fn is_about(&self, path: &Path) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let matches = |path: &Path| self.path.matches_path_with(path, options);
        let begins = path.as_os_str().as_bytes().starts_with(self.prefix.as_bytes());
        begins && (matches(path) || (self.recursive && path.ancestors().skip(1).any(matches)))
    }
}

/// A mode with `~`: kinds of access that nobody has yet are not given, nor set-id bits to what is no directory.
fn cut(mut bits: u32, meta: &Meta) -> u32 {
    for kind in [0o111, 0o222, 0o444] {
        if meta.mode & kind == 0 {
            bits &= !kind;
        }
    }
    if meta.kind != FileKind::Directory {
        bits &= !0o7000;
    }
    bits
}

/// The text of a file of ours with a line that sets these at each boot; what it says already of the same path is kept.
pub fn set(text: &str, path: &Path, mode: Option<u32>, uid: Option<u32>, gid: Option<u32>) -> String {
    // Neither wildcards nor specifiers are meant.
    let name = Pattern::escape(&path.display().to_string()).replace('%', "%%");
    let mut fields =
        [mode.map(|mode| format!("{mode:04o}")), uid.map(|id| id.to_string()), gid.map(|id| id.to_string())];
    let mut kept = Vec::new();
    for line in text.lines() {
        let words = words(line);
        if words.get(1) != Some(&name) {
            kept.push(line.to_owned());
            continue;
        }
        for (field, old) in fields.iter_mut().zip(words.iter().skip(2)) {
            field.get_or_insert_with(|| old.clone());
        }
    }
    let [mode, owner, group] = fields.map(|field| field.unwrap_or_else(|| "-".to_owned()));
    let name = if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name };
    kept.push(format!("z {name} {mode} {owner} {group}"));
    kept.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boot(text: &str, path: &str, mode: u32) -> Option<(u32, usize)> {
        let (mut first, mut then) = (Vec::new(), Vec::new());
        parse(Path::new("/etc/tmpfiles.d/x.conf"), text, &mut first, &mut then);
        first.extend(then);
        let kind = if path.ends_with('/') { FileKind::Directory } else { FileKind::Regular };
        let meta = Meta { kind, mode, uid: 0, gid: 0, size: 0 };
        let (after, line) =
            after_boot(&first, Path::new(path.trim_end_matches('/')), &meta, &Accounts::default())?;
        Some((after.mode, line.number))
    }

    #[test]
    fn the_last_line_about_a_path_decides() {
        for (text, path, expected) in [
            ("f /var/log/wtmp 0664 root utmp -\n", "/var/log/wtmp", Some((0o664, 1))),
            ("f /var/log/wtmp - - - -\n", "/var/log/wtmp", None),
            ("f+! \"/var/log/wtmp\" 0664\n", "/var/log/wtmp", Some((0o664, 1))),
            ("z /var/log/w* 0640\nf /var/log/wtmp 0664\n", "/var/log/wtmp", Some((0o640, 1))),
            ("# f /var/log/wtmp 0664\nL /var/log/wtmp - - - - x\n", "/var/log/wtmp", None),
            ("f /var/log/wtmp :0664\n", "/var/log/wtmp", None),
            ("Z /var/log 0750\n", "/var/log/a/b", Some((0o750, 1))),
            ("Z /var/log ~2750\n", "/var/log/a/b", Some((0o640, 1))),
            ("z /var/log/* 0750\n", "/var/log/a/b", None),
            ("z /var/log/%m/x 0644\n", "/var/log/0123/x", Some((0o644, 1))),
            ("d /var/log 0755\n", "/var/log/", Some((0o755, 1))),
        ] {
            assert_eq!(boot(text, path, 0o640), expected, "{text}");
        }
    }

    #[test]
    fn our_lines_keep_what_they_said_of_a_path_before() {
        let text = set("# ours\nz /a 0600 - -\n", Path::new("/b"), None, Some(0), None);
        assert_eq!(text, "# ours\nz /a 0600 - -\nz /b - 0 -\n");
        assert_eq!(set(&text, Path::new("/a"), None, None, Some(4)), "# ours\nz /b - 0 -\nz /a 0600 - 4\n");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*", path in "(/[a-z]{1,3}){0,4}") {
            boot(&text, &path, 0o644);
        }
    }
}
