//! The one door to external programs: a closed list of tools, arguments without a shell, a time limit.
//!
//! Programs are started from fixed absolute paths with a fixed environment, so that nothing in the caller's
//! environment decides what root runs. To add a tool, add a variant to [`Tool`] and a line to its table.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::login::{self, Attempt, Trial};

/// The most output kept of one program, in bytes.
const MAX_OUTPUT: usize = 16 * 1024 * 1024;

/// How long a pipe is read on after its program has ended.
pub(super) const AFTER_END: Duration = Duration::from_secs(5);

/// How often a running program is looked at.
pub(super) const POLL: Duration = Duration::from_millis(5);

macro_rules! tools {
    ($($variant:ident $paths:expr, $seconds:expr, $doc:literal;)*) => {
        /// The external programs the agent may run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum Tool { $(#[doc = $doc] $variant,)* }

        impl Tool {
            /// Where the program may be, in the order looked at.
            fn paths(self) -> &'static [&'static str] {
                match self { $(Tool::$variant => &$paths,)* }
            }

            /// How long it may take.
            fn limit(self) -> Duration {
                Duration::from_secs(match self { $(Tool::$variant => $seconds,)* })
            }
        }
    };
}

tools! {
    AaStatus ["/usr/sbin/aa-status", "/sbin/aa-status"], 30, "Tells the AppArmor profiles in the kernel.";
    AaEnforce ["/usr/sbin/aa-enforce"], 120, "Sets AppArmor profiles to enforce.";
    Aide ["/usr/bin/aide", "/usr/sbin/aide"], 3600, "File integrity database.";
    AideInit ["/usr/sbin/aideinit"], 3600, "Builds the AIDE database on Debian.";
    ApparmorParser ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"], 120, "Loads AppArmor profiles.";
    AptGet ["/usr/bin/apt-get"], 1800, "Debian package manager.";
    AptMark ["/usr/bin/apt-mark"], 60, "Marks of Debian's package manager.";
    Auditctl ["/usr/sbin/auditctl", "/sbin/auditctl"], 30, "Reads and sets the kernel's audit rules.";
    Augenrules ["/usr/sbin/augenrules", "/sbin/augenrules"], 60, "Compiles and loads rules.d.";
    DconfUpdate ["/usr/bin/dconf"], 60, "Compiles the dconf databases.";
    Dnf ["/usr/bin/dnf"], 1800, "Red Hat package manager.";
    Dpkg ["/usr/bin/dpkg"], 600, "Debian package tool.";
    DpkgQuery ["/usr/bin/dpkg-query"], 60, "Debian package queries.";
    Findmnt ["/usr/bin/findmnt", "/bin/findmnt"], 30, "Verifies fstab.";
    Getent ["/usr/bin/getent"], 30, "Asks the name services for accounts and groups.";
    Id ["/usr/bin/id"], 30, "Asks the name services for an account's groups.";
    Iptables ["/usr/sbin/iptables", "/sbin/iptables"], 30, "Reads the IPv4 packet filter.";
    Ip6tables ["/usr/sbin/ip6tables", "/sbin/ip6tables"], 30, "Reads the IPv6 packet filter.";
    IptablesRestore ["/usr/sbin/iptables-restore", "/sbin/iptables-restore"], 30, "Checks IPv4 packet filter files.";
    Ip6tablesRestore ["/usr/sbin/ip6tables-restore", "/sbin/ip6tables-restore"], 30, "Checks IPv6 packet filter files.";
    Modprobe ["/usr/sbin/modprobe", "/sbin/modprobe"], 30, "Loads and removes kernel modules.";
    Mount ["/usr/bin/mount", "/bin/mount"], 60, "Remounts file systems.";
    Umount ["/usr/bin/umount", "/bin/umount"], 60, "Unmounts file systems.";
    Nft ["/usr/sbin/nft", "/sbin/nft"], 30, "Reads and checks nftables rules.";
    PamAuthUpdate ["/usr/sbin/pam-auth-update"], 60, "Writes the common PAM stacks on Debian.";
    Rpm ["/usr/bin/rpm"], 600, "Red Hat package tool.";
    Setpriv ["/usr/bin/setpriv"], 60, "Runs a program as another user.";
    Ssh ["/usr/bin/ssh"], 60, "The ssh client.";
    SshKeygen ["/usr/bin/ssh-keygen"], 60, "Makes ssh keys.";
    Sshd ["/usr/sbin/sshd"], 30, "Checks and tells the ssh daemon's configuration.";
    Sudo ["/usr/bin/sudo"], 60, "Runs a program as root for those who may.";
    Systemctl ["/usr/bin/systemctl", "/bin/systemctl"], 120, "Tells and sets unit states.";
    Ufw ["/usr/sbin/ufw"], 60, "Debian and Ubuntu firewall front end.";
    UfwInit ["/usr/lib/ufw/ufw-init", "/lib/ufw/ufw-init"], 60, "Brings ufw's rules into the kernel and out of it.";
    UpdateCryptoPolicies ["/usr/bin/update-crypto-policies"], 120, "Makes the system-wide choice of ciphers.";
    UpdateGrub ["/usr/sbin/update-grub"], 300, "Writes grub.cfg on Debian.";
    UpdateInitramfs ["/usr/sbin/update-initramfs"], 600, "Rebuilds the initial RAM disk.";
    Vmtoolsd ["/usr/bin/vmtoolsd"], 5, "Asks VMware for a setting of the virtual machine.";
    VmwareRpctool ["/usr/bin/vmware-rpctool"], 5, "Asks VMware for a setting of the virtual machine, where it is installed.";
    Visudo ["/usr/sbin/visudo"], 30, "Checks sudoers files.";
}

