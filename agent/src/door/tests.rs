use std::collections::BTreeMap;

use anyhow::bail;

use super::*;
use crate::setting::testing::Tree;
use crate::system::{Attempt, Output, Run, Trial};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n\
                      bot:x:1001:1001::/home/bot:/bin/bash\neve:x:1002:1002::/home/eve:/bin/bash\n";
const SHADOW: &str = "root:!:19000:0:99999:7:::\nann:$y$a:19000:0:99999:7:::\nbot:!:19000:0:99999:7:::\n\
                      eve:$y$e:19000:0:99999:7:::\n";
const STACK: &str = "auth required pam_unix.so\naccount required pam_unix.so\n";
/// What the daemon says of a stock configuration.
const STOCK: &str = "usepam yes\npermitrootlogin without-password\npubkeyauthentication yes\n\
                     passwordauthentication yes\nkbdinteractiveauthentication no\nstrictmodes no\n\
                     authenticationmethods any\npubkeyacceptedalgorithms ssh-ed25519,rsa-sha2-512\n";

/// A host: what its daemon says, what sudo lists, and how logins end.
#[derive(Clone)]
struct Host {
    sshd: String,
    sudo: BTreeMap<String, String>,
    attempts: BTreeMap<String, Attempt>,
    missing: Vec<Tool>,
}

fn good() -> Attempt {
    Attempt { code: Some(0), ..Attempt::default() }
}

fn turned_away(server: &str) -> Attempt {
    Attempt { code: Some(255), server: server.to_owned(), ..Attempt::default() }
}

impl Host {
    /// ann has a key and a password, bot a key, eve a password and nothing to do with root.
    fn stock() -> Host {
        let sudo = [("ann", "(ALL : ALL) ALL"), ("bot", "(ALL) NOPASSWD: ALL")];
        let listed = |(name, entry): (&str, &str)| {
            let text = format!("User {name} may run the following commands on vm:\n    {entry}\n");
            (name.to_owned(), text)
        };
        let names = ["root", "ann", "bot", "eve", "dom"];
        Host {
            sshd: STOCK.to_owned(),
            sudo: sudo.into_iter().map(listed).collect(),
            attempts: names.into_iter().map(|name| (name.to_owned(), good())).collect(),
            missing: Vec::new(),
        }
    }

    fn with(mut self, sshd: &str, instead: &str) -> Host {
        assert!(sshd.is_empty() || self.sshd.contains(sshd));
        self.sshd = format!("{instead}{}", self.sshd.replace(sshd, ""));
        self
    }

    fn sudo(mut self, name: &str, entry: &str) -> Host {
        self.sudo
            .insert(name.into(), format!("User {name} may run the following commands on vm:\n    {entry}\n"));
        self
    }

    fn attempt(mut self, name: &str, attempt: Attempt) -> Host {
        self.attempts.insert(name.into(), attempt);
        self
    }

    fn without(mut self, tool: Tool) -> Host {
        self.missing.push(tool);
        self
    }
}

impl Run for Host {
    fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
        let said = |stdout: String| Output { code: Some(0), stdout, ..Output::default() };
        let failed = |stderr: &str| Output { code: Some(1), stderr: stderr.to_owned(), ..Output::default() };
        Ok(match tool {
            Tool::Sshd => {
                let keys = args.iter().find_map(|arg| arg.strip_prefix("AuthorizedKeysFile="));
                said(format!("{}authorizedkeysfile {}\n", self.sshd, keys.unwrap_or(".ssh/authorized_keys")))
            }
            Tool::Sudo => match self.sudo.get(args[3]) {
                Some(text) => said(text.clone()),
                None => said(format!("User {} is not allowed to run sudo on vm.\n", args[3])),
            },
            Tool::Setpriv => {
                let free = self.sudo.get(args[1]).is_some_and(|text| text.contains("NOPASSWD"));
                if free { said(String::new()) } else { failed("sudo: a password is required") }
            }
            Tool::Getent if args[..] == ["passwd", "--", "dom"] => {
                said("dom:*:70001:70000:Dom:/home/dom:/bin/bash\n".into())
            }
            Tool::Id => said("dom\0admins\0".into()),
            Tool::Getent => failed(""),
            other => bail!("{other:?} {args:?}"),
        })
    }

    fn has(&self, tool: Tool) -> bool {
        !self.missing.contains(&tool)
    }

    fn log_in(&self, trials: &[Trial]) -> Result<Vec<Attempt>> {
        Ok(trials.iter().map(|trial| self.attempts.get(&trial.user).cloned().unwrap_or_default()).collect())
    }
}

