//! Programs: each in a process group of its own, its words line by line to whoever wants them and to a log.
//!
//! A program that is dropped before its end is asked to end, and after a while made to, with all that it started. Should this process
//! itself be killed, the kernel asks the program to end (`setpriv --pdeathsig`).

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a program that is asked to end may take: Packer switches its machine off and removes its files.
const GRACE: Duration = Duration::from_secs(30);
/// How many of a program's last lines an error quotes.
const LAST: usize = 15;
/// The longest line that is kept, in bytes.
const LINE: usize = 4096;

/// A program about to run.
#[derive(Debug)]
pub struct Program {
    name: String,
    command: Command,
}

impl Program {
    /// `name` is looked up in `PATH`.
    pub fn new(name: impl AsRef<OsStr>) -> Program {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(&name).stdin(Stdio::null()).process_group(0);
        Program { name: name.as_ref().to_string_lossy().into_owned(), command }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Program {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Takes environment variables away from it: they hold secrets that are none of its business.
    pub fn without(mut self, names: &[String]) -> Program {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Runs in this directory.
    pub fn directory(mut self, directory: &Path) -> Program {
        self.command.current_dir(directory);
        self
    }

    /// Starts it and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut self) -> Result<Group> {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        Group::start(&self.name, &mut self.command)
    }

    /// Runs it to the end. Every line goes to the log and to `hear`.
    ///
    /// # Errors
    /// When it cannot be started, or fails; its last lines are quoted.
    pub async fn run(mut self, log: &Path, hear: impl FnMut(&str)) -> Result<()> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::start(&self.name, &mut self.command)?;
        let (out, err) = (group.child.stdout.take(), group.child.stderr.take());
        let (Some(out), Some(err)) = (out, err) else { bail!("{}: nothing can be read from it", self.name) };
        let file = OpenOptions::new().create(true).append(true).open(log);
        let mut listener = Listener {
            log: file.with_context(|| format!("writing {}", log.display()))?,
            last: Vec::new(),
            hear,
        };
        let (mut out, mut err) = (Lines::of(out), Lines::of(err));
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            tokio::select! {
                line = out.next(), if out_open => out_open = listener.heard(line)?,
                line = err.next(), if err_open => err_open = listener.heard(line)?,
            }
        }
        let status = group.child.wait().await.with_context(|| format!("waiting for {}", self.name))?;
        if !status.success() {
            bail!("{} ended with {status}; its last words:\n  {}", self.name, listener.last.join("\n  "));
        }
        Ok(())
    }

    /// Starts it and does not wait; what it says goes to a file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_log(mut self, log: &Path) -> Result<Group> {
        let writing = || format!("writing {}", log.display());
        let out = File::create(log).with_context(writing)?;
        self.command.stdout(out.try_clone().with_context(writing)?).stderr(out);
        Group::start(&self.name, &mut self.command)
    }

    /// Runs it to the end and gives what it wrote to standard output.
    ///
    /// # Errors
    /// When it cannot be started, or fails; what it said is quoted.
    pub async fn output(self) -> Result<String> {
        let name = self.name.clone();
        let answer = self.answer().await?;
        if answer.code != Some(0) {
            bail!("{name} ended with {}: {}", answer.ended(), answer.err.trim());
        }
        Ok(answer.out)
    }

    /// Runs it to the end and gives all that it said, however it ended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn answer(mut self) -> Result<Answer> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::start(&self.name, &mut self.command)?;
        let (out, err) = (group.child.stdout.take(), group.child.stderr.take());
        let (out, err) = tokio::try_join!(whole(out), whole(err))
            .with_context(|| format!("reading what {} says", self.name))?;
        let status = group.child.wait().await.with_context(|| format!("waiting for {}", self.name))?;
        Ok(Answer { code: status.code(), status, out, err })
    }
}

