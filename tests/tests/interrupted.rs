//! A run killed at any point leaves a machine that the next run, or a rollback, makes whole: the new state or the old one,
//! never a mix. Needs root, strace and a Debian root tree.
//!
//! Killed for real: strace ends the agent inside the n-th system call that can change a file system, or has that call and all after it
//! fail for want of space. A spread sample of the points
//! is tried; `TREMPE_POINTS=all` tries each.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::command::Program;
use e2e::root::Root;
use e2e::tree::{Snapshot, Tree};

/// The calls that make a change, or make it last. Only those of the first thread are seen, which makes all changes.
const CALLS: &str = "write,pwrite64,rename,renameat,renameat2,unlinkat,mkdirat,fchmod,fchmodat,fchown,fchownat,symlinkat,\
                     fsync,fdatasync,syncfs,fsetxattr";
/// How many points a sample has.
const SAMPLE: usize = 24;
/// Rules whose changes are files and links, so that a small tree is enough; each of another kind.
const RULES: [&str; 9] = [
    "sysctl_net_ipv4_conf_all_rp_filter",
    "sysctl_kernel_randomize_va_space",
    "sshd_set_max_auth_tries",
    "sshd_disable_root_login",
    "kernel_module_cramfs_disabled",
    "file_permissions_crontab",
    "accounts_maximum_age_login_defs",
    "banner_etc_issue_cis",
    "service_chronyd_disabled",
];
const ROOT: &str = "debian12-full";

fn apply(tree: &Path) -> Result<Vec<String>> {
    let mut arguments = vec!["apply".to_owned(), "--tier=strict".to_owned(), "--yes".to_owned()];
    arguments.push(format!("--root={}", tree.display()));
    arguments.extend(RULES.iter().map(|rule| format!("--rule={rule}")));
    Ok(arguments)
}

fn back(tree: &Path) -> Vec<String> {
    vec!["rollback".to_owned(), format!("--root={}", tree.display())]
}

fn run(agent: &Path, arguments: Vec<String>) -> Result<()> {
    Program::new(agent).args(arguments).accept(&[0, 2]).run().map(drop)
}

/// How many of the calls an undisturbed run makes.
fn count(agent: &Path, tree: &Tree, arguments: Vec<String>) -> Result<usize> {
    let log = tree.path().with_extension("strace");
    let trace = format!("--trace={CALLS}");
    Program::new("strace")
        .args(["-qq", &trace, "-o"])
        .args([log.as_os_str(), agent.as_os_str()])
        .args(arguments)
        .accept(&[0, 2])
        .run()?;
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    Ok(text.lines().filter(|line| !line.contains("resumed>") && line.contains('(')).count())
}

/// Runs with something done to the calls that `when` names (`strace(1)`, `--inject`). The exit code; `None` when it was killed.
fn disturbed(agent: &Path, arguments: Vec<String>, how: &str, when: &str) -> Result<Option<i32>> {
    let inject = format!("--inject={CALLS}:{how}:when={when}");
    let run = Program::new("strace")
        .args(["-qq", &inject, "-o", "/dev/null"])
        .args([agent.as_os_str()])
        .args(arguments)
        .accept(&[0, 1, 2, 137])
        .run();
    match run {
        Err(error) if !format!("{error:#}").contains("signal: 9") => Err(error),
        Err(_) => Ok(None),
        Ok(output) => Ok(output.status.code().filter(|code| *code != 137)),
    }
}

/// The points to try, of so many, and whether an apply comes next or a rollback: by turns, or both where each point is tried.
fn points(calls: usize) -> Vec<(usize, Next)> {
    match std::env::var("TREMPE_POINTS").as_deref() {
        Ok("all") => (1..=calls).flat_map(|point| [(point, Next::Apply), (point, Next::Rollback)]).collect(),
        _ => {
            let turns = [Next::Apply, Next::Rollback].into_iter().cycle();
            (1..=calls).step_by((calls / SAMPLE).max(1)).zip(turns).collect()
        }
    }
}

/// What is done after a disturbed run.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Apply,
    Rollback,
}

/// A tree as it is, and as it is after an undisturbed run; how many calls the run and its rollback make.
struct Undisturbed {
    old: Snapshot,
    new: Snapshot,
    forward: usize,
    back: usize,
}

