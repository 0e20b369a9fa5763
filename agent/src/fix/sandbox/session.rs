//! The process that holds what scripts have changed, until the agent ends.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::{Ended, Limits, Order, PROGRAM, RUN, copy, die_with_parent, group, layer, mounts, part};
use crate::fix::stand_in::{self, Call};
use crate::system::{drain, wait};

/// Waits this much longer for the process that watches over a script than that is to wait for the script: on a machine that has more
/// to do than it can, ending a script takes its time too.
const GRACE: u64 = 120;
/// So many processes more are possible than are allowed, so that it shows when a script wants more.
const ROOM: usize = 64;
/// What is kept of what a script says, in characters.
const MOST_SAID: usize = 4000;

/// Does what it is told until nobody tells any more. Answers each order with one line of JSON.
pub fn serve(root: &Path, dir: &Path, size: &str) -> Result<()> {
    die_with_parent()?;
    let layers = prepare(root, dir, size);
    let count = layers.as_ref().map_or(0, Vec::len);
    answer(&layers)?;
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Order::Run { script, limits } => answer(&run(root, &script, limits))?,
            Order::Keep => answer(&layer::keep(count).and_then(|()| stand_in::keep(Path::new("."))))?,
            Order::Drop => answer(&layer::forget(count))?,
        }
    }
    Ok(())
}

fn answer<T: serde::Serialize>(result: &Result<T>) -> Result<()> {
    let told: Result<&T, String> = result.as_ref().map_err(|error| format!("{error:#}"));
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &told)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Leaves the machine's mounts and network, and makes a file system in memory the working directory.
fn prepare(root: &Path, dir: &Path, size: &str) -> Result<Vec<PathBuf>> {
    let apart = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(apart).context("leaving the namespaces of the machine")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .context("leaving the mounts of the machine")?;
    let table = fs::read_to_string("/proc/self/mountinfo").context("reading the mounts")?;
    let mounted = mounts::own(&table, root);
    let options = format!("mode=0700,size={size},nr_inodes=200k");
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::MS_NOSUID, Some(options.as_str()))
        .with_context(|| format!("mounting a file system in memory at {}", dir.display()))?;
    std::env::set_current_dir(dir)?;
    fs::create_dir("root")?;
    fs::copy("/proc/self/exe", PROGRAM).context("copying this program")?;
    layer::prepare(mounted.len())?;
    for (n, it) in mounted.iter().enumerate().filter(|(_, it)| it.copied) {
        copy::copy(&root.join(it.path.strip_prefix("/").unwrap_or(&it.path)), &layer::copied(n))?;
    }
    let layers: Vec<PathBuf> = mounted.into_iter().map(|it| it.path).collect();
    fs::write("layers", serde_json::to_vec(&layers)?)?;
    Ok(layers)
}

fn run(root: &Path, script: &str, limits: Limits) -> Result<Ended> {
    fs::write("script", script)?;
    fs::write(stand_in::NEW, "")?;
    let group = group::make(std::process::id(), limits.processes + ROOM);
    let mut command = part(RUN);
    command.arg(root).arg(serde_json::to_string(&limits)?).args(group).current_dir(std::env::current_dir()?);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting what watches over the script")?;
    let (told, said) = (child.stdout.take().map(drain), child.stderr.take().map(drain));
    if let Err(error) = wait(&mut child, Duration::from_secs(limits.seconds + GRACE)) {
        return Ok(Ended { stopped: Some(format!("what watches over it {error:#}")), ..Ended::default() });
    }
    let told = told.map(crate::system::Drain::collect).unwrap_or_default();
    let said = said.map(crate::system::Drain::collect).unwrap_or_default();
    let ended: Result<Ended> =
        serde_json::from_str(&told).with_context(|| format!("it could not be run: {}", said.trim()));
    let full = layer::is_full()?;
    let calls: Vec<Call> = stand_in::read(Path::new(stand_in::NEW))?;
    let ended = ended?;
    let stopped = ended.stopped.or(full.then(|| "it filled the disk that it was given".to_owned()));
    Ok(Ended { stopped, output: said.chars().take(MOST_SAID).collect(), calls, ..ended })
}
