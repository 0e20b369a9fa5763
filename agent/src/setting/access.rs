//! Who may do what with a file: its owner, its group and the most its mode may allow.
//!
//! A mode is an upper bound. Mending takes away the bits beyond it and leaves a stricter mode alone; an owner that is
//! not one of those allowed becomes the first of them that exists.

use std::fmt;

use anyhow::{Result, anyhow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::change::Change;
use crate::content::Names;
use crate::finding::Finding;
use crate::system::{Accounts, Meta};

/// How many bad files are shown one by one; all are mended.
const MAX_SHOWN: usize = 50;

/// The word that stands for the user in whose home a file is.
const HOME_USER: &str = "~";

/// Permission bits, written in octal: `"0640"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Mode(pub u32);

impl TryFrom<String> for Mode {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Mode> {
        match u32::from_str_radix(&text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Mode(bits)),
            _ => Err(anyhow!("'{text}' is not a mode in octal, such as \"0640\"")),
        }
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> String {
        mode.to_string()
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// What is wanted of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The users who may own it, by name or number; `~` is the user in whose home it is.
    pub owner: Option<Names>,
    /// The groups it may belong to, by name or number; `~` is the main group of the user in whose home it is.
    pub group: Option<Names>,
    /// The most its mode may allow.
    pub mode: Option<Mode>,
}

/// One file against what is wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What there is, of what is asked about.
    pub found: String,
    /// Whether that is good enough.
    pub holds: bool,
    /// What would make it right; nothing when no user or group of those wanted exists.
    pub change: Option<Change>,
}

impl Access {
    /// The wish in words: `owner root, mode 0640 or stricter`.
    pub fn wanted(&self) -> String {
        let names = |word: &str, names: &Option<Names>| {
            let home = |name: &String| if name == HOME_USER { "the user's".to_owned() } else { name.clone() };
            let names = names.as_ref()?.as_slice().iter().map(home).collect::<Vec<_>>();
            Some(format!("{word} {}", names.join(" or ")))
        };
        let mode = self.mode.map(|mode| format!("mode {mode} or stricter"));
        let parts = [names("owner", &self.owner), names("group", &self.group), mode];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Judges one file, given what its inode says or will say.
    pub fn judge(&self, place: &Place, meta: &Meta, accounts: &Accounts) -> Judgement {
        let (mut found, mut holds) = (Vec::new(), true);
        let mut wanted: (Option<u32>, Option<u32>, Option<u32>) = (None, None, None);
        let mut mendable = true;
        if let Some(names) = &self.owner {
            let ids = uids(names, place, accounts);
            found.push(format!("owner {}", user_name(meta.uid, accounts)));
            if !ids.contains(&meta.uid) {
                (holds, wanted.1) = (false, ids.first().copied());
                mendable &= wanted.1.is_some();
            }
        }
        if let Some(names) = &self.group {
            let ids = gids(names, place, accounts);
            found.push(format!("group {}", group_name(meta.gid, accounts)));
            if !ids.contains(&meta.gid) {
                (holds, wanted.2) = (false, ids.first().copied());
                mendable &= wanted.2.is_some();
            }
        }
        if let Some(Mode(most)) = self.mode {
            found.push(format!("mode {:04o}", meta.mode));
            if meta.mode & !most != 0 {
                (holds, wanted.0) = (false, Some(meta.mode & most));
            }
        }
        let (mode, uid, gid) = wanted;
        let change =
            (!holds && mendable).then(|| Change::SetMeta { path: place.path.clone(), mode, uid, gid });
        Judgement { found: found.join(", "), holds, change }
    }

    /// Judges all of `places` into a finding: each that is not as wanted, or all in one line.
    pub fn judge_all(&self, places: &[Place], subject: &str, accounts: &Accounts, finding: &mut Finding) {
        let wanted = self.wanted();
        let mut bad = 0;
        for place in places {
            let judgement = self.judge(place, &place.meta, accounts);
            if judgement.holds {
                continue;
            }
            bad += 1;
            if bad <= MAX_SHOWN {
                finding.persistent(false, judgement.found, &wanted, place.path.display().to_string());
            }
            if let Some(change) = judgement.change {
                finding.change(change);
            }
        }
        let (found, at) = match places {
            _ if bad > MAX_SHOWN => {
                (format!("{} more that are not as wanted", bad - MAX_SHOWN), subject.to_owned())
            }
            _ if bad > 0 => return,
            [] => ("there is none".to_owned(), subject.to_owned()),
            [one] => (self.judge(one, &one.meta, accounts).found, one.path.display().to_string()),
            many => (format!("all {} are as wanted", many.len()), subject.to_owned()),
        };
        finding.persistent(bad == 0, found, wanted, at);
    }
}

fn uids(names: &Names, place: &Place, accounts: &Accounts) -> Vec<u32> {
    let user = place.user.as_deref();
    let id = |name: &String| match name.parse() {
        Ok(id) => Some(id),
        Err(_) if name == HOME_USER => Some(accounts.user(user?)?.uid),
        Err(_) => Some(accounts.user(name)?.uid),
    };
    names.as_slice().iter().filter_map(id).collect()
}

fn gids(names: &Names, place: &Place, accounts: &Accounts) -> Vec<u32> {
    let user = place.user.as_deref();
    let id = |name: &String| match name.parse() {
        Ok(id) => Some(id),
        Err(_) if name == HOME_USER => Some(accounts.user(user?)?.gid),
        Err(_) => Some(accounts.group(name)?.gid),
    };
    names.as_slice().iter().filter_map(id).collect()
}

fn user_name(uid: u32, accounts: &Accounts) -> String {
    let known = accounts.users.iter().find(|user| user.uid == uid);
    known.map_or_else(|| uid.to_string(), |user| user.name.clone())
}

fn group_name(gid: u32, accounts: &Accounts) -> String {
    let known = accounts.groups.iter().find(|group| group.gid == gid);
    known.map_or_else(|| gid.to_string(), |group| group.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{FileKind, Group, User};

    fn accounts() -> Accounts {
        let user = |name: &str, uid, gid| User {
            name: name.into(),
            password: "x".into(),
            uid,
            gid,
            gecos: String::new(),
            home: format!("/home/{name}"),
            shell: "/bin/sh".into(),
        };
        let group = |name: &str, gid| Group { name: name.into(), gid, members: vec![] };
        Accounts {
            users: vec![user("root", 0, 0), user("ann", 1000, 100)],
            groups: vec![group("root", 0), group("adm", 4), group("users", 100)],
        }
    }

    fn names(names: &[&str]) -> Option<Names> {
        Some(Names::Several(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    /// What would be set (mode, owner, group) of a file of ann's home, when it is not as wanted.
    fn set(
        access: &Access,
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Option<(Option<u32>, Option<u32>, Option<u32>)> {
        let meta = Meta { kind: FileKind::Regular, mode, uid, gid, size: 0 };
        let place = Place { path: "/f".into(), meta, user: Some("ann".into()) };
        let judgement = access.judge(&place, &place.meta, &accounts());
        assert_eq!(judgement.holds, judgement.change.is_none());
        judgement.change.map(|change| match change {
            Change::SetMeta { mode, uid, gid, .. } => (mode, uid, gid),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_mode_is_an_upper_bound() {
        let access = Access { mode: Some(Mode(0o640)), ..Access::default() };
        for (mode, expected) in [
            (0o640, None),
            (0o600, None),
            (0o000, None),
            (0o644, Some(0o640)),
            (0o4755, Some(0o640)),
            (0o402, Some(0o400)),
            (0o1600, Some(0o600)),
        ] {
            assert_eq!(set(&access, mode, 9, 9), expected.map(|mode| (Some(mode), None, None)), "{mode:o}");
        }
    }

    #[test]
    fn owners_are_sets_and_the_first_that_exists_is_given() {
        let access = Access { owner: names(&["syslog", "root"]), group: names(&["adm", "0"]), mode: None };
        assert_eq!(set(&access, 0o644, 0, 4), None);
        assert_eq!(set(&access, 0o644, 0, 0), None);
        assert_eq!(set(&access, 0o644, 7, 0), Some((None, Some(0), None)));
        assert_eq!(set(&access, 0o644, 0, 7), Some((None, None, Some(4))));
    }

    #[test]
    fn the_home_user_stands_for_the_user_and_the_main_group() {
        let access = Access { owner: names(&["~"]), group: names(&["~"]), mode: None };
        assert_eq!(set(&access, 0o644, 1000, 100), None);
        assert_eq!(set(&access, 0o644, 0, 0), Some((None, Some(1000), Some(100))));
        assert_eq!(access.wanted(), "owner the user's, group the user's");
    }

    #[test]
    fn without_any_of_the_owners_nothing_is_changed() {
        let access = Access { owner: names(&["nowhere"]), mode: Some(Mode(0)), group: None };
        let meta = Meta { kind: FileKind::Regular, mode: 0o644, uid: 0, gid: 0, size: 0 };
        let place = Place { path: "/f".into(), meta, user: None };
        let judgement = access.judge(&place, &place.meta, &accounts());
        assert!(!judgement.holds && judgement.change.is_none());
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(serde_json::from_str::<Mode>("\"0640\"").unwrap(), Mode(0o640));
        assert_eq!(serde_json::to_string(&Mode(0o40)).unwrap(), "\"0040\"");
        for bad in ["\"0999\"", "\"10000\"", "\"\"", "\"u=rw\"", "640"] {
            assert!(serde_json::from_str::<Mode>(bad).is_err(), "{bad}");
        }
    }
}
