//! The door: how the accounts that must keep access get in, proved with the machine's own programs.
//!
//! A [`Door`] is looked at before rules change anything about access, and again afterwards ([`Door::compare`]): who got in over
//! the network, or became root, and does no longer, is lost. A key login is made for real ([`trial`], `system/login.rs`), and so
//! is `sudo` where it asks for no password ([`sudo`]); what would need a password, which nobody knows, is judged by what `sshd -T`,
//! `shadow` and the PAM stacks say ([`ssh`], [`person`], [`pam`]). Accounts of a domain that nobody lists are looked after by what
//! lets them in ([`domain`]).
//!
//! To look at another way in, add it to [`way::Ways`], a file here that judges or tries it, and say in [`compare`] what its loss
//! means.

mod compare;
mod connection;
mod domain;
mod keep;
mod keys;
mod pam;
mod person;
mod ssh;
mod sudo;
mod trial;
mod unread;
mod way;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;

pub use compare::{Comparison, Lost, What};
pub use way::{Aspect, Class, Way, Ways};

use crate::system::{System, Tool};
use connection::Connection;
use domain::Domain;
use person::{Age, Person};
use ssh::Daemon;
use trial::Proof;
use way::{Closed, Gate, ToRoot};

/// So many logins are tried at a time; what is beyond is judged.
const MOST_TRIED: usize = 16;

/// So many accounts are looked at when none are named.
const MOST_KEPT: usize = 32;

/// After so long an account that was not found is looked for once more.
const SECOND_TRY: Duration = Duration::from_secs(3);

/// An account with its ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Whether it is in the machine's own files.
    pub local: bool,
    /// Its ways.
    pub ways: Ways,
    #[serde(skip)]
    uid: u32,
    #[serde(skip)]
    proof: Option<Proof>,
}

/// How each account that must keep access gets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Door {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// What is to be known besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Who is shut out once the ssh daemon reads what it has not read yet: then it must not be told to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    #[serde(skip)]
    domain: Domain,
}

impl Door {
    /// How each account that must keep access gets in now: those of `keep`, or those that get in and become root.
    ///
    /// # Errors
    /// When the account files cannot be read.
    pub fn look(system: &System, keep: Option<&[String]>) -> Result<Door> {
        let names = match keep {
            Some(names) => names.to_vec(),
            None => keep::candidates(system)?,
        };
        let mut problems = Vec::new();
        let mut people = Vec::new();
        for name in names {
            match Person::find(system, &name)? {
                Some(person) => people.push(person),
                None if keep.is_some() => {
                    problems.push(format!("'{name}' must keep access, and there is no such account"));
                }
                None => {}
            }
        }
        if keep.is_none() && people.len() > MOST_KEPT {
            people.truncate(MOST_KEPT);
            problems.push(format!(
                "more than {MOST_KEPT} accounts become root: only the first are looked after; name those that matter in access.keep"
            ));
        }
        let mut accounts = accounts(system, &people)?;
        let unread = unread::look(system, &people, &accounts, keep.is_some());
        match keep {
            None => accounts.retain(|account| account.ways.any() && account.ways.to_root()),
            Some(_) => {
                let shut = accounts.iter().filter(|account| !account.ways.any());
                problems.extend(shut.map(|account| {
                    format!(
                        "'{}' must keep access, and there is no way in now: {}",
                        account.name,
                        account.why_shut()
                    )
                }));
            }
        }
        Ok(Door { accounts, problems, unread, domain: Domain::look(system)? })
    }

    /// Ways that were open and are closed now, as far as nothing else makes up for them.
    ///
    /// # Errors
    /// When the account files cannot be read.
    pub fn lost(&self, system: &System) -> Result<Vec<Lost>> {
        Ok(self.compare(system, None)?.lost)
    }

    /// What became of the ways; of those of the accounts named by `only`, where others are known to be as they were.
    ///
    /// # Errors
    /// When the account files cannot be read.
    pub fn compare(&self, system: &System, only: Option<&BTreeSet<String>>) -> Result<Comparison> {
        let looked_at = |account: &&Account| only.is_none_or(|only| only.contains(&account.name));
        let mut people = Vec::new();
        for account in self.accounts.iter().filter(looked_at) {
            let mut found = Person::find(system, &account.name)?;
            if found.is_none() && !account.local {
                // A domain that does not answer for a moment has not lost its accounts.
                std::thread::sleep(SECOND_TRY);
                found = Person::find(system, &account.name)?;
            }
            people.extend(found);
        }
        let mut now = accounts(system, &people)?;
        self.once_more(system, &people, &mut now)?;
        Ok(compare::compare(self, &now, &Domain::look(system)?, only))
    }

    /// A login that came through before and now ended without a reason is tried once more; then it counts.
    fn once_more(&self, system: &System, people: &[Person], now: &mut [Account]) -> Result<()> {
        for (person, account) in people.iter().zip(now) {
            let came_in = self.accounts.iter().any(|was| was.name == account.name && was.came_in());
            if !came_in || account.came_in() {
                continue;
            }
            if let Some(again) = accounts(system, std::slice::from_ref(person))?.pop() {
                *account = again;
            }
            if let Some(Proof::Unclear(closed)) = &account.proof {
                account.ways.ssh_key = Way::closed(closed.clone());
                account.ways.ssh_password = Way::closed(closed.clone());
            }
        }
        Ok(())
    }
}

impl Account {
    fn came_in(&self) -> bool {
        matches!(self.proof, Some(Proof::In | Proof::NewPassword))
    }

