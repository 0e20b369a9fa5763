//! Taking one change back.
//!
//! Doing so twice, or for a change that was never made, does no harm: that is what lets a run that was cut anywhere be taken
//! back. What somebody else made different since is kept: of a text, only the lines of the change are taken out
//! ([`super::merge`]); where the two cannot be told apart, the later state stays and the report says so.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::journal::{Blobs, Entry};
use super::undo::{self, Undo, Was};
use super::{file, kernel, merge, unit};
use crate::change::Change;
use crate::setting::OWNED_HEADER;
use crate::system::{System, Tool};

/// What came of taking a change back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// What was before is there again.
    Back,
    /// Somebody changed the same thing since, which was kept; why, in words.
    Kept(String),
    /// Its program must run again, once everything it reads was taken back.
    Again,
}

/// Takes one change back, other than one to packages, which is [`super::transaction`]'s. `earlier` are the changes before it that
/// will be taken back too.
///
/// # Errors
/// When the former state cannot be made again.
pub fn take_back(system: &System, entry: &Entry, earlier: &[&Entry], blobs: &Blobs) -> Result<Taken> {
    match &entry.undo {
        Undo::Files { files, .. } if matches!(entry.change, Change::Generate { .. }) => {
            generated(system, entry, files, blobs)
        }
        Undo::Files { files, directories, base } => {
            let mut taken = Taken::Back;
            for (path, was) in files {
                let now = undo::save_lazily(system, path, blobs)?;
                if base.as_ref() == Some(&now) || earlier.iter().any(|entry| was_before(entry, path, &now)) {
                    file::remove_leftover(system, path)?;
                    continue;
                }
                if let Taken::Kept(why) = take_back_file(system, &entry.change, path, was, blobs)? {
                    taken = Taken::Kept(why);
                }
            }
            directories.iter().rev().try_for_each(|dir| file::remove_directory(system, dir))?;
            Ok(taken)
        }
        Undo::Meta { path, mode, uid, gid } => meta(system, &entry.change, path, (*mode, *uid, *gid)),
        Undo::Sysctl { key, value, interfaces } => {
            let taken = sysctl(system, &entry.change, key, value)?;
            for (key, now) in kernel::of_interfaces(system, key)? {
                let was = interfaces.iter().find(|(own, _)| *own == key).map_or(value, |(_, was)| was);
                // Where it is not what the change would have left, sysctl says so too, and it is kept.
                if now != *was {
                    sysctl(system, &entry.change, &key, was)?;
                }
            }
            Ok(taken)
        }
        Undo::Mount { target, added } => kernel::remount_without(system, target, added).map(|()| Taken::Back),
        Undo::Unit(before) => unit::bring_back(system, before, &entry.change, entry.left.as_deref(), blobs),
        // Whatever forbids the module now was perhaps written by the same run, and is not taken back yet.
        Undo::Module { module } if system.module_loaded(module)? == Some(false) => {
            system.run(Tool::Modprobe, &["--ignore-install", module])?.success().map(|_| Taken::Back)
        }
        Undo::Module { .. } | Undo::Packages(_) | Undo::Nothing => Ok(Taken::Back),
    }
}

/// Whether a file is as it was before an earlier change: then neither that nor any later one was made, or the power went before
/// they were on disk.
fn was_before(entry: &Entry, path: &Path, now: &Was) -> bool {
    matches!(&entry.undo, Undo::Files { files, .. } if files.iter().any(|(other, was)| other == path && was == now))
}

/// What a program wrote becomes what it was, unless it, or somebody, wrote it anew since: then only the program knows what
/// belongs there.
fn generated(system: &System, entry: &Entry, files: &[(PathBuf, Was)], blobs: &Blobs) -> Result<Taken> {
    for (path, left) in entry.left.iter().flatten() {
        // What was not there at first was made later by something that the change set going.
        if *left != Was::Absent && undo::save_lazily(system, path, blobs)? != *left {
            return Ok(Taken::Again);
        }
    }
    files.iter().try_for_each(|(path, was)| undo::restore(system, path, was, blobs))?;
    Ok(Taken::Back)
}

