//! What scripts find in the sandbox in place of the commands that act on the running system, or that take long.
//!
//! A stand-in is this program, mounted over the real one. What would only be read is asked of the real one, which is kept aside; what
//! would act is written down as a [`Call`], and said to have gone well. What the calls come to is decided in
//! [`recorded`](super::recorded). To add a command, add it to [`COMMANDS`] with the way to tell the two apart.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use serde::{Deserialize, Serialize};

/// What runs in the sandbox.
pub const SCRIPT: &str = "/run/trempe/script";
/// The names of the files with the calls of this script, and of those kept before it.
pub const NEW: &str = "calls";
pub const KEPT: &str = "kept";
/// The name of the file with the units that run on the machine; it is there only where the machine runs.
pub const ACTIVE: &str = "active";

/// Where all that is, as a script sees it.
const DIR: &str = "/run/trempe";
/// Where commands are.
const PLACES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A command that was called, with what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The command's name.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.program, self.args.join(" "))
    }
}

/// When a command acts.
#[derive(Debug, Clone, Copy)]
enum Acts {
    /// Always.
    Always,
    /// When its first word, which is no option, is none of these.
    ButFor(&'static [&'static str]),
    /// When its first word is one of these.
    For(&'static [&'static str]),
    /// When one of its arguments is, or starts with, one of these.
    With(&'static [&'static str]),
    /// When none of its arguments is one of these, and there is one.
    Without(&'static [&'static str]),
}

/// What systemctl only reads, and what it only writes to files.
const SYSTEMCTL_READS: [&str; 18] = [
    "is-enabled",
    "is-active",
    "is-failed",
    "is-system-running",
    "status",
    "cat",
    "show",
    "list-unit-files",
    "list-units",
    "list-dependencies",
    "list-timers",
    "list-sockets",
    "get-default",
    "set-default",
    "preset",
    "preset-all",
    "add-wants",
    "help",
];

/// The commands, and when they act.
const COMMANDS: [(&str, Acts); 57] = [
    ("systemctl", Acts::ButFor(&SYSTEMCTL_READS)),
    ("service", Acts::Without(&["status", "--status-all"])),
    ("sysctl", Acts::With(&["-w", "--write", "-p", "--load", "--system", "="])),
    ("mount", Acts::Without(&["-l", "--help", "-V", "--version"])),
    ("umount", Acts::Always),
    ("swapon", Acts::Without(&["-s", "--show", "--summary"])),
    ("swapoff", Acts::Always),
    (
        "apt-get",
        Acts::For(&["install", "remove", "purge", "autoremove", "upgrade", "dist-upgrade", "update"]),
    ),
    ("apt", Acts::For(&["install", "remove", "purge", "autoremove", "upgrade", "full-upgrade", "update"])),
    (
        "dnf",
        Acts::For(&["install", "remove", "erase", "autoremove", "update", "upgrade", "module", "reinstall"]),
    ),
    (
        "yum",
        Acts::For(&["install", "remove", "erase", "autoremove", "update", "upgrade", "module", "reinstall"]),
    ),
    ("microdnf", Acts::For(&["install", "remove", "update", "upgrade", "module"])),
    ("dpkg", Acts::With(&["-i", "--install", "-r", "--remove", "-P", "--purge", "--configure", "--unpack"])),
    ("rpm", Acts::With(&["-i", "-U", "-F", "-e", "--install", "--upgrade", "--erase", "--import"])),
    ("update-grub", Acts::Always),
    ("update-grub2", Acts::Always),
    ("grub-mkconfig", Acts::Always),
    ("grub2-mkconfig", Acts::Always),
    ("grub-install", Acts::Always),
    ("grub2-install", Acts::Always),
    ("grubby", Acts::Without(&["--info", "--default-kernel", "--default-index", "--default-title"])),
    ("zipl", Acts::Always),
    ("update-initramfs", Acts::Always),
    ("dracut", Acts::Always),
    ("auditctl", Acts::Without(&["-l", "-s", "-v"])),
    ("dconf", Acts::For(&["update"])),
    ("aide", Acts::With(&["-i", "--init", "-u", "--update", "-C", "--check"])),
    ("aideinit", Acts::Always),
    ("setsebool", Acts::Always),
    ("setenforce", Acts::Always),
    ("semanage", Acts::Always),
    ("semodule", Acts::Without(&["-l", "--list"])),
    ("restorecon", Acts::Always),
    ("fixfiles", Acts::ButFor(&["onboot", "verify", "check"])),
    ("chcon", Acts::Always),
    ("firewall-cmd", Acts::Always),
    ("ufw", Acts::ButFor(&["status", "version", "show"])),
    ("nft", Acts::ButFor(&["list"])),
    ("iptables", Acts::Without(&["-L", "-S", "-C", "--list", "--list-rules", "--check", "-V"])),
    ("ip6tables", Acts::Without(&["-L", "-S", "-C", "--list", "--list-rules", "--check", "-V"])),
    ("iptables-restore", Acts::Always),
    ("ip6tables-restore", Acts::Always),
    ("netfilter-persistent", Acts::Always),
    ("modprobe", Acts::Without(&["-n", "--dry-run", "-c", "--showconfig", "--show-depends"])),
    ("rmmod", Acts::Always),
    ("insmod", Acts::Always),
    ("apparmor_parser", Acts::Always),
    ("nmcli", Acts::Always),
    ("ip", Acts::With(&["add", "del", "set", "flush"])),
    ("hostnamectl", Acts::ButFor(&["status"])),
    ("timedatectl", Acts::ButFor(&["status", "show"])),
    ("reboot", Acts::Always),
    ("shutdown", Acts::Always),
    ("poweroff", Acts::Always),
    ("halt", Acts::Always),
    ("telinit", Acts::Always),
    ("init", Acts::Always),
];

