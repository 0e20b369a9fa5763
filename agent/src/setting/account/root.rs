//! root: nobody else is, and it is not open.

use anyhow::Result;

use super::file::{place_of, with_field};
use super::{GROUP, PASSWD, SHADOW, administers, or_well};
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

/// See [`super::Account::OnlyRootHasUidZero`].
pub fn user_ids(system: &System) -> Result<Finding> {
    let accounts = system.accounts()?;
    let mut finding = Finding::new();
    let wanted = "only root has user id 0, or the others are locked";
    let mut shadow = system.read_text(SHADOW)?.unwrap_or_default();
    let mut known = true;
    for user in accounts.users.iter().filter(|user| user.uid == 0 && user.name != "root") {
        let entry = system.passwords()?.of(&user.name);
        let locked = entry.is_some_and(|entry| entry.password.starts_with(['!', '*']));
        let found = format!("{} has user id 0{}", user.name, if locked { ", locked" } else { "" });
        finding.persistent(locked, found, wanted, PASSWD);
        match entry {
            Some(entry) if !locked => {
                shadow = with_field(&shadow, &user.name, 1, &format!("!{}", entry.password));
            }
            Some(_) => {}
            None => known = false,
        }
    }
    if finding.evidence.iter().any(|evidence| !evidence.holds) {
        if known && others_administer(system)? {
            finding.change(Change::WriteFile { path: SHADOW.into(), content: shadow, mode: 0o640 });
        } else {
            finding.manual(
                "nobody else is seen to administer this machine: make sure of another way in, then lock it",
            );
        }
    }
    Ok(or_well(finding, "only root", wanted, PASSWD))
}

/// Whether root has a password, or an ordinary user is an administrator.
fn others_administer(system: &System) -> Result<bool> {
    let accounts = system.accounts()?;
    let root = system.passwords()?.of("root").is_some_and(|root| root.has_password());
    Ok(root || accounts.users.iter().any(|user| user.uid != 0 && administers(accounts, &user.name)))
}

/// See [`super::Account::RootHasGidZero`].
pub fn group_id(system: &System) -> Result<Finding> {
    let text = system.read_text(PASSWD)?.unwrap_or_default();
    let mut finding = Finding::new();
    let wanted = "root has the primary group 0";
    match system.accounts()?.user("root") {
        Some(root) => {
            let place = place_of(PASSWD, &text, "root");
            finding.persistent(root.gid == 0, format!("primary group {}", root.gid), wanted, place);
            if root.gid != 0 {
                finding.change(Change::write(PASSWD, with_field(&text, "root", 3, "0")));
            }
        }
        None => {
            finding.persistent(false, "no user root", wanted, PASSWD).manual("there is no user root");
        }
    }
    Ok(finding)
}

/// See [`super::Account::OnlyRootGroupHasGidZero`].
pub fn groups(system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    let wanted = "only the group root has id 0";
    for group in system.accounts()?.groups.iter().filter(|group| group.gid == 0 && group.name != "root") {
        finding.persistent(false, format!("{} has id 0", group.name), wanted, GROUP);
        finding.manual("what belongs to that group must be decided by a person: groupmod -g or groupdel");
    }
    Ok(or_well(finding, "only root", wanted, GROUP))
}

/// See [`super::Account::RootHasPasswordOrLock`] and [`super::Account::RootHasPassword`].
pub fn password(system: &System, or_lock: bool) -> Result<Finding> {
    let text = system.read_text(SHADOW)?.unwrap_or_default();
    let mut finding = Finding::new();
    let password = system.passwords()?.of("root").map(|root| root.password.clone());
    let (holds, found) = match password.as_deref() {
        None => (false, "no entry"),
        Some("") => (false, "no password"),
        Some(locked) if locked.starts_with(['!', '*']) => (or_lock, "locked"),
        Some(hash) if is_hash(hash) => (true, "a hashed password"),
        Some(_) => (false, "something that is neither a hash nor a lock"),
    };
    let place = place_of(SHADOW, &text, "root");
    let wanted =
        if or_lock { "root has a hashed password or is locked" } else { "root has a hashed password" };
    finding.persistent(holds, found, wanted, place);
    if !holds {
        finding.manual("only its owner can choose the password of root: passwd root");
    }
    Ok(finding)
}

/// Whether a password field is `$method$…`.
fn is_hash(field: &str) -> bool {
    let Some((method, rest)) = field.strip_prefix('$').and_then(|field| field.split_once('$')) else {
        return false;
    };
    !rest.is_empty() && (method == "y" || method.starts_with(|c: char| c.is_ascii_digit()))
}