fn tree() -> Tree {
    let key = "ssh-ed25519 AAAA x\n";
    ["sshd", "login", "sudo"]
        .iter()
        .fold(Tree::new(), |tree, service| tree.file(&format!("/etc/pam.d/{service}"), STACK))
        .file("/etc/passwd", PASSWD)
        .file("/etc/group", "root:x:0:\nsudo:x:27:ann\n")
        .file("/etc/shadow", SHADOW)
        .file(
            "/etc/sudoers",
            "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\nbot ALL=(ALL) NOPASSWD: ALL\n",
        )
        .file_with_mode("/bin/bash", "", 0o755)
        .file("/home/ann/.ssh/authorized_keys", key)
        .file("/home/bot/.ssh/authorized_keys", &format!("from=\"10.0.0.1\" {key}"))
}

fn look(tree: &Tree, host: Host) -> Door {
    Door::look(&tree.system_with(Box::new(host)), None).unwrap()
}

/// What is lost when a host becomes another one.
fn lost(tree: &Tree, before: Host, after: Host) -> Comparison {
    look(tree, before).compare(&tree.system_with(Box::new(after)), None).unwrap()
}

fn only(comparison: Comparison) -> Lost {
    assert_eq!(comparison.lost.len(), 1, "{comparison:?}");
    comparison.lost.into_iter().next().unwrap()
}

#[test]
fn who_gets_in_and_becomes_root_is_looked_after() {
    let door = look(&tree(), Host::stock());
    let of = |name: &str| door.accounts.iter().find(|account| account.name == name);
    assert_eq!(door.accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(), ["ann", "bot"]);
    let (ann, bot) = (&of("ann").unwrap().ways, &of("bot").unwrap().ways);
    assert!(ann.ssh_key.proved && ann.ssh_password.open && ann.console.open);
    assert!(!ann.ssh_password.proved, "nobody knows the password");
    assert_eq!((ann.sudo.class, ann.sudo.proved), (Class::WithPassword, false));
    assert!(bot.ssh_key.proved && !bot.ssh_password.open && !bot.console.open);
    assert_eq!((bot.sudo.class, bot.sudo.proved), (Class::WithoutPassword, true));
    assert_eq!(bot.ssh_password.why, "the account has no password");
}

#[test]
fn named_accounts_are_looked_after_whatever_they_may() {
    let tree = tree();
    let system = tree.system_with(Box::new(Host::stock()));
    let keep = ["eve", "root", "gone"].map(str::to_owned);
    let door = Door::look(&system, Some(&keep)).unwrap();
    assert_eq!(door.accounts.len(), 2);
    assert!(door.accounts[0].ways.ssh_password.open && !door.accounts[0].ways.to_root());
    assert_eq!(door.problems.len(), 2, "{:?}", door.problems);
    assert!(door.problems[0].contains("'gone' must keep access, and there is no such account"));
    assert!(
        door.problems[1]
            .contains("'root' must keep access, and there is no way in now: it has no authorized key")
    );
    assert_eq!(Door::look(&system, Some(&[])).unwrap().accounts, []);
}

#[test]
fn nothing_is_lost_where_nothing_changed() {
    assert_eq!(lost(&tree(), Host::stock(), Host::stock()), Comparison::default());
}

#[test]
fn one_way_closed_is_a_note_where_another_stays() {
    let after = Host::stock().with("passwordauthentication yes\n", "passwordauthentication no\n");
    let told = lost(&tree(), Host::stock(), after);
    assert_eq!(told.lost, []);
    let note =
        "'ann' gets in as before, but for this: with a password over ssh: PasswordAuthentication is no";
    assert_eq!(told.notes, [note]);
}

#[test]
fn whose_only_way_is_a_password_loses_it() {
    let tree = tree().file("/home/ann/.ssh/authorized_keys", "# none\n");
    let after = Host::stock().with("passwordauthentication yes\n", "passwordauthentication no\n");
    let lost_it = only(lost(&tree, Host::stock(), after));
    assert_eq!((lost_it.account.as_str(), lost_it.aspect), ("ann", Aspect::Ssh));
    let sentence =
        "'ann' could no longer log in over ssh (with a password over ssh: PasswordAuthentication is no)";
    assert_eq!(lost_it.sentence, sentence);
    // PAM's own questions are a way too.
    let asks = Host::stock()
        .with("passwordauthentication yes\n", "passwordauthentication no\n")
        .with("kbdinteractiveauthentication no\n", "kbdinteractiveauthentication yes\n");
    assert_eq!(lost(&tree, Host::stock(), asks).lost, []);
}

