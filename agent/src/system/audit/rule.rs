//! The syntax of audit rules, read into one normal form.
//!
//! The same rule can be written in many ways (`auditctl(8)`, `audit.rules(7)`): a watch `-w FILE -p wa` is
//! `-a always,exit -F path=FILE -F perm=wa`, list and action come in either order, system calls in one `-S` or several,
//! and `auditctl -l` writes it differently again. Rules that differ only in that are the same here, and
//! [`AuditRule::covers`] tells when one records at least what another does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The lists a rule can be on.
const LISTS: [&str; 6] = ["exit", "task", "user", "exclude", "filesystem", "io_uring"];

/// Options that are followed by a value.
const WITH_VALUE: [&str; 9] = ["-e", "-f", "-b", "-r", "-R", "-W", "-q", "--backlog_wait_time", "--signal"];

/// One line of a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditLine {
    /// A rule of the kernel's lists.
    Rule(AuditRule),
    /// An option of the audit system, with its value when it has one: `-e 2`.
    Option(String, Option<String>),
}

/// How far down a rule watches (`auditctl(8)`). A watch `-w` does not say: of a directory, it goes all the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// `path=`: what is named itself, of a directory not what is in the files below.
    Itself,
    /// `dir=`: everything below.
    Below,
}

/// A rule in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditRule {
    /// The list: `exit`, `task`, …
    pub list: String,
    /// Whether it says what not to record.
    pub never: bool,
    /// Whether it goes to the head of its list (`-A`).
    pub first: bool,
    /// `b32` or `b64`; both when there is none.
    pub arch: Option<String>,
    /// The system calls; all when empty.
    pub syscalls: BTreeSet<String>,
    /// The file or directory it watches.
    pub path: Option<PathBuf>,
    /// How far down, where that is said.
    pub reach: Option<Reach>,
    /// The accesses it watches, of `rwxa`; all when there are none.
    pub permissions: BTreeSet<char>,
    /// Its other conditions, such as `auid>=1000`, with values in one spelling.
    pub fields: BTreeSet<String>,
}

impl AuditRule {
    /// Whether every event that `wanted` matches is also matched by this rule. Keys are only names and do not count.
    pub fn covers(&self, wanted: &AuditRule) -> bool {
        let arch = self.arch.is_none() || self.arch == wanted.arch;
        let syscalls = self.syscalls.is_empty()
            || (!wanted.syscalls.is_empty() && wanted.syscalls.is_subset(&self.syscalls));
        let path = match (&self.path, &wanted.path) {
            (None, _) => true,
            (Some(own), Some(other)) if self.reach == Some(Reach::Itself) => {
                own == other && wanted.reach != Some(Reach::Below)
            }
            // A watch on a directory sees everything below it.
            (Some(own), Some(other)) => other.starts_with(own),
            (Some(_), None) => false,
        };
        let permissions = self.permissions.is_empty()
            || (!wanted.permissions.is_empty() && wanted.permissions.is_subset(&self.permissions));
        self.list == wanted.list
            && arch
            && syscalls
            && path
            && permissions
            && self.fields.is_subset(&wanted.fields)
    }

    /// This rule for one architecture.
    pub fn on(&self, arch: &str) -> AuditRule {
        AuditRule { arch: Some(arch.to_owned()), ..self.clone() }
    }

    fn list_and_action(&mut self, text: &str) -> Result<()> {
        let wrong = || format!("'{text}' is not a list and an action, such as always,exit");
        let (one, other) = text.split_once(',').with_context(wrong)?;
        let (list, action) = if LISTS.contains(&one) { (one, other) } else { (other, one) };
        self.never = match action {
            "always" => false,
            "never" => true,
            _ => bail!(wrong()),
        };
        if !LISTS.contains(&list) {
            bail!(wrong());
        }
        self.list = list.to_owned();
        Ok(())
    }

    fn field(&mut self, text: &str) -> Result<()> {
        let (name, operator, value) = split_field(text)?;
        match (name, operator) {
            ("key", "=") => {}
            ("arch", "=") => self.arch = Some(width(value)?.to_owned()),
            ("path", "=") => (self.path, self.reach) = (Some(clean(value)), Some(Reach::Itself)),
            ("dir", "=") => (self.path, self.reach) = (Some(clean(value)), Some(Reach::Below)),
            ("perm", "=") => self.permissions = permissions(value)?,
            _ => drop(self.fields.insert(format!("{name}{operator}{}", normal_value(name, value)))),
        }
        Ok(())
    }

    fn comparison(&mut self, text: &str) -> Result<()> {
        let (one, operator, other) = split_field(text)?;
        let (one, other) = if one <= other { (one, other) } else { (other, one) };
        self.fields.insert(format!("{one}{operator}{other} (compared)"));
        Ok(())
    }
}

