//! The account that cloud-init makes by itself: taken away when nobody needs it.
//!
//! Its lines in the account files go, and its rule for sudo. What it owns in its home directory is given to root rather than
//! removed: nothing is lost that somebody put there, and no file is without an owner.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::settings::Settings;
use super::{Part, write};
use crate::change::Change;
use crate::config::written::document;
use crate::door::{Account, Door};
use crate::system::{Accounts, FileKind, System, User};

/// What cloud-init made of all parts of user-data.
const USER_DATA: &str = "/var/lib/cloud/instance/cloud-config.txt";
/// cloud-init's rules for sudo.
const SUDOERS: &str = "/etc/sudoers.d/90-cloud-init-users";
/// Where crontabs of users are: on Debian and Ubuntu, and on Red Hat.
const CRONTABS: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];
/// So many files in a home directory are looked after; a person who has more is no leftover.
const MOST_FILES: usize = 1000;
/// Files with a line for each account.
const ACCOUNT_FILES: [&str; 4] = ["/etc/passwd", "/etc/shadow", "/etc/subuid", "/etc/subgid"];
/// Files with a line for each group, and its members in it.
const GROUP_FILES: [&str; 2] = ["/etc/group", "/etc/gshadow"];

/// What user-data says of accounts.
#[derive(Debug, Default, Deserialize)]
struct UserData {
    #[serde(default)]
    users: Option<serde_json::Value>,
}

/// The account is taken away, or it is said why not.
///
/// # Errors
/// When the account files cannot be read.
pub fn changes(system: &System, settings: &Settings, keep: &[String], part: &mut Part) -> Result<()> {
    let accounts = system.accounts()?;
    let name = settings.system_info.default_user.name.as_deref();
    let Some(user) = name.and_then(|name| accounts.user(name)) else { return Ok(()) };
    let files = files(system, user)?;
    if let Some(why) = needed(system, user, keep, files.as_deref())? {
        part.refused.push(format!("cloud-init's account '{}' stays: {why}", user.name));
        return Ok(());
    }
    sudo(system, &user.name, part)?;
    let own_group = own_group(accounts, user);
    for path in ACCOUNT_FILES {
        let keeps = |line: &&str| first(line) != user.name;
        rewrite(system, path, |text| text.split_inclusive('\n').filter(keeps).collect(), part)?;
    }
    for path in GROUP_FILES {
        let member = |line: &str| {
            let gone = own_group && first(line) == user.name;
            if gone { String::new() } else { without_member(line, &user.name) }
        };
        rewrite(system, path, |text| text.split_inclusive('\n').map(member).collect(), part)?;
    }
    for path in files.into_iter().flatten() {
        part.changes.push(Change::SetMeta { path, mode: None, uid: Some(0), gid: Some(0) });
    }
    Ok(())
}

/// Why the account must stay, if it must.
fn needed(
    system: &System,
    user: &User,
    keep: &[String],
    files: Option<&[PathBuf]>,
) -> Result<Option<String>> {
    if keep.contains(&user.name) {
        return Ok(Some("it must keep access (access.keep)".to_owned()));
    }
    if user.uid < 1000 {
        return Ok(Some(format!("its user id {} is one of the system's", user.uid)));
    }
    if asked_for(system, &user.name)? {
        return Ok(Some("user-data asks for it by its name".to_owned()));
    }
    if let Some(process) = at_work(system, user.uid)? {
        return Ok(Some(format!("somebody is at work as it (process {process})")));
    }
    for spool in CRONTABS {
        if system.exists(Path::new(spool).join(&user.name))? {
            return Ok(Some("it has a crontab".to_owned()));
        }
    }
    if files.is_none() {
        return Ok(Some(format!("its home directory {} holds more than {MOST_FILES} files", user.home)));
    }
    let door = Door::look(system, None)?;
    // A console may be out of everybody's reach: whoever stays must get in over ssh where this account does.
    let remote = door.accounts.iter().any(|account| account.name == user.name && account.ways.remote());
    let other = |account: &Account| account.name != user.name && (account.ways.remote() || !remote);
    if !door.accounts.iter().any(other) {
        return Ok(Some("no other account gets in as it does and becomes root".to_owned()));
    }
    Ok(None)
}