/// Everything that a stream holds.
async fn whole(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut said = Vec::new();
    if let Some(mut from) = from {
        from.read_to_end(&mut said).await?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// What a program said, and how it ended.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
    status: ExitStatus,
}

impl Answer {
    /// How it ended, in words.
    pub fn ended(&self) -> String {
        self.status.to_string()
    }
}

/// A stream taken apart into lines. What was read of a line stays when nobody waits for the rest any more.
struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(from: R) -> Lines<R> {
        Lines { from: BufReader::with_capacity(LINE, from), line: Vec::new() }
    }

    /// The next line, or so much of it as is kept; `None` at the end.
    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            let available = self.from.fill_buf().await?;
            if available.is_empty() {
                return Ok((!self.line.is_empty()).then(|| self.take()));
            }
            let end = available.iter().position(|byte| *byte == b'\n' || *byte == b'\r');
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            let room = LINE.saturating_sub(self.line.len());
            self.line.extend(part.iter().take(room));
            let used = end.map_or(available.len(), |end| end + 1);
            self.from.consume(used);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned()
    }
}

struct Listener<H> {
    log: File,
    last: Vec<String>,
    hear: H,
}

impl<H: FnMut(&str)> Listener<H> {
    /// Whether there is more to come.
    fn heard(&mut self, line: Result<Option<String>>) -> Result<bool> {
        let Some(line) = line? else { return Ok(false) };
        let line = plain(&line);
        if !line.trim().is_empty() {
            writeln!(self.log, "{line}").context("writing a log")?;
            (self.hear)(&line);
            if self.last.len() == LAST {
                self.last.remove(0);
            }
            self.last.push(line);
        }
        Ok(true)
    }
}

/// A line without colours and other instructions to a terminal.
pub fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // Up to the letter that ends the sequence.
            if chars.next() == Some('[') {
                let _ = chars.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if c == '\t' || !c.is_control() {
            out.push(c);
        }
    }
    out
}

/// A running program with all that it starts.
#[derive(Debug)]
pub struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn start(name: &str, command: &mut Command) -> Result<Group> {
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Ok(Group { child, id })
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let begun = Instant::now();
        let gone = || {
            let _ = waitpid(id, Some(WaitPidFlag::WNOHANG));
            killpg(id, None) == Err(Errno::ESRCH)
        };
        let _ = killpg(id, Signal::SIGTERM);
        while !gone() && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = killpg(id, Signal::SIGKILL);
        let _ = waitpid(id, Some(WaitPidFlag::WNOHANG));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn every_line_is_heard_logged_and_the_last_ones_are_quoted() {
        let scratch = tempfile::tempdir().unwrap();
        let log = scratch.path().join("log");
        let mut heard = Vec::new();
        let script = "printf 'one\\n\\033[1;32mtwo\\033[0m\\rthree'; echo four >&2; head -c 20000 /dev/zero | tr '\\0' x; exit 3";
        let program = Program::new("sh").args(["-c", script]);
        let error = block(program.run(&log, |line| heard.push(line.to_owned()))).unwrap_err().to_string();
        assert!(error.contains("sh ended with exit status: 3") && error.contains("four"), "{error}");
        assert!(heard.contains(&"one".to_owned()) && heard.contains(&"two".to_owned()), "{heard:?}");
        assert!(heard.iter().all(|line| line.len() <= LINE));
        assert_eq!(std::fs::read_to_string(log).unwrap().lines().count(), heard.len());
    }

    #[test]
    fn a_program_that_is_dropped_ends_with_all_it_started() {
        let scratch = tempfile::tempdir().unwrap();
        let pids = scratch.path().join("pids");
        let script = format!("sleep 300 & echo $$ $! > {}; wait", pids.display());
        block(async {
            let group = Program::new("sh").args(["-c", &script]).start().unwrap();
            while std::fs::read_to_string(&pids).unwrap_or_default().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            drop(group);
        });
        let alive = |pid: &str| {
            std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
        };
        for pid in std::fs::read_to_string(pids).unwrap().split_whitespace() {
            assert!(!alive(pid), "{pid}");
        }
    }
}
