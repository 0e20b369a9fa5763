//! What the ssh daemon's configuration means for an account: `sshd -T` for a connection of theirs, and what the daemon makes of it.

use std::collections::BTreeMap;

use anyhow::Result;

use super::connection::Connection;
use super::keys;
use super::person::{Age, Password, Person};
use super::way::{Aspect, Closed, Gate};
use crate::system::login::HostKey;
use crate::system::sshd::with_runtime_directory;
use crate::system::{System, Tool};

/// The daemon of the machine.
pub struct Daemon {
    /// The options it is started with, beside its configuration.
    pub options: Vec<String>,
    _key: Option<HostKey>,
}

impl Daemon {
    /// The daemon; an error says why there is none to ask.
    pub fn of(system: &System) -> Result<Daemon, Closed> {
        if !system.has_tool(Tool::Sshd) {
            return Err(Closed::by(Aspect::Ssh, "there is no ssh daemon"));
        }
        let mut options = system.sshd_options();
        let key = HostKey::where_none_is(system)
            .map_err(|error| Closed::by(Aspect::Ssh, format!("the ssh daemon has no host key: {error:#}")))?;
        options.extend(key.iter().flat_map(|key| ["-h".to_owned(), key.path().to_owned()]));
        Ok(Daemon { options, _key: key })
    }

    /// The settings for a connection of an account, with `further` options.
    ///
    /// # Errors
    /// Why the daemon does not tell.
    pub fn settings(
        &self,
        system: &System,
        user: &str,
        connection: &Connection,
        further: &[String],
    ) -> Result<Settings, Closed> {
        let connection = connection.told(user);
        let mut arguments = vec!["-T", "-C", &connection];
        arguments.extend(self.options.iter().chain(further).map(String::as_str));
        let told = with_runtime_directory(|| system.run_on_host(Tool::Sshd, &arguments, None));
        let refused = |said: &str| {
            let said = said.lines().next().unwrap_or("without a word").trim();
            Closed::by(Aspect::Ssh, format!("the ssh daemon refuses its configuration: {said}"))
        };
        match told {
            Ok(output) if output.code == Some(0) => Ok(Settings::parse(&output.stdout)),
            Ok(output) => Err(refused(&output.stderr)),
            Err(error) => Err(refused(&format!("{error:#}"))),
        }
    }
}

/// What `sshd -T` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Vec<String>>);

impl Settings {
    /// Reads `keyword value` lines.
    pub fn parse(text: &str) -> Settings {
        let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (keyword, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            settings.entry(keyword.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        Settings(settings)
    }

    /// The value of a keyword; empty when there is none.
    pub fn value(&self, keyword: &str) -> &str {
        self.0.get(keyword).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// The words of all lines of a keyword.
    pub fn words(&self, keyword: &str) -> Vec<&str> {
        self.0.get(keyword).into_iter().flatten().flat_map(|value| value.split_whitespace()).collect()
    }

    fn says(&self, keyword: &str) -> bool {
        self.value(keyword) == "yes"
    }

    /// Whether a signature of one of these algorithms is accepted from a client.
    pub fn accepts_key(&self, algorithms: &[&str]) -> bool {
        let names = ["pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"];
        let list = names.iter().map(|name| self.value(name)).find(|list| !list.is_empty());
        // A daemon that does not tell has no limit to tell of.
        list.is_none_or(|list| list.split(',').any(|accepted| algorithms.contains(&accepted)))
    }

    /// Whether everybody may log in whom no list names.
    pub fn open_to_all(&self) -> bool {
        ["allowusers", "allowgroups"].iter().all(|list| self.words(list).is_empty())
    }

    /// The ways of proving oneself, any of which will do.
    fn methods(&self) -> Vec<Vec<&str>> {
        match self.words("authenticationmethods").as_slice() {
            [] | ["any"] => {
                vec![
                    vec!["publickey"],
                    vec!["password"],
                    vec!["keyboard-interactive"],
                    vec!["gssapi-with-mic"],
                ]
            }
            lists => lists.iter().map(|list| list.split(',').collect()).collect(),
        }
    }

    /// Whether a key alone is enough of a proof.
    pub fn key_is_enough(&self) -> bool {
        self.says("pubkeyauthentication") && self.methods().contains(&vec!["publickey"])
    }
}

/// Whether the account gets in over a connection with these settings, with a key and with a password.
///
/// # Errors
/// When the machine refuses to tell.
pub fn judge(
    system: &System,
    settings: &Settings,
    person: &Person,
    connection: &Connection,
) -> Result<(Gate, Gate)> {
    if let Err(closed) =
        admitted(settings, person, connection).and(person.open_gate()).and(person.shell_gate(system)?)
    {
        return Ok((Err(closed.clone()), Err(closed)));
    }
    let keys = keys::accepted(system, settings, person);
    let proofs = Proofs { settings, person, keys };
    Ok((proofs.with_key(), proofs.with_password()))
}

/// Whether the account has something to prove itself with, whatever the daemon thinks of it.
pub fn has_means(system: &System, settings: &Settings, person: &Person) -> bool {
    person.password_gate().is_ok()
        || (person.open_gate().is_ok() && keys::accepted(system, settings, person).is_ok())
}

/// Whether the lists of those who may log in let the account through.
fn admitted(settings: &Settings, person: &Person, connection: &Connection) -> Gate {
    let refused = |why: String| Err(Closed::by(Aspect::Ssh, why));
    let user = |pattern: &&str| match pattern.rsplit_once('@') {
        Some((user, host)) => matches(user, &person.name) && connection.comes_from(host),
        None => matches(pattern, &person.name),
    };
    let group = |pattern: &&str| person.groups.iter().any(|group| matches(pattern, group));
    if settings.words("denyusers").iter().any(user) {
        return refused("DenyUsers names it".to_owned());
    }
    let allowed = settings.words("allowusers");
    if !allowed.is_empty() && !allowed.iter().any(user) {
        return refused(format!("AllowUsers does not name it ({})", allowed.join(" ")));
    }
    if settings.words("denygroups").iter().any(group) {
        return refused("DenyGroups names a group of it".to_owned());
    }
    let allowed = settings.words("allowgroups");
    if !allowed.is_empty() && !allowed.iter().any(group) {
        return refused(format!("AllowGroups names no group of it ({})", allowed.join(" ")));
    }
    if person.uid == 0 && settings.value("permitrootlogin") == "no" {
        return refused("PermitRootLogin is no".to_owned());
    }
    if settings.value("usepam") == "no" && person.locked {
        return refused("the account is locked, and UsePAM is no".to_owned());
    }
    Ok(())
}

/// The daemon's own patterns: `*` and `?`.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            (0..=name.len())
                .filter(|at| name.is_char_boundary(*at))
                .any(|at| name.get(at..).is_some_and(|tail| matches(rest, tail)))
        }
        Some(first) => {
            let mut name = name.chars();
            let same = name.next().is_some_and(|other| first == '?' || first == other);
            same && matches(&pattern[first.len_utf8()..], name.as_str())
        }
    }
}