impl Tool {
    /// The program's name, for messages.
    pub fn name(self) -> &'static str {
        self.paths().first().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
    }

    fn find(self) -> Option<&'static str> {
        self.paths().iter().copied().find(|path| std::path::Path::new(path).exists())
    }

    /// The program about to run, and its command line for messages: from its fixed path, with a fixed environment.
    ///
    /// # Errors
    /// When it is not installed.
    pub(super) fn command(self, args: &[&str]) -> Result<(Command, String)> {
        let Some(program) = self.find() else { bail!("{} is not installed", self.name()) };
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .current_dir("/")
            // A group of its own: an interrupt from the terminal is the agent's to act on, and whatever the program
            // started ends with it.
            .process_group(0);
        Ok((command, format!("{} {}", self.name(), args.join(" ")).trim_end().to_owned()))
    }
}

/// What a program left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The command line, for messages.
    pub command: String,
}

impl Output {
    /// The output when the program exited with 0.
    ///
    /// # Errors
    /// Otherwise, with the command line, the exit code and what it said.
    pub fn success(self) -> Result<Output> {
        if self.code == Some(0) {
            return Ok(self);
        }
        let said = if self.stderr.trim().is_empty() { self.stdout.trim() } else { self.stderr.trim() };
        let code = self.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        bail!("{} ended with {code}: {said}", self.command)
    }
}

/// Something that runs programs: the real one, or a script in tests.
pub trait Run: Send + Sync {
    /// Runs `tool` with `args`, `input` on its standard input.
    ///
    /// # Errors
    /// When the program is not installed, cannot be started or does not end in time.
    fn run(&self, tool: Tool, args: &[&str], input: Option<&[u8]>) -> Result<Output>;

    /// Whether the program is there.
    fn has(&self, tool: Tool) -> bool;

    /// Tries logins over ssh, one after the other; see [`login`].
    ///
    /// # Errors
    /// When none can be tried here.
    fn log_in(&self, _: &[Trial]) -> Result<Vec<Attempt>> {
        bail!("no login can be tried here")
    }
}

/// Runs the machine's own programs.
pub struct Real;

impl Run for Real {
    fn has(&self, tool: Tool) -> bool {
        tool.find().is_some()
    }

    fn log_in(&self, trials: &[Trial]) -> Result<Vec<Attempt>> {
        login::log_in(trials)
    }

