//! Which accounts must keep access: those that are named, or those that get in and become root now.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::setting::sudo::file::{Entry, Line, lines};
use crate::system::{Accounts, System, Tool};

/// Groups whose members become root where no sudoers file can be read.
const ADMINISTRATORS: [&str; 3] = ["sudo", "wheel", "admin"];

/// How deep aliases name each other.
const MAX_DEPTH: usize = 16;

/// The names of all who may become root, as far as sudoers files tell; root first.
///
/// # Errors
/// When the account files cannot be read.
pub fn candidates(system: &System) -> Result<Vec<String>> {
    let accounts = system.accounts()?;
    let mut names: Vec<String> =
        accounts.users.iter().filter(|user| user.uid == 0).map(|user| user.name.clone()).collect();
    let mut found = Found { system, accounts, lines: Vec::new(), names: BTreeSet::new() };
    match lines(system) {
        Ok(lines) => found.lines = lines,
        Err(_) => {
            found.names.extend(accounts.interactive().map(|user| user.name.clone()));
            ADMINISTRATORS.iter().for_each(|group| found.group(group));
        }
    }
    let grants: Vec<String> = found
        .lines
        .iter()
        .filter_map(|line| match &line.entry {
            Entry::Grant(grant) => Some(grant.who.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    grants.iter().for_each(|member| found.member(member, 0));
    // Who calls the agent with sudo is somebody who becomes root.
    found.names.extend(std::env::var("SUDO_USER").ok());
    let roots: BTreeSet<String> = names.iter().cloned().collect();
    names.extend(found.names.difference(&roots).cloned());
    Ok(names)
}

struct Found<'a> {
    system: &'a System,
    accounts: &'a Accounts,
    lines: Vec<Line>,
    names: BTreeSet<String>,
}

impl Found<'_> {
    /// Adds those whom a member of a sudoers user list means.
    fn member(&mut self, member: &str, depth: usize) {
        let alias = self.lines.iter().find_map(|line| match &line.entry {
            Entry::UserAlias(name, members) if name == member => Some(members.clone()),
            _ => None,
        });
        if let Some(members) = alias.filter(|_| depth < MAX_DEPTH) {
            members.iter().for_each(|name| self.member(name, depth + 1));
        } else if member == "ALL" {
            self.names.extend(self.accounts.interactive().map(|user| user.name.clone()));
        } else if let Some(group) = member.strip_prefix('%') {
            self.group(&group.replace("\\ ", " ").replace("\\x20", " "));
        } else if let Some(uid) = member.strip_prefix('#') {
            let user = self.accounts.users.iter().find(|user| user.uid.to_string() == uid);
            self.names.extend(user.map(|user| user.name.clone()));
        } else if !member.starts_with(['!', '+']) {
            self.names.insert(member.to_owned());
        }
    }

    /// Adds the members of a group, of the machine's own files or of another name service.
    fn group(&mut self, name: &str) {
        if let Some(group) = self.accounts.group(name) {
            let primary = self.accounts.users.iter().filter(|user| user.gid == group.gid);
            self.names.extend(primary.map(|user| user.name.clone()).chain(group.members.iter().cloned()));
        }
        let told = self.system.run_on_host(Tool::Getent, &["group", "--", name], None);
        let Ok(Ok(output)) = told.map(crate::system::Output::success) else { return };
        let members = output.stdout.trim_end().rsplit(':').next().unwrap_or_default().to_owned();
        self.names.extend(members.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
}