#[test]
fn lists_keys_and_methods_that_leave_somebody_out_are_seen_without_a_login() {
    let blind = || Host::stock().without(Tool::Ssh);
    for (change, instead, reason) in [
        ("", "allowusers ann\n", "AllowUsers does not name it (ann)"),
        ("", "allowgroups sudo wheel\n", "AllowGroups names no group of it (sudo wheel)"),
        ("", "denyusers bo*\n", "DenyUsers names it"),
        ("", "denygroups bot\n", ""),
        ("pubkeyauthentication yes\n", "pubkeyauthentication no\n", "PubkeyAuthentication is no"),
        ("authenticationmethods any\n", "authenticationmethods publickey,hostbased\n", "asks for hostbased"),
        (
            "pubkeyacceptedalgorithms ssh-ed25519,rsa-sha2-512\n",
            "pubkeyacceptedalgorithms rsa-sha2-512\n",
            "keys of type ssh-ed25519 are not accepted",
        ),
    ] {
        let told = lost(&tree(), blind(), blind().with(change, instead));
        if reason.is_empty() {
            assert_eq!(told.lost, [], "{instead}");
            continue;
        }
        let bot = told.lost.iter().find(|lost| lost.account == "bot").unwrap();
        assert!(bot.aspect == Aspect::Ssh && bot.sentence.contains(reason), "{instead}: {bot:?}");
    }
}

#[test]
fn a_login_that_is_turned_away_counts_whatever_the_configuration_says() {
    let denied = turned_away("Access denied for user bot by PAM account configuration [preauth]\n");
    let lost_it = only(lost(&tree(), Host::stock(), Host::stock().attempt("bot", denied.clone())));
    assert!(lost_it.aspect == Aspect::Pam && lost_it.sentence.contains("PAM account configuration"));
    // Who was turned away before has nothing to lose.
    let before = Host::stock().attempt("bot", denied.clone());
    assert!(look(&tree(), before).accounts.iter().all(|account| account.name != "bot"));
    // A login that ends without a reason counts where it came through before.
    let silent =
        || Host::stock().attempt("bot", Attempt { client: "Connection reset".into(), ..Attempt::default() });
    assert!(only(lost(&tree(), Host::stock(), silent())).sentence.contains("Connection reset"));
    assert_eq!(lost(&tree(), silent(), silent()).lost, []);
}

#[test]
fn a_key_does_not_help_where_a_new_password_must_be_typed_in() {
    let expired = Attempt {
        code: Some(1),
        client: "Password change required but no TTY available.\n".into(),
        ..Attempt::default()
    };
    let after = Host::stock().attempt("bot", expired.clone()).attempt("ann", expired);
    let told = lost(&tree(), Host::stock(), after);
    assert_eq!(told.lost.iter().map(|lost| lost.account.as_str()).collect::<Vec<_>>(), ["bot"]);
    // ann types her old password, and a new one.
    assert!(
        told.notes.iter().any(|note| note.starts_with("'ann' gets in as before, but for this: with a key"))
    );
}

#[test]
fn sudo_that_weakens_is_lost_where_no_password_makes_up_for_it() {
    let asked = |name: &str| Host::stock().sudo(name, "(ALL) ALL");
    let lost_it = only(lost(&tree(), Host::stock(), asked("bot")));
    assert_eq!((lost_it.account.as_str(), lost_it.aspect), ("bot", Aspect::Pam));
    let sentence =
        "'bot' could no longer become root: it is asked for a password, and the account has no password";
    assert_eq!(lost_it.sentence, sentence);
    let free = || Host::stock().sudo("ann", "(ALL) NOPASSWD: ALL");
    let told = lost(&tree(), free(), asked("ann"));
    assert_eq!(
        (told.lost.len(), told.notes),
        (0, vec!["'ann' is asked for a password by sudo now".to_owned()])
    );
    let mut gone = Host::stock();
    gone.sudo.remove("ann");
    assert_eq!(only(lost(&tree(), Host::stock(), gone)).aspect, Aspect::Sudo);
}

