//! The door stays open: rules that would lock somebody out are taken back, shown with real logins in a root tree.
//!
//! Daemon, client, PAM and sudo are the tree's own. Needs root, like every test in a root tree.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use e2e::agent::{self, Audit, Rule};
use e2e::machine::Machine;
use e2e::root::{Copy, Root};
use e2e::verdict::Verdict;

/// Three who get in: admin with a password (sudo asks for it), bot with a key (sudo does not ask), and root with a key.
const PEOPLE: &str = "
    echo \"127.0.1.1 $(hostname)\" >> /etc/hosts
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    printf '#!/bin/sh\\necho \"$WORD\"\\n' > /root/ask && chmod 755 /root/ask
    useradd -m -s /bin/bash -G sudo admin && echo admin:Tr0ub4dor-Tr0ub4dor | chpasswd
    useradd -m -s /bin/bash bot && echo 'bot ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/bot
    for who in root bot; do
        home=$(getent passwd $who | cut -d: -f6)
        install -d -m 700 -o $who -g $who $home/.ssh
        install -m 600 -o $who -g $who /root/key.pub $home/.ssh/authorized_keys
    done";

/// How somebody comes in: `come WHO COMMAND`, with the key, or with `$WORD` when `$BY` says so.
const COME: &str = "
    mkdir -p /run/sshd && /usr/sbin/sshd
    come() {
        SSH_ASKPASS=/root/ask SSH_ASKPASS_REQUIRE=force ssh -F none -i /root/key -l $1 \\
            -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \\
            -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=${BY:-publickey} 127.0.0.1 \"$2\" 2>&1 || true
    }";

struct Lab(Copy);

impl Lab {
    fn of(root: &str) -> Result<Lab> {
        let lab = Lab(Root::named(root)?.copy()?);
        lab.0.lend(&agent::binary()?, "agent")?;
        lab.shell(PEOPLE)?;
        Ok(lab)
    }

    /// Runs a script. Logins write to /proc.
    fn shell(&self, script: &str) -> Result<String> {
        self.0.shell(&format!("mount -o remount,rw /proc\n{script}"))
    }

    /// Applies some rules of the strict tier.
    fn apply(&self, rules: &[&str]) -> Result<BTreeMap<String, Rule>> {
        let begun = Instant::now();
        let rules: String = rules.iter().map(|rule| format!(" --rule {rule}")).collect();
        let json = self
            .shell(&format!("$LAB/agent apply --yes --tier strict --format json {rules} || [ $? -le 2 ]"))?;
        println!("apply{rules}: {:.1} s", begun.elapsed().as_secs_f64());
        Ok(Audit::parse(&json)?.by_id())
    }

    /// Who gets in: account and its ways, by `agent door`, which ends with 1 when somebody does not.
    fn door(&self, who: &str) -> Result<String> {
        self.shell(&format!("$LAB/agent door {who} || [ $? = 1 ]"))
    }
}

fn reason(rule: &Rule) -> String {
    rule.grounds().join(" ")
}

/// What the first test applies: one rule that would lock somebody out, one that leaves that to a person, and these.
const HARMLESS: [&str; 8] = [
    "sshd_disable_root_login",
    "sshd_disable_empty_passwords",
    "disable_host_auth",
    "sudo_custom_logfile",
    "accounts_passwords_pam_faillock_enabled",
    "accounts_password_set_max_life_existing",
    "accounts_password_pam_pwhistory_remember",
    "no_empty_passwords_unix",
];