fn take_back_file(system: &System, change: &Change, path: &Path, was: &Was, blobs: &Blobs) -> Result<Taken> {
    let now = undo::save_lazily(system, path, blobs)?;
    if now == *was {
        return undo::restore(system, path, was, blobs).map(|()| Taken::Back);
    }
    let Change::WriteFile { content: after, .. } = change else {
        let ours = matches!((&now, change), (Was::Link { target }, Change::Link { target: own, .. }) if target == own);
        return match now {
            _ if ours => undo::restore(system, path, was, blobs).map(|()| Taken::Back),
            Was::Absent => undo::restore(system, path, was, blobs).map(|()| Taken::Back),
            _ => Ok(Taken::Kept(format!("{} was made anew since", path.display()))),
        };
    };
    let now = match &now {
        // Not written yet, or removed since: of what was not there before, nothing is left to take back.
        Was::Absent => return undo::restore(system, path, was, blobs).map(|()| Taken::Back),
        Was::Link { .. } => return Ok(Taken::Kept(format!("{} was made a link since", path.display()))),
        Was::File { blob, .. } => blobs.load(blob)?,
    };
    let before = match was {
        Was::File { blob, .. } => blobs.load(blob)?,
        _ if now == after.as_bytes() => return undo::restore(system, path, was, blobs).map(|()| Taken::Back),
        _ => merge::head(after).as_bytes().to_vec(),
    };
    // The write kept mode and owner, so those that are there now are somebody's.
    let mut whole = file::read(system, path)?.with_context(|| format!("{} is gone", path.display()))?;
    if now == after.as_bytes() {
        whole.content = before;
        return file::write(system, path, &whole).map(|()| Taken::Back);
    }
    let (Ok(before), Ok(now)) = (String::from_utf8(before), String::from_utf8(now)) else {
        return Ok(Taken::Kept(format!(
            "{} was replaced since by something that is not text",
            path.display()
        )));
    };
    let Some(merged) = merge::take_out(&before, after, &now) else {
        return Ok(Taken::Kept(format!("the same lines of {} were changed since", path.display())));
    };
    // Of a file of ours nothing is left: it goes with the last of its lines, whichever rule that was for.
    let ours = after.starts_with(OWNED_HEADER) && merge::is_bare(&merged);
    if ours && (*was == Was::Absent || !merge::is_bare(&before)) {
        return file::remove(system, path).map(|()| Taken::Back);
    }
    whole.content = merged.into_bytes();
    file::write(system, path, &whole).map(|()| Taken::Back)
}

/// Gives back what the change itself set, where it is still as the change left it.
fn meta(system: &System, change: &Change, path: &Path, was: (Option<u32>, u32, u32)) -> Result<Taken> {
    let (Some(now), Change::SetMeta { mode, uid, gid, .. }) = (system.meta(path)?, change) else {
        // Removed since: nothing left to give its mode back to.
        return Ok(Taken::Back);
    };
    let (was_mode, was_uid, was_gid) = was;
    if was_mode.is_none_or(|mode| mode == now.mode) && (was_uid, was_gid) == (now.uid, now.gid) {
        return Ok(Taken::Back);
    }
    let other = |now: u32, set: &Option<u32>, was: u32| set.is_some_and(|set| now != set && now != was);
    if other(now.mode, mode, was_mode.unwrap_or(now.mode))
        || other(now.uid, uid, was_uid)
        || other(now.gid, gid, was_gid)
    {
        return Ok(Taken::Kept(format!("mode or owner of {} were changed since", path.display())));
    }
    // A change of owner took the set-id bits; only then is a mode given back that was not set.
    let lost = mode.is_none() && was_mode.is_some_and(|was| was & 0o777 == now.mode && was != now.mode);
    let mode = was_mode.filter(|_| mode.is_some() || lost);
    file::restore_meta(system, path, mode, uid.map(|_| was_uid), gid.map(|_| was_gid)).map(|()| Taken::Back)
}

