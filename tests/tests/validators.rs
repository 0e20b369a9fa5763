//! What is about to be written is checked by the programs that will read it: the real ones, in a Debian root tree.
//! Needs root.

use anyhow::Result;
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;

/// Runs a shell script in a copy of a root tree; `$AGENT` is the agent.
fn in_tree(script: &str) -> Result<String> {
    let machine = Root::named("debian12-full")?.copy()?;
    let agent = machine.lend(&agent::binary()?, "agent")?;
    machine.shell(&format!("AGENT={agent}\n{script}"))
}

#[test]
fn sshd_refuses_before_anything_is_in_place() {
    let said = in_tree(
        "echo 'Bogus yes' > /etc/ssh/sshd_config.d/50-other.conf
         apply() { $AGENT apply --yes --tier strict --rule sshd_disable_root_login; }
         apply || echo exit $?
         ls /etc/ssh/sshd_config.d
         rm /etc/ssh/sshd_config.d/50-other.conf; mkdir -p /run/sshd
         apply > /dev/null && cat /etc/ssh/sshd_config.d/00-trempe.conf && sshd -T | grep -i permitrootlogin
         ls /var/lib/trempe",
    )
    .unwrap();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "was left as it is",
        "/etc/ssh/sshd_config.d/50-other.conf: line 1: Bad configuration option: Bogus",
        "exit 1 50-other.conf #",
        "PermitRootLogin no permitrootlogin no lock runs",
    ] {
        assert!(words.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn findmnt_refuses_what_is_new_and_not_what_was_wrong_before() {
    let said = in_tree(
        "printf '/dev/gone /data ext4 defaults 0 2\\nnot an entry\\n' > /etc/fstab
         findmnt --verify > /dev/null 2>&1 || echo wrong before
         $AGENT apply --yes --tier strict --rule mount_option_dev_shm_noexec > /dev/null; echo exit $?
         grep /dev/shm /etc/fstab; ls -A /etc | grep -i tmp",
    )
    .unwrap();
    assert_eq!(
        said,
        "wrong before\nexit 0\ntmpfs /dev/shm tmpfs defaults,nosuid,nodev,noexec 0 0\ntmpfiles.d\n"
    );
}

#[test]
fn a_remount_changes_one_option_and_no_other() {
    let said = in_tree(
        "mount -t tmpfs -o size=1m,noatime,nosuid tmpfs /tmp
         echo 'tmpfs /tmp tmpfs size=5m,nodev 0 0' > /etc/fstab
         options() { findmnt -no OPTIONS /tmp; }
         options
         $AGENT apply --yes --tier strict --rule mount_option_tmp_noexec > /dev/null; echo exit $?
         options
         $AGENT rollback > /dev/null; echo exit $?
         options",
    )
    .unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let [before, "exit 0", during, "exit 0", after] = lines[..] else { panic!("{said}") };
    assert!(before.starts_with("rw,nosuid,noatime,size=1024k"), "{said}");
    assert_eq!(during, before.replace("nosuid,", "nosuid,noexec,"));
    assert_eq!(after, before);
}