/// Debian's stacks, then with all that PAM rules bring: everybody still comes in as they did, and a wrong word does not.
#[test]
fn everybody_keeps_the_way_they_came() {
    for root in ["debian12", "debian13"] {
        let lab = Lab::of(root).unwrap();
        let access = ["sshd_disable_password_authentication", "sudo_require_authentication"];
        let rules = lab.apply(&[&access[..], &HARMLESS].concat()).unwrap();
        let guilty = &rules["sshd_disable_password_authentication"];
        assert_eq!(guilty.result, Verdict::Error);
        let wanted = "would lock out: 'admin' could no longer log in over ssh (with a password over ssh: \
                      PasswordAuthentication is no); taken back";
        assert!(reason(guilty).starts_with(wanted), "{}", reason(guilty));
        // Whoever has no password but sudo without one is left to a person by the rule itself.
        assert_eq!(rules["sudo_require_authentication"].result, Verdict::Fail);
        for id in HARMLESS {
            let rule = &rules[id];
            let good = matches!(rule.result, Verdict::Fixed | Verdict::Pass);
            assert!(good, "{root}: {id} {}: {}", rule.result, reason(rule));
        }
        let come = lab
            .shell(&format!(
                "{COME}
                 export WORD=Tr0ub4dor-Tr0ub4dor
                 BY=password come admin 'id -un' | sed 's/^/admin: /'
                 echo \"$WORD\" > /home/admin/word; chmod 644 /home/admin/word
                 BY=password come admin 'sudo -S -p \"\" id -un < word' | sed 's/^/admin: /'
                 come bot 'sudo -n id -un' | sed 's/^/bot: /'
                 come root 'id -un' | grep -o 'Permission denied' | sed 's/^/root: /'
                 WORD=wrong BY=password come admin id | grep -o 'Permission denied' | sed 's/^/wrong: /'
                 faillock --user admin | grep -c ' V$'"
            ))
            .unwrap();
        let wanted =
            "admin: admin\nadmin: root\nbot: root\nroot: Permission denied\nwrong: Permission denied\n1\n";
        assert!(come.ends_with(wanted), "{root}: {come}");
    }
}

#[test]
fn root_alone_is_not_shut_out() {
    let lab = Lab::of("debian12").unwrap();
    lab.shell("userdel -r admin 2>/dev/null; userdel -r bot 2>/dev/null; rm /etc/sudoers.d/bot").unwrap();
    let rules = lab.apply(&["sshd_disable_root_login", "sshd_disable_empty_passwords"]).unwrap();
    assert_eq!(rules["sshd_disable_root_login"].result, Verdict::Error);
    assert!(reason(&rules["sshd_disable_root_login"]).contains("'root' could no longer log in over ssh"));
    assert_eq!(rules["sshd_disable_empty_passwords"].result, Verdict::Fixed);
    assert_eq!(lab.shell(&format!("{COME}\ncome root 'id -un'")).unwrap(), "root\n");
}

/// An expired password must be changed by typing in the old one, so a key is no way in any more and the password is.
#[test]
fn who_must_change_the_password_can_still_do_so() {
    let lab = Lab::of("debian12").unwrap();
    lab.shell(
        "install -d -m 700 -o admin -g admin /home/admin/.ssh
         install -m 600 -o admin -g admin /root/key.pub /home/admin/.ssh/authorized_keys
         chage -d 0 admin",
    )
    .unwrap();
    let door = lab.door("admin").unwrap();
    assert!(
        door.contains("ssh key       closed (its password has expired and must be changed first)"),
        "{door}"
    );
    assert!(door.contains("ssh password  open (a new password is asked for)"), "{door}");
    let rules = lab.apply(&["sshd_disable_password_authentication", "disable_host_auth"]).unwrap();
    let guilty = &rules["sshd_disable_password_authentication"];
    assert!(guilty.result == Verdict::Error && reason(guilty).contains("'admin'"), "{}", reason(guilty));
    assert_eq!(rules["disable_host_auth"].result, Verdict::Fixed);
    let come = lab.shell(&format!("{COME}\nWORD=Tr0ub4dor-Tr0ub4dor BY=password come admin id")).unwrap();
    assert!(come.contains("Password change required"), "{come}");
}

#[test]
fn somebody_elses_broken_file_stops_the_rules_about_ssh_alone() {
    let lab = Lab::of("debian12").unwrap();
    lab.shell("echo 'NoSuchKeyword yes' > /etc/ssh/sshd_config.d/60-foreign.conf").unwrap();
    let rules = lab
        .apply(&[
            "sshd_disable_root_login",
            "disable_host_auth",
            "sudo_custom_logfile",
            "no_empty_passwords_unix",
        ])
        .unwrap();
    for id in ["sshd_disable_root_login", "disable_host_auth"] {
        assert_eq!(rules[id].result, Verdict::Error, "{id}");
        assert!(
            reason(&rules[id]).contains("/etc/ssh/sshd_config.d/60-foreign.conf: line 1"),
            "{}",
            reason(&rules[id])
        );
    }
    for id in ["sudo_custom_logfile", "no_empty_passwords_unix"] {
        assert_eq!(rules[id].result, Verdict::Fixed, "{id}");
    }
    let door = lab.door("bot").unwrap();
    assert!(
        door.contains("refuses its configuration: /etc/ssh/sshd_config.d/60-foreign.conf: line 1"),
        "{door}"
    );
}