fn sysctl(system: &System, change: &Change, key: &str, was: &str) -> Result<Taken> {
    let plain = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    let now = system.sysctl(key)?.map(|now| plain(&now));
    let set = match change {
        Change::Sysctl { value, .. } => Some(plain(value)),
        _ => None,
    };
    match now {
        // Never set, or gone with its network interface or module.
        None => Ok(Taken::Back),
        Some(now) if now == plain(was) => Ok(Taken::Back),
        now if now == set => kernel::set_sysctl(system, key, was).map(|()| Taken::Back),
        Some(now) => Ok(Taken::Kept(format!("{key} was set to {now} since"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::batch;
    use crate::apply::journal::Journal;
    use crate::apply::perform::perform;
    use crate::apply::undo::prepare;
    use crate::setting::testing::Tree;
    use std::os::unix::fs::PermissionsExt;

    /// Makes a change, lets `since` happen, and takes the change back.
    fn there_and_back(tree: &Tree, change: Change, since: impl FnOnce(&Path)) -> Taken {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::begin(state.path(), "run").unwrap();
        let undo = prepare(&tree.system(), &change, &journal.blobs).unwrap();
        perform(&tree.system(), &change).unwrap();
        let left = Some(undo.left(&tree.system(), &change, &journal.blobs).unwrap());
        since(&tree.system().host_path("/etc/x"));
        let entry = Entry { number: 1, rule: "r".into(), change, undo, effects: vec![], left, undone: false };
        take_back(&tree.system(), &entry, &[], &journal.blobs).unwrap()
    }

    fn kept(taken: &Taken) -> bool {
        matches!(taken, Taken::Kept(_))
    }

    fn mode(mode: u32) -> Change {
        Change::SetMeta { path: "/etc/x".into(), mode: Some(mode), uid: None, gid: None }
    }

    #[test]
    fn a_mode_is_given_back_unless_it_was_changed_since() {
        let tree = || Tree::new().file_with_mode("/etc/x", "", 0o644);
        let chmod = |bits| {
            move |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(bits)).unwrap()
        };
        for (since, wanted, is_kept) in [(0o600, 0o644, false), (0o644, 0o644, false), (0o640, 0o640, true)] {
            let tree = tree();
            assert_eq!(kept(&there_and_back(&tree, mode(0o600), chmod(since))), is_kept, "{since:o}");
            assert_eq!(tree.mode("/etc/x"), wanted, "{since:o}");
        }
    }

    #[test]
    fn what_is_gone_since_needs_no_mode() {
        let tree = Tree::new().file("/etc/x", "");
        let taken = there_and_back(&tree, mode(0o600), |path| std::fs::remove_file(path).unwrap());
        assert!(taken == Taken::Back && !tree.has("/etc/x"));
    }

    #[test]
    fn a_removed_file_comes_back_unless_there_is_a_new_one() {
        let remove = || Change::RemoveFile { path: "/etc/x".into() };
        let tree = Tree::new().file("/etc/x", "old");
        assert_eq!(there_and_back(&tree, remove(), |_| ()), Taken::Back);
        assert_eq!(tree.text("/etc/x"), "old");
        let taken = there_and_back(&tree, remove(), |path| std::fs::write(path, "new").unwrap());
        assert!(kept(&taken), "{taken:?}");
        assert_eq!(tree.text("/etc/x"), "new");
    }

    #[test]
    fn a_link_gives_way_to_what_was_there_unless_it_leads_elsewhere_since() {
        let link = || Change::Link { path: "/etc/x".into(), target: "/dev/null".into() };
        let tree = Tree::new().file("/etc/x", "old");
        assert_eq!(there_and_back(&tree, link(), |path| assert!(path.is_symlink())), Taken::Back);
        assert_eq!(tree.text("/etc/x"), "old");
        let tree = Tree::new().dir("/etc", 0o755);
        assert_eq!(there_and_back(&tree, link(), |_| ()), Taken::Back);
        assert_eq!(tree.system().read_link("/etc/x").unwrap(), None);
        let taken = there_and_back(&tree, link(), |path| {
            std::fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("y", path).unwrap();
        });
        assert!(kept(&taken), "{taken:?}");
    }

    #[test]
    fn what_rules_share_stays_with_the_last_of_them() {
        let start = format!("{OWNED_HEADER}[Journal]\n");
        let (first, second) = ("Storage=persistent\n", "Compress=yes\n");
        let append = |text: &str, path: &Path| std::fs::write(path, format!("{start}{text}")).unwrap();
        let tree = Tree::new().dir("/etc", 0o755);
        let write = Change::write("/etc/x", format!("{start}{first}"));
        there_and_back(&tree, write, |path| append(&format!("{first}{second}"), path));
        assert_eq!(tree.text("/etc/x"), format!("{start}{second}"));
        let tree = Tree::new().file("/etc/x", &format!("{start}{first}"));
        let write = Change::write("/etc/x", format!("{start}{first}{second}"));
        there_and_back(&tree, write, |path| append(second, path));
        assert!(!tree.has("/etc/x"));
    }

    #[test]
    fn what_became_something_else_since_is_kept() {
        let tree = Tree::new().file("/etc/x", "old\n").file("/etc/y", "");
        let write = || Change::write("/etc/x", "new\n");
        let taken = there_and_back(&tree, write(), |path| std::fs::write(path, [0xff, 0xfe]).unwrap());
        assert!(kept(&taken), "{taken:?}");
        let taken = there_and_back(&Tree::new(), write(), |path| {
            std::fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("y", path).unwrap();
        });
        assert!(kept(&taken), "{taken:?}");
    }

    #[test]
    fn changes_made_with_one_write_go_back_one_by_one_or_were_never_made() {
        let changes = ["a\nb\nz\n", "a\nz\n", "a\nz\ny\n"].map(|text| Change::write("/etc/x", text));
        // Whether the file was written; whether that is known. Both can be lost in a power cut.
        for (written, known) in [(true, true), (true, false), (false, true), (false, false)] {
            let tree = Tree::new().file("/etc/x", "a\nb\n");
            let state = tempfile::tempdir().unwrap();
            let journal = Journal::begin(state.path(), "run").unwrap();
            let undos =
                batch::prepare(&tree.system(), &changes.iter().collect::<Vec<_>>(), &journal.blobs).unwrap();
            if written {
                perform(&tree.system(), &changes[2]).unwrap();
            }
            for (undo, change) in undos.into_iter().zip(changes.clone()).rev() {
                let (rule, effects, left) = ("r".to_owned(), vec![], known.then(Vec::new));
                let entry = Entry { number: 1, rule, change, undo, effects, left, undone: false };
                assert_eq!(take_back(&tree.system(), &entry, &[], &journal.blobs).unwrap(), Taken::Back);
            }
            assert_eq!(tree.text("/etc/x"), "a\nb\n", "written: {written}, known: {known}");
        }
    }
}
