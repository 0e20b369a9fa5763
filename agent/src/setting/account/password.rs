//! Passwords: where they are, that there are some, and when they were changed.

use anyhow::Result;

use super::file::{place_of, with_field};
use super::{PASSWD, SHADOW, administers, or_well, today};
use crate::change::Change;
use crate::finding::Finding;
use crate::setting::login_defs;
use crate::system::System;

/// See [`super::Account::PasswordsAreShadowed`].
pub fn shadowed(system: &System) -> Result<Finding> {
    let text = system.read_text(PASSWD)?.unwrap_or_default();
    let mut finding = Finding::new();
    let wanted = "the password field is x";
    for user in system.accounts()?.users.iter().filter(|user| !matches!(user.password.as_str(), "x" | "*")) {
        let place = place_of(PASSWD, &text, &user.name);
        let found = if user.password.is_empty() { "no password at all" } else { "something else" };
        finding.persistent(false, format!("{}: {found}", user.name), wanted, place);
        finding.manual("an entry in both files must be put right by hand: pwconv, then passwd");
    }
    Ok(or_well(finding, "all in the shadow file", wanted, PASSWD))
}

/// See [`super::Account::NoEmptyPasswords`].
pub fn empty(system: &System) -> Result<Finding> {
    let accounts = system.accounts()?;
    let text = system.read_text(SHADOW)?.unwrap_or_default();
    let mut locked = text.clone();
    let mut finding = Finding::new();
    let mut needed = Vec::new();
    for entry in system.passwords()?.entries.iter().filter(|entry| entry.password.is_empty()) {
        let place = place_of(SHADOW, &text, &entry.name);
        finding.persistent(false, format!("{} has an empty password", entry.name), "none is empty", place);
        locked = with_field(&locked, &entry.name, 1, "!");
        if administers(accounts, &entry.name) {
            needed.push(entry.name.as_str());
        }
    }
    if !needed.is_empty() {
        let names = needed.join(", ");
        finding.manual(format!(
            "{names} administers this machine and is not locked: set a password with passwd"
        ));
    } else if locked != text {
        finding.change(Change::WriteFile { path: SHADOW.into(), content: locked, mode: 0o640 });
    }
    Ok(or_well(finding, "none is empty", "none is empty", SHADOW))
}

/// See [`super::Account::SystemAccountsAreLocked`].
pub fn system_accounts(system: &System) -> Result<Finding> {
    let accounts = system.accounts()?;
    let passwords = system.passwords()?;
    let text = system.read_text(SHADOW)?.unwrap_or_default();
    let first = login_defs::number(system, "UID_MIN")?.unwrap_or(1000);
    let mut locked = text.clone();
    let mut finding = Finding::new();
    let mut needed = Vec::new();
    let wanted = format!("accounts with ids below {first} have a locked password");
    let people = ["root", "halt", "sync", "shutdown", "nfsnobody"];
    for user in accounts.users.iter().filter(|user| user.uid < first && !people.contains(&user.name.as_str()))
    {
        let Some(entry) = passwords.of(&user.name) else { continue };
        if entry.password.starts_with(['!', '*']) {
            continue;
        }
        let place = place_of(SHADOW, &text, &user.name);
        let found = if entry.password.is_empty() { "an empty password" } else { "a password" };
        finding.persistent(false, format!("{} has {found}", user.name), &wanted, place);
        locked = with_field(&locked, &user.name, 1, &format!("!{}", entry.password));
        if administers(accounts, &user.name) {
            needed.push(user.name.as_str());
        }
    }
    if !needed.is_empty() {
        let names = needed.join(", ");
        finding.manual(format!(
            "{names} administers this machine; give it an id for people, or lock it by hand"
        ));
    } else if locked != text {
        finding.change(Change::WriteFile { path: SHADOW.into(), content: locked, mode: 0o640 });
    }
    Ok(or_well(finding, "all are", &wanted, SHADOW))
}

/// See [`super::Account::LastChangesArePast`].
pub fn last_changes(system: &System) -> Result<Finding> {
    let text = system.read_text(SHADOW)?.unwrap_or_default();
    let today = today();
    let mut finding = Finding::new();
    let wanted = "every password was changed today or before";
    for entry in &system.passwords()?.entries {
        let none = matches!(entry.password.as_str(), "!" | "!!" | "!*" | "*" | "!locked");
        let ahead = entry.last_change.map_or(0, |day| day - today);
        if !none && ahead > 0 {
            let place = place_of(SHADOW, &text, &entry.name);
            finding.persistent(false, format!("{}: in {ahead} days", entry.name), wanted, place);
            finding.manual(
                "when it was changed is not known: check the clock, then change it or set the day (chage -d)",
            );
        }
    }
    Ok(or_well(finding, "all are past", wanted, SHADOW))
}
