//! Scripts that content brings along (SCE checks): run from memory, told nothing but what they are handed, ended with
//! everything they started when their time is up.
//!
//! Nothing is written to a disk, so that a script runs where `/tmp` is `noexec` too, and nobody can change it
//! between check and start: it is in a sealed file of memory, which the kernel starts as any script, by its `#!` line.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::run::{Output, drain, wait};

/// Runs a script that says by `#!` what runs it.
///
/// Its environment is `environment` and nothing else, its input is empty, its directory `/`. At its end, and when
/// `limit` is over, everything it started that is still in its process group is killed. Of its output and of its
/// errors what [`super::run`] keeps of any program is kept, the rest is read and dropped.
///
/// # Errors
/// When it cannot be started or does not end in time.
pub fn run(name: &str, text: &str, environment: &[(String, String)], limit: Duration) -> Result<Output> {
    let file = sealed(name, text).with_context(|| format!("keeping script {name}"))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut child = Command::new(&path)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting script {name}"))?;
    let group = i32::try_from(child.id()).map(Pid::from_raw);
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    let code = wait(&mut child, limit).with_context(|| format!("running script {name}"))?;
    if let Ok(group) = group {
        // What it left behind would keep the pipes open. When there is nothing there is no such group.
        let _ = killpg(group, Signal::SIGKILL);
    }
    let stdout = stdout.map(super::run::Drain::collect).unwrap_or_default();
    let stderr = stderr.map(super::run::Drain::collect).unwrap_or_default();
    Ok(Output { code, stdout, stderr, command: format!("script {name}") })
}

/// A file in memory that holds the text and cannot be changed any more. It stays open in programs that are
/// started, as the one that runs the script opens it by its number.
fn sealed(name: &str, text: &str) -> Result<OwnedFd> {
    let short: String = name.chars().filter(|c| *c != '\0').take(60).collect();
    let file = memfd_create(CString::new(short)?.as_c_str(), MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = File::from(file);
    file.write_all(text.as_bytes())?;
    let seals =
        SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(text: &str, limit: u64) -> Result<Output> {
        let environment =
            [("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("GIVEN".to_owned(), "a b".to_owned())];
        run("checks/x.sh", &format!("#!/bin/sh\n{text}\n"), &environment, Duration::from_secs(limit))
    }

    #[test]
    fn a_script_is_told_what_it_is_handed_and_nothing_else() {
        let output = shell("echo \"$GIVEN|$HOME|$LC_ALL|$#\"; pwd; cat; echo oh >&2; exit 102", 30).unwrap();
        assert_eq!((output.code, output.stdout.as_str()), (Some(102), "a b|||0\n/\n"));
        assert_eq!(output.stderr, "oh\n");
    }

    #[test]
    fn a_script_that_hangs_is_ended_with_what_it_started() {
        let started = Instant::now();
        let error = shell("sleep 300 & sleep 300", 1).unwrap_err();
        assert!(format!("{error:#}").contains("did not end within 1 seconds"), "{error:#}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_a_script_leaves_behind_is_ended_and_not_waited_for() {
        let started = Instant::now();
        let output = shell("sleep 300 & echo $!; exit 101", 60).unwrap();
        assert_eq!(output.code, Some(101));
        assert!(started.elapsed() < Duration::from_secs(20));
        // It is gone, or dead and not collected by init yet; on a busy machine, in a moment.
        let stat = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", output.stdout.trim()));
            stat.unwrap_or_default().rsplit(')').next().unwrap_or_default().trim_start().to_owned()
        };
        while !(stat().is_empty() || stat().starts_with(['Z', 'X'])) {
            assert!(started.elapsed() < Duration::from_secs(20), "{}", stat());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_script_that_floods_ends_and_is_cut() {
        let output = shell("head -c 40000000 /dev/zero | tr '\\0' x; exit 101", 120).unwrap();
        assert_eq!(output.code, Some(101));
        assert!(output.stdout.len() < 20_000_000, "{}", output.stdout.len());
    }

    #[test]
    fn what_is_no_script_cannot_be_started() {
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        for text in ["", "echo pass", "#!/no/such/shell\n"] {
            let error = run("x.sh", text, &environment, Duration::from_secs(30)).unwrap_err();
            assert!(format!("{error:#}").starts_with("starting script x.sh"), "{text}: {error:#}");
        }
    }
}