/// Reads one line; `None` when it is blank or a comment.
///
/// # Errors
/// When `auditctl` would refuse it, with what was expected.
pub fn parse(line: &str) -> Result<Option<AuditLine>> {
    let line = line.trim();
    let mut words = line.split_whitespace();
    let Some(first) = words.next().filter(|word| !word.starts_with('#')) else { return Ok(None) };
    match first {
        "-a" | "-A" | "-w" | "-d" => {}
        option if option.starts_with('-') => return Ok(Some(option_line(option, words.next())?)),
        other => bail!("'{other}' is no option of auditctl; a rule begins with -a or -w"),
    }
    let mut rule = AuditRule::default();
    let mut words = line.split_whitespace();
    while let Some(option) = words.next() {
        let mut value = || words.next().with_context(|| format!("{option} without a value"));
        match option {
            "-a" | "-A" => {
                rule.first = option == "-A";
                rule.list_and_action(value()?)?;
            }
            "-w" => {
                rule.list = "exit".to_owned();
                rule.path = Some(clean(value()?));
                if rule.permissions.is_empty() {
                    rule.permissions = "rwxa".chars().collect();
                }
            }
            // Takes a rule away again; what it leaves is for the kernel to tell.
            "-d" => return Ok(Some(AuditLine::Option(option.to_owned(), Some(value()?.to_owned())))),
            "-p" => rule.permissions = permissions(value()?)?,
            "-S" => {
                rule.syscalls.extend(value()?.split(',').filter(|name| *name != "all").map(str::to_owned))
            }
            "-F" => rule.field(value()?)?,
            "-C" => rule.comparison(value()?)?,
            "-k" => drop(value()?),
            other => bail!("'{other}' is not expected in a rule"),
        }
    }
    Ok(Some(AuditLine::Rule(rule)))
}

fn option_line(option: &str, value: Option<&str>) -> Result<AuditLine> {
    if WITH_VALUE.contains(&option) {
        let value = value.with_context(|| format!("{option} without a value"))?;
        return Ok(AuditLine::Option(option.to_owned(), Some(value.to_owned())));
    }
    Ok(AuditLine::Option(option.to_owned(), None))
}

fn split_field(text: &str) -> Result<(&str, &str, &str)> {
    const OPERATORS: [&str; 8] = ["!=", ">=", "<=", "&=", "=", ">", "<", "&"];
    let at = text.find(['!', '>', '<', '&', '=']).unwrap_or(text.len());
    let (name, rest) = text.split_at(at);
    let split = OPERATORS.iter().find_map(|operator| Some((*operator, rest.strip_prefix(operator)?)));
    match split {
        Some((operator, value)) if !name.is_empty() && !value.is_empty() => Ok((name, operator, value)),
        _ => bail!("'{text}' is not a field, an operator and a value, such as auid>=1000"),
    }
}

/// The word width of an architecture, however it is named.
fn width(arch: &str) -> Result<&'static str> {
    match arch {
        "b64" | "x86_64" | "aarch64" | "ppc64" | "ppc64le" | "s390x" => Ok("b64"),
        "b32" | "i386" | "i486" | "i586" | "i686" | "arm" | "armeb" | "armv7l" | "ppc" | "s390" => Ok("b32"),
        other => bail!("'{other}' is no architecture; write b32 or b64"),
    }
}

fn permissions(text: &str) -> Result<BTreeSet<char>> {
    match text.chars().find(|access| !"rwxa".contains(*access)) {
        Some(wrong) => bail!("'{wrong}' is no access; write letters of rwxa"),
        None => Ok(text.chars().collect()),
    }
}

/// A path without what makes no difference, such as a slash at its end. `/var/run` is `/run` on every system with systemd.
fn clean(path: &str) -> PathBuf {
    let path: PathBuf = Path::new(path.trim_matches('"')).components().collect();
    match path.strip_prefix("/var/run") {
        Ok(below) => Path::new("/run").join(below).components().collect(),
        Err(_) => path,
    }
}

