//! What a machine can do to a run: no space, no writing, no right to. Nothing is changed, and the message says why.
//! Needs root and a Debian root tree.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::command::Program;
use e2e::root::Root;
use e2e::tree::Tree;
use e2e::verdict::Verdict;

const RULE: &str = "--rule=sysctl_net_ipv4_conf_all_rp_filter";

/// Runs a shell line in a mount namespace of its own; `$AGENT` and `$TREE` are set. Gives the code and what was said.
fn in_namespace(tree: &Tree, line: &str) -> Result<(Option<i32>, String)> {
    let output = Program::new("unshare")
        .args(["--mount", "sh", "-c", line])
        .env("AGENT", agent::binary()?)
        .env("TREE", tree.path())
        .accept(&[0, 1, 2])
        .run()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn apply() -> String {
    format!("exec \"$AGENT\" apply --yes --tier=strict {RULE} --root=\"$TREE\"")
}

#[test]
fn a_read_only_machine_is_left_alone() -> Result<()> {
    let tree = Tree::of(&Root::named("debian12")?)?;
    let before = tree.snapshot()?;
    let line =
        format!("mount --bind \"$TREE\" \"$TREE\" && mount -o remount,bind,ro \"$TREE\" && {}", apply());
    let (code, said) = in_namespace(&tree, &line)?;
    ensure!(code == Some(1) && said.contains("Read-only file system"), "{code:?}: {said}");
    ensure!(tree.snapshot()? == before, "something was changed");
    Ok(())
}

#[test]
fn a_full_disk_ends_the_run_and_changes_nothing() -> Result<()> {
    let tree = Tree::of(&Root::named("debian12")?)?;
    // The machine on a disk of its own, which is then filled to the last byte.
    let line = format!(
        "mkdir /dev/shm/full.$$ && mount -t tmpfs -o size=64m none /dev/shm/full.$$ && cp -a \"$TREE\"/. /dev/shm/full.$$ && \
         TREE=/dev/shm/full.$$ && (cat /dev/zero > \"$TREE\"/filler 2>/dev/null || true) && \
         (cd \"$TREE\" && find etc -type f | sort | xargs sha256sum > \"$OLDPWD\"/dev/null); \
         before=$(cd \"$TREE\" && find etc -type f | sort | xargs sha256sum | sha256sum); \
         \"$AGENT\" apply --yes --tier=strict {RULE} --root=\"$TREE\"; code=$?; \
         after=$(cd \"$TREE\" && find etc -type f | sort | xargs sha256sum | sha256sum); \
         umount /dev/shm/full.$$; rmdir /dev/shm/full.$$; \
         test \"$before\" = \"$after\" || echo CHANGED >&2; exit $code"
    );
    let (code, said) = in_namespace(&tree, &line)?;
    ensure!(code == Some(1) && said.contains("No space left on device"), "{code:?}: {said}");
    ensure!(!said.contains("CHANGED"), "something was changed: {said}");
    Ok(())
}

/// With little room a run comes some way and cannot take all of it back. Once there is room the next one does, and all is as it was.
#[test]
fn a_disk_with_little_room_is_as_it_was_once_there_is_more() -> Result<()> {
    let root = Root::named("debian12-ready")?;
    let place = tempfile::tempdir()?;
    let mut left_half_way = 0;
    for room in ["150k", "200k", "250k", "300k", "400k"] {
        let script = format!(
            "cd \"$PLACE\" && mkdir -p disk machine && mount -t tmpfs -o size={room},mode=755 none disk && mkdir disk/upper disk/work &&
             mount -t overlay overlay -o lowerdir=\"$ROOT\",upperdir=disk/upper,workdir=disk/work machine || exit 9
             state() {{ (cd machine/etc && find . -xdev ! -type d -printf '%p %y %m %U:%G %l\\n' -type f -exec sha256sum {{}} + | sort | sha256sum); }}
             before=$(state)
             \"$AGENT\" apply --yes --tier=strict --root=machine && echo 'there was room' >&2
             mount -o remount,size=16m disk
             \"$AGENT\" history --root=machine | grep -q interrupted && echo HALF >&2
             \"$AGENT\" rollback --root=machine
             test \"$before\" = \"$(state)\" || echo CHANGED >&2
             umount machine disk"
        );
        let output = Program::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .env("AGENT", agent::binary()?)
            .env("ROOT", &root.path)
            .env("PLACE", place.path())
            .run()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            said.contains("No space left on device") && !said.contains("there was room"),
            "{room}: {said}"
        );
        ensure!(!said.contains("CHANGED") && !said.contains("left as it is"), "{room}: not restored: {said}");
        left_half_way += usize::from(said.contains("HALF"));
    }
    ensure!(left_half_way > 0, "all of them could take everything back at once");
    Ok(())
}

#[test]
fn only_root_may_change_this_machine() -> Result<()> {
    let (agent, place) = for_everyone()?;
    let said = Program::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([agent.as_os_str()])
        .args(["apply", "--yes", "--tier=strict"])
        .run()
        .err()
        .context("it was not refused")?;
    ensure!(format!("{said:#}").contains("only root can change this machine"), "{said:#}");
    drop(place);
    Ok(())
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_pass() -> Result<()> {
    let (agent, place) = for_everyone()?;
    let tree = Tree::of(&Root::named("debian12")?)?;
    Program::new("chmod").args(["755".as_ref(), tree.path().as_os_str()]).run()?;
    let output = Program::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([agent.as_os_str()])
        .args(["audit", "--tier=strict", "--format=json", "--rule=no_empty_passwords_etc_shadow"])
        .args([format!("--root={}", tree.path().display())])
        .accept(&[0, 1, 2])
        .run()?;
    let json = String::from_utf8_lossy(&output.stdout);
    let audit = agent::Audit::parse(&json)?.by_id();
    let rule = audit.get("no_empty_passwords_etc_shadow").context("the rule is not in the report")?;
    ensure!(rule.result == Verdict::Error, "{json}");
    ensure!(output.status.code() == Some(1), "exit code {:?}", output.status.code());
    drop(place);
    Ok(())
}

/// The agent where a user without rights can run it.
fn for_everyone() -> Result<(std::path::PathBuf, tempfile::TempDir)> {
    let place = tempfile::tempdir()?;
    Program::new("chmod").args(["755".as_ref(), place.path().as_os_str()]).run()?;
    let agent = place.path().join("agent");
    fs::copy(agent::binary()?, &agent)?;
    ensure!(Path::new(&agent).exists());
    Ok((agent, place))
}