fn undisturbed(agent: &Path, root: &Root) -> Result<Undisturbed> {
    let tree = Tree::of(root)?;
    let old = tree.snapshot()?;
    let forward = count(agent, &tree, apply(tree.path())?)?;
    let new = tree.snapshot()?;
    ensure!(old != new, "the rules of this test change nothing");
    let back = count(agent, &tree, back(tree.path()))?;
    ensure!(tree.snapshot()? == old, "an undisturbed rollback does not restore");
    Ok(Undisturbed { old, new, forward, back })
}

/// The next run after a disturbed one ends in the new or the old state.
fn next_is_whole(agent: &Path, tree: &Tree, of: &Undisturbed, next: Next, context: &str) -> Result<()> {
    let (next, wanted, word) = match next {
        Next::Apply => (apply(tree.path())?, &of.new, "applied"),
        Next::Rollback => (back(tree.path()), &of.old, "rolled back"),
    };
    Program::new(agent).args(next).accept(&[0, 1, 2]).run()?;
    let differences = tree.snapshot()?.differences(wanted);
    ensure!(differences.is_empty(), "{context}, then {word}: {}", differences.join("\n"));
    Ok(())
}

/// `agent status` tells of a run that was interrupted, and of none where none was: as `agent history` does.
fn status_tells(agent: &Path, tree: &Tree) -> Result<()> {
    let root = format!("--root={}", tree.path().display());
    let history = Program::new(agent).args(["history", &root]).output()?;
    let interrupted = history.contains("interrupted");
    let status = Program::new(agent).args(["status", &root]).accept(&[0, 1, 2]).run()?;
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    ensure!(said.contains("was interrupted") == interrupted, "history: {history}\nstatus: {said}");
    ensure!(
        (status.status.code() == Some(1)) == interrupted,
        "status ended with {:?}: {said}",
        status.status
    );
    Ok(())
}

#[test]
fn a_run_killed_anywhere_is_finished_or_taken_back() -> Result<()> {
    let (root, agent) = (Root::named(ROOT)?, agent::binary()?);
    let of = undisturbed(&agent, &root)?;
    let points = points(of.forward);
    for (point, next) in &points {
        let tree = Tree::of(&root)?;
        disturbed(&agent, apply(tree.path())?, "signal=SIGKILL", &point.to_string())?;
        status_tells(&agent, &tree)?;
        next_is_whole(&agent, &tree, &of, *next, &format!("killed at call {point} of {}", of.forward))?;
        status_tells(&agent, &tree)?;
    }
    println!("killed at {} of {} points", points.len(), of.forward);
    Ok(())
}

#[test]
fn a_rollback_killed_anywhere_is_finished_or_overtaken() -> Result<()> {
    let (root, agent) = (Root::named(ROOT)?, agent::binary()?);
    let of = undisturbed(&agent, &root)?;
    let points = points(of.back);
    for (point, next) in &points {
        let tree = Tree::of(&root)?;
        run(&agent, apply(tree.path())?)?;
        disturbed(&agent, back(tree.path()), "signal=SIGKILL", &point.to_string())?;
        next_is_whole(&agent, &tree, &of, *next, &format!("killed at call {point} of {}", of.back))?;
    }
    println!("killed at {} of {} points", points.len(), of.back);
    Ok(())
}

/// From one call on there is no more space: the run fails and takes itself back as far as it can; with space again, the next
/// run makes things whole.
#[test]
fn a_disk_that_fills_at_any_point_leaves_nothing_half_done() -> Result<()> {
    let (root, agent) = (Root::named(ROOT)?, agent::binary()?);
    let of = undisturbed(&agent, &root)?;
    let points = points(of.forward);
    for (point, next) in &points {
        let tree = Tree::of(&root)?;
        let ended = disturbed(&agent, apply(tree.path())?, "error=ENOSPC", &format!("{point}+"))?;
        let context = format!("no space at call {point} of {}", of.forward);
        if matches!(ended, Some(0 | 2)) {
            let differences = tree.snapshot()?.differences(&of.new);
            ensure!(differences.is_empty(), "{context}, and it called that a success: {differences:#?}");
        }
        next_is_whole(&agent, &tree, &of, *next, &context)?;
    }
    println!("no space at {} of {} points", points.len(), of.forward);
    Ok(())
}

#[test]
fn two_runs_at_once_are_refused() -> Result<()> {
    let tree = Tree::of(&Root::named(ROOT)?)?;
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
