//! Accounts of a domain (SSSD, winbind, LDAP): they cannot be listed, so what lets them in must stay as it is.
//!
//! To know another name service, add it to [`SERVICES`].

use std::collections::BTreeMap;

use anyhow::Result;

use super::connection::Connection;
use super::ssh::Daemon;
use super::way::Aspect;
use super::{Lost, What};
use crate::setting::pam::line::Line;
use crate::setting::pam::stack::{Said, Step, decides, lines, read};
use crate::system::System;

/// Name services that know accounts beside the local files: the name in `nsswitch.conf`, and the PAM module of it.
const SERVICES: [(&str, &str); 3] =
    [("sss", "pam_sss.so"), ("winbind", "pam_winbind.so"), ("ldap", "pam_ldap.so")];

/// What SSSD is configured with: the file, or drop-ins alone (`sssd.conf(5)`).
const SSSD: &str = "/etc/sssd/sssd.conf";
const SSSD_DROP_INS: &str = "/etc/sssd/conf.d";

/// PAM services that people come through.
const DOORS: [&str; 4] = ["sshd", "login", "sudo", "su"];

/// An account that stands for those nobody lists.
const ANYBODY: &str = "trempe-anybody";

/// What lets the accounts of a domain in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domain {
    /// The name services they come from.
    pub services: Vec<&'static str>,
    /// Whether the stack of a service and a facility lets through whom the domain's module lets through.
    stacks: BTreeMap<[&'static str; 3], bool>,
    /// Whether ssh lets in whom no list names.
    open_to_all: bool,
}

impl Domain {
    /// What lets them in now.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn look(system: &System) -> Result<Domain> {
        let services = services(system)?;
        let mut domain =
            Domain { services: services.iter().map(|(name, _)| *name).collect(), ..Domain::default() };
        for (_, module) in services {
            for door in DOORS {
                for facility in ["auth", "account"] {
                    // A stack that is not understood lets nobody through that one could tell.
                    let steps = read(system, door, facility).ok().flatten().unwrap_or_default();
                    domain.stacks.insert([door, facility, module], opens(&steps, module));
                }
            }
        }
        domain.open_to_all = !domain.services.is_empty()
            && Daemon::of(system)
                .and_then(|daemon| daemon.settings(system, ANYBODY, &Connection::own(), &[]))
                .is_ok_and(|settings| settings.open_to_all());
        Ok(domain)
    }

    /// What let them in and does not now.
    pub fn lost(&self, now: &Domain) -> Vec<Lost> {
        let whose = format!("the accounts of {}", self.services.join(", "));
        let lost = |aspect, what: String| Lost {
            account: whose.clone(),
            what: What::Login,
            aspect,
            sentence: format!("{whose} could no longer log in: {what}"),
        };
        let closed =
            self.stacks.iter().filter(|(stack, open)| **open && now.stacks.get(*stack) != Some(&true));
        let sentence = |[door, facility, module]: &[&str; 3]| {
            format!(
                "the {facility} stack of /etc/pam.d/{door} no longer lets through whom {module} lets through"
            )
        };
        let mut all: Vec<Lost> = closed.map(|(stack, _)| lost(Aspect::Pam, sentence(stack))).collect();
        if self.open_to_all && !now.open_to_all {
            let what = "AllowUsers or AllowGroups leaves out whom it does not name";
            all.push(lost(Aspect::Ssh, what.to_owned()));
        }
        all
    }
}

/// The name services for accounts beside the local files.
fn services(system: &System) -> Result<Vec<(&'static str, &'static str)>> {
    let text = system.read_text("/etc/nsswitch.conf")?.unwrap_or_default();
    let line = text.lines().find_map(|line| line.split('#').next()?.trim().strip_prefix("passwd:"));
    let named: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    // Debian installs SSSD's name service before there is any domain.
    let drop_ins = || system.drop_ins(SSSD_DROP_INS, ".conf").map_or(true, |files| !files.is_empty());
    let configured = |name: &str| name != "sss" || system.exists(SSSD).unwrap_or(true) || drop_ins();
    Ok(SERVICES.into_iter().filter(|(name, _)| named.contains(name) && configured(name)).collect())
}