    fn run(&self, tool: Tool, args: &[&str], input: Option<&[u8]>) -> Result<Output> {
        let (mut program, command) = tool.command(args)?;
        let mut child = program
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {command}"))?;
        let finished = converse(&mut child, input.map(<[u8]>::to_vec), tool.limit());
        let (code, stdout, stderr) = finished.with_context(|| format!("running {command}"))?;
        Ok(Output { code, stdout, stderr, command })
    }
}

/// Feeds and drains a child, each pipe on its own thread so that none can block another.
fn converse(
    child: &mut Child,
    input: Option<Vec<u8>>,
    limit: Duration,
) -> Result<(Option<i32>, String, String)> {
    let feeding = child.stdin.take().zip(input).map(|(mut pipe, bytes)| {
        // A program that stops reading early closes the pipe; its exit code tells what that means.
        thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    let code = wait(child, limit)?;
    if let Some(feeding) = feeding {
        drop(feeding.join());
    }
    let collect = |pipe: Option<Drain>| pipe.map(Drain::collect).unwrap_or_default();
    Ok((code, collect(stdout), collect(stderr)))
}

/// What a program says, as far as it has come.
pub(crate) struct Drain {
    said: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Drain {
    /// All of it. A daemon that the program left behind may hold the pipe open: it is not waited for.
    pub(crate) fn collect(self) -> String {
        let _ = self.end.recv_timeout(AFTER_END);
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Reads a pipe to its end, on a thread of its own.
pub(crate) fn drain(mut pipe: impl Read + Send + 'static) -> Drain {
    let said = Arc::new(Mutex::new(Vec::new()));
    let (ended, end) = mpsc::channel();
    let kept = Arc::clone(&said);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            // Whatever is beyond the limit is read and dropped, so that the program can end.
            if kept.len() < MAX_OUTPUT {
                kept.extend(buffer.iter().take(count));
            }
        }
        // Nobody may be waiting any more.
        let _ = ended.send(());
    });
    Drain { said, end }
}

/// Waits for the end of a program and everything it started; gives its exit code.
///
/// # Errors
/// When it did not end in time: it was killed.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<i32>> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if started.elapsed() > limit {
            end_group(child)?;
            bail!("did not end within {} seconds and was killed", limit.as_secs());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(POLL);
    }
}

/// Ends a program and everything it started.
pub(super) fn end_group(child: &mut Child) -> Result<()> {
    match i32::try_from(child.id()).map(Pid::from_raw) {
        Ok(group) if killpg(group, Signal::SIGKILL).is_ok() => {}
        _ => child.kill()?,
    }
    child.wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_an_error_with_its_name() {
        let missing = Tool::AaEnforce;
        if missing.find().is_none() {
            let error = Real.run(missing, &[], None).unwrap_err();
            assert_eq!(error.to_string(), "aa-enforce is not installed");
        }
    }

    #[test]
    fn the_error_of_a_failed_program_says_what_it_said() {
        let output = Output {
            code: Some(3),
            stderr: "no such unit\n".into(),
            command: "systemctl show x".into(),
            ..Default::default()
        };
        let error = output.success().unwrap_err().to_string();
        assert_eq!(error, "systemctl show x ended with exit code 3: no such unit");
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        // The shell's own child holds the other end: only when it is ended too does reading come to an end.
        let (mut end, other) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 60; true"])
            .process_group(0)
            .stdout(std::os::fd::OwnedFd::from(other))
            .spawn()
            .unwrap();
        let started = Instant::now();
        let error = wait(&mut child, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("was killed"));
        end.read_to_end(&mut Vec::new()).unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_daemon_left_behind_is_not_waited_for() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "echo said; sleep 60 &"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let (code, stdout, _) = converse(&mut child, None, Duration::from_secs(30)).unwrap();
        assert_eq!((code, stdout.as_str()), (Some(0), "said\n"));
        assert!(started.elapsed() < Duration::from_secs(20));
        end_group(&mut child).unwrap();
    }

    #[test]
    fn input_reaches_the_program_and_output_comes_back() {
        let mut child = Command::new("/bin/cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let big = vec![b'x'; 300_000];
        let (code, stdout, _) = converse(&mut child, Some(big.clone()), Duration::from_secs(5)).unwrap();
        assert_eq!(code, Some(0));
        assert_eq!(stdout.len(), big.len());
    }
}
