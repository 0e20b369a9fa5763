//! Logins that are tried, and what their outcome proves.

use super::connection::Connection;
use super::person::Person;
use super::ssh::{Daemon, Settings};
use super::way::{Aspect, Closed};
use crate::setting::sshd::config::{Directive, Files};
use crate::system::login::authorized;
use crate::system::{Attempt, System, Trial};

/// Key types to come with, in the order in which they are tried: as they are made, and as they sign.
const KEYS: [(&str, &[&str]); 3] = [
    ("ed25519", &["ssh-ed25519"]),
    ("ecdsa", &["ecdsa-sha2-nistp256"]),
    ("rsa", &["rsa-sha2-512", "rsa-sha2-256"]),
];

/// What the daemon says of those whom it turns away, and what turned them away.
const REFUSALS: [(&str, Aspect); 4] = [
    ("not allowed because", Aspect::Ssh),
    ("Access denied for user", Aspect::Pam),
    ("ROOT LOGIN REFUSED", Aspect::Ssh),
    ("Authentication refused", Aspect::Ssh),
];

/// What the client is told when a new password must be typed in first.
const EXPIRED: &str = "Password change required";

/// What a login proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Who comes with a key the account knows gets in.
    In,
    /// In, once a new password is typed in.
    NewPassword,
    /// Turned away.
    Refused(Closed),
    /// Nothing: perhaps it is the trial that did not go well.
    Unclear(Closed),
}

/// A login of the account; none where it could not tell anything: no key alone is enough, or the daemon would not look for ours.
pub fn of(system: &System, daemon: &Daemon, settings: &Settings, person: &Person) -> Option<Trial> {
    if !settings.key_is_enough()
        || (person.uid == 0 && settings.value("permitrootlogin") == "forced-commands-only")
    {
        return None;
    }
    let (key, _) = KEYS.into_iter().find(|(_, signatures)| settings.accepts_key(signatures))?;
    let ours = authorized(key);
    let files = settings.words("authorizedkeysfile").into_iter().filter(|file| *file != "none");
    let files = files.chain([ours.as_str()]).collect::<Vec<_>>().join(" ");
    let further = [format!("AuthorizedKeysFile={files}"), "PidFile=none".into(), "LogLevel=INFO".into()];
    let further: Vec<String> = further.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect();
    if overruled(system, daemon) {
        let looks = daemon.settings(system, &person.name, &Connection::own(), &further).ok()?;
        if !looks.words("authorizedkeysfile").contains(&ours.as_str()) {
            return None;
        }
    }
    let options = daemon.options.iter().cloned().chain(further).collect();
    Some(Trial { user: person.name.clone(), key, options })
}

/// Whether something may decide over what is said on the command line: a Match block, or what is said there before.
fn overruled(system: &System, daemon: &Daemon) -> bool {
    const KEYWORD: &str = "AuthorizedKeysFile";
    let directives = Files::new(system).directives();
    let in_block = |found: &Directive| found.condition.is_some() && found.is(KEYWORD);
    directives.map_or(true, |all| all.iter().any(in_block))
        || daemon.options.iter().any(|option| option.contains(KEYWORD) || option == "-f")
}

/// What an attempt proved.
pub fn judge(attempt: &Attempt) -> Proof {
    if attempt.code == Some(0) {
        return Proof::In;
    }
    if attempt.client.contains(EXPIRED) {
        return Proof::NewPassword;
    }
    let refusal = |line: &str| {
        let (_, aspect) = REFUSALS.into_iter().find(|(words, _)| line.contains(words))?;
        Some(Closed::by(
            aspect,
            format!("the ssh daemon says: {}", line.trim_end_matches(" [preauth]").trim()),
        ))
    };
    if let Some(closed) = attempt.server.lines().find_map(refusal) {
        return Proof::Refused(closed);
    }
    let lines = || attempt.client.lines().chain(attempt.server.lines()).map(str::trim);
    let of_pam = lines().find(|line| line.starts_with("PAM:"));
    let aspect = if of_pam.is_some() { Aspect::Pam } else { Aspect::Ssh };
    let said = of_pam.or_else(|| lines().find(|line| !line.is_empty())).unwrap_or("without a word");
    let code = attempt.code.map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
    Proof::Unclear(Closed::by(aspect, format!("a login ended with {code}: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_off_both_sides() {
        let attempt = |code, client: &str, server: &str| Attempt {
            code: Some(code),
            client: client.into(),
            server: server.into(),
        };
        assert_eq!(judge(&attempt(0, "", "Accepted publickey for ann")), Proof::In);
        let expired = "WARNING: Your password has expired.\nPassword change required but no TTY available.\n";
        assert_eq!(judge(&attempt(1, expired, "Accepted publickey")), Proof::NewPassword);
        for (server, aspect) in [
            ("User ann from 127.0.0.1 not allowed because not listed in AllowUsers\n", Aspect::Ssh),
            ("Access denied for user ann by PAM account configuration [preauth]\n", Aspect::Pam),
        ] {
            let Proof::Refused(closed) = judge(&attempt(255, "", server)) else { panic!("{server}") };
            assert_eq!(closed.aspect, aspect);
            assert!(!closed.why.contains("preauth"), "{}", closed.why);
        }
        let shell = judge(&attempt(1, "This account is currently not available.\n", "Accepted publickey\n"));
        assert!(matches!(shell, Proof::Unclear(closed) if closed.why.contains("not available")));
        let server = "Accepted publickey\nPAM: pam_open_session(): no entry\n";
        let why = "a login ended with exit code 254: PAM: pam_open_session(): no entry";
        let session = judge(&attempt(254, "Linux vm\n", server));
        assert_eq!(session, Proof::Unclear(Closed::by(Aspect::Pam, why)));
        assert!(matches!(judge(&Attempt::default()), Proof::Unclear(_)));
    }
}
