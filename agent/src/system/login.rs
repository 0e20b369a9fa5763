//! A login over ssh, tried for real: the machine's own daemon and its own client, over a connection of their own.
//!
//! The daemon serves one connection that it is handed (`sshd -i`), with the machine's own configuration, so that the running one
//! is not touched and no port stays open; the client comes with a key made for this one login, which the account has beside its
//! own. Both run among mounts of their own. The keys lie in memory, where nobody else sees them, and are gone with the last of
//! the processes. The login is not announced to logind: while the machine boots that would wait for the end of the boot. And
//! that the boot has not opened the logins yet (`/run/nologin`) does not count.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::run::{AFTER_END, Drain, POLL, Real, drain, end_group, wait};
use super::sshd::with_runtime_directory;
use super::{Run, System, Tool};

/// Where the keys of a login are, for its processes alone. The daemon reads the public one as the user.
const DIR: &str = "/run/trempe/door";
/// What the boot has there while it lets nobody but root in.
const CLOSED: &str = "/run/nologin";
/// What logind, and who asks for it, has there.
const SYSTEMD: &str = "/run/systemd";

/// What of it is no business of logind: the journal, which shall tell of these logins too, name resolution, other accounts.
const NOT_LOGIND: [&str; 3] = ["journal", "resolve", "userdb"];

/// The host key of a daemon that has none yet.
const HOST_KEY: &str = "/run/trempe/door.host_key";
/// Where a daemon looks for its own unless told otherwise.
const HOST_KEYS: &str = "/etc/ssh";

/// So many logins are under way at a time.
const TOGETHER: usize = 4;

/// How long one login may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A login to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The account.
    pub user: String,
    /// The type of key to come with, as `ssh-keygen -t` calls it.
    pub key: &'static str,
    /// The daemon's options. One of them must name [`authorized`] among the authorized keys.
    pub options: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The client's exit code: that of the command, which is `true`; 255 where it did not come to that.
    pub code: Option<i32>,
    /// What the client said.
    pub client: String,
    /// What the daemon said.
    pub server: String,
}

/// The file with the public key of a type, to name as one of an account's authorized keys.
pub fn authorized(key: &str) -> String {
    format!("{DIR}/{key}.pub")
}

/// Tries logins.
///
/// # Errors
/// When the mounts of the machine cannot be left, or a program is missing or cannot be started.
pub fn log_in(trials: &[Trial]) -> Result<Vec<Attempt>> {
    let apart = || {
        leave_mounts().context("trying logins")?;
        for key in trials.iter().map(|trial| trial.key).collect::<BTreeSet<_>>() {
            new_key(key)?;
        }
        with_runtime_directory(|| trials.chunks(TOGETHER).map(try_some).collect::<Result<Vec<_>>>())
            .map(|chunks| chunks.concat())
    };
    // Mounts are left by a thread and what it starts, not by the agent.
    let joined = thread::scope(|scope| scope.spawn(apart).join());
    joined.unwrap_or_else(|_| Err(anyhow!("the thread that tried logins broke down")))
}

/// Gives this thread, and what it starts, mounts of its own.
fn leave_mounts() -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(DIR)
        .with_context(|| format!("making {DIR}"))?;
    unshare(CloneFlags::CLONE_NEWNS).context("leaving the mounts of the machine")?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .context("leaving the mounts of the machine")?;
    cover(DIR, "mode=0711,size=1m")?;
    if Path::new(SYSTEMD).is_dir() {
        hide_logind()?;
    }
    if Path::new(CLOSED).exists() {
        // A socket cannot be opened as a file, so PAM finds none there.
        let socket = Path::new(DIR).join("open");
        drop(UnixListener::bind(&socket).context("making a socket")?);
        mount(Some(&socket), CLOSED, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .with_context(|| format!("covering {CLOSED}"))?;
    }
    Ok(())
}

