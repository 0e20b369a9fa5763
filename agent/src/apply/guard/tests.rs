use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::apply::{Run as Done, apply};
use crate::inspect::Verdict;
use crate::policy::PolicyRule;
use crate::policy::testing::{policy, rule, zero};
use crate::setting::Kind;
use crate::setting::sshd::Sshd;
use crate::setting::testing::Tree;
use crate::system::{Attempt, Output, Run, Tool, Trial};

const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-trempe.conf";

/// A host whose ssh daemon goes by our drop-in, and whose logins all come through until there were so many.
struct Host {
    root: PathBuf,
    logins: Arc<AtomicUsize>,
    most: usize,
}

impl Run for Host {
    fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
        let said = |stdout: String| Output { code: Some(0), stdout, ..Output::default() };
        Ok(match tool {
            Tool::Sshd => {
                let ours = std::fs::read_to_string(self.root.join(&DROP_IN[1..])).unwrap_or_default();
                let keys = args.iter().find_map(|arg| arg.strip_prefix("AuthorizedKeysFile="));
                said(format!(
                    "{}usepam yes\npermitrootlogin yes\npubkeyauthentication yes\npasswordauthentication yes\n\
                     kbdinteractiveauthentication no\nstrictmodes no\nauthorizedkeysfile {}\n",
                    ours.to_ascii_lowercase(),
                    keys.unwrap_or(".ssh/authorized_keys")
                ))
            }
            Tool::Sudo => said("may run the following commands on vm:\n    (ALL) NOPASSWD: ALL\n".into()),
            _ => said(String::new()),
        })
    }

    fn has(&self, _: Tool) -> bool {
        true
    }

    fn log_in(&self, trials: &[Trial]) -> Result<Vec<Attempt>> {
        let one = |_: &Trial| {
            let come = self.logins.fetch_add(1, Ordering::Relaxed) < self.most;
            Attempt { code: Some(if come { 0 } else { 255 }), ..Attempt::default() }
        };
        Ok(trials.iter().map(one).collect())
    }
}

/// ann has a password and bot a key; both become root.
fn tree() -> Tree {
    Tree::new()
        .packages(&["openssh-server"])
        .file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n")
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbot:x:1001:1001::/home/bot:/bin/sh\n")
        .file("/etc/group", "root:x:0:\n")
        .file("/etc/shadow", "root:!:19000::::::\nann:$y$a:19000::::::\nbot:!:19000::::::\n")
        .file("/etc/sudoers", "ann ALL=(ALL) NOPASSWD: ALL\nbot ALL=(ALL) NOPASSWD: ALL\n")
        .file("/home/bot/.ssh/authorized_keys", "ssh-ed25519 AAAA x\n")
        .file_with_mode("/bin/sh", "", 0o755)
}

fn sshd(keyword: &str, value: &str) -> PolicyRule {
    let kind = Sshd {
        keyword: keyword.into(),
        value: value.into(),
        also: vec![],
        compare: crate::setting::sshd::Compare::Same,
        required: "0".into(),
    };
    PolicyRule { access: true, ..rule(keyword, vec![], Kind::Sshd(kind)) }
}

/// Applies rules on a host on which so many logins come through.
fn run(tree: &Tree, rules: Vec<PolicyRule>, most: usize) -> Result<(Done, usize)> {
    let root = tree.system().host_path("/");
    let logins = Arc::new(AtomicUsize::new(0));
    let mut system = tree.system_with(Box::new(Host { root, logins: Arc::clone(&logins), most }));
    let stop = AtomicBool::new(false);
    let control = Control { watch: Watch::Accounts(None), ..Control::new(&|_| (), &stop) };
    let done = apply(&policy(rules), &mut system, "run", &control)?;
    Ok((done, logins.load(Ordering::Relaxed)))
}

fn verdicts(run: &Done) -> Vec<Verdict> {
    run.outcomes.iter().map(|outcome| outcome.verdict).collect()
}

#[test]
fn the_guilty_rule_alone_is_taken_back() {
    let tree = tree();
    let rules = vec![
        sshd("MaxAuthTries", "4"),
        sshd("PasswordAuthentication", "no"),
        sshd("PermitEmptyPasswords", "no"),
        zero("kernel.a"),
        sshd("LoginGraceTime", "60"),
    ];
    let (done, _) = run(&tree, rules, usize::MAX).unwrap();
    let fixed = Verdict::Fixed;
    assert_eq!(verdicts(&done), [fixed, Verdict::Error, fixed, fixed, fixed]);
    let reason = done.outcomes[1].reason.as_deref().unwrap();
    let wanted = "would lock out: 'ann' could no longer log in over ssh (with a password over ssh: \
                  PasswordAuthentication is no); taken back";
    assert_eq!(reason, wanted);
    let text = tree.text(DROP_IN);
    assert!(text.contains("LoginGraceTime 60") && text.contains("PermitEmptyPasswords no"), "{text}");
    assert!(!text.contains("PasswordAuthentication"), "{text}");
    assert!(done.steps.iter().all(|step| step.rule != "PasswordAuthentication"));
}