    /// Why there is no way in.
    fn why_shut(&self) -> String {
        let Ways { ssh_key, ssh_password, console, .. } = &self.ways;
        let mut reasons = vec![ssh_key.why.clone(), ssh_password.why.clone(), console.why.clone()];
        reasons.dedup();
        reasons.join("; ")
    }
}

/// The ways of some accounts. Logins are tried for all of them together.
fn accounts(system: &System, people: &[Person]) -> Result<Vec<Account>> {
    let daemon = Daemon::of(system);
    let own = Connection::own();
    let mut gates = Vec::new();
    let mut trials = Vec::new();
    for (index, person) in people.iter().enumerate() {
        let settings = daemon
            .as_ref()
            .map_err(Closed::clone)
            .and_then(|daemon| daemon.settings(system, &person.name, &own, &[]));
        let judged = match &settings {
            Ok(settings) => ssh::judge(system, settings, person, &own)?,
            Err(closed) => (Err(closed.clone()), Err(closed.clone())),
        };
        if trials.len() < MOST_TRIED
            && (judged.0.is_ok() || judged.1.is_ok())
            && let (Ok(daemon), Ok(settings)) = (&daemon, &settings)
            && let Some(trial) = trial::of(system, daemon, settings, person)
        {
            trials.push((index, trial));
        }
        gates.push(judged);
    }
    // Who becomes root is seen while logins are tried: programs are waited for both times.
    let (proofs, sudo): (_, Vec<ToRoot>) = std::thread::scope(|scope| {
        let proving = scope.spawn(|| proofs(system, trials, people.len()));
        let sudo = people.iter().map(|person| sudo::look(system, person)).collect();
        (proving.join(), sudo)
    });
    let Ok(proofs) = proofs else { bail!("trying a login ended early") };
    let all = people.iter().zip(gates).zip(proofs).zip(sudo);
    let mut accounts: Vec<Account> =
        all.map(|(((person, gates), proof), sudo)| account(system, person, gates, proof, sudo)).collect();
    if let Ok(daemon) = &daemon {
        elsewhere(system, daemon, people, &mut accounts)?;
    }
    Ok(accounts)
}

/// Opens the ways of those who are shut out on the machine itself and let in from elsewhere. Nobody can try those from here.
fn elsewhere(system: &System, daemon: &Daemon, people: &[Person], accounts: &mut [Account]) -> Result<()> {
    let by_ssh = |way: &Way| !way.open && way.aspect == Aspect::Ssh;
    let connections = Connection::elsewhere(system);
    for (person, account) in people.iter().zip(accounts) {
        for connection in &connections {
            let ways = &mut account.ways;
            if !by_ssh(&ways.ssh_key) && !by_ssh(&ways.ssh_password) {
                break;
            }
            let Ok(settings) = daemon.settings(system, &person.name, connection, &[]) else { continue };
            let (with_key, with_password) = ssh::judge(system, &settings, person, connection)?;
            let with_password = with_password.and_then(|()| pam::lets(system, "sshd"));
            for (gate, way) in [(with_key, &mut ways.ssh_key), (with_password, &mut ways.ssh_password)] {
                if gate.is_ok() && by_ssh(way) {
                    *way = Way::judged(format!("from {} only", connection.place));
                }
            }
        }
    }
    Ok(())
}

/// What each account's login proved; nothing where none was tried.
fn proofs(system: &System, trials: Vec<(usize, crate::system::Trial)>, count: usize) -> Vec<Option<Proof>> {
    let mut proofs = vec![None; count];
    if trials.is_empty() || !system.has_tool(Tool::Ssh) || !system.has_tool(Tool::SshKeygen) {
        return proofs;
    }
    let (indexes, trials): (Vec<usize>, Vec<_>) = trials.into_iter().unzip();
    let outcomes = match system.log_in(&trials) {
        Ok(attempts) => attempts.iter().map(trial::judge).collect(),
        Err(error) => vec![Proof::Unclear(Closed::by(Aspect::Ssh, format!("{error:#}"))); trials.len()],
    };
    for (index, outcome) in indexes.into_iter().zip(outcomes) {
        if let Some(proof) = proofs.get_mut(index) {
            *proof = Some(outcome);
        }
    }
    proofs
}

fn account(
    system: &System,
    person: &Person,
    gates: (Gate, Gate),
    proof: Option<Proof>,
    sudo: ToRoot,
) -> Account {
    let (with_key, with_password) = gates;
    let ssh_key = match (&with_key, &proof) {
        (Ok(()), Some(Proof::In)) => Way::proved(),
        (Ok(()), Some(Proof::Refused(closed))) => Way::closed(closed.clone()),
        (Ok(()), Some(Proof::NewPassword)) => {
            Way::closed(Closed::by(Aspect::Pam, "a new password must be typed in first"))
        }
        (Ok(()), Some(Proof::Unclear(closed))) => Way::judged(format!("not proved: {}", closed.why)),
        _ => Way::through(with_key),
    };
    let new = person.age == Age::MustChange || proof == Some(Proof::NewPassword);
    let ssh_password = match (with_password.and_then(|()| pam::lets(system, "sshd")), &proof) {
        (Ok(()), Some(Proof::Refused(closed))) => Way::closed(closed.clone()),
        (Ok(()), _) if new => Way::judged("a new password is asked for"),
        (Ok(()), Some(Proof::In)) => Way::judged("proved but for the password itself"),
        (gate, _) => Way::through(gate),
    };
    let console = Way::through(person.password_gate().and_then(|()| pam::lets(system, "login")));
    let ways = Ways { ssh_key, ssh_password, console, sudo };
    Account { name: person.name.clone(), local: person.local, ways, uid: person.uid, proof }
}

#[cfg(test)]
mod tests;