/// Without its directory nobody looks for logind.
fn hide_logind() -> Result<()> {
    let names: Vec<&&str> = NOT_LOGIND.iter().filter(|name| Path::new(SYSTEMD).join(name).is_dir()).collect();
    let aside = |name: &str| Path::new(DIR).join(name);
    for name in &names {
        bind(&Path::new(SYSTEMD).join(name), &aside(name))?;
    }
    cover(SYSTEMD, "mode=0755,size=64k")?;
    names.iter().try_for_each(|name| bind(&aside(name), &Path::new(SYSTEMD).join(name)))
}

/// Shows a directory at another place too.
fn bind(from: &Path, to: &Path) -> Result<()> {
    let bound = std::fs::create_dir(to).map_err(anyhow::Error::from).and_then(|()| {
        Ok(mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?)
    });
    bound.with_context(|| format!("showing {} at {}", from.display(), to.display()))
}

/// Lays an empty file system in memory over a directory.
fn cover(dir: &str, options: &str) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), dir, Some("tmpfs"), flags, Some(options)).with_context(|| format!("covering {dir}"))
}

/// Tries some at the same time.
fn try_some(trials: &[Trial]) -> Result<Vec<Attempt>> {
    let one = |trial: &Trial| try_one(trial).with_context(|| format!("logging in as {}", trial.user));
    thread::scope(|scope| {
        let running: Vec<_> = trials.iter().map(|trial| scope.spawn(move || one(trial))).collect();
        running
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| Err(anyhow!("a thread that tried a login broke down")))
            })
            .collect()
    })
}

fn try_one(trial: &Trial) -> Result<Attempt> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening on the loopback interface")?;
    let port = listener.local_addr()?.port().to_string();
    let arguments = client_arguments(trial, &port, exchanges());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut client = Side::start(Tool::Ssh, &arguments, None)?;
    let served = accept(&listener, &mut client.child)
        .and_then(|connection| connection.map(|connection| serve(trial, connection)).transpose());
    let server = match served {
        Ok(server) => server,
        Err(error) => {
            end_group(&mut client.child)?;
            return Err(error);
        }
    };
    let (code, client) = client.end(LIMIT);
    // The daemon's part is over with the client's.
    let server = server.map(|server| server.end(AFTER_END).1).unwrap_or_default();
    Ok(Attempt { code, client, server })
}

/// A host key for a daemon that would tell and serve nothing without one: at a first boot its own may be made only later. Gone when
/// dropped.
#[derive(Debug)]
pub struct HostKey(());

impl HostKey {
    /// A key, where the machine that runs has none in the place where all are.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn where_none_is(system: &System) -> Result<Option<HostKey>> {
        if !system.is_running() || !system.has_tool(Tool::SshKeygen) {
            return Ok(None);
        }
        for name in system.list(HOST_KEYS)? {
            let is_key = name.starts_with("ssh_host_") && name.ends_with("_key");
            // One that a power cut left empty is none.
            if is_key
                && system.meta_followed(Path::new(HOST_KEYS).join(name))?.is_some_and(|meta| meta.size > 0)
            {
                return Ok(None);
            }
        }
        let key = HostKey(());
        key.remove();
        std::fs::create_dir_all("/run/trempe").context("making /run/trempe")?;
        let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", "no host key yet", "-f", HOST_KEY];
        system.run_on_host(Tool::SshKeygen, &arguments, None)?.success()?;
        Ok(Some(key))
    }

    /// Its file.
    pub fn path(&self) -> &'static str {
        HOST_KEY
    }

    fn remove(&self) {
        for file in [HOST_KEY.to_owned(), format!("{HOST_KEY}.pub")] {
            drop(std::fs::remove_file(file));
        }
    }
}

impl Drop for HostKey {
    fn drop(&mut self) {
        self.remove();
    }
}

fn new_key(kind: &str) -> Result<()> {
    let arguments = ["-q", "-t", kind, "-N", "", "-C", "one login tried by the agent", "-f", &private(kind)];
    Real.run(Tool::SshKeygen, &arguments, None)?.success().map(drop)
}

/// The file with the key that the client comes with.
fn private(key: &str) -> String {
    format!("{DIR}/{key}")
}