#[test]
fn root_may_be_shut_out_where_somebody_else_becomes_root() {
    let tree = tree().file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA x\n");
    let closed = || Host::stock().with("permitrootlogin without-password\n", "permitrootlogin no\n");
    let told = lost(&tree, Host::stock(), closed());
    assert_eq!(told.lost, []);
    assert_eq!(told.notes.len(), 1, "{:?}", told.notes);
    assert!(told.notes[0].contains("PermitRootLogin is no") && told.notes[0].contains("others get in"));
    // Alone, root is lost.
    let alone = tree.file("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n");
    let mut after = closed();
    after.sudo.clear();
    assert_eq!(only(lost(&alone, Host::stock(), after)).account, "root");
}

#[test]
fn keys_that_cloud_init_turned_away_are_no_way_in() {
    let line = "no-pty,command=\"echo 'Please login as the user \\\"ann\\\"';exit 142\" ssh-ed25519 AAAA x\n";
    let tree = tree().file("/root/.ssh/authorized_keys", line);
    assert!(look(&tree, Host::stock()).accounts.iter().all(|account| account.name != "root"));
}

#[test]
fn an_account_that_is_gone_is_lost() {
    let door = look(&tree(), Host::stock());
    let after = tree().file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    let told = door.lost(&after.system_with(Box::new(Host::stock()))).unwrap();
    assert_eq!(told.len(), 2);
    assert!(told[0].sentence.contains("the account is gone"));
}

#[test]
fn accounts_of_a_domain_are_found_by_name_and_judged_with_their_groups() {
    let keep = ["dom".to_owned()];
    let look = |host: Host| Door::look(&tree().system_with(Box::new(host)), Some(&keep)).unwrap();
    let door = look(Host::stock());
    assert!(!door.accounts[0].local && door.accounts[0].ways.ssh_password.open);
    let closed = Host::stock()
        .with("", "allowgroups sudo\n")
        .attempt("dom", turned_away("User dom not allowed because x"));
    assert_eq!(door.lost(&tree().system_with(Box::new(closed))).unwrap().len(), 1);
    let named = Host::stock().with("", "allowgroups admins\n");
    assert_eq!(door.lost(&tree().system_with(Box::new(named))).unwrap(), []);
}

#[test]
fn without_a_daemon_the_console_is_what_there_is() {
    let bare = || Host::stock().without(Tool::Sshd);
    let door = look(&tree(), bare());
    assert_eq!(door.accounts.len(), 1, "bot has no way in at all: {:?}", door.accounts);
    let shut = tree().file("/etc/pam.d/login", "auth requisite pam_deny.so\naccount required pam_unix.so\n");
    let told = door.lost(&shut.system_with(Box::new(bare()))).unwrap();
    assert!(
        told.len() == 1 && told[0].sentence.starts_with("'ann' could no longer log in (with a password at")
    );
}

#[test]
fn a_configuration_that_the_daemon_has_not_read_yet_is_told_where_it_would_shut_somebody_out() {
    let tree = tree()
        .file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n")
        .file("/run/sshd.pid", "1\n")
        .file("/etc/ssh/sshd_config.d/50-site.conf", "AllowUsers ann\n");
    let at = |path: &str, seconds: u64| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let file = std::fs::File::options().write(true).open(tree.system().host_path(path)).unwrap();
        file.set_modified(time).unwrap();
    };
    let host = || Host::stock().with("", "pidfile /run/sshd.pid\nallowusers ann\n");
    at("/etc/ssh/sshd_config", 1000);
    at("/run/sshd.pid", 2000);
    at("/etc/ssh/sshd_config.d/50-site.conf", 1500);
    assert_eq!(look(&tree, host()).unread, None);
    at("/etc/ssh/sshd_config.d/50-site.conf", 2500);
    let wanted = "the ssh daemon has not read /etc/ssh/sshd_config.d/50-site.conf yet, and once it does 'bot' is shut out \
                  (AllowUsers does not name it (ann)); mend that, or reload the daemon, first";
    assert_eq!(look(&tree, host()).unread.as_deref(), Some(wanted));
    // Who has nothing to come with is not shut out by it, and a daemon that does not run has nothing to read.
    let keyless = tree.file("/home/bot/.ssh/authorized_keys", "");
    assert_eq!(look(&keyless, host()).unread, None);
    std::fs::remove_file(keyless.system().host_path("/run/sshd.pid")).unwrap();
    assert_eq!(
        look(&keyless.file("/home/bot/.ssh/authorized_keys", "ssh-ed25519 AAAA\n"), host()).unread,
        None
    );
}
