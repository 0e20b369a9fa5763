//! An account as the name services know it, its password and how old that may get.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::way::{Aspect, Closed, Gate};
use crate::system::{FileKind, Shadow, System, Tool, User};

/// Endings of shells that let nobody in.
const NO_SHELLS: [&str; 2] = ["/nologin", "/false"];

/// What there is of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// One that can be typed.
    Here,
    /// It is kept by another machine.
    Elsewhere,
    /// None, or none that can be typed.
    None,
}

/// How old a password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Young enough.
    Good,
    /// Whoever logs in must change it first.
    MustChange,
    /// So old, or the account itself, that nobody is let in.
    Over,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Main group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// Whether it is in the machine's own files.
    pub local: bool,
    /// Its password.
    pub password: Password,
    /// The password's age.
    pub age: Age,
    /// Whether the account is locked (`passwd -l`).
    pub locked: bool,
}

impl Person {
    /// The account of that name, of the machine's own files or of another name service; `None` when none knows it.
    ///
    /// # Errors
    /// When the account files cannot be read.
    pub fn find(system: &System, name: &str) -> Result<Option<Person>> {
        let accounts = system.accounts()?;
        if let Some(user) = accounts.user(name) {
            let member =
                |group: &&crate::system::Group| group.gid == user.gid || group.members.contains(&user.name);
            let groups = accounts.groups.iter().filter(member).map(|group| group.name.clone()).collect();
            return Ok(Some(Person::local(user, groups, system.passwords()?.of(name))));
        }
        Ok(Person::elsewhere(system, name))
    }

    fn local(user: &User, groups: Vec<String>, shadow: Option<&Shadow>) -> Person {
        let hash = match shadow {
            Some(shadow) => shadow.password.as_str(),
            None => user.password.as_str(),
        };
        let usable = !hash.is_empty() && !hash.starts_with(['!', '*']) && hash != "x";
        Person {
            name: user.name.clone(),
            uid: user.uid,
            gid: user.gid,
            home: user.home.clone(),
            shell: user.shell.clone(),
            groups,
            local: true,
            password: if usable { Password::Here } else { Password::None },
            age: shadow.map_or(Age::Good, |shadow| age(shadow, today())),
            locked: hash.starts_with('!'),
        }
    }

    /// An account that only other name services know. Where they do not answer, there is none.
    fn elsewhere(system: &System, name: &str) -> Option<Person> {
        let ask =
            |tool, args: &[&str]| Some(system.run_on_host(tool, args, None).ok()?.success().ok()?.stdout);
        let line = ask(Tool::Getent, &["passwd", "--", name])?;
        let parts: Vec<&str> = line.trim_end().split(':').collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or_default();
        let groups = ask(Tool::Id, &["-Gnz", "--", name]).unwrap_or_default();
        Some(Person {
            name: part(0).to_owned(),
            uid: part(2).parse().ok()?,
            gid: part(3).parse().ok()?,
            home: part(5).to_owned(),
            shell: part(6).to_owned(),
            groups: groups.split('\0').filter(|group| !group.trim().is_empty()).map(str::to_owned).collect(),
            local: false,
            password: Password::Elsewhere,
            age: Age::Good,
            locked: false,
        })
    }

    /// Whether a password leads in: there is one, and it is not too old.
    pub fn password_gate(&self) -> Gate {
        if self.password == Password::None {
            return Err(Closed::by(Aspect::Pam, "the account has no password"));
        }
        self.open_gate()
    }

    /// Whether the account itself is open: not expired, and with a shell.
    pub fn open_gate(&self) -> Gate {
        if self.age == Age::Over {
            return Err(Closed::by(Aspect::Pam, "the account, or its password, has expired"));
        }
        if NO_SHELLS.iter().any(|shell| self.shell.ends_with(shell)) {
            return Err(Closed::by(Aspect::Pam, format!("its shell {} lets nobody in", self.shell)));
        }
        Ok(())
    }

    /// Whether the shell is there.
    ///
    /// # Errors
    /// When the machine refuses to tell.
    pub fn shell_gate(&self, system: &System) -> Result<Gate> {
        let shell = if self.shell.is_empty() { "/bin/sh" } else { &self.shell };
        let there = system
            .meta_followed(shell)?
            .is_some_and(|meta| meta.kind == FileKind::Regular && meta.mode & 0o111 != 0);
        Ok(if there {
            Ok(())
        } else {
            Err(Closed::by(Aspect::Pam, format!("its shell {shell} is not there")))
        })
    }
}

/// How old a password is on a day, as `shadow(5)` counts.
fn age(shadow: &Shadow, day: i64) -> Age {
    let set = |number: Option<i64>| number.filter(|number| *number >= 0);
    if set(shadow.expire).is_some_and(|expire| day >= expire) {
        return Age::Over;
    }
    let Some(changed) = set(shadow.last_change) else { return Age::Good };
    if changed == 0 {
        return Age::MustChange;
    }
    let old = day - changed;
    match (set(shadow.max), set(shadow.inactive)) {
        (Some(max), Some(inactive)) if old > max + inactive => Age::Over,
        (Some(max), _) if old > max => Age::MustChange,
        _ => Age::Good,
    }
}

/// The day it is, counted from 1970-01-01.
fn today() -> i64 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds / 86_400).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_ages_as_shadow_says() {
        let entry = |last_change, max, inactive, expire| Shadow {
            name: "ann".into(),
            password: "$y$x".into(),
            last_change,
            min: None,
            max,
            warn: None,
            inactive,
            expire,
        };
        for (shadow, wanted) in [
            (entry(Some(990), None, None, None), Age::Good),
            (entry(None, Some(10), None, None), Age::Good),
            (entry(Some(990), Some(10), None, None), Age::Good),
            (entry(Some(989), Some(10), None, None), Age::MustChange),
            (entry(Some(0), Some(99_999), None, None), Age::MustChange),
            (entry(Some(980), Some(10), Some(10), None), Age::MustChange),
            (entry(Some(979), Some(10), Some(10), None), Age::Over),
            (entry(Some(979), Some(10), Some(-1), None), Age::MustChange),
            (entry(Some(990), None, None, Some(1000)), Age::Over),
            (entry(Some(990), None, None, Some(1001)), Age::Good),
            (entry(Some(2000), Some(10), Some(10), None), Age::Good),
        ] {
            assert_eq!(age(&shadow, 1000), wanted, "{shadow:?}");
        }
    }
}