/// Whether this call acts on the running system.
fn acts(call: &Call) -> bool {
    let Some((_, acts)) = COMMANDS.iter().find(|(name, _)| *name == call.program) else { return false };
    let word = words(call).first().copied();
    let any = |signs: &[&str]| call.args.iter().any(|arg| signs.iter().any(|sign| matches(arg, sign)));
    match acts {
        Acts::Always => true,
        Acts::ButFor(words) => word.is_some_and(|word| !words.contains(&word)),
        Acts::For(words) => word.is_some_and(|word| words.contains(&word)),
        Acts::With(signs) => any(signs),
        Acts::Without(signs) => !call.args.is_empty() && !any(signs),
    }
}

/// Options whose value is an argument of its own.
const VALUED: [&str; 8] = ["-o", "-c", "-t", "--option", "--config-file", "--target-release", "-H", "-M"];

/// The arguments of a call that are no options, nor the values of options.
pub fn words(call: &Call) -> Vec<&str> {
    let mut words = Vec::new();
    let mut args = call.args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if VALUED.contains(&arg) {
            args.next();
        } else if !arg.starts_with('-') {
            words.push(arg);
        }
    }
    words
}

/// Whether an argument is an option, which may have others behind it (`-Uvh`) or a value (`--info=ALL`), a word, or has a sign in it.
fn matches(arg: &str, sign: &str) -> bool {
    let short = sign.len() == 2 && sign.starts_with('-');
    let long = sign.starts_with("--") && arg.strip_prefix(sign).is_some_and(|rest| rest.starts_with('='));
    arg == sign
        || long
        || (short && !arg.starts_with("--") && arg.starts_with(sign))
        || (sign == "=" && arg.contains('='))
}

/// Covers the commands of the root with this program. What a link leads to is covered, and everything that leads there with it.
pub fn cover() -> Result<()> {
    let own = Path::new(DIR).join("agent");
    let mut covered: Vec<PathBuf> = Vec::new();
    let paths =
        PLACES.iter().flat_map(|place| COMMANDS.iter().map(move |(name, _)| Path::new(place).join(name)));
    for path in paths {
        let Ok(found) = fs::canonicalize(&path) else { continue };
        if covered.contains(&found) || !found.is_file() {
            continue;
        }
        let context = || format!("covering {}", path.display());
        let Some(aside) = aside(&found) else { continue };
        fs::write(&aside, "").with_context(context)?;
        mount(Some(&found), &aside, None::<&str>, MsFlags::MS_BIND, None::<&str>).with_context(context)?;
        mount(Some(&own), &found, None::<&str>, MsFlags::MS_BIND, None::<&str>).with_context(context)?;
        covered.push(found);
    }
    Ok(())
}

/// Where the real program of a path is kept.
fn aside(path: &Path) -> Option<PathBuf> {
    let name = path.to_str()?.trim_start_matches('/').replace('/', "+");
    Some(Path::new(DIR).join("real").join(name))
}

/// Answers in place of a command, when this program was called as one; gives the exit code.
pub fn entry(name: &str, args: &[String]) -> Option<Result<i32>> {
    let real = aside(&std::env::current_exe().ok()?).filter(|real| real.exists())?;
    let program = Path::new(name).file_name()?.to_str()?.to_owned();
    Some(answer(&Call { program, args: args.to_vec() }, name, &real))
}

fn answer(call: &Call, name: &str, real: &Path) -> Result<i32> {
    if acts(call) {
        let mut file = OpenOptions::new().append(true).open(Path::new(DIR).join(NEW))?;
        file.write_all(format!("{}\n", serde_json::to_string(call)?).as_bytes())?;
        return Ok(0);
    }
    if call.program == "systemctl"
        && let Some((said, code)) = known(&call.args)?
    {
        let quiet = call.args.iter().any(|arg| arg == "-q" || arg == "--quiet");
        if !quiet {
            writeln!(std::io::stdout(), "{said}")?;
        }
        return Ok(code);
    }
    let mut command = Command::new(real);
    if call.program == "systemctl" {
        // There is no manager in there to be asked; the files say the rest.
        command.env("SYSTEMD_OFFLINE", "1");
    }
    let error = command.arg0(name).args(&call.args).exec();
    Err(error).with_context(|| format!("starting {}", call.program))
}