/// Starts the daemon on a connection.
fn serve(trial: &Trial, connection: TcpStream) -> Result<Side> {
    let arguments: Vec<&str> =
        ["-i", "-e"].into_iter().chain(trial.options.iter().map(String::as_str)).collect();
    Side::start(Tool::Sshd, &arguments, Some(connection))
}

/// One side of the connection.
struct Side {
    child: Child,
    said: Option<Drain>,
}

impl Side {
    fn start(tool: Tool, arguments: &[&str], connection: Option<TcpStream>) -> Result<Side> {
        let (mut program, command) = tool.command(arguments)?;
        match connection {
            Some(connection) => {
                let other = connection.try_clone().context("sharing the connection")?;
                program.stdin(OwnedFd::from(connection)).stdout(OwnedFd::from(other))
            }
            None => program.stdin(Stdio::null()).stdout(Stdio::null()),
        };
        let mut child =
            program.stderr(Stdio::piped()).spawn().with_context(|| format!("starting {command}"))?;
        let said = child.stderr.take().map(drain);
        Ok(Side { child, said })
    }

    /// Waits for its end; gives the exit code and what it said. Who does not end in time is killed, and has no exit code.
    fn end(mut self, limit: Duration) -> (Option<i32>, String) {
        let ended = wait(&mut self.child, limit);
        let said = self.said.map(Drain::collect).unwrap_or_default();
        match ended {
            Ok(code) => (code, said),
            Err(error) => (None, format!("{said}it {error:#}\n")),
        }
    }
}

/// The client's connection; `None` when it ended without one.
fn accept(listener: &TcpListener, client: &mut Child) -> Result<Option<TcpStream>> {
    listener.set_nonblocking(true)?;
    let started = Instant::now();
    loop {
        match listener.accept() {
            Ok((connection, _)) => return Ok(Some(connection)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("waiting for ssh"),
        }
        if client.try_wait()?.is_some() {
            return Ok(None);
        }
        if started.elapsed() > LIMIT {
            bail!("ssh did not connect within {} seconds", LIMIT.as_secs());
        }
        thread::sleep(POLL);
    }
}

/// The quickest key exchange.
const QUICKEST: &str = "curve25519-sha256";

/// Nothing of the caller's own ssh counts, and nothing is remembered.
fn client_arguments(trial: &Trial, port: &str, exchanges: Option<String>) -> Vec<String> {
    const OPTIONS: [&str; 8] = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
    ];
    let key = private(trial.key);
    let mut arguments = vec!["-F", "none", "-T", "-i", &key, "-p", port, "-l", &trial.user];
    arguments.extend(OPTIONS.iter().copied().chain(exchanges.as_deref()).flat_map(|option| ["-o", option]));
    arguments.extend(["127.0.0.1", "true"]);
    arguments.into_iter().map(str::to_owned).collect()
}

/// Every key exchange that the client knows, the quickest first: those that withstand quantum computers, which newer clients begin with,
/// take seconds on a slow processor. `None` where the client does not tell.
fn exchanges() -> Option<String> {
    let told = Real.run(Tool::Ssh, &["-Q", "kex"], None).and_then(super::Output::success).ok()?;
    quickest_first(&told.stdout)
}

fn quickest_first(known: &str) -> Option<String> {
    let (quickest, others): (Vec<&str>, Vec<&str>) =
        known.lines().filter(|name| !name.is_empty()).partition(|name| *name == QUICKEST);
    let ordered = [quickest, others].concat();
    (ordered.first() == Some(&QUICKEST)).then(|| format!("KexAlgorithms={}", ordered.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_exchange_comes_first_and_none_is_left_out() {
        let known = "sntrup761x25519-sha512\ncurve25519-sha256\necdh-sha2-nistp256\n";
        let wanted = "KexAlgorithms=curve25519-sha256,sntrup761x25519-sha512,ecdh-sha2-nistp256";
        assert_eq!(quickest_first(known).as_deref(), Some(wanted));
        // Where it may not be used (FIPS 140) the client's own order stands.
        assert_eq!(quickest_first("ecdh-sha2-nistp256\n"), None);
        assert_eq!(quickest_first(""), None);
    }
}
