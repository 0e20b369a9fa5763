//! Names and numbers that must not appear twice, and groups that must be there.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::Result;

use super::{GROUP, PASSWD, or_well};
use crate::finding::Finding;
use crate::system::System;

/// See [`super::Account::UniqueUserIds`].
pub fn user_ids(system: &System) -> Result<Finding> {
    let users = &system.accounts()?.users;
    Ok(twice(users.iter().map(|user| (user.uid, user.name.as_str())), "user id", PASSWD))
}

/// See [`super::Account::UniqueUserNames`].
pub fn user_names(system: &System) -> Result<Finding> {
    let users = &system.accounts()?.users;
    Ok(twice(users.iter().map(|user| (user.name.as_str(), user.name.as_str())), "user name", PASSWD))
}

/// See [`super::Account::UniqueGroupIds`].
pub fn group_ids(system: &System) -> Result<Finding> {
    let groups = &system.accounts()?.groups;
    Ok(twice(groups.iter().map(|group| (group.gid, group.name.as_str())), "group id", GROUP))
}

/// See [`super::Account::UniqueGroupNames`].
pub fn group_names(system: &System) -> Result<Finding> {
    let groups = &system.accounts()?.groups;
    Ok(twice(groups.iter().map(|group| (group.name.as_str(), group.name.as_str())), "group name", GROUP))
}

fn twice<'a, K: Ord + Display>(
    entries: impl Iterator<Item = (K, &'a str)>,
    what: &str,
    file: &str,
) -> Finding {
    let mut names: BTreeMap<K, Vec<&str>> = BTreeMap::new();
    for (key, name) in entries {
        names.entry(key).or_default().push(name);
    }
    let wanted = format!("every {what} once");
    let mut finding = Finding::new();
    for (key, names) in names.iter().filter(|(_, names)| names.len() > 1) {
        finding.persistent(false, format!("{what} {key}: {}", names.join(", ")), &wanted, file);
    }
    if !finding.evidence.is_empty() {
        finding.manual(format!("which entry with the same {what} is meant must be decided by a person"));
    }
    or_well(finding, "each once", &wanted, file)
}

/// See [`super::Account::PrimaryGroupsExist`].
pub fn primary_groups(system: &System) -> Result<Finding> {
    let accounts = system.accounts()?;
    let mut finding = Finding::new();
    let wanted = "the primary group of every user is there";
    for user in &accounts.users {
        if !accounts.groups.iter().any(|group| group.gid == user.gid) {
            finding.persistent(false, format!("{}: no group has id {}", user.name, user.gid), wanted, GROUP);
        }
    }
    if !finding.evidence.is_empty() {
        finding.manual("which group is meant must be decided by a person: groupadd or usermod -g");
    }
    Ok(or_well(finding, "all there", wanted, GROUP))
}