#[test]
fn each_of_several_guilty_rules_is_found() {
    let tree = tree();
    let rules = vec![
        sshd("PasswordAuthentication", "no"),
        sshd("PubkeyAuthentication", "no"),
        sshd("MaxAuthTries", "4"),
    ];
    let (done, _) = run(&tree, rules, usize::MAX).unwrap();
    assert_eq!(verdicts(&done), [Verdict::Error, Verdict::Error, Verdict::Fixed]);
    let reasons: Vec<&str> = done.outcomes.iter().filter_map(|outcome| outcome.reason.as_deref()).collect();
    assert!(reasons[0].contains("'ann'") && !reasons[0].contains("'bot'"), "{reasons:?}");
    assert!(reasons[1].contains("'bot'") && !reasons[1].contains("'ann'"), "{reasons:?}");
}

#[test]
fn where_a_way_stays_open_the_rule_stays_and_the_report_says_so() {
    let tree = tree().file("/home/ann/.ssh/authorized_keys", "ssh-ed25519 AAAA x\n");
    let (done, _) = run(&tree, vec![sshd("PasswordAuthentication", "no")], usize::MAX).unwrap();
    assert_eq!(verdicts(&done), [Verdict::Fixed]);
    assert_eq!(done.notes.len(), 1, "{:?}", done.notes);
    assert!(done.notes[0].starts_with("'ann' gets in as before, but for this: with a password over ssh"));
}

#[test]
fn nobody_is_looked_at_where_nothing_about_access_changes() {
    let (done, logins) = run(&tree(), vec![zero("kernel.a")], usize::MAX).unwrap();
    assert_eq!((verdicts(&done), logins), (vec![Verdict::Fixed], 0));
    let (_, logins) = run(&tree(), vec![sshd("MaxAuthTries", "4")], usize::MAX).unwrap();
    assert_eq!(logins, 4, "two accounts, before and after");
}

#[test]
fn what_no_rule_accounts_for_takes_the_whole_run_back() {
    let tree = tree();
    let error = run(&tree, vec![sshd("MaxAuthTries", "4"), zero("kernel.a")], 2).unwrap_err();
    let said = format!("{error:#}");
    assert!(said.contains("the run ended early and was taken back"), "{said}");
    assert!(said.contains("could no longer log in over ssh"), "{said}");
    assert!(!tree.has(DROP_IN) && !tree.has("/etc/sysctl.d/99-zz-trempe.conf"));
}

#[test]
fn where_nobody_can_be_looked_at_nothing_about_access_is_changed() {
    let tree = tree().file("/etc/passwd", "root:x:zero:0::/root:/bin/sh\n");
    let (done, _) = run(&tree, vec![sshd("MaxAuthTries", "4"), zero("kernel.a")], usize::MAX).unwrap();
    assert_eq!(verdicts(&done), [Verdict::Error, Verdict::Fixed]);
    assert!(done.outcomes[0].reason.as_deref().unwrap().contains("/etc/passwd:1"));
    assert!(!tree.has(DROP_IN));
}

#[test]
fn a_daemon_is_not_told_to_read_what_shuts_somebody_out() {
    let tree = tree().file("/run/sshd.pid", "1\n").file(DROP_IN, "PidFile /run/sshd.pid\nAllowUsers bot\n");
    let read = std::fs::File::options().write(true).open(tree.system().host_path("/run/sshd.pid")).unwrap();
    read.set_modified(std::time::UNIX_EPOCH).unwrap();
    let (done, _) = run(&tree, vec![sshd("MaxAuthTries", "4"), zero("kernel.a")], usize::MAX).unwrap();
    assert_eq!(verdicts(&done), [Verdict::Error, Verdict::Fixed]);
    let reason = done.outcomes[0].reason.as_deref().unwrap();
    assert!(reason.contains("has not read") && reason.contains("'ann' is shut out"), "{reason}");
    assert!(!tree.text(DROP_IN).contains("MaxAuthTries"));
}
