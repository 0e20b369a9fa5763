//! `password`: accounts, from `/etc/passwd`.
//!
//! oscap asks the name services on a running system; accounts of other sources than the file are not seen here. See
//! `docs/oval.md`.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::verdict::Verdict;
use std::path::Path;

const FILE: &str = "/etc/passwd";

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("username") else { return out.fail("the object has no username") };
    let text = match context.system.read_text(FILE) {
        Ok(text) => text,
        Err(error) => return out.fail(format!("{FILE} cannot be read: {error}")),
    };
    for (number, line) in text.lines().enumerate() {
        let Some(account) = account(line) else { continue };
        if name.compare(context.patterns, account.name.as_bytes()) != Verdict::True {
            continue;
        }
        let mut fields = vec![
            Field::text("username", account.name),
            Field::text("password", account.password),
            Field::int("user_id", account.user),
            Field::int("group_id", account.group),
            Field::text("gcos", account.gecos),
            Field::text("home_dir", account.home),
            Field::text("login_shell", account.shell),
        ];
        if context.schema >= Schema::new(5, 10, 0) {
            fields.push(Field::int("last_login", last_login(context, account.user)));
        }
        out.add(Item::new(fields).at(FILE, Some(number + 1)));
    }
}

struct Account<'a> {
    name: &'a str,
    password: &'a str,
    user: u32,
    group: u32,
    gecos: &'a str,
    home: &'a str,
    shell: &'a str,
}

/// A line as `fgetpwent(3)` reads it; what it cannot read is passed over.
fn account(line: &str) -> Option<Account<'_>> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with(['#', '+', '-']) {
        return None;
    }
    let mut parts = line.splitn(7, ':');
    let (name, password) = (parts.next()?, parts.next()?);
    let (user, group) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (gecos, home) = (parts.next()?, parts.next()?);
    Some(Account { name, password, user, group, gecos, home, shell: parts.next().unwrap_or_default() })
}

/// Seconds since 1970 of the last login, from the record of `/var/log/lastlog`; -1 when there is none.
fn last_login(context: &Context<'_>, user: u32) -> i64 {
    use std::os::unix::fs::FileExt;
    /// The size of a record: a 32-bit time, 32 bytes of a terminal, 256 of a host.
    const RECORD: u64 = 292;
    let read = || {
        let file = context.system.open(Path::new("/var/log/lastlog"), nix::fcntl::OFlag::O_RDONLY).ok()?;
        let mut time = [0; 4];
        std::fs::File::from(file).read_exact_at(&mut time, u64::from(user) * RECORD).ok()?;
        Some(i64::from(i32::from_ne_bytes(time)))
    };
    read().unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_fgetpwent_reads_them() {
        for (line, expected) in [
            ("root:x:0:0:root:/root:/bin/bash", Some(("root", 0, "/bin/bash"))),
            ("a:x:1:2::/home/a", Some(("a", 1, ""))),
            ("a:x:1:2::/home/a:", Some(("a", 1, ""))),
            ("# note", None),
            ("+::::::", None),
            ("a:x:one:2:::", None),
            ("", None),
        ] {
            let found = account(line).map(|a| (a.name, a.user, a.shell));
            assert_eq!(found, expected, "{line:?}");
        }
    }
}
