//! A place where scripts of others run and nothing they do reaches the machine: what they would have changed is left in a
//! directory, to be looked at.
//!
//! Three processes, all this program under other names (its `argv[0]`, see [`entry`]):
//!
//! | process | lives for | what it does |
//! |---|---|---|
//! | [`session`] | all scripts | holds a file system in memory, of a limited size, that nobody else sees; keeps what scripts have changed |
//! | [`run`] | one script | lays an overlay over the machine's file systems, ends the script when it goes beyond a limit |
//! | [`init`] | one script | the first process of a process namespace: makes the overlay its root, gives up its capabilities, starts bash |
//!
//! Each dies with its parent, and with the first process of its namespace every other in it: a script leaves no process behind, nor
//! does an agent that is killed. A script has its own mounts, processes, network without any interface, host name and System V IPC; `/proc`
//! and `/sys` are read-only. The commands that would act on the running system are covered by [stand-ins](super::stand_in).

mod copy;
mod group;
mod init;
mod layer;
mod mounts;
mod run;
mod session;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

pub(super) use layer::{is_opaque, is_whiteout};

use super::stand_in::{self, Call};
use crate::system::System;

/// The names under which this program is a part of the sandbox.
const SESSION: &str = "trempe-session";
const RUN: &str = "trempe-run";
const INIT: &str = "trempe-init";

/// The session's own copy of this program: what stands in for commands must not be what is on the machine's disk.
const PROGRAM: &str = "program";

/// What a session is told, one line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Runs a script on what the scripts kept so far have left.
    Run {
        /// What bash reads.
        script: String,
        /// The most it may have.
        limits: Limits,
    },
    /// What the last script changed is there for the next ones.
    Keep,
    /// What the last script changed is forgotten.
    Drop,
}

/// The most that a script may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time, in seconds.
    pub seconds: u64,
    /// Processes at the same time.
    pub processes: usize,
    /// Memory of all its processes together, in bytes.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { seconds: 120, processes: 256, memory: 512 << 20 }
    }
}

/// How a script ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The exit code; `None` when it was ended by a signal, or stopped.
    pub code: Option<i32>,
    /// Why it was stopped.
    pub stopped: Option<String>,
    /// What it said, cut.
    pub output: String,
    /// What it called that acts on the running system.
    pub calls: Vec<Call>,
}

/// The part of the sandbox that this program was started as; `None` when it is the agent.
pub fn entry(name: &str, args: &[String]) -> Option<Result<i32>> {
    match (name, args) {
        (SESSION, [root, dir, size]) => {
            Some(session::serve(Path::new(root), Path::new(dir), size).map(|()| 0))
        }
        (RUN, [root, limits, group @ ..]) => {
            let group = group.first().map(Path::new);
            Some(run::run(Path::new(root), limits, group).map(|()| 0))
        }
        (INIT, [seconds]) => Some(init::start(seconds)),
        _ => None,
    }
}

/// This program, to be started as a part of the sandbox.
fn part(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).env_clear().current_dir("/").stdin(Stdio::null());
    command
}

/// Ends this process when the one that started it ends, however that comes.
fn die_with_parent() -> Result<()> {
    set_pdeathsig(Signal::SIGKILL).context("asking to end with the agent")?;
    // It may have ended before that was asked for.
    if nix::unistd::getppid().as_raw() == 1 {
        bail!("the agent has ended");
    }
    Ok(())
}

/// A running session.
pub struct Sandbox {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where the session's own file system is, as the agent can reach it.
    inside: PathBuf,
    /// Where each layer is mounted on the machine.
    layers: Vec<PathBuf>,
}

/// What one script changed in one file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upper {
    /// Where the file system is mounted.
    pub mounted: PathBuf,
    /// The upper directory of the overlay.
    pub dir: PathBuf,
}

impl Sandbox {
    /// One over the files of a machine.
    ///
    /// # Errors
    /// When not root, or the kernel cannot do it; what of it.
    pub fn new(system: &System) -> Result<Sandbox> {
        if !nix::unistd::geteuid().is_root() {
            bail!("only root can run the fixes of content in a sandbox: run it with sudo");
        }
        let root = system.host_path("/");
        let dir = place(&root)?;
        let mut command = part(SESSION);
        command.args([root.as_os_str(), dir.as_os_str()]).arg(size().to_string());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("starting a sandbox")?;
        let inside = PathBuf::from(format!("/proc/{}/root", child.id()));
        let inside = inside.join(dir.strip_prefix("/").unwrap_or(&dir));
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the sandbox has no pipes");
        };
        let mut sandbox =
            Sandbox { child, orders, answers: BufReader::new(answers), inside, layers: Vec::new() };
        sandbox.layers = sandbox.answer().context("making a sandbox")?;
        if system.is_booted() {
            let units = system.units()?;
            let runs = |unit: &&str| units.state(unit).active == Some(true);
            let running: Vec<&str> = units.names().filter(runs).collect();
            std::fs::write(sandbox.inside.join(stand_in::ACTIVE), running.join("\n"))
                .context("telling the sandbox what runs")?;
        }
        Ok(sandbox)
    }

    /// Runs a script. What it changed is in [`Sandbox::changed`] until it is kept or dropped.
    ///
    /// # Errors
    /// When the sandbox itself fails. What the script runs into is in [`Ended`].
    pub fn run(&mut self, script: &str, limits: Limits) -> Result<Ended> {
        self.order(&Order::Run { script: script.to_owned(), limits })?;
        self.answer().context("running a script in the sandbox")
    }

    /// What the last script changed, by file system.
    pub fn changed(&self) -> Vec<Upper> {
        let upper = |(n, mounted): (usize, &PathBuf)| Upper {
            mounted: mounted.clone(),
            dir: self.inside.join(layer::upper(n)),
        };
        self.layers.iter().enumerate().map(upper).collect()
    }

    /// Ends the last script: what it changed is there for those that follow, or never was.
    ///
    /// # Errors
    /// When the sandbox fails.
    pub fn settle(&mut self, keep: bool) -> Result<()> {
        self.order(if keep { &Order::Keep } else { &Order::Drop })?;
        self.answer().context("putting away what a script changed")
    }

    fn order(&mut self, order: &Order) -> Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.orders.write_all(&line).and_then(|()| self.orders.flush()).context("the sandbox has ended")
    }

    fn answer<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("the sandbox has ended early");
        }
        let answer: Result<T, String> = serde_json::from_str(&line).context("the sandbox said")?;
        answer.map_err(anyhow::Error::msg)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Its processes and mounts end with it.
        drop(self.child.kill());
        drop(self.child.wait());
        group::remove(self.child.id());
    }
}

/// Directories that every Linux system has and that no part of a sandbox needs.
const PLACES: [&str; 4] = ["/dev/shm", "/dev/pts", "/run/lock", "/mnt"];

/// Where the session mounts its file system, which only itself sees there: nothing is made for it, so a plan leaves no trace.
fn place(root: &Path) -> Result<PathBuf> {
    let program = std::env::current_exe().context("finding this program")?;
    let free =
        |place: &&&str| Path::new(place).is_dir() && !root.starts_with(place) && !program.starts_with(place);
    let found =
        PLACES.iter().find(free).with_context(|| format!("none of {} is there", PLACES.join(", ")))?;
    Ok(PathBuf::from(*found))
}

/// How much scripts may write, in bytes: it is kept in memory.
fn size() -> u64 {
    const MOST: u64 = 512 << 20;
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    total.map_or(MOST / 4, |kilobytes: u64| (kilobytes * 1024 / 4).min(MOST))
}
