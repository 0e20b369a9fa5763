//! Facts parsed once per run and kept: each from one file or one program, read on first use.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use super::audit::{AuditFiles, AuditKernel};
use super::{
    Accounts, Mounts, Os, Packages, Passwords, SshdView, System, TmpfilesLine, Tool, Units, Walk, tmpfiles,
};
use crate::change::Change;

/// A fact and the failure to learn it are both kept, so that a failing source is asked once.
type Fact<T> = OnceLock<Result<T, String>>;

/// The cache behind the methods below.
#[derive(Default)]
pub struct Facts {
    accounts: Fact<Accounts>,
    audit_files: Fact<AuditFiles>,
    audit_kernel: Fact<Option<AuditKernel>>,
    iptables: Fact<String>,
    ip6tables: Fact<String>,
    mounts: Fact<Mounts>,
    nft_ruleset: Fact<String>,
    os: Fact<Os>,
    packages: Fact<Packages>,
    passwords: Fact<Passwords>,
    tmpfiles: Fact<Vec<TmpfilesLine>>,
    sshd: Fact<Option<SshdView>>,
    units: Fact<Units>,
    walk: Fact<Walk>,
}

impl Facts {
    /// Forgets what a change may have made untrue.
    pub fn forget(&mut self, change: &Change) {
        match change {
            Change::Packages { .. } => {
                *self = Facts { walk: std::mem::take(&mut self.walk), ..Facts::default() }
            }
            Change::Unit { .. } => self.units = OnceLock::new(),
            Change::Mount { .. } => self.mounts = OnceLock::new(),
            other => {
                let Some(path) = other.path() else { return };
                let account = ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];
                if account.iter().any(|file| path == Path::new(file)) {
                    self.accounts = OnceLock::new();
                    self.passwords = OnceLock::new();
                } else if path == Path::new("/etc/fstab") {
                    self.mounts = OnceLock::new();
                } else if path.components().any(|part| part.as_os_str() == "tmpfiles.d") {
                    self.tmpfiles = OnceLock::new();
                } else if path.starts_with("/etc/ssh") {
                    self.sshd = OnceLock::new();
                } else if path.starts_with("/etc/audit") {
                    self.audit_files = OnceLock::new();
                } else if path.components().any(|part| part.as_os_str() == "systemd") {
                    self.units = OnceLock::new();
                    self.mounts = OnceLock::new();
                    self.audit_files = OnceLock::new();
                }
            }
        }
    }
}

fn known<T>(fact: &Fact<T>, learn: impl FnOnce() -> Result<T>) -> Result<&T> {
    fact.get_or_init(|| learn().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))
}

impl System {
    /// The operating system, from `os-release(5)`.
    ///
    /// # Errors
    /// When neither `/etc/os-release` nor `/usr/lib/os-release` tells.
    pub fn os(&self) -> Result<&Os> {
        known(&self.facts.os, || Os::learn(self))
    }

    /// Users, groups and shadow entries of the local files.
    ///
    /// # Errors
    /// When one of the files cannot be read or understood.
    pub fn accounts(&self) -> Result<&Accounts> {
        known(&self.facts.accounts, || Accounts::learn(self).context("reading the account files"))
    }

    /// The local passwords and their ages.
    ///
    /// # Errors
    /// When `/etc/shadow` is there and cannot be read or understood.
    pub fn passwords(&self) -> Result<&Passwords> {
        known(&self.facts.passwords, || Passwords::learn(self).context("reading the passwords"))
    }

    /// The audit rules for the next boot.
    ///
    /// # Errors
    /// When a rules file or the unit that loads it cannot be read or understood.
    pub fn audit_files(&self) -> Result<&AuditFiles> {
        known(&self.facts.audit_files, || AuditFiles::learn(self).context("reading the audit rules"))
    }

    /// The audit rules in force; `None` where no running kernel can be asked.
    ///
    /// # Errors
    /// When the kernel does not tell, or tells something that is not understood.
    pub fn audit_kernel(&self) -> Result<Option<&AuditKernel>> {
        let kernel = known(&self.facts.audit_kernel, || {
            AuditKernel::learn(self).context("asking the kernel for its audit rules")
        });
        Ok(kernel?.as_ref())
    }

    /// What is mounted, and what `fstab` and mount units say should be.
    ///
    /// # Errors
    /// When the mount table or `fstab` cannot be read or understood.
    pub fn mounts(&self) -> Result<&Mounts> {
        known(&self.facts.mounts, || Mounts::learn(self))
    }

    /// The packages that are installed.
    ///
    /// # Errors
    /// When the package database cannot be read.
    pub fn packages(&self) -> Result<&Packages> {
        known(&self.facts.packages, || {
            let mut packages = Packages::learn(self)?;
            self.overlay.amend_packages(&mut packages);
            Ok(packages)
        })
    }

    /// What the ssh daemon makes of its configuration; `None` when it cannot be asked, or changes are laid over its files.
    ///
    /// # Errors
    /// When the daemon refuses its configuration.
    pub fn sshd(&self) -> Result<Option<&SshdView>> {
        known(&self.facts.sshd, || SshdView::learn(self)).map(Option::as_ref)
    }

    /// The states of systemd units: the files' (which survive a reboot) and, when booted, the manager's.
    ///
    /// # Errors
    /// When unit files cannot be listed or the manager does not answer.
    pub fn units(&self) -> Result<&Units> {
        known(&self.facts.units, || {
            let mut units = Units::learn(self)?;
            self.overlay.amend_units(&mut units);
            Ok(units)
        })
    }

    /// What systemd-tmpfiles sets at each boot, in its order.
    ///
    /// # Errors
    /// When one of its files cannot be read.
    pub fn tmpfiles(&self) -> Result<&[TmpfilesLine]> {
        known(&self.facts.tmpfiles, || tmpfiles::learn(self)).map(Vec::as_slice)
    }

    /// The live rules of iptables' filter table, as `iptables -S` or `ip6tables -S` prints them.
    ///
    /// # Errors
    /// When the tool is not there or the kernel does not answer.
    pub fn iptables(&self, ipv6: bool) -> Result<&str> {
        let (fact, tool) = match ipv6 {
            true => (&self.facts.ip6tables, Tool::Ip6tables),
            false => (&self.facts.iptables, Tool::Iptables),
        };
        Ok(known(fact, || Ok(self.run(tool, &["-S"])?.success()?.stdout))?)
    }

    /// The live rules of nftables, as `nft list ruleset` prints them.
    ///
    /// # Errors
    /// When the tool is not there or the kernel does not answer.
    pub fn nft_ruleset(&self) -> Result<&str> {
        let list = ["list", "ruleset"];
        Ok(known(&self.facts.nft_ruleset, || Ok(self.run(Tool::Nft, &list)?.success()?.stdout))?)
    }

    /// What one shared walk over the local file systems found.
    ///
    /// # Errors
    /// When the walk could not be started; single unreadable directories are in [`Walk::unreadable`].
    pub fn walk(&self) -> Result<&Walk> {
        known(&self.facts.walk, || Walk::learn(self))
    }
}
