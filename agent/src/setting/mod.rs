//! Settings: the kinds of things a rule can ensure, one file each.
//!
//! A setting reads the state of a machine and says what would make it right, in one act
//! ([`Setting::examine`]): the running state *and* what survives a reboot. It changes nothing itself.
//!
//! To add a kind: write `setting/<kind>.rs` with a struct of its parameters that implements [`Setting`], add a
//! line to the table in [`kinds!`] below, and tests in the same file or `setting/<kind>/tests.rs` that inspect,
//! apply, inspect again and roll back on a temporary tree. `docs/adding-a-setting.md` walks through one.

pub mod access;
pub mod account;
pub mod aide;
pub mod apparmor;
pub mod apt_option;
pub mod assignment;
pub mod audit_log;
pub mod audit_privileged;
pub mod audit_rule;
pub mod banner;
pub mod boot;
pub mod chrony;
pub mod crypto_policy;
pub mod default_target;
pub mod desktop;
pub mod disk;
pub mod file;
pub mod file_absent;
pub mod file_present;
pub mod firewall;
pub mod home_present;
pub mod ini;
pub mod key_absent;
pub mod key_value;
pub mod limits;
pub mod listening;
pub mod login_defs;
pub mod module;
pub mod mount;
pub mod must;
pub mod package;
pub mod pam;
pub mod place;
pub mod postfix;
pub mod repositories;
pub mod root_path;
pub mod rpm_key;
pub mod rsyslog;
pub mod selinux;
pub mod shell;
pub mod shell_timeout;
pub mod sshd;
pub mod sudo;
pub mod sysctl;
#[cfg(test)]
pub mod testing;
pub mod umask;
pub mod unit;
pub mod unit_count;
pub mod unit_file;
pub mod wireless;

use std::collections::BTreeSet;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::system::System;

/// A kind of thing a rule can ensure, with its parameters bound.
pub trait Setting {
    /// Looks at the machine: what is so, and what would make it right.
    ///
    /// # Errors
    /// When something could not be read or understood. That is never the same as "not so".
    fn examine(&self, system: &System) -> Result<Finding>;

    /// How it is checked, in a sentence for people.
    fn describe(&self) -> String;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($type:ty);)*) => {
        /// Every kind of setting, as the catalogue writes it: `sysctl: {…}`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum Kind {
            $($(#[$doc])* $variant($type),)*
            /// All of these.
            All(Vec<Kind>),
            /// One of these is enough; the first is what a plan aims at.
            Any(Vec<Kind>),
        }

        impl Setting for Kind {
            fn examine(&self, system: &System) -> Result<Finding> {
                match self {
                    $(Kind::$variant(setting) => setting.examine(system),)*
                    Kind::All(kinds) => all(kinds, system),
                    Kind::Any(kinds) => any(kinds, system),
                }
            }

            fn describe(&self) -> String {
                let join = |kinds: &[Kind], word: &str| kinds.iter().map(Kind::describe).collect::<Vec<_>>().join(word);
                match self {
                    $(Kind::$variant(setting) => setting.describe(),)*
                    Kind::All(kinds) => join(kinds, "; and "),
                    Kind::Any(kinds) => join(kinds, "; or "),
                }
            }
        }
    };
}

