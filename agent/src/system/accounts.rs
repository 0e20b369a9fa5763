//! Local users, groups and passwords: `passwd(5)`, `group(5)`, `shadow(5)`, `gshadow(5)`.
//!
//! Read from the files themselves: a static binary has no name service switch, and the rules of the benchmarks
//! are about the local files. Lines that are not entries (`+::`, comments) do not count.

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

/// All local users and groups, which anybody may read.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// `/etc/passwd`, in order.
    pub users: Vec<User>,
    /// `/etc/group`, in order.
    pub groups: Vec<Group>,
}

/// `/etc/shadow`, which only root may read: apart from [`Accounts`], so that rules about users can be judged without it.
#[derive(Debug, Clone, Default)]
pub struct Passwords {
    /// Its lines, in order.
    pub entries: Vec<Shadow>,
}

impl Passwords {
    pub(super) fn learn(system: &System) -> Result<Passwords> {
        let text = system.read_text("/etc/shadow")?.unwrap_or_default();
        Ok(Passwords { entries: entries("/etc/shadow", &text, 8, shadow)? })
    }

    /// The entry of that user.
    pub fn of(&self, name: &str) -> Option<&Shadow> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

impl Accounts {
    pub(super) fn learn(system: &System) -> Result<Accounts> {
        let passwd = system.read_text("/etc/passwd")?;
        let Some(passwd) = passwd else { bail!("/etc/passwd: no such file") };
        let group = system.read_text("/etc/group")?.unwrap_or_default();
        Ok(Accounts {
            users: entries("/etc/passwd", &passwd, 7, user)?,
            groups: entries("/etc/group", &group, 4, self::group)?,
        })
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The users whom people log in as: not of the system, and with a shell.
    pub fn interactive(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| {
            user.uid >= FIRST_PERSON
                && !NOBODY.contains(&user.name.as_str())
                && !NO_SHELL.contains(&user.shell.as_str())
        })
    }
}

/// The lines that are entries: those of other name services (`+::`) and comments are none.
fn entries<T>(file: &str, text: &str, fields: usize, parse: impl Fn(&[&str]) -> Result<T>) -> Result<Vec<T>> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let parts: Vec<&str> = line.split(':').collect();
        if line.trim().is_empty() || line.starts_with(['#', '+', '-']) || parts.len() < fields {
            continue;
        }
        entries.push(parse(&parts).with_context(|| format!("{file}:{}", number + 1))?);
    }
    Ok(entries)
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

    fn system(passwd: &str, shadow: &[u8]) -> (tempfile::TempDir, System) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        std::fs::write(dir.path().join("etc/shadow"), shadow).unwrap();
        let system = System::open(Path::new(dir.path())).unwrap();
        (dir, system)
    }

    #[test]
    fn entries_of_other_services_do_not_count() {
        let (_dir, system) =
            system("root:x:0:0:root:/root:/bin/bash\n+::::::\n\n", b"root:$y$a:19000:0:99999:7:::\n");
        let accounts = Accounts::learn(&system).unwrap();
        assert_eq!(accounts.users.len(), 1);
        assert_eq!(accounts.user("root").unwrap().shell, "/bin/bash");
        let root = Passwords::learn(&system).unwrap().of("root").unwrap().clone();
        assert_eq!((root.max, root.inactive, root.has_password()), (Some(99999), None, true));
    }

    #[test]
    fn passwords_that_cannot_be_read_leave_users_known() {
        let (_dir, system) = system("root:x:0:0:root:/root:/bin/bash\n", b"root:\xff:1:0:9:7:::\n");
        assert!(Accounts::learn(&system).is_ok());
        assert!(format!("{:#}", Passwords::learn(&system).unwrap_err()).contains("/etc/shadow"));
    }

    #[test]
    fn a_bad_number_names_file_and_line() {
        let (_dir, system) = system("root:x:zero:0:root:/root:/bin/bash\n", b"");
        let error = format!("{:#}", Accounts::learn(&system).unwrap_err());
        assert!(error.contains("/etc/passwd:1") && error.contains("'zero'"), "{error}");
    }
}
