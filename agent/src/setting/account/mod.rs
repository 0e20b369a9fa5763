//! Local accounts: `passwd(5)`, `shadow(5)`, `group(5)`.
//!
//! Each check is a variant of [`Account`], in a file by what it is about. What only its owner can decide (which of two accounts
//! with one number is meant) is left to a person; and nothing here locks or expires root or somebody who administers the machine
//! ([`administers`]). To add a check, add a variant, its line in [`Account::examine`] and its sentence.

mod days;
mod file;
mod group;
mod password;
mod root;
mod shell;
mod unique;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use days::PasswordDays;
pub use group::EmptyGroup;

use super::Setting;
use crate::finding::Finding;
use crate::system::{Accounts, System};

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";
const GROUP: &str = "/etc/group";

/// Something that must be so of all local accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Account {
    /// No two users have the same id.
    UniqueUserIds,
    /// No two users have the same name.
    UniqueUserNames,
    /// No two groups have the same id.
    UniqueGroupIds,
    /// No two groups have the same name.
    UniqueGroupNames,
    /// The primary group of every user is there.
    PrimaryGroupsExist,
    /// Users with id 0 beside root are locked.
    OnlyRootHasUidZero,
    /// The primary group of root is 0.
    RootHasGidZero,
    /// No group beside root has id 0.
    OnlyRootGroupHasGidZero,
    /// root has a hashed password, or a locked one.
    RootHasPasswordOrLock,
    /// root has a hashed password.
    RootHasPassword,
    /// No password is in `/etc/passwd`.
    PasswordsAreShadowed,
    /// No password is empty.
    NoEmptyPasswords,
    /// No password was changed in the future.
    LastChangesArePast,
    /// System accounts have no login shell.
    SystemAccountsHaveNoShell,
    /// System accounts have no login shell, or `/bin/false`.
    SystemAccountsHaveNoShellOrFalse,
    /// The passwords of system accounts are locked.
    SystemAccountsAreLocked,
    /// Users whose shell is not in `/etc/shells` have no usable password.
    UnlistedShellsAreLocked,
    /// `nologin` is not in `/etc/shells`.
    NologinIsNoValidShell,
    /// A group has no members.
    EmptyGroup(EmptyGroup),
    /// The ages in `/etc/shadow` are within bounds.
    PasswordDays(PasswordDays),
}

impl Setting for Account {
    fn examine(&self, system: &System) -> Result<Finding> {
        match self {
            Account::UniqueUserIds => unique::user_ids(system),
            Account::UniqueUserNames => unique::user_names(system),
            Account::UniqueGroupIds => unique::group_ids(system),
            Account::UniqueGroupNames => unique::group_names(system),
            Account::PrimaryGroupsExist => unique::primary_groups(system),
            Account::OnlyRootHasUidZero => root::user_ids(system),
            Account::RootHasGidZero => root::group_id(system),
            Account::OnlyRootGroupHasGidZero => root::groups(system),
            Account::RootHasPasswordOrLock => root::password(system, true),
            Account::RootHasPassword => root::password(system, false),
            Account::PasswordsAreShadowed => password::shadowed(system),
            Account::NoEmptyPasswords => password::empty(system),
            Account::LastChangesArePast => password::last_changes(system),
            Account::SystemAccountsHaveNoShell => shell::system_accounts(system, &[]),
            Account::SystemAccountsHaveNoShellOrFalse => shell::system_accounts(system, &shell::FALSE),
            Account::SystemAccountsAreLocked => password::system_accounts(system),
            Account::UnlistedShellsAreLocked => shell::unlisted(system),
            Account::NologinIsNoValidShell => shell::nologin(system),
            Account::EmptyGroup(group) => group.examine(system),
            Account::PasswordDays(days) => days.examine(system),
        }
    }

    fn describe(&self) -> String {
        let text = match self {
            Account::UniqueUserIds => "no two users of /etc/passwd have the same id",
            Account::UniqueUserNames => "no two users of /etc/passwd have the same name",
            Account::UniqueGroupIds => "no two groups of /etc/group have the same id",
            Account::UniqueGroupNames => "no two groups of /etc/group have the same name",
            Account::PrimaryGroupsExist => "the primary group of every user is in /etc/group",
            Account::OnlyRootHasUidZero => "users with id 0 beside root have a locked password",
            Account::RootHasGidZero => "the primary group of root is 0",
            Account::OnlyRootGroupHasGidZero => "no group beside root has id 0",
            Account::RootHasPasswordOrLock => "root has a hashed or a locked password",
            Account::RootHasPassword => "root has a hashed password",
            Account::PasswordsAreShadowed => "no password is in /etc/passwd",
            Account::NoEmptyPasswords => "no password in /etc/shadow is empty",
            Account::LastChangesArePast => "no password in /etc/shadow was changed in the future",
            Account::SystemAccountsHaveNoShell => "system accounts have no login shell",
            Account::SystemAccountsHaveNoShellOrFalse => "system accounts have no login shell, or /bin/false",
            Account::SystemAccountsAreLocked => "the passwords of system accounts are locked",
            Account::UnlistedShellsAreLocked => "users whose shell is not in /etc/shells are locked",
            Account::NologinIsNoValidShell => "nologin is not in /etc/shells",
            Account::EmptyGroup(group) => return group.describe(),
            Account::PasswordDays(days) => return days.describe(),
        };
        text.to_owned()
    }
}

/// Whether a user is root, or in a group whose members administer a machine.
fn administers(accounts: &Accounts, name: &str) -> bool {
    let is_in = |group: &str| {
        accounts.group(group).is_some_and(|group| {
            let primary = accounts.user(name).is_some_and(|user| user.gid == group.gid);
            primary || group.members.iter().any(|member| member == name)
        })
    };
    name == "root" || ["sudo", "wheel", "admin"].into_iter().any(is_in)
}

/// Days since 1970, today.
fn today() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs() / 86_400).unwrap_or(i64::MAX))
}

/// A finding that all is well, where nothing was found to say against it.
fn or_well(mut finding: Finding, found: impl Into<String>, wanted: &str, place: &str) -> Finding {
    if finding.evidence.is_empty() {
        finding.persistent(true, found, wanted, place);
    }
    finding
}

#[cfg(test)]
mod tests;
