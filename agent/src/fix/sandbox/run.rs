//! The process that lays the overlay for one script and watches over it.

use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::{Ended, INIT, Limits, PROGRAM, die_with_parent, group, layer, part};
use crate::fix::stand_in;

/// How often the script is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Runs the script of the session's directory, in a control group where there is one; tells as JSON how it ended.
pub fn run(root: &Path, limits: &str, group: Option<&Path>) -> Result<()> {
    die_with_parent()?;
    group.map(group::join).transpose()?;
    let limits: Limits = serde_json::from_str(limits)?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID).context("leaving the session")?;
    lay(root)?;
    furnish(root)?;
    let mut init = part(INIT);
    init.arg(limits.seconds.to_string()).current_dir(std::env::current_dir()?);
    // Its own output is what this process tells; both of the script's go the other way.
    let mut init = init.stdout(Stdio::from(std::io::stderr())).spawn().context("starting the script")?;
    let ended = watch(&mut init, limits)?;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &ended)?;
    Ok(out.flush()?)
}

/// Mounts an overlay over every file system of the machine's own, below `root`.
fn lay(root: &Path) -> Result<()> {
    let layers: Vec<PathBuf> = serde_json::from_slice(&fs::read("layers")?)?;
    for (n, mounted) in layers.iter().enumerate() {
        let below = mounted.strip_prefix("/").unwrap_or(mounted);
        let context = || format!("laying an overlay over {}", mounted.display());
        // By its number, as a path may have signs that separate options.
        let copied = layer::copied(n);
        let whole = if copied.is_dir() { copied } else { root.join(below) };
        let lower: OwnedFd = fs::File::open(whole).with_context(context)?.into();
        let options = format!(
            "lowerdir={}:/proc/self/fd/{},upperdir={},workdir={}",
            layer::base(n).display(),
            lower.as_raw_fd(),
            layer::upper(n).display(),
            layer::work(n).display()
        );
        let target = Path::new("root").join(below);
        real_directory(&target)?;
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        mount(Some("overlay"), &target, Some("overlay"), flags, Some(options.as_str()))
            .with_context(context)?;
        copy_mode(&root.join(below), &target)?;
    }
    Ok(())
}

/// An upper directory has the mode and owner it was made with, where those of the machine are others.
fn copy_mode(from: &Path, to: &Path) -> Result<()> {
    let (wanted, found) = (fs::metadata(from)?, fs::metadata(to)?);
    if (wanted.uid(), wanted.gid()) != (found.uid(), found.gid()) {
        chown(to, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    if wanted.permissions() != found.permissions() {
        fs::set_permissions(to, wanted.permissions())?;
    }
    Ok(())
}

/// Puts a fresh `/run` in, with what the script and the stand-ins need.
fn furnish(root: &Path) -> Result<()> {
    let run = Path::new("root/run");
    real_directory(run)?;
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
    mount(Some("tmpfs"), run, Some("tmpfs"), flags, Some("mode=0755,size=64m")).context("mounting /run")?;
    let own = run.join("trempe");
    fs::create_dir_all(own.join("real"))?;
    fs::create_dir(run.join("lock"))?;
    if root == Path::new("/") && Path::new("/run/systemd/system").is_dir() {
        fs::create_dir_all(run.join("systemd/system"))?;
    }
    fs::copy("script", own.join("script"))?;
    bind(Path::new(PROGRAM), &own.join("agent"))?;
    // A script that changes the mode of a command, or writes to it, would do so to what covers all of them.
    let locked = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
    mount(None::<&str>, &own.join("agent"), None::<&str>, locked, None::<&str>)
        .context("locking the stand-ins")?;
    for told in [stand_in::NEW, stand_in::KEPT, stand_in::ACTIVE] {
        if Path::new(told).exists() {
            bind(Path::new(told), &own.join(told))?;
        }
    }
    Ok(())
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    fs::write(to, "")?;
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .with_context(|| format!("showing {} in the sandbox", from.display()))
}

/// Makes sure that something can be mounted there and nowhere else.
fn real_directory(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => bail!("{} is no directory", path.display()),
        Err(_) => fs::create_dir_all(path).with_context(|| format!("making {}", path.display())),
    }
}

/// Waits for the end of the script, which comes at a limit at the latest.
fn watch(init: &mut Child, limits: Limits) -> Result<Ended> {
    let started = Instant::now();
    let root = PathBuf::from(format!("/proc/{}/root", init.id()));
    loop {
        if let Some(status) = init.try_wait()? {
            return Ok(Ended { code: status.code(), ..Ended::default() });
        }
        let stopped = match used(&root) {
            _ if started.elapsed() > Duration::from_secs(limits.seconds) => {
                Some(format!("it did not end within {} seconds", limits.seconds))
            }
            (count, _) if count > limits.processes => {
                Some(format!("it had more than {} processes", limits.processes))
            }
            (_, memory) if memory > limits.memory => {
                Some(format!("it used more than {} MiB of memory", limits.memory >> 20))
            }
            _ => None,
        };
        if stopped.is_some() {
            // With the first process of the namespace all others end.
            init.kill()?;
            init.wait()?;
            return Ok(Ended { stopped, ..Ended::default() });
        }
        std::thread::sleep(POLL);
    }
}

/// How many processes there are below a root, and how much memory they use, in bytes. What cannot be read has just ended.
fn used(root: &Path) -> (usize, u64) {
    let processes = root.join("proc");
    // Until it is there, the first process still has the machine's own root.
    if !root.join("run/trempe/script").exists() {
        return (0, 0);
    }
    let Ok(entries) = fs::read_dir(&processes) else { return (0, 0) };
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let (mut count, mut pages) = (0, 0);
    for name in names.filter(|name| is_process(name)) {
        count += 1;
        let statm = fs::read_to_string(processes.join(name).join("statm")).unwrap_or_default();
        pages += statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default();
    }
    (count, pages * 4096)
}
