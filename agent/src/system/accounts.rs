//! Local users, groups and passwords: `passwd(5)`, `group(5)`, `shadow(5)`, `gshadow(5)`.
//!
//! Read from the files themselves: a static binary has no name service switch, and the rules of the benchmarks
//! are about the local files. Lines that are not entries (`+::`, comments) are kept apart as [`Accounts::odd_lines`].

use anyhow::{Context, Result, anyhow, bail};

use super::System;

/// The first user id that is given to people.
const FIRST_PERSON: u32 = 1000;
/// Users who stand for nobody.
const NOBODY: [&str; 2] = ["nobody", "nfsnobody"];
/// Shells that let nobody in.
const NO_SHELL: [&str; 4] = ["/sbin/nologin", "/usr/sbin/nologin", "/bin/false", "/usr/bin/false"];

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// The password field: `x` when the password is in `/etc/shadow`.
    pub password: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Comment.
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Names of the members beside those whose primary group this is.
    pub members: Vec<String>,
}

/// A line of `/etc/shadow`. Numbers are days; `None` is an empty field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Login name.
    pub name: String,
    /// The password field: a hash, empty, or starting with `!` or `*` for none.
    pub password: String,
    /// Day of the last change, counted from 1970-01-01.
    pub last_change: Option<i64>,
    /// Days before a change is allowed.
    pub min: Option<i64>,
    /// Days after which a change is needed.
    pub max: Option<i64>,
    /// Days of warning before that.
    pub warn: Option<i64>,
    /// Days after expiry until the account is closed.
    pub inactive: Option<i64>,
    /// Day on which the account closes.
    pub expire: Option<i64>,
}

impl Shadow {
    /// Whether a password can open this account: not empty, not locked, not impossible.
    pub fn has_password(&self) -> bool {
        !self.password.is_empty() && !self.password.starts_with(['!', '*'])
    }
}

/// All local accounts.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// `/etc/passwd`, in order.
    pub users: Vec<User>,
    /// `/etc/group`, in order.
    pub groups: Vec<Group>,
    /// `/etc/shadow`, in order.
    pub shadow: Vec<Shadow>,
    /// Lines that are no entries, as `FILE:LINE`.
    pub odd_lines: Vec<String>,
}

impl Accounts {
    pub(super) fn learn(system: &System) -> Result<Accounts> {
        let mut accounts = Accounts::default();
        let passwd = system.read_text("/etc/passwd")?;
        let Some(passwd) = passwd else { bail!("/etc/passwd: no such file") };
        let group = system.read_text("/etc/group")?.unwrap_or_default();
        let shadow = system.read_text("/etc/shadow")?.unwrap_or_default();
        accounts.users = accounts.entries("/etc/passwd", &passwd, 7, user)?;
        accounts.groups = accounts.entries("/etc/group", &group, 4, self::group)?;
        accounts.shadow = accounts.entries("/etc/shadow", &shadow, 8, self::shadow)?;
        Ok(accounts)
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The shadow entry of that user.
    pub fn shadow(&self, name: &str) -> Option<&Shadow> {
        self.shadow.iter().find(|entry| entry.name == name)
    }

    /// The users whom people log in as: not of the system, and with a shell.
    pub fn interactive(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| {
            user.uid >= FIRST_PERSON
                && !NOBODY.contains(&user.name.as_str())
                && !NO_SHELL.contains(&user.shell.as_str())
        })
    }

    fn entries<T>(
        &mut self,
        file: &str,
        text: &str,
        fields: usize,
        parse: impl Fn(&[&str]) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let parts: Vec<&str> = line.split(':').collect();
            if line.trim().is_empty() || line.starts_with(['#', '+', '-']) || parts.len() < fields {
                if !line.trim().is_empty() {
                    self.odd_lines.push(format!("{file}:{}", number + 1));
                }
                continue;
            }
            entries.push(parse(&parts).with_context(|| format!("{file}:{}", number + 1))?);
        }
        Ok(entries)
    }
}

fn field<'a>(parts: &[&'a str], index: usize) -> &'a str {
    parts.get(index).copied().unwrap_or_default()
}

fn number(parts: &[&str], index: usize) -> Result<u32> {
    let text = field(parts, index);
    text.parse().map_err(|_| anyhow!("'{text}' is not a number between 0 and 4294967295"))
}

fn days(parts: &[&str], index: usize) -> Result<Option<i64>> {
    match field(parts, index).trim() {
        "" => Ok(None),
        text => Ok(Some(text.parse().map_err(|_| anyhow!("'{text}' is not a number of days"))?)),
    }
}

fn user(parts: &[&str]) -> Result<User> {
    Ok(User {
        name: field(parts, 0).to_owned(),
        password: field(parts, 1).to_owned(),
        uid: number(parts, 2)?,
        gid: number(parts, 3)?,
        gecos: field(parts, 4).to_owned(),
        home: field(parts, 5).to_owned(),
        shell: field(parts, 6).to_owned(),
    })
}

fn group(parts: &[&str]) -> Result<Group> {
    let members = field(parts, 3).split(',').map(str::trim).filter(|name| !name.is_empty());
    Ok(Group {
        name: field(parts, 0).to_owned(),
        gid: number(parts, 2)?,
        members: members.map(str::to_owned).collect(),
    })
}

fn shadow(parts: &[&str]) -> Result<Shadow> {
    Ok(Shadow {
        name: field(parts, 0).to_owned(),
        password: field(parts, 1).to_owned(),
        last_change: days(parts, 2)?,
        min: days(parts, 3)?,
        max: days(parts, 4)?,
        warn: days(parts, 5)?,
        inactive: days(parts, 6)?,
        expire: days(parts, 7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn learn(passwd: &str, shadow: &str) -> Result<Accounts> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        std::fs::write(dir.path().join("etc/shadow"), shadow).unwrap();
        Accounts::learn(&System::open(Path::new(dir.path())).unwrap())
    }

    #[test]
    fn reads_entries_and_keeps_odd_lines_apart() {
        let accounts =
            learn("root:x:0:0:root:/root:/bin/bash\n+::::::\n\n", "root:$y$a:19000:0:99999:7:::\n").unwrap();
        assert_eq!(accounts.user("root").unwrap().shell, "/bin/bash");
        assert_eq!(accounts.odd_lines, ["/etc/passwd:2"]);
        assert_eq!(accounts.shadow("root").unwrap().max, Some(99999));
        assert_eq!(accounts.shadow("root").unwrap().inactive, None);
        assert!(accounts.shadow("root").unwrap().has_password());
    }

    #[test]
    fn a_bad_number_names_file_and_line() {
        let error = format!("{:#}", learn("root:x:zero:0:root:/root:/bin/bash\n", "").unwrap_err());
        assert!(error.contains("/etc/passwd:1") && error.contains("'zero'"), "{error}");
    }
}
