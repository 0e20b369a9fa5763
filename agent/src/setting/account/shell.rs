//! Login shells: who has one, and which ones are valid.

use anyhow::Result;

use super::file::{place_of, with_field};
use super::{PASSWD, administers, or_well};
use crate::change::Change;
use crate::finding::Finding;
use crate::setting::login_defs;
use crate::system::{System, User};

const SHELLS: &str = "/etc/shells";
const NOLOGIN: &str = "/usr/sbin/nologin";

/// Programs in the place of a shell that let nobody in.
const NO_SHELLS: [&str; 10] = [
    NOLOGIN,
    "/sbin/nologin",
    "/bin/sync",
    "/usr/bin/sync",
    "/sbin/shutdown",
    "/usr/sbin/shutdown",
    "/sbin/halt",
    "/usr/sbin/halt",
    "/usr/bin/nologin",
    "/bin/nologin",
];

/// A program that ends at once, and says nothing of why.
pub const FALSE: [&str; 2] = ["/bin/false", "/usr/bin/false"];

/// Whether somebody can work with the shell of a user.
fn has_shell(user: &User) -> bool {
    let ends = ["/sbin/nologin", "/bin/false"];
    !ends.iter().any(|end| user.shell.trim_start_matches("/usr").starts_with(end))
}

/// See [`super::Account::SystemAccountsHaveNoShell`].
/// `also` are further programs that let nobody in.
pub fn system_accounts(system: &System, also: &[&str]) -> Result<Finding> {
    let accounts = system.accounts()?;
    let text = system.read_text(PASSWD)?.unwrap_or_default();
    let reserved = login_defs::number(system, "SYS_UID_MIN")?.and(login_defs::number(system, "SYS_UID_MAX")?);
    let last = match reserved {
        Some(last) => last,
        None => login_defs::number(system, "UID_MIN")?.unwrap_or(1000).saturating_sub(1),
    };
    let mut mended = text.clone();
    let mut needed = Vec::new();
    let mut finding = Finding::new();
    let wanted = format!("accounts with ids up to {last} have no shell");
    for user in accounts.users.iter().filter(|user| user.uid <= last && user.name != "root") {
        if NO_SHELLS.iter().chain(also).any(|shell| *shell == user.shell) {
            continue;
        }
        let place = place_of(PASSWD, &text, &user.name);
        finding.persistent(false, format!("{} has {}", user.name, user.shell), &wanted, place);
        mended = with_field(&mended, &user.name, 6, NOLOGIN);
        if administers(accounts, &user.name) || user.uid == 0 {
            needed.push(user.name.as_str());
        }
    }
    if !needed.is_empty() {
        let names = needed.join(", ");
        finding.manual(format!(
            "{names} administers this machine; give it an id for people, or take its shell by hand"
        ));
    } else if mended != text {
        finding.change(Change::write(PASSWD, mended));
    }
    Ok(or_well(finding, "none has", &wanted, PASSWD))
}

/// See [`super::Account::UnlistedShellsAreLocked`].
pub fn unlisted(system: &System) -> Result<Finding> {
    let accounts = system.accounts()?;
    let passwords = system.passwords()?;
    let shells = system.read_text(SHELLS)?.unwrap_or_default();
    let listed =
        |shell: &str| shells.lines().any(|line| line.trim_end() == shell && !line.contains("nologin"));
    let mut finding = Finding::new();
    let wanted = "users whose shell is not in /etc/shells are locked";
    let people = |user: &&User| !["root", "nobody", "nfsnobody"].contains(&user.name.as_str());
    for user in accounts.users.iter().filter(people).filter(|user| has_shell(user)) {
        let password =
            passwords.of(&user.name).map_or(user.password.as_str(), |entry| entry.password.as_str());
        let open = !password.starts_with(['!', '*']);
        if open && !user.shell.is_empty() && !listed(&user.shell) {
            finding.persistent(
                false,
                format!("{} has {} and a password", user.name, user.shell),
                wanted,
                PASSWD,
            );
            finding.manual("whether somebody works with it must be decided by a person: usermod -L, or chsh");
        }
    }
    Ok(or_well(finding, "all are", wanted, PASSWD))
}

/// See [`super::Account::NologinIsNoValidShell`].
pub fn nologin(system: &System) -> Result<Finding> {
    let text = system.read_text(SHELLS)?.unwrap_or_default();
    let mut finding = Finding::new();
    let wanted = "no line names nologin";
    let mut mended = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let path = line.split('#').next().unwrap_or_default().trim();
        if path.ends_with("/nologin") {
            finding.persistent(false, path, wanted, format!("{SHELLS}:{}", index + 1));
            mended.push(format!("# {line}"));
        } else {
            mended.push(line.to_owned());
        }
    }
    if !finding.evidence.is_empty() {
        finding.change(Change::write(SHELLS, mended.join("\n")));
    }
    Ok(or_well(finding, "none does", wanted, SHELLS))
}
