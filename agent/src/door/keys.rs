//! The keys an account is known by, as the ssh daemon would accept them.

use std::path::{Path, PathBuf};

use super::person::Person;
use super::ssh::Settings;
use super::way::{Aspect, Closed};
use crate::system::System;

/// The prefixes of the names of key types.
const TYPES: [&str; 4] = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];

/// What the names of an RSA key's signatures are.
const RSA: [&str; 3] = ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"];

/// What cloud-init puts before keys of accounts that nobody shall log in as.
const TURNED_AWAY: &str = "Please login as the user";

/// Whether the account has a key that the daemon would accept.
///
/// # Errors
/// Why it has none.
pub fn accepted(system: &System, settings: &Settings, person: &Person) -> Result<(), Closed> {
    // Keys that come from a program, or from whoever signs certificates, are not known here.
    let elsewhere = ["authorizedkeyscommand", "trustedusercakeys", "authorizedprincipalscommand"];
    if elsewhere.iter().any(|keyword| !matches!(settings.value(keyword), "" | "none")) {
        return Ok(());
    }
    let mut why = "it has no authorized key".to_owned();
    for pattern in settings.words("authorizedkeysfile").into_iter().filter(|word| *word != "none") {
        let path = expand(pattern, person);
        let text = match system.read_text(&path) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(error) => {
                why = format!("{error:#}");
                continue;
            }
        };
        let types: Vec<&str> = text.lines().filter_map(key_type).collect();
        if types.is_empty() {
            continue;
        }
        if settings.value("strictmodes") != "no"
            && let Some(loose) = loose(system, &path, person)
        {
            why = format!("{loose} could be written by others, so the keys do not count");
        } else if types.iter().any(|kind| settings.accepts_key(&signatures(kind))) {
            return Ok(());
        } else {
            why = format!("keys of type {} are not accepted", types.join(", "));
        }
    }
    Err(Closed::by(Aspect::Ssh, why))
}

/// The path that a pattern of `AuthorizedKeysFile` stands for.
fn expand(pattern: &str, person: &Person) -> PathBuf {
    let path = pattern
        .replace("%%", "\0")
        .replace("%h", &person.home)
        .replace("%u", &person.name)
        .replace("%U", &person.uid.to_string())
        .replace('\0', "%");
    Path::new(&person.home).join(path)
}

/// The type of the key in a line; `None` where there is none that lets anybody in.
fn key_type(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let is_type = |word: &str| TYPES.iter().any(|prefix| word.starts_with(prefix));
    let first = line.split_whitespace().next().filter(|word| is_type(word));
    if first.is_some() {
        return first;
    }
    // Options come first; blanks in their quotes do not end them.
    let mut quoted = false;
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = c.is_whitespace() && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let (options, rest) = line.split_at(end);
    if options.contains(TURNED_AWAY) {
        return None;
    }
    rest.split_whitespace().next().filter(|word| is_type(word))
}

/// The algorithms that a key of a type can sign with.
fn signatures(kind: &str) -> Vec<&str> {
    if kind == "ssh-rsa" { RSA.to_vec() } else { vec![kind] }
}

/// The first of a file and the directories above it, up to the home directory, that others than the account and root can write.
fn loose(system: &System, path: &Path, person: &Person) -> Option<String> {
    let home = Path::new(&person.home);
    for part in path.ancestors() {
        let meta = system.meta_followed(part).ok().flatten()?;
        if meta.mode & 0o022 != 0 || (meta.uid != 0 && meta.uid != person.uid) {
            return Some(part.display().to_string());
        }
        if part == home {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_behind_its_options() {
        for (line, wanted) in [
            ("ssh-ed25519 AAAA ann@host", Some("ssh-ed25519")),
            ("from=\"10.0.0.0/8, 192.168.0.0/16\",no-pty ssh-rsa AAAA", Some("ssh-rsa")),
            ("command=\"echo \\\"a b\\\" ssh-x\" ecdsa-sha2-nistp256 AAAA", Some("ecdsa-sha2-nistp256")),
            (
                "no-pty,command=\"echo 'Please login as the user \\\"debian\\\" rather.';exit 142\" ssh-rsa AAAA",
                None,
            ),
            ("# ssh-rsa AAAA", None),
            ("", None),
            ("no-pty", None),
            ("nonsense AAAA", None),
        ] {
            assert_eq!(key_type(line), wanted, "{line}");
        }
    }
}
