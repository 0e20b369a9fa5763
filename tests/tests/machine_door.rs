//! Who must keep access keeps it: machines on which a tier, taken literally, would lock somebody out. Each ends with a login that works
//! and a report that says what was not done and why. `door.rs` has the like in root trees, at every run.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use e2e::agent::{self, Rule};
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::verdict::Verdict;
use e2e::vm::Vm;

const PASSWORD: &str = "Quench-2026-Steel";

/// An administrator with a password and no key.
const BOSS: &str = "useradd -m -s /bin/bash -G sudo boss; echo boss:Quench-2026-Steel | chpasswd";
/// An account for automation: a key, no password, sudo without one.
const ROBOT: &str = "useradd -m -s /bin/bash robot; install -d -m 0700 -o robot -g robot ~robot/.ssh; \
                     install -m 0600 -o robot -g robot ~admin/.ssh/authorized_keys ~robot/.ssh/authorized_keys; \
                     echo 'robot ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/robot; chmod 0440 /etc/sudoers.d/robot";

/// One way to be locked out.
struct Scenario {
    name: &'static str,
    setup: &'static str,
    /// The rules that are applied; all of strict when empty.
    rules: &'static [&'static str],
    /// Rules that must end in error, with a word of the reason.
    refused: &'static [(&'static str, &'static str)],
    /// Rules that must be met afterwards.
    met: &'static [&'static str],
    /// Accounts that come in afterwards, with a password where one is given.
    come_in: &'static [(&'static str, Option<&'static str>)],
    /// What must hold afterwards.
    holds: &'static str,
    /// Whether all of it must hold after a restart too.
    restart: bool,
}

const SSHD: [&str; 4] = [
    "sshd_disable_password_authentication",
    "sshd_disable_root_login",
    "sshd_set_max_auth_tries",
    "sysctl_kernel_randomize_va_space",
];

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "an administrator with nothing but a password",
        setup: BOSS,
        rules: &SSHD,
        met: &["sshd_disable_root_login", "sshd_set_max_auth_tries"],
        refused: &[("sshd_disable_password_authentication", "boss")],
        come_in: &[("boss", Some(PASSWORD)), ("admin", None)],
        holds: "sshd -T | grep -qx 'permitrootlogin no'",
        restart: true,
    },
    Scenario {
        name: "an account for automation, with a key and sudo without a password",
        setup: ROBOT,
        rules: &[],
        met: &["sudo_add_use_pty", "sshd_disable_root_login"],
        refused: &[("sudo_require_authentication", "robot")],
        come_in: &[("robot", None), ("admin", None)],
        holds: "sudo -u robot sudo -n true && sudo -u admin sudo -n true",
        restart: true,
    },
    Scenario {
        name: "AllowUsers without the account, written and not yet read",
        setup: "echo 'AllowUsers somebody' > /etc/ssh/sshd_config.d/50-site.conf",
        rules: &SSHD,
        met: &["sysctl_kernel_randomize_va_space"],
        refused: &[("sshd_disable_root_login", "has not read")],
        come_in: &[("admin", None)],
        holds: "true",
        restart: false,
    },
    Scenario {
        name: "a foreign drop-in that sshd does not understand",
        setup: "echo 'Bogus yes' > /etc/ssh/sshd_config.d/50-site.conf",
        rules: &SSHD,
        met: &["sysctl_kernel_randomize_va_space"],
        refused: &[("sshd_disable_root_login", "Bogus")],
        come_in: &[("admin", None)],
        holds: "[ $(sysctl -n kernel.randomize_va_space) = 2 ]",
        restart: false,
    },
    Scenario {
        name: "faillock and pwquality on the stock stack",
        setup: BOSS,
        rules: &[
            "accounts_password_pam_pwquality_enabled",
            "accounts_passwords_pam_faillock_deny",
            "accounts_password_pam_pwhistory_remember",
        ],
        met: &[
            "accounts_password_pam_pwquality_enabled",
            "accounts_passwords_pam_faillock_deny",
            "accounts_password_pam_pwhistory_remember",
        ],
        refused: &[],
        come_in: &[("boss", Some(PASSWORD)), ("admin", None)],
        holds: "true",
        restart: true,
    },
    Scenario {
        name: "root is locked",
        setup: "passwd -q -l root; usermod -s /usr/sbin/nologin root",
        rules: &[
            "ensure_root_access_controlled",
            "sshd_disable_root_login",
            "no_shelllogin_for_systemaccounts",
        ],
        met: &["sshd_disable_root_login"],
        refused: &[],
        come_in: &[("admin", None)],
        holds: "true",
        restart: true,
    },
    Scenario {
        name: "a password that has expired",
        setup: "echo admin:Quench-2026-Steel | chpasswd; chage -d 2020-01-01 admin",
        rules: &["accounts_maximum_age_login_defs", "accounts_password_set_max_life_existing"],
        met: &["accounts_maximum_age_login_defs"],
        refused: &[("accounts_password_set_max_life_existing", "admin")],
        come_in: &[("admin", None)],
        holds: "true",
        restart: false,
    },
    Scenario {
        name: "a sudoers rule without a password, of an account that has none",
        setup: ROBOT,
        rules: &["sudo_require_authentication", "sudo_remove_no_authenticate"],
        met: &["sudo_remove_no_authenticate"],
        refused: &[("sudo_require_authentication", "robot")],
        come_in: &[("robot", None)],
        holds: "sudo -u robot sudo -n true",
        restart: false,
    },
    Scenario {
        name: "an odd line in fstab",
        setup: "truncate -s 64M /srv/disk; mkfs.ext4 -q /srv/disk; mkdir -p /data /home; \
                printf '/srv/disk\\t/data   ext4 loop,usrquota,,errors=remount-ro  0\\t0 # ours\\nnone /dev/shm tmpfs defaults 0\\n' >> /etc/fstab; \
                mount /data; mount /dev/shm -o remount",
        rules: &["mount_option_dev_shm_noexec", "mount_option_dev_shm_nodev", "mount_option_dev_shm_nosuid"],
        met: &["mount_option_dev_shm_noexec", "mount_option_dev_shm_nodev", "mount_option_dev_shm_nosuid"],
        refused: &[],
        come_in: &[("admin", None)],
        holds: "set -e; findmnt -no OPTIONS /dev/shm | grep -q noexec; findmnt -no TARGET /data; \
                printf '/srv/disk\\t/data   ext4 loop,usrquota,,errors=remount-ro  0\\t0 # ours\\n' | grep -qxFf - /etc/fstab",
        restart: true,
    },
];

