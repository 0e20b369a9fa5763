//! How far sudo leads an account: what sudo says it may do, and where no password is asked for, sudo run as that account.

use super::pam;
use super::person::{Password, Person};
use super::way::{Aspect, Class, Closed, ToRoot};
use crate::system::{Output, System, Tool};

/// What sudo says first of a host that no name service knows; it goes on all the same.
const NO_HOST: &str = "unable to resolve host";

/// What sudo says where it insists on a terminal, which the agent has none of.
const NO_TERMINAL: &str = "must have a tty";

/// The way from an account to root.
pub fn look(system: &System, person: &Person) -> ToRoot {
    if person.uid == 0 {
        return ToRoot::open(Class::WithoutPassword, true, "it is root");
    }
    if !system.has_tool(Tool::Sudo) {
        return ToRoot::closed(Closed::by(Aspect::Sudo, "sudo is not installed"));
    }
    let refused = |why: String| ToRoot::closed(Closed::by(Aspect::Sudo, why));
    let listed = match system.run_on_host(Tool::Sudo, &["-n", "-l", "-U", &person.name], None) {
        Ok(output) => output,
        Err(error) => return refused(format!("{error:#}")),
    };
    let grants = Grants::parse(&listed.stdout);
    match () {
        () if listed.code != Some(0) => refused(said(&listed)),
        () if !grants.any => refused("no sudoers entry lets it become root".to_owned()),
        () if grants.everything_free => as_account(system, person, &grants),
        () if grants.some_free => ToRoot::open(Class::WithoutPassword, false, "for some commands"),
        () => with_password(system, person, &grants),
    }
}

/// What sudo lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Grants {
    /// Something may be run as root.
    any: bool,
    /// Some of it without a password.
    some_free: bool,
    /// All commands without a password.
    everything_free: bool,
    /// The password that is asked for is root's.
    of_root: bool,
}

impl Grants {
    /// Reads `sudo -l`: a line for each entry, as `(ALL : ALL) NOPASSWD: ALL`, below the defaults that hold.
    fn parse(text: &str) -> Grants {
        let mut grants = Grants::default();
        // Defaults are listed over several lines, with commas between them.
        let (defaults, entries) = text.split_once("may run the following commands").unwrap_or((text, ""));
        let default = |name: &str| defaults.split([',', '\n']).any(|word| word.trim() == name);
        let asks_nobody = default("!authenticate");
        grants.of_root = ["rootpw", "targetpw", "runaspw"].into_iter().any(default);
        for entry in entries.lines().filter_map(|line| line.trim().strip_prefix('(')) {
            let Some((run_as, commands)) = entry.split_once(')') else { continue };
            let users = run_as.split(':').next().unwrap_or_default();
            if !users.split(',').any(|user| matches!(user.trim(), "ALL" | "root")) {
                continue;
            }
            grants.any = true;
            let mut free = asks_nobody;
            // Tags hold until another says otherwise.
            for command in commands.split(',').map(str::trim) {
                free = (free || command.contains("NOPASSWD:"))
                    && !command.replace("NOPASSWD:", "").contains("PASSWD:");
                grants.some_free |= free;
                grants.everything_free |= free && command.rsplit(' ').next() == Some("ALL");
            }
        }
        grants
    }
}

/// Runs sudo as the account. No shell is in between, and what it may run is `true`.
fn as_account(system: &System, person: &Person, grants: &Grants) -> ToRoot {
    let (uid, gid) = (person.uid.to_string(), person.gid.to_string());
    let mut arguments = vec!["--reuid", &person.name, "--regid", &gid, "--init-groups", "--"];
    if !person.local {
        // Names of other name services can look like anything; a number is a number.
        arguments = vec!["--reuid", &uid, "--regid", &gid, "--init-groups", "--"];
    }
    arguments.extend(["/usr/bin/sudo", "-n", "true"]);
    let ran = match system.run_on_host(Tool::Setpriv, &arguments, None) {
        Ok(output) => output,
        Err(error) => return ToRoot::open(Class::WithoutPassword, false, format!("not tried: {error:#}")),
    };
    let why = said(&ran);
    match () {
        () if ran.code == Some(0) => ToRoot::open(Class::WithoutPassword, true, ""),
        () if why.contains(NO_TERMINAL) => {
            ToRoot::open(Class::WithoutPassword, false, "only from a terminal")
        }
        () if why.contains("password is required") => with_password(system, person, grants),
        () => ToRoot::closed(Closed::by(Aspect::Sudo, why)),
    }
}

/// What it takes for a password to lead to root.
fn with_password(system: &System, person: &Person, grants: &Grants) -> ToRoot {
    let gate = match grants.of_root {
        true => match Person::find(system, "root") {
            Ok(Some(root)) if root.password != Password::None => Ok(()),
            _ => Err(Closed::by(Aspect::Pam, "it is asked for root's password, and there is none")),
        },
        false => person.password_gate().map_err(|closed| Closed {
            why: format!("it is asked for a password, and {}", closed.why),
            ..closed
        }),
    };
    match gate.and_then(|()| pam::lets(system, "sudo")) {
        Ok(()) => ToRoot::open(Class::WithPassword, false, ""),
        Err(closed) => ToRoot::closed(closed),
    }
}

/// The first thing sudo said that matters.
fn said(output: &Output) -> String {
    let lines = output.stderr.lines().chain(output.stdout.lines()).map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.contains(NO_HOST));
    lines.next().unwrap_or("sudo says nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Matching Defaults entries for ann on vm:\n    env_reset, mail_badpass, \
                        secure_path=/usr/sbin\\:/usr/bin, use_pty\n\nUser ann may run the following commands on vm:\n";

    #[test]
    fn entries_are_read_as_sudo_lists_them() {
        let grants =
            |any, some_free, everything_free| Grants { any, some_free, everything_free, of_root: false };
        for (entries, wanted) in [
            ("    (ALL : ALL) ALL\n", grants(true, false, false)),
            ("    (ALL) NOPASSWD: ALL\n", grants(true, true, true)),
            ("    (root) NOPASSWD: /usr/bin/apt update\n    (ALL : ALL) ALL\n", grants(true, true, false)),
            ("    (root) SETENV: NOPASSWD: ALL\n", grants(true, true, true)),
            ("    (www-data) NOPASSWD: ALL\n", grants(false, false, false)),
            ("    (www-data, root) /usr/bin/id\n", grants(true, false, false)),
            ("    (ALL) NOPASSWD: /usr/bin/true, PASSWD: ALL\n", grants(true, true, false)),
            ("    (ALL) PASSWD: /usr/bin/su, NOPASSWD: /usr/bin/id, ALL\n", grants(true, true, true)),
            ("", grants(false, false, false)),
        ] {
            assert_eq!(Grants::parse(&format!("{HEAD}{entries}")), wanted, "{entries}");
        }
        assert_eq!(
            Grants::parse("User bob is not allowed to run sudo on vm.\n"),
            grants(false, false, false)
        );
    }

    #[test]
    fn defaults_decide_who_is_asked_for_what() {
        let of = |defaults: &str, entry: &str| {
            Grants::parse(&format!("{}{entry}", HEAD.replace("use_pty", defaults)))
        };
        assert!(of("use_pty, !authenticate", "    (ALL) ALL\n").everything_free);
        assert!(!of("!authenticate", "    (ALL) PASSWD: ALL\n").some_free);
        assert!(of("rootpw", "    (ALL) ALL\n").of_root);
    }
}