/// Whether user-data names the account itself, rather than as the default.
fn asked_for(system: &System, name: &str) -> Result<bool> {
    let text = system.read_text(USER_DATA)?.unwrap_or_default();
    // What is no YAML, cloud-init did not understand either.
    let said: UserData = document(&text, USER_DATA).unwrap_or_default();
    let users = said.users.as_ref().and_then(|users| users.as_array()).into_iter().flatten();
    let named = |user: &serde_json::Value| user.as_str().or_else(|| user.get("name")?.as_str()) == Some(name);
    Ok(users.into_iter().any(named))
}

/// A process that belongs to a user, on the running machine.
fn at_work(system: &System, uid: u32) -> Result<Option<String>> {
    if !system.is_running() {
        return Ok(None);
    }
    for process in system.list("/proc")? {
        let number = process.bytes().all(|byte| byte.is_ascii_digit());
        // One that is over by now is at work no more.
        if number
            && matches!(system.meta(Path::new("/proc").join(&process)), Ok(Some(meta)) if meta.uid == uid)
        {
            return Ok(Some(process));
        }
    }
    Ok(None)
}

/// What the account owns: its mail and its home directory, with all in it. `None` when that is too much.
fn files(system: &System, user: &User) -> Result<Option<Vec<PathBuf>>> {
    let mut found = Vec::new();
    let mut open = vec![Path::new("/var/mail").join(&user.name)];
    if Path::new(&user.home).components().count() > 2 {
        open.push(PathBuf::from(&user.home));
    }
    while let Some(path) = open.pop() {
        let Some(meta) = system.meta(&path)? else { continue };
        if meta.uid == user.uid {
            found.push(path.clone());
        }
        if meta.kind == FileKind::Directory {
            open.extend(system.list(&path)?.into_iter().map(|name| path.join(name)));
        }
        if found.len() > MOST_FILES {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// cloud-init's rules for sudo without those for the account; no file when none is left.
fn sudo(system: &System, name: &str, part: &mut Part) -> Result<()> {
    let Some(text) = system.read_text(SUDOERS)? else { return Ok(()) };
    let about = |line: &&str| {
        line.split_whitespace().next() == Some(name) || line.trim() == format!("# User rules for {name}")
    };
    let left: String = text.split_inclusive('\n').filter(|line| !about(line)).collect();
    if left.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
        part.changes.push(Change::RemoveFile { path: SUDOERS.into() });
        return Ok(());
    }
    write(system, SUDOERS, left, 0o440, part)
}

/// Whether the group of the account's name is the account's alone.
fn own_group(accounts: &Accounts, user: &User) -> bool {
    let others = accounts.users.iter().any(|other| other.name != user.name && other.gid == user.gid);
    accounts.group(&user.name).is_some_and(|group| {
        group.gid == user.gid && !others && group.members.iter().all(|member| *member == user.name)
    })
}

fn first(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// A line of a group without a member: among the administrators of `gshadow`, too.
fn without_member(line: &str, name: &str) -> String {
    let bare = line.trim_end_matches('\n');
    let end = line.get(bare.len()..).unwrap_or_default();
    let fields = bare.split(':').enumerate().map(|(index, field)| match index {
        0 | 1 => field.to_owned(),
        _ => field.split(',').filter(|member| *member != name).collect::<Vec<_>>().join(","),
    });
    fields.collect::<Vec<_>>().join(":") + end
}

fn rewrite(system: &System, path: &str, change: impl Fn(&str) -> String, part: &mut Part) -> Result<()> {
    match system.read_text(path)? {
        Some(text) => write(system, path, change(&text), 0o644, part),
        None => Ok(()),
    }
}
