//! A profile of `pam-auth-update(8)`: the lines that a package wants in Debian's common stacks, in a file of
//! `/usr/share/pam-configs`; and the profiles that are ours.

use std::collections::BTreeMap;

/// Where profiles are.
pub const DIR: &str = "/usr/share/pam-configs";

/// Refuses a locked account before its password is asked for, and forgets failures once somebody got in.
const FAILLOCK_FIRST: &str =
    "Name: Locked accounts are refused, failures end with a good login (hardening agent)
Default: yes
Conflicts: faillock_notify, cac_faillock_notify
Priority: 1025
Auth-Type: Primary
Auth:
\trequired\tpam_faillock.so preauth
Account-Type: Primary
Account:
\trequired\tpam_faillock.so
";

/// Counts a failure when no module above it let in. A module that does let in jumps over it.
const FAILLOCK_LAST: &str = "Name: Failed logins are counted (hardening agent)
Default: yes
Conflicts: faillock, cac_faillock
Priority: 0
Auth-Type: Primary
Auth:
\t[default=die]\tpam_faillock.so authfail
\tsufficient\tpam_faillock.so authsucc
";

/// Sits between the module that asks for the new password and the one that stores it. Where nothing asked before, it asks
/// itself: with `use_authtok` nobody could change a password then.
const PWHISTORY: &str = "Name: Former passwords are refused (hardening agent)
Default: yes
Conflicts: pwhistory, cac_pwhistory
Priority: 1023
Password-Type: Primary
Password:
\trequisite\tpam_pwhistory.so use_authtok
Password-Initial:
\trequisite\tpam_pwhistory.so
";

/// The text of a profile of ours; `None` for those that packages bring.
pub fn own(name: &str) -> Option<&'static str> {
    match name {
        "trempe-faillock-first" => Some(FAILLOCK_FIRST),
        "trempe-faillock-last" => Some(FAILLOCK_LAST),
        "trempe-pwhistory" => Some(PWHISTORY),
        _ => None,
    }
}

/// A profile, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    fields: BTreeMap<String, String>,
}

/// The part of a common stack that a profile's lines go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Tried in turn until one succeeds.
    Primary,
    /// Run whatever the primary ones said.
    Additional,
}

impl Profile {
    /// Reads a profile. `None` when `pam-auth-update` leaves it out, because it names a module that is no more.
    pub fn parse(text: &str) -> Option<Profile> {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let mut name = String::new();
        for line in text.lines() {
            if let Some((field, value)) = header(line) {
                // An older name of the same.
                name = field.strip_suffix("-Final").unwrap_or(field).to_owned();
                fields.insert(name.clone(), value.to_owned());
                continue;
            }
            let line = line.trim();
            if line.is_empty() || line == "0" {
                continue;
            }
            if line.contains("pam_tally") {
                return None;
            }
            let field = fields.entry(name.clone()).or_default();
            if !field.is_empty() {
                field.push('\n');
            }
            field.push_str(line);
        }
        if !fields.contains_key("Session-Interactive-Only") {
            for suffix in ["-Type", "", "-Initial"] {
                if let Some(value) = fields.get(&format!("Session{suffix}")).cloned() {
                    fields.insert(format!("Session-noninteractive{suffix}"), value);
                }
            }
        }
        Some(Profile { fields })
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Higher ones come first.
    pub fn priority(&self) -> i64 {
        let text = self.field("Priority").trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
        text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or_default()
    }

    /// Whether this profile cannot be enabled together with another.
    pub fn conflicts_with(&self, other: &str) -> bool {
        self.field("Conflicts").split(", ").any(|name| name == other)
    }

    /// Whether it has lines for a stack (`Auth`, `Session-noninteractive` …) in a block.
    pub fn is_in(&self, stack: &str, block: Block) -> bool {
        let kind = self.field(&format!("{stack}-Type"));
        !kind.is_empty() && (kind == "Primary") == (block == Block::Primary)
    }

    /// Its lines for a stack; others where it comes first in its block, if it has such.
    pub fn lines(&self, stack: &str, first: bool) -> Vec<&str> {
        let initial = self.field(&format!("{stack}-Initial"));
        let text = if first && !initial.is_empty() { initial } else { self.field(stack) };
        text.split('\n').filter(|line| !line.is_empty()).collect()
    }
}

/// `Field: value`: the field starts the line, and blanks or the line's end follow the colon.
fn header(line: &str) -> Option<(&str, &str)> {
    let blank = line.find(char::is_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(blank);
    let field = word.strip_suffix(':')?;
    if field.is_empty() { None } else { Some((field, rest.trim())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNIX: &str = "Name: Unix authentication\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\
        \t[success=end default=ignore]\tpam_unix.so nullok try_first_pass\nAuth-Initial:\n\
        \t[success=end default=ignore]\tpam_unix.so nullok\nSession-Type: Additional\nSession:\n\trequired\tpam_unix.so\n";

    #[test]
    fn fields_lines_and_the_copy_for_sessions_without_people() {
        let profile = Profile::parse(UNIX).unwrap();
        assert_eq!(profile.priority(), 256);
        assert_eq!(profile.lines("Auth", true), ["[success=end default=ignore]\tpam_unix.so nullok"]);
        assert_eq!(
            profile.lines("Auth", false),
            ["[success=end default=ignore]\tpam_unix.so nullok try_first_pass"]
        );
        assert!(profile.is_in("Session-noninteractive", Block::Additional));
        assert!(!profile.is_in("Session", Block::Primary) && !profile.is_in("Password", Block::Primary));
        let interactive = format!("Session-Interactive-Only: yes\n{UNIX}");
        let interactive = Profile::parse(&interactive).unwrap();
        assert!(!interactive.is_in("Session-noninteractive", Block::Additional));
    }

    #[test]
    fn conflicts_and_modules_that_are_no_more() {
        let profile = Profile::parse("Conflicts: faillock, cac_faillock\nPriority: 10 # x\n").unwrap();
        assert!(profile.conflicts_with("cac_faillock") && !profile.conflicts_with("unix"));
        assert_eq!(profile.priority(), 10);
        assert_eq!(Profile::parse("Auth:\n required pam_tally2.so\n"), None);
    }

    #[test]
    fn ours_have_lines_and_a_priority_that_puts_them_in_their_place() {
        let read = |name: &str| Profile::parse(own(name).unwrap()).unwrap();
        assert_eq!(read("trempe-faillock-last").lines("Auth", false).len(), 2);
        assert!(read("trempe-faillock-first").priority() > 1024);
        assert!((257..1024).contains(&read("trempe-pwhistory").priority()));
        assert_eq!(read("trempe-pwhistory").lines("Password", true), ["requisite\tpam_pwhistory.so"]);
        assert!(own("unix").is_none());
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(?s).{0,120}") {
            drop(Profile::parse(&text));
        }
    }
}
