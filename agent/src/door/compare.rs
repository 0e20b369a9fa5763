//! What it means when ways are closed that were open.

use std::collections::BTreeSet;

use super::domain::Domain;
use super::way::{Aspect, Class, Way, Ways};
use super::{Account, Door};

/// Access that is lost: nothing else makes up for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// Whose.
    pub account: String,
    /// What.
    pub what: What,
    /// What closed it.
    pub aspect: Aspect,
    /// What is lost and why, in a sentence.
    pub sentence: String,
}

impl Lost {
    /// Whether it is the same access of the same account, whatever closed it.
    pub fn same(&self, other: &Lost) -> bool {
        (&self.account, self.what) == (&other.account, other.what)
    }
}

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The way in.
    Login,
    /// The way to root.
    Root,
}

/// What became of the ways.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Access that is lost.
    pub lost: Vec<Lost>,
    /// Ways that are closed, where another stays open.
    pub notes: Vec<String>,
}

/// Compares the accounts of a door with how they are now. Those that `only` leaves out are as they were.
pub fn compare(door: &Door, now: &[Account], domain: &Domain, only: Option<&BTreeSet<String>>) -> Comparison {
    let current = |was: &Account| now.iter().find(|account| account.name == was.name).cloned();
    let mut comparison = Comparison::default();
    let mut rooted = false;
    let mut pairs = Vec::new();
    for was in &door.accounts {
        let is = match only.is_some_and(|only| !only.contains(&was.name)) {
            true => Some(was.clone()),
            false => current(was),
        };
        rooted |= is.as_ref().is_some_and(|is| is.uid != 0 && is.ways.remote() && is.ways.to_root());
        pairs.push((was, is));
    }
    for (was, is) in pairs {
        match is {
            Some(is) => comparison.account(was, &is, rooted),
            None if was.ways.any() => comparison.lost.push(Lost {
                account: was.name.clone(),
                what: What::Login,
                aspect: Aspect::Pam,
                sentence: format!("'{}' could no longer log in: the account is gone", was.name),
            }),
            None => {}
        }
    }
    comparison.lost.extend(door.domain.lost(domain));
    comparison
}

impl Comparison {
    /// Adds what became of one account. With `rooted`, somebody else gets in over ssh and becomes root.
    fn account(&mut self, was: &Account, is: &Account, rooted: bool) {
        let name = &was.name;
        let shut = closed(&was.ways, &is.ways);
        let remote = was.ways.remote() && !is.ways.remote();
        let last = !was.ways.remote() && was.ways.any() && !is.ways.any();
        let told = shut.iter().map(|(what, way)| format!("{what}: {}", way.why)).collect::<Vec<_>>();
        if remote || last {
            let place = if remote { "log in over ssh" } else { "log in" };
            let aspect = shut.first().map_or(Aspect::Ssh, |(_, way)| way.aspect);
            let sentence = format!("'{name}' could no longer {place} ({})", told.join("; "));
            if was.uid == 0 && rooted {
                self.notes.push(format!("{sentence}; others get in and become root"));
            } else {
                self.lost.push(Lost { account: name.clone(), what: What::Login, aspect, sentence });
            }
        } else {
            self.notes
                .extend(told.iter().map(|what| format!("'{name}' gets in as before, but for this: {what}")));
        }
        let (before, after) = (was.ways.sudo.class, &is.ways.sudo);
        if before > Class::None && after.class == Class::None {
            let sentence = format!("'{name}' could no longer become root: {}", after.why);
            self.lost.push(Lost { account: name.clone(), what: What::Root, aspect: after.aspect, sentence });
        } else if before > after.class {
            self.notes.push(format!("'{name}' is asked for a password by sudo now"));
        }
    }
}

/// The ways that were open and are closed.
fn closed<'a>(was: &Ways, is: &'a Ways) -> Vec<(&'static str, &'a Way)> {
    let ways = [
        ("with a key over ssh", &was.ssh_key, &is.ssh_key),
        ("with a password over ssh", &was.ssh_password, &is.ssh_password),
        ("with a password at the console", &was.console, &is.console),
    ];
    ways.into_iter().filter(|(_, was, is)| was.open && !is.open).map(|(what, _, is)| (what, is)).collect()
}