/// What systemctl would say of a unit after the calls so far, or of what runs on the machine; what it prints and its exit code.
fn known(args: &[String]) -> Result<Option<(String, i32)>> {
    let mut words = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-'));
    let (verb, unit) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let running = fs::read_to_string(Path::new(DIR).join(ACTIVE)).ok();
    let calls = || -> Result<Vec<Call>> {
        let mut calls = read(&Path::new(DIR).join(KEPT))?;
        calls.extend(read(&Path::new(DIR).join(NEW))?);
        Ok(calls)
    };
    Ok(match verb {
        "is-system-running" => {
            Some(if running.is_some() { ("running".into(), 0) } else { ("offline".into(), 1) })
        }
        "is-active" => {
            let active = running.is_some_and(|units| units.lines().any(|line| line == full_name(unit)));
            Some(if active { ("active".into(), 0) } else { ("inactive".into(), 3) })
        }
        "is-enabled" => state_after(&calls()?, unit),
        _ => None,
    })
}

/// What the calls make of a unit.
fn state_after(calls: &[Call], unit: &str) -> Option<(String, i32)> {
    let about = |call: &&Call| {
        call.program == "systemctl" && call.args.iter().any(|arg| full_name(arg) == full_name(unit))
    };
    let state = |call: &Call| match call.args.iter().find(|arg| !arg.starts_with('-'))?.as_str() {
        "mask" => Some(("masked".to_owned(), 1)),
        "enable" | "reenable" => Some(("enabled".to_owned(), 0)),
        "disable" | "unmask" => Some(("disabled".to_owned(), 1)),
        _ => None,
    };
    calls.iter().rev().filter(about).find_map(state)
}

/// The name of a unit with its kind, which is a service where none is said.
pub fn full_name(unit: &str) -> String {
    const KINDS: [&str; 8] =
        [".service", ".socket", ".timer", ".mount", ".automount", ".target", ".path", ".slice"];
    if KINDS.iter().any(|kind| unit.ends_with(kind)) { unit.to_owned() } else { format!("{unit}.service") }
}

/// Takes the calls of the last script over to those before it, in a directory.
pub fn keep(dir: &Path) -> Result<()> {
    let text = fs::read(dir.join(NEW))?;
    let mut file = OpenOptions::new().create(true).append(true).open(dir.join(KEPT))?;
    Ok(file.write_all(&text)?)
}

/// The calls in a file; none where there is no such file. A line that is no call was written by the script itself.
pub fn read(path: &Path) -> Result<Vec<Call>> {
    let Ok(file) = fs::File::open(path) else { return Ok(Vec::new()) };
    let mut calls = Vec::new();
    for line in std::io::BufReader::new(file).lines() {
        calls.extend(serde_json::from_str::<Call>(&line?).ok());
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Call {
        let mut words = line.split_whitespace().map(str::to_owned);
        Call { program: words.next().unwrap(), args: words.collect() }
    }

    #[test]
    fn what_acts_is_told_from_what_only_reads() {
        for (line, expected) in [
            ("systemctl stop autofs.service", true),
            ("systemctl -q list-unit-files autofs.socket", false),
            ("systemctl --now enable x", true),
            ("systemctl is-enabled x", false),
            ("systemctl", false),
            ("service auditd stop", true),
            ("service --status-all", false),
            ("sysctl -q -n -w kernel.yama.ptrace_scope=1", true),
            ("sysctl net.ipv4.ip_forward", false),
            ("sysctl kernel.x=1", true),
            ("mount", false),
            ("mount -o remount /tmp", true),
            ("apt-get -o DPkg::Lock::Timeout=60 install -y aide", true),
            ("apt-get install -y aide", true),
            ("apt-get -y remove aide", true),
            ("rpm -q aide", false),
            ("rpm -Uvh x.rpm", true),
            ("rpm --eval x", false),
            ("grubby --info=ALL", false),
            ("grubby --update-kernel=ALL --args=audit=1", true),
            ("iptables -L -n", false),
            ("iptables -P INPUT DROP", true),
            ("nft list tables", false),
            ("nft create table inet filter", true),
            ("auditctl -R /etc/audit/audit.rules", true),
            ("auditctl -l", false),
            ("uname -r", false),
        ] {
            assert_eq!(acts(&call(line)), expected, "{line}");
        }
    }

    #[test]
    fn a_unit_is_as_the_last_call_left_it() {
        let calls =
            ["systemctl enable a", "systemctl disable --now a.service", "systemctl mask b.socket"].map(call);
        assert_eq!(state_after(&calls, "a"), Some(("disabled".to_owned(), 1)));
        assert_eq!(state_after(&calls, "b.socket"), Some(("masked".to_owned(), 1)));
        assert_eq!(state_after(&calls, "b"), None);
    }
}
