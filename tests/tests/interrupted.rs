//! A run killed at any point leaves a machine that the next run, or a rollback, makes whole: the new state or the old one,
//! never a mix. Needs root, strace and a Debian root tree.
//!
//! Killed for real: strace ends the agent inside the n-th system call that can change a file system. A spread sample of the points
//! is tried; `TREMPE_POINTS=all` tries each.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::command::Program;
use e2e::root::Root;
use e2e::tree::Tree;

/// The calls that make a change, or make it last. Only those of the first thread are seen, which makes all changes.
const CALLS: &str = "write,pwrite64,rename,renameat,renameat2,unlinkat,mkdirat,fchmod,fchmodat,fchown,fchownat,symlinkat,\
                     fsync,fdatasync,syncfs,fsetxattr";
/// How many points a sample has.
const SAMPLE: usize = 24;
/// Rules whose changes are files, so that a small tree is enough; each of another kind.
const RULES: [&str; 8] = [
    "sysctl_net_ipv4_conf_all_rp_filter",
    "sysctl_kernel_randomize_va_space",
    "sshd_set_max_auth_tries",
    "sshd_disable_root_login",
    "kernel_module_cramfs_disabled",
    "file_permissions_crontab",
    "accounts_maximum_age_login_defs",
    "banner_etc_issue_cis",
];

fn apply(tree: &Path) -> Result<Vec<String>> {
    let mut arguments = vec!["apply".to_owned(), "--tier=strict".to_owned(), "--yes".to_owned()];
    arguments.push(format!("--root={}", tree.display()));
    arguments.extend(RULES.iter().map(|rule| format!("--rule={rule}")));
    Ok(arguments)
}

/// How many of the calls an undisturbed run makes.
fn count(agent: &Path, tree: &Tree) -> Result<usize> {
    let log = tree.path().with_extension("strace");
    let trace = format!("--trace={CALLS}");
    Program::new("strace")
        .args(["-qq", &trace, "-o"])
        .args([log.as_os_str(), agent.as_os_str()])
        .args(apply(tree.path())?)
        .accept(&[0, 1, 2])
        .run()?;
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    Ok(text.lines().filter(|line| !line.contains("resumed>") && line.contains('(')).count())
}

/// Runs until the `point`-th call, in which the agent is killed.
fn killed_at(agent: &Path, tree: &Tree, point: usize) -> Result<()> {
    let inject = format!("--inject={CALLS}:signal=SIGKILL:when={point}");
    Program::new("strace")
        .args(["-qq", &inject, "-o", "/dev/null"])
        .args([agent.as_os_str()])
        .args(apply(tree.path())?)
        .accept(&[0, 1, 2, 137])
        .run()
        .map(drop)
        .or_else(|error| if format!("{error:#}").contains("signal: 9") { Ok(()) } else { Err(error) })
}

#[test]
fn a_run_killed_anywhere_is_finished_or_taken_back() -> Result<()> {
    let root = Root::named("debian12")?;
    let agent = agent::binary()?;
    let undisturbed = Tree::of(&root)?;
    let old = undisturbed.snapshot()?;
    let calls = count(&agent, &undisturbed)?;
    let new = undisturbed.snapshot()?;
    ensure!(old != new, "the rules of this test change nothing");
    let step = match std::env::var("TREMPE_POINTS").as_deref() {
        Ok("all") => 1,
        _ => (calls / SAMPLE).max(1),
    };
    let points: Vec<usize> = (1..=calls).step_by(step).collect();
    for (turn, point) in points.iter().enumerate() {
        let tree = Tree::of(&root)?;
        killed_at(&agent, &tree, *point)?;
        let forward = turn % 2 == 0;
        let next = if forward { apply(tree.path())? } else { back(tree.path()) };
        Program::new(&agent).args(next).accept(&[0, 1, 2]).run()?;
        let wanted = if forward { &new } else { &old };
        let differences = tree.snapshot()?.differences(wanted);
        let context = format!(
            "killed at call {point} of {calls}, then {}",
            if forward { "applied" } else { "rolled back" }
        );
        ensure!(differences.is_empty(), "{context}: {}", differences.join("\n"));
    }
    println!("killed at {} of {calls} points", points.len());
    Ok(())
}

fn back(tree: &Path) -> Vec<String> {
    vec!["rollback".to_owned(), format!("--root={}", tree.display())]
}

#[test]
fn two_runs_at_once_are_refused() -> Result<()> {
    let tree = Tree::of(&Root::named("debian12")?)?;
    let state = tree.path().join("var/lib/trempe");
    std::fs::create_dir_all(&state)?;
    let lock = state.join("lock");
    std::fs::write(&lock, "")?;
    let agent = agent::binary()?;
    let said = Program::new("flock")
        .args([lock.as_os_str(), agent.as_os_str()])
        .args(apply(tree.path())?)
        .run()
        .err()
        .context("the second run was not refused")?;
    ensure!(format!("{said:#}").contains("another run is under way"), "{said:#}");
    Ok(())
}