fn comes_in(vm: &Vm, scenario: &Scenario) -> Result<()> {
    for (user, password) in scenario.come_in {
        vm.attempt(user, *password).args(["true"]).run().with_context(|| format!("{user} is locked out"))?;
    }
    vm.shell(scenario.holds).map(drop)
}

/// A rule was taken back, or left to a person, with the reason.
fn told(rule: &Rule, word: &str) -> bool {
    matches!(rule.result, Verdict::Error | Verdict::Fail) && rule.grounds().join(" ").contains(word)
}

fn live(scenario: &Scenario) -> Result<()> {
    let begun = Instant::now();
    let mut vm = Vm::boot(&Root::named("debian12-ready")?)?;
    vm.shell(scenario.setup).context("setting up")?;
    let mut words = vec!["apply".to_owned(), "--tier".into(), "strict".into(), "--yes".into()];
    for rule in scenario.rules {
        words.extend(["--rule".to_owned(), (*rule).to_owned()]);
    }
    let mut rules = agent::run(&vm, &words)?.by_id();
    rules.retain(|_, rule| rule.result != Verdict::Notselected);
    for (id, rule) in &rules {
        println!("   {id}: {} {}", rule.result, rule.grounds().first().cloned().unwrap_or_default());
    }
    comes_in(&vm, scenario)?;
    for (id, word) in scenario.refused {
        let rule = rules.get(*id).with_context(|| format!("{id} is not reported"))?;
        ensure!(told(rule, word), "{id}: {} {:?}, and no word of {word}", rule.result, rule.grounds());
    }
    for id in scenario.met {
        let rule = rules.get(*id).with_context(|| format!("{id} is not reported"))?;
        ensure!(
            matches!(rule.result, Verdict::Pass | Verdict::Fixed),
            "{id}: {} {:?}",
            rule.result,
            rule.grounds()
        );
    }
    if scenario.restart {
        vm.reboot()?;
        comes_in(&vm, scenario).context("after the restart")?;
    }
    println!("{}: {:.0} s", scenario.name, begun.elapsed().as_secs_f64());
    Ok(())
}

/// One of them, at every run.
#[test]
fn an_administrator_with_nothing_but_a_password_still_comes_in() -> Result<()> {
    live(&SCENARIOS[0])
}

#[test]
fn the_door_stays_open_in_every_scenario_matrix() -> Result<()> {
    // `TREMPE_SCENARIO=expired` tries those alone whose name has that word.
    let wanted = std::env::var("TREMPE_SCENARIO").unwrap_or_default();
    let scenarios: Vec<&Scenario> =
        SCENARIOS.iter().filter(|scenario| scenario.name.contains(&wanted)).collect();
    ensure!(!scenarios.is_empty(), "no scenario's name has the word {wanted:?}");
    let failed: Vec<String> = scenarios
        .into_iter()
        .filter_map(|scenario| live(scenario).err().map(|error| format!("{}: {error:#}", scenario.name)))
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}