/// Whether a stack calls the module, and lets through whom it lets through though the local files do not know them.
fn opens(steps: &[Step], module: &str) -> bool {
    let asked = lines(steps).iter().any(|(_, line)| line.module_name() == module);
    let local = |line: &Line| matches!(line.module_name(), "pam_unix.so" | "pam_localuser.so");
    let refuses = |line: &Line| matches!(line.module_name(), "pam_deny.so" | "pam_rootok.so");
    let authfail = |line: &Line| {
        line.module_name() == "pam_faillock.so" && line.words().iter().any(|word| word == "authfail")
    };
    let others =
        SERVICES.iter().map(|(_, other)| *other).filter(|other| *other != module).collect::<Vec<_>>();
    let stranger = |line: &Line| others.contains(&line.module_name());
    // The local module knows whoever the name services know when it only looks at the account.
    let said = |known: bool| {
        move |line: &Line| {
            let no = refuses(line) || authfail(line) || stranger(line) || (!known && local(line));
            if no { Said::Failure } else { Said::Success }
        }
    };
    asked && (decides(steps, &said(false)) || (is_account(steps) && decides(steps, &said(true))))
}

fn is_account(steps: &[Step]) -> bool {
    lines(steps).first().is_some_and(|(_, line)| line.facility == "account")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    /// Debian's stacks with SSSD.
    const AUTH: &str = "auth [success=2 default=ignore] pam_unix.so nullok\n\
                        auth [success=1 default=ignore] pam_sss.so use_first_pass\n\
                        auth requisite pam_deny.so\nauth required pam_permit.so\n";
    const ACCOUNT: &str = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n\
                           account requisite pam_deny.so\naccount required pam_permit.so\n\
                           account sufficient pam_localuser.so\n\
                           account [default=bad success=ok user_unknown=ignore] pam_sss.so\n";

    fn tree(auth: &str, account: &str) -> Tree {
        Tree::new()
            .file("/etc/nsswitch.conf", "passwd: files systemd sss # domain\ngroup: files sss\n")
            .file(SSSD, "[sssd]\n")
            .file("/etc/pam.d/common-auth", auth)
            .file("/etc/pam.d/common-account", account)
            .file(
                "/etc/pam.d/sshd",
                "@include common-auth\naccount required pam_nologin.so\n@include common-account\n",
            )
    }

    fn lost(auth: &str, account: &str) -> Vec<String> {
        let before = Domain::look(&tree(AUTH, ACCOUNT).system()).unwrap();
        let now = Domain::look(&tree(auth, account).system()).unwrap();
        before.lost(&now).into_iter().map(|lost| lost.sentence).collect()
    }

    #[test]
    fn changes_that_keep_the_way_of_the_domain_lose_nothing() {
        let faillock = "auth required pam_faillock.so preauth\n\
                        auth [success=3 default=ignore] pam_unix.so\n\
                        auth [success=2 default=ignore] pam_sss.so use_first_pass\n\
                        auth [default=die] pam_faillock.so authfail\n\
                        auth sufficient pam_faillock.so authsucc\n\
                        auth required pam_permit.so\n";
        for (auth, account) in [
            (AUTH, ACCOUNT),
            (faillock, ACCOUNT),
            (AUTH, &*format!("account required pam_faillock.so\n{ACCOUNT}")),
        ] {
            assert_eq!(lost(auth, account), [""; 0], "{auth}{account}");
        }
    }

    #[test]
    fn a_stack_that_passes_over_the_domain_is_told() {
        let without = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
        // The local module's failure ends it before the domain is asked.
        let unreachable = "auth requisite pam_unix.so\nauth required pam_sss.so\n";
        // faillock's count of failures comes before the domain's module.
        let dies = "auth [success=2 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n\
                    auth sufficient pam_sss.so\nauth required pam_permit.so\n";
        for auth in [without, unreachable, dies] {
            let told = lost(auth, ACCOUNT);
            assert!(
                told.len() == 1 && told[0].contains("auth stack of /etc/pam.d/sshd no longer"),
                "{told:?}"
            );
            assert!(told[0].starts_with("the accounts of sss could no longer log in"), "{told:?}");
        }
        assert_eq!(lost(AUTH, "account requisite pam_deny.so\n").len(), 1);
    }

    #[test]
    fn a_domain_in_drop_ins_alone_is_one() {
        let tree = Tree::new()
            .file("/etc/nsswitch.conf", "passwd: files sss\n")
            .file("/etc/sssd/conf.d/site.conf", "[domain/x]\n");
        assert_eq!(Domain::look(&tree.system()).unwrap().services, ["sss"]);
    }

    #[test]
    fn without_a_domain_there_is_nothing_to_lose() {
        for tree in [
            Tree::new(),
            Tree::new().file("/etc/nsswitch.conf", "passwd: files systemd\n"),
            Tree::new().file("/etc/nsswitch.conf", "passwd: files sss\n"),
        ] {
            assert_eq!(Domain::look(&tree.system()).unwrap(), Domain::default());
        }
    }
}