/// Who comes with a password from one network only is watched too, though nobody can try that from here.
#[test]
fn a_way_in_from_elsewhere_is_kept() {
    let lab = Lab::of("debian12").unwrap();
    lab.shell(
        "printf 'Match Address 10.0.0.0/8\\n  PasswordAuthentication yes\\nMatch all\\n  PasswordAuthentication no\\n' \
             > /etc/ssh/sshd_config.d/60-foreign.conf",
    )
    .unwrap();
    let door = lab.door("admin").unwrap();
    assert!(door.contains("ssh password  open (from 10.0.0.0/8 only)"), "{door}");
    let rules = lab.apply(&["sshd_disable_password_authentication", "disable_host_auth"]).unwrap();
    let guilty = &rules["sshd_disable_password_authentication"];
    assert!(guilty.result == Verdict::Error && reason(guilty).contains("'admin'"), "{}", reason(guilty));
    assert_eq!(rules["disable_host_auth"].result, Verdict::Fixed);
}

/// What is done to the machine and undone again, and what the door says of bot's key and password meanwhile.
const SITUATIONS: [[&str; 4]; 9] = [
    ["true", "true", "open, proved", NO_PASSWORD],
    [
        "echo 'AllowUsers admin root' > /etc/ssh/sshd_config.d/60-foreign.conf",
        "rm /etc/ssh/sshd_config.d/60-foreign.conf",
        "closed (AllowUsers does not name it (admin root))",
        "closed (AllowUsers does not name it (admin root))",
    ],
    [
        "echo 'AllowUsers admin root bot@10.0.0.*' > /etc/ssh/sshd_config.d/60-foreign.conf",
        "rm /etc/ssh/sshd_config.d/60-foreign.conf",
        "open (from 10.0.0.* only)",
        "closed (AllowUsers does not name it (admin root bot@10.0.0.*))",
    ],
    [
        "echo 'PubkeyAcceptedAlgorithms rsa-sha2-512' > /etc/ssh/sshd_config.d/60-foreign.conf",
        "rm /etc/ssh/sshd_config.d/60-foreign.conf",
        "closed (keys of type ssh-ed25519 are not accepted)",
        NO_PASSWORD,
    ],
    [
        "sed -i '1i account required pam_deny.so' /etc/pam.d/sshd",
        "sed -i 1d /etc/pam.d/sshd",
        "closed (the ssh daemon says: Access denied for user bot by PAM account configuration)",
        NO_PASSWORD,
    ],
    [
        "chmod 777 /home/bot",
        "chmod 755 /home/bot",
        "closed (/home/bot could be written by others, so the keys do not count)",
        NO_PASSWORD,
    ],
    [
        "chage -E 2020-01-01 bot",
        "chage -E -1 bot",
        "closed (the account, or its password, has expired)",
        "closed (the account, or its password, has expired)",
    ],
    // While the machine boots nobody is let in, and no session is begun: that says nothing of the rules.
    [
        "touch /run/nologin; mkdir -p /run/systemd/seats",
        "rm -r /run/nologin /run/systemd",
        "open, proved",
        NO_PASSWORD,
    ],
    // Neither does it that the daemon's keys are made only later.
    [
        "mkdir /root/keys; mv /etc/ssh/ssh_host_* /root/keys",
        "mv /root/keys/* /etc/ssh; rmdir /root/keys",
        "open, proved",
        NO_PASSWORD,
    ],
];
const NO_PASSWORD: &str = "closed (the account has no password)";

/// What the real daemon does in each of these, `agent door` says before anybody tries.
#[test]
fn the_door_says_what_a_login_would_find() {
    let lab = Lab::of("debian12").unwrap();
    for [change, undo, key, password] in SITUATIONS {
        let door = lab.shell(&format!("{change}; $LAB/agent door bot || [ $? = 1 ]; {undo}")).unwrap();
        let wanted = format!("bot\n  ssh key       {key}\n  ssh password  {password}\n");
        assert!(door.starts_with(&wanted), "{change}:\n{door}");
    }
    // Nothing of a login stays: no file, no mount, no process.
    let script = "$LAB/agent door | grep -v '^ '
                  find /run/trempe -mindepth 1 -not -name door
                  grep /run/trempe /proc/mounts || true
                  grep -l ssh /proc/[0-9]*/comm || true";
    assert_eq!(lab.shell(script).unwrap(), "root\nadmin\nbot\n");
}