/// A value in one of the spellings it may have.
fn normal_value(name: &str, value: &str) -> String {
    match (name, value) {
        ("auid" | "loginuid" | "uid" | "euid" | "sessionid", "-1" | "4294967295" | "unset") => {
            "unset".to_owned()
        }
        ("exit", "-13") => "-EACCES".to_owned(),
        ("exit", "-1") => "-EPERM".to_owned(),
        ("a0" | "a1" | "a2" | "a3", number) => match number.strip_prefix("0x") {
            Some(digits) => {
                u64::from_str_radix(digits, 16).map_or_else(|_| number.to_owned(), |n| n.to_string())
            }
            None => number.to_owned(),
        },
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(line: &str) -> AuditRule {
        match parse(line).unwrap() {
            Some(AuditLine::Rule(rule)) => rule,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn spellings_of_the_same_rule_cover_each_other() {
        for (one, other) in [
            ("-w /etc/passwd -p wa -k id", "-a always,exit -F path=/etc/passwd -F perm=aw -F key=other"),
            ("-w /etc/sudoers.d/ -p wa", "-a exit,always -F dir=/etc/sudoers.d -F perm=wa -k x"),
            ("-w /var/run/utmp -p wa", "-w /run/utmp -p wa"),
            ("-w /etc/x", "-w /etc/x -p rwxa"),
            (
                "-a always,exit -F arch=b64 -S chmod -S fchmod -F auid>=1000 -F auid!=unset -k p",
                "-a exit,always -S fchmod,chmod -F arch=x86_64 -F auid!=-1 -F auid>=1000 -F key=perm_mod",
            ),
            ("-a always,exit -F path=/bin/su -F perm=x", "-a always,exit -S all -F path=/bin/su -F perm=x"),
            (
                "-a always,exit -F arch=b32 -S execve -C euid!=uid",
                "-a always,exit -F arch=b32 -S execve -C uid!=euid",
            ),
            (
                "-a always,exit -F arch=b32 -S open -F exit=-13",
                "-a always,exit -F arch=b32 -S open -F exit=-EACCES",
            ),
            (
                "-a always,exit -F arch=b64 -S clock_settime -F a0=0x0",
                "-a always,exit -F arch=b64 -S clock_settime -F a0=0",
            ),
        ] {
            assert!(rule(one).covers(&rule(other)) && rule(other).covers(&rule(one)), "{one}");
        }
    }

    #[test]
    fn a_rule_covers_what_it_also_records() {
        let wanted = "-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=unset -k p";
        for (line, covers) in [
            ("-a always,exit -F arch=b64 -S fchmod,chmod -F auid>=1000 -F auid!=-1 -k q", true),
            ("-a always,exit -F arch=b64 -S chmod -k everything", true),
            ("-a always,exit -S all -k everything", true),
            ("-a always,exit -F arch=b32 -S chmod -F auid>=1000 -F auid!=unset -k p", false),
            ("-a always,exit -F arch=b64 -S fchmod -F auid>=1000 -F auid!=unset -k p", false),
            ("-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=unset -F uid=0 -k p", false),
            ("-a always,exit -F arch=b64 -S chmod -F path=/etc -F auid>=1000 -F auid!=unset -k p", false),
        ] {
            assert_eq!(rule(line).covers(&rule(wanted)), covers, "{line}");
        }
    }

    #[test]
    fn a_watch_covers_fewer_accesses_and_what_is_below() {
        let wanted = rule("-w /etc/apparmor.d/ -p wa -k m");
        for (line, covers) in [
            ("-w /etc/apparmor.d -p rwxa", true),
            ("-w /etc -p wa", true),
            ("-w /etc/apparmor -p wa", false),
            ("-w /etc/apparmor.d -p w", false),
            ("-a always,exit -F arch=b64 -F dir=/etc/apparmor.d -F perm=wa", false),
        ] {
            assert_eq!(rule(line).covers(&wanted), covers, "{line}");
        }
    }

    #[test]
    fn a_path_is_watched_itself_and_a_directory_with_what_is_below() {
        for (line, wanted, covers) in [
            ("path=/etc/NetworkManager", "dir=/etc/NetworkManager/system-connections/", false),
            ("path=/etc/NetworkManager", "path=/etc/NetworkManager/conf", false),
            ("path=/etc/NetworkManager", "dir=/etc/NetworkManager", false),
            ("path=/etc/NetworkManager", "path=/etc/NetworkManager/", true),
            ("dir=/etc/NetworkManager", "path=/etc/NetworkManager/conf", true),
            ("dir=/etc/NetworkManager", "dir=/etc/NetworkManager/system-connections", true),
        ] {
            let watch = |what: &str| rule(&format!("-a always,exit -F {what} -F perm=wa -k n"));
            assert_eq!(watch(line).covers(&watch(wanted)), covers, "{line} for {wanted}");
        }
    }

    #[test]
    fn options_are_read_with_their_values() {
        let option = |name: &str, value: Option<&str>| {
            Some(AuditLine::Option(name.to_owned(), value.map(str::to_owned)))
        };
        assert_eq!(parse("-e 2").unwrap(), option("-e", Some("2")));
        assert_eq!(parse("  -c").unwrap(), option("-c", None));
        assert_eq!(parse("--backlog_wait_time 60000").unwrap(), option("--backlog_wait_time", Some("60000")));
        assert_eq!(parse("-d never,task").unwrap(), option("-d", Some("never,task")));
        assert_eq!(parse(" # -e 2").unwrap(), None);
        assert_eq!(parse("").unwrap(), None);
    }

    #[test]
    fn what_auditctl_refuses_is_refused() {
        for (line, says) in [
            ("-w", "-w without a value"),
            ("-a always", "'always' is not a list and an action"),
            ("-a sometimes,exit", "is not a list and an action"),
            ("-a always,exit -F auid", "'auid' is not a field"),
            ("-a always,exit -F arch=b16", "'b16' is no architecture"),
            ("-w /etc -p wz", "'z' is no access"),
            ("-w /etc wa", "'wa' is not expected"),
            ("w /etc -p wa", "'w' is no option"),
            ("-e", "-e without a value"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(line in "\\PC*", rest in "-[aAwFSCpk] [-!=<>&,a-z0-9/ ]*") {
            drop(parse(&line));
            drop(parse(&rest));
        }
    }
}