kinds! {
    /// Owner, group and mode of files.
    File(file::File);
    /// Files that are not there.
    FileAbsent(file_absent::FileAbsent);
    /// A file that is there.
    FilePresent(file_present::FilePresent);
    /// What is nowhere on the disks.
    Disk(disk::Disk);
    /// Each interactive user has a home directory.
    HomePresent(home_present::HomePresent);
    /// What holds for the directories root runs programs from.
    RootPath(root_path::RootPath);
    /// Owner, group and mode of the audit log.
    AuditLog(audit_log::AuditLog);
    /// AppArmor profiles confine, in the kernel and in their files.
    ApparmorProfiles(apparmor::ApparmorProfiles);
    /// A login text that says nothing about the system.
    Banner(banner::Banner);
    /// GRUB asks for a password before it lets anybody edit an entry.
    BootPassword(boot::password::BootPassword);
    /// A key of a dconf database, for everyone.
    Dconf(desktop::Dconf);
    /// What cannot be changed of a dconf database.
    DconfLock(desktop::built::DconfLock);
    /// The databases of dconf are made from the files as they are.
    DconfBuilt(desktop::built::DconfBuilt);
    /// A key of GDM's configuration.
    Gdm(desktop::gdm::Gdm);
    /// An argument of the kernel, given by GRUB.
    KernelArgument(boot::KernelArgument);
    /// Arguments that no kernel gets.
    KernelArgumentAbsent(boot::absent::KernelArgumentAbsent);
    /// An argument of the kernel, given by zipl.
    ZiplArgument(boot::zipl::ZiplArgument);
    /// An option of a mounted file system, now and at boot.
    MountOption(mount::MountOption);
    /// A directory that is a file system of its own.
    Partition(mount::partition::Partition);
    /// A keyword of the ssh daemon's configuration.
    Sshd(sshd::Sshd);
    /// The ssh daemon limits who may log in.
    SshdAccess(sshd::access::SshdAccess);
    /// A parameter of sudo that holds for everyone.
    SudoDefault(sudo::SudoDefault);
    /// Nothing waives the password that sudo asks for.
    SudoAuthentication(sudo::authentication::SudoAuthentication);
    /// Audit rules, in the kernel and in the files read at boot.
    AuditRule(audit_rule::AuditRule);
    /// An audit rule for every program that runs with the rights of its owner or group.
    AuditPrivileged(audit_privileged::AuditPrivileged);
    /// A key and its value in a configuration file.
    KeyValue(key_value::KeyValue);
    /// A key in a section of a file that one program reads.
    Ini(ini::Ini);
    /// A key that a file does not set.
    KeyAbsent(key_absent::KeyAbsent);
    /// What no repository of dnf switches off.
    Repositories(repositories::Repositories);
    /// Keys that rpm trusts.
    RpmKey(rpm_key::RpmKey);
    /// SELinux, now and at boot.
    Selinux(selinux::Selinux);
    /// The system-wide choice of ciphers.
    CryptoPolicy(crypto_policy::CryptoPolicy);
    /// The target the machine boots into.
    DefaultTarget(default_target::DefaultTarget);
    /// The servers and the user of chrony.
    Chrony(chrony::Chrony);
    /// rsyslog: modes of its files, listeners, forwarding.
    Rsyslog(rsyslog::Rsyslog);
    /// The database and the rules of AIDE.
    Aide(aide::Aide);
    /// A kernel parameter, now and at boot.
    Sysctl(sysctl::Sysctl);
    /// Packages that are, or are not, installed.
    Package(package::Package);
    /// A systemd unit that starts and runs, or does not.
    Unit(unit::Unit);
    /// A kernel module that cannot be loaded.
    Module(module::Module);
    /// How many of several units run.
    UnitCount(unit_count::UnitCount);
    /// A systemd unit the agent brings along.
    UnitFile(unit_file::UnitFile);
    /// A TCP port nobody but the machine itself may reach.
    LoopbackOnly(listening::LoopbackOnly);
    /// A parameter of Postfix.
    Postfix(postfix::Postfix);
    /// Wireless interfaces are down.
    Wireless(wireless::Wireless);
    /// The firewall front end ufw.
    Ufw(firewall::ufw::Ufw);
    /// firewalld filters packets, and lets ssh in.
    Firewalld(firewall::firewalld::Firewalld);
    /// What firewalld does with the loopback interface.
    FirewalldLoopback(firewall::zone::FirewalldLoopback);
    /// The rules of iptables.
    Iptables(firewall::iptables::Iptables);
    /// The rules of nftables.
    Nftables(firewall::nftables::Nftables);
    /// Switches of APT that are off.
    AptOption(apt_option::AptOption);
    /// A value for accounts made from now on.
    LoginDefs(login_defs::LoginDefs);
    /// A default of `useradd`.
    Useradd(login_defs::Useradd);
    /// A module in a PAM stack, and its arguments.
    Pam(pam::Pam);
    /// authselect writes the stacks of PAM.
    Authselect(pam::authselect::selected::Authselect);
    /// The places of the module that locks accounts.
    Faillock(pam::faillock::Faillock);
    /// A value in the configuration file of a PAM module.
    PamConf(pam::conf::PamConf);
    /// Something that must be so of all local accounts.
    Account(account::Account);
    /// The mask of new files that shells set.
    Umask(umask::Umask);
    /// The time after which an idle shell ends.
    ShellTimeout(shell_timeout::ShellTimeout);
    /// A limit of what sessions may use.
    Limits(limits::Limits);
}