/// With what an account proves itself.
struct Proofs<'a> {
    settings: &'a Settings,
    person: &'a Person,
    keys: Result<(), Closed>,
}

impl Proofs<'_> {
    fn with_key(&self) -> Gate {
        self.one("publickey")?;
        let lists = self.settings.methods();
        self.any(lists.iter().filter(|list| list.contains(&"publickey")), "a key alone")?;
        // Nobody is there to type a new password in, and without a password nobody could.
        if self.person.age == Age::MustChange {
            return Err(Closed::by(Aspect::Pam, "its password has expired and must be changed first"));
        }
        Ok(())
    }

    fn with_password(&self) -> Gate {
        self.person.password_gate()?;
        let lists = self.settings.methods();
        self.any(lists.iter().filter(|list| !list.contains(&"publickey")), "a password alone")
    }

    /// Whether one of several lists of methods can be gone through; the reason is that of the first which cannot.
    fn any<'a>(&self, lists: impl Iterator<Item = &'a Vec<&'a str>>, what: &str) -> Gate {
        let mut first = None;
        for list in lists {
            match list.iter().try_for_each(|method| self.one(method)) {
                Ok(()) => return Ok(()),
                Err(closed) => first = first.or(Some(closed)),
            }
        }
        Err(first.unwrap_or_else(|| {
            Closed::by(Aspect::Ssh, format!("AuthenticationMethods does not accept {what}"))
        }))
    }

    fn one(&self, method: &str) -> Gate {
        let refused = |why: &str| Err(Closed::by(Aspect::Ssh, why));
        let root = self.person.uid == 0;
        let settings = self.settings;
        let typed = |keyword: &str, name: &str| match () {
            () if !settings.says(keyword) => refused(&format!("{name} is no")),
            () if root && settings.value("permitrootlogin") != "yes" => {
                refused(&format!("PermitRootLogin is {}", settings.value("permitrootlogin")))
            }
            () => Ok(()),
        };
        match method.split(':').next().unwrap_or_default() {
            "publickey" if !settings.says("pubkeyauthentication") => refused("PubkeyAuthentication is no"),
            "publickey" => self.keys.clone(),
            "password" => typed("passwordauthentication", "PasswordAuthentication"),
            "keyboard-interactive" if settings.value("usepam") == "no" => refused("UsePAM is no"),
            "keyboard-interactive" => typed("kbdinteractiveauthentication", "KbdInteractiveAuthentication"),
            "gssapi-with-mic" if self.person.password == Password::Elsewhere => {
                typed("gssapiauthentication", "GSSAPIAuthentication")
            }
            other => refused(&format!("AuthenticationMethods asks for {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_daemons() {
        for (pattern, name, wanted) in [
            ("ann", "ann", true),
            ("ann", "anna", false),
            ("a*", "ann", true),
            ("*", "", true),
            ("a?n", "ann", true),
            ("a?", "ann", false),
            ("*é?", "caféx", true),
            ("adm*n", "admin", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
