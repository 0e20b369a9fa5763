//! A configuration of the ssh daemon that is on disk and that the running daemon has not read yet.
//!
//! Who gets in now may be shut out once the daemon reads it. Then it must not be told to, and nothing may be built on it.

use std::fs;
use std::time::SystemTime;

use super::connection::Connection;
use super::person::Person;
use super::ssh::{Daemon, has_means};
use super::{Account, Aspect};
use crate::setting::sshd::config::Files;
use crate::system::System;

/// Who would be shut out when the daemon reads what it has not read yet; `None` where nobody would.
///
/// `people` and `accounts` are the same, in the same order; where they were not `named`, those count who can become root.
pub fn look(system: &System, people: &[Person], accounts: &[Account], named: bool) -> Option<String> {
    let daemon = Daemon::of(system).ok()?;
    let mut files: Option<Vec<String>> = None;
    let both = people.iter().zip(accounts);
    for (person, account) in both.filter(|(_, account)| named || account.ways.to_root()) {
        let ways = [&account.ways.ssh_key, &account.ways.ssh_password];
        let shut = ways.into_iter().find(|way| !way.open && way.aspect == Aspect::Ssh);
        let Some(shut) = shut.filter(|_| !account.ways.remote()) else { continue };
        let settings = daemon.settings(system, &person.name, &Connection::own(), &[]).ok()?;
        if !has_means(system, &settings, person) {
            continue;
        }
        let files = files.get_or_insert_with(|| newer(system, settings.value("pidfile")).unwrap_or_default());
        if files.is_empty() {
            return None;
        }
        return Some(format!(
            "the ssh daemon has not read {} yet, and once it does '{}' is shut out ({}); mend that, or reload the daemon, first",
            files.join(", "),
            person.name,
            shut.why
        ));
    }
    None
}

/// The files of the configuration that changed since the daemon last read them: it writes its number anew each time.
fn newer(system: &System, number: &str) -> Option<Vec<String>> {
    let changed =
        |path: &str| -> Option<SystemTime> { fs::metadata(system.host_path(path)).ok()?.modified().ok() };
    let read = changed(number)?;
    let files = Files::new(system).texts().ok()?;
    let files = files.keys().map(|path| path.display().to_string());
    Some(files.filter(|path| changed(path).is_some_and(|time| time > read)).collect())
}