impl Kind {
    /// Whether a new machine must be provisioned first: what cloud-init's last stage, guest customization or whoever sets the machine
    /// up still needs (packages and the way to them, programs below `/tmp`, sudo without a password, modules for their disks), and
    /// what takes long and keeps nobody out. And what is to be started: a unit may come after logins (cron does on Red Hat's family),
    /// which wait for the first phase, which would wait for the unit.
    pub fn after_provisioning(&self) -> bool {
        match self {
            Kind::Unit(unit) => unit.state == unit::State::Enabled,
            Kind::UnitCount(_) | Kind::UnitFile(_) => true,
            Kind::All(parts) | Kind::Any(parts) => parts.iter().any(Kind::after_provisioning),
            Kind::Package(_) | Kind::Ufw(_) | Kind::Iptables(_) | Kind::Nftables(_) => true,
            Kind::Firewalld(_) | Kind::FirewalldLoopback(_) => true,
            Kind::MountOption(_) | Kind::Module(_) => true,
            Kind::SudoDefault(_) | Kind::SudoAuthentication(_) => true,
            Kind::Aide(_) | Kind::BootPassword(_) | Kind::KernelArgument(_) | Kind::ZiplArgument(_) => true,
            Kind::KernelArgumentAbsent(_) => true,
            _ => false,
        }
    }

    /// Whether what it does locks what others write, which must be there before: where the power goes in between, the next boot would lock
    /// what is there.
    pub fn locks(&self) -> bool {
        match self {
            Kind::All(parts) | Kind::Any(parts) => parts.iter().any(Kind::locks),
            Kind::AuditRule(rule) => rule.locks(),
            _ => false,
        }
    }

    /// The names of the kinds it is made of, as the catalogue writes them.
    ///
    /// # Errors
    /// When a parameter cannot be written as JSON.
    pub fn names(&self) -> Result<BTreeSet<String>> {
        match self {
            Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().map(Kind::names).try_fold(BTreeSet::new(), |mut names, part| {
                    names.append(&mut part?);
                    Ok(names)
                })
            }
            _ => {
                let written = serde_json::to_value(self)?;
                Ok(written.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect())
            }
        }
    }
}

fn all(kinds: &[Kind], system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    let mut missing = Vec::new();
    for kind in kinds {
        let one = kind.examine(system)?;
        match one.not_applicable {
            Some(reason) => missing.push(reason),
            None => drop(finding.and(one)),
        }
    }
    // A part that has nothing to judge leaves the verdict to the others.
    if finding.evidence.is_empty() && finding.not_checked.is_none() && !missing.is_empty() {
        return Ok(Finding::not_applicable(missing.join("; ")));
    }
    Ok(finding)
}

fn any(kinds: &[Kind], system: &System) -> Result<Finding> {
    let mut first = None;
    for kind in kinds {
        let one = kind.examine(system)?;
        if one.is_compliant() {
            return Ok(one);
        }
        let worse = first.as_ref().is_none_or(|finding: &Finding| finding.not_applicable.is_some());
        if worse {
            first = Some(one);
        }
    }
    Ok(first.unwrap_or_default())
}

/// The head of every file that only the agent writes: whoever finds it knows whose it is and how to keep it away.
pub const OWNED_HEADER: &str = "# Written by the hardening agent. Changes are lost at its next run: except the rule instead (agent tailor).\n";
