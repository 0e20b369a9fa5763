//! A run that waits to be confirmed: unless somebody does in time, systemd takes it back, across a reboot too.
//!
//! What waits is on disk before the first change ([`FILE`]), with a timer that calls `agent rollback --unconfirmed`. The timer goes
//! by the clock and, should that be wrong after a reboot, by the time since the boot; whichever comes first. When the run has come
//! to its end the time begins anew. Confirming, and taking back, clear all of it away.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::file::{self, Attributes, Whole};
use super::rollback::Undone;
use super::worker::Worker;
use crate::system::{System, Tool};

/// What waits.
const FILE: &str = "/var/lib/trempe/pending.json";
/// What takes it back.
const SERVICE: &str = "/etc/systemd/system/trempe-revert.service";
/// When.
const TIMER: &str = "/etc/systemd/system/trempe-revert.timer";
/// The timer's name for systemd.
const UNIT: &str = "trempe-revert.timer";
/// What starts the timer after a reboot.
const LINK: &str = "/etc/systemd/system/timers.target.wants/trempe-revert.timer";
/// Where systemd notes when the timer last fired.
const STAMP: &str = "/var/lib/systemd/timers/stamp-trempe-revert.timer";

/// The shortest time in which somebody can log in and confirm.
const LEAST: Duration = Duration::from_secs(10);
/// Who needs longer does not watch over it.
const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Directories that are gone, or cannot be executed from, after a reboot or a hardening.
const NO_PLACE: [&str; 7] = ["/tmp", "/var/tmp", "/dev", "/run", "/proc", "/home", "/media"];

/// A run that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The run.
    pub run: String,
    /// When it is taken back, as RFC 3339.
    pub until: String,
}

/// A time to wait, as `10m` or `1h 30m`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Duration> {
    let Ok(duration) = text.trim().parse::<SignedDuration>() else {
        bail!("'{text}' is no time; write it as 90s, 10m or 1h30m");
    };
    match Duration::try_from(duration) {
        Ok(time) if (LEAST..=MOST).contains(&time) => Ok(time),
        _ => bail!("{text} is out of range: between 10 seconds and 7 days can be waited for"),
    }
}

/// Fails where a run could not be taken back by itself.
///
/// # Errors
/// Why it could not.
pub fn check(system: &System) -> Result<()> {
    if !system.is_booted() {
        bail!("only systemd can take a run back later, and it does not run here; leave --confirm-within out");
    }
    launcher(&std::env::current_exe().context("finding the agent's own file")?).map(drop)
}

/// The agent's own file, as systemd is told to start it.
fn launcher(agent: &Path) -> Result<String> {
    let path =
        agent.to_str().filter(|path| !path.contains(['"', '\\', '\n']) && !path.ends_with(" (deleted)"));
    let Some(path) = path else {
        bail!("systemd could not start the agent from {}; install it in /usr/local/sbin", agent.display());
    };
    if NO_PLACE.iter().any(|dir| agent.starts_with(dir)) {
        bail!("what is in {path} cannot be relied on later; install the agent in /usr/local/sbin first");
    }
    Ok(path.replace('%', "%%").replace('$', "$$"))
}

/// What waits to be confirmed.
///
/// # Errors
/// When that cannot be read or understood.
pub fn read(system: &System) -> Result<Option<Pending>> {
    let Some(text) = system.read_text(FILE)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).with_context(|| format!("{FILE}: damaged"))
}

/// A run waits to be confirmed, and what to do about that.
#[derive(Debug, thiserror::Error)]
#[error(
    "the run {} waits to be confirmed until {}: 'agent confirm' keeps it, 'agent rollback' takes it back",
    .0.run, .0.until
)]
pub struct Unconfirmed(Pending);

/// Fails while something waits to be confirmed: what is built on it would not stay.
///
/// # Errors
/// [`Unconfirmed`].
pub fn refuse(system: &System) -> Result<()> {
    match read(system)? {
        None => Ok(()),
        Some(pending) => Err(Unconfirmed(pending).into()),
    }
}

/// Has a run taken back in `within`, also when something waits already: then its time begins anew.
///
/// # Errors
/// When that cannot be brought about: nothing may be changed then.
pub fn arm(system: &System, run: &str, within: Duration) -> Result<Pending> {
    let agent = std::env::current_exe().context("finding the agent's own file")?;
    let armed = write(system, run, &agent, Timestamp::now(), within).and_then(|pending| {
        system.run(Tool::Systemctl, &["daemon-reload"])?.success()?;
        system.run(Tool::Systemctl, &["restart", UNIT])?.success()?;
        Ok(pending)
    });
    armed.context("preparing to take the run back unless it is confirmed")
}

fn write(system: &System, run: &str, agent: &Path, now: Timestamp, within: Duration) -> Result<Pending> {
    let until = Timestamp::from_second(now.checked_add(within)?.as_second())?;
    let pending = Pending { run: run.to_owned(), until: until.to_string() };
    put(system, FILE, 0o600, &serde_json::to_string(&pending)?)?;
    put(system, SERVICE, 0o644, &service(&launcher(agent)?))?;
    put(system, TIMER, 0o644, &timer(until, within))?;
    let wants = Path::new(LINK).parent().unwrap_or(Path::new("/"));
    file::make_directories(system, wants, 0o755)?;
    file::remove(system, Path::new(LINK))?;
    file::link(system, Path::new(LINK), Path::new(TIMER))?;
    Ok(pending)
}

fn put(system: &System, path: &str, mode: u32, text: &str) -> Result<()> {
    let whole = Whole { content: text.as_bytes().to_vec(), attributes: Attributes::new(mode) };
    file::write(system, Path::new(path), &whole)
}

/// Tried again when it fails: somebody waits for it.
fn service(agent: &str) -> String {
    format!(
        "# Written by the agent for one run; gone when that is confirmed or taken back.\n\
         [Unit]\nDescription=Take back the changes that nobody confirmed\nRequiresMountsFor=/var/lib/trempe\n\n\
         [Service]\nExecStart=\"{agent}\" rollback --unconfirmed\nRestart=on-failure\nRestartSec=30s\n"
    )
}

fn timer(until: Timestamp, within: Duration) -> String {
    format!(
        "# Written by the agent for one run; gone when that is confirmed or taken back.\n\
         [Unit]\nDescription=Take back the changes that nobody confirms in time\n\n\
         [Timer]\nOnCalendar={}\nOnActiveSec={}s\nPersistent=true\nAccuracySec=1s\n\n\
         [Install]\nWantedBy=timers.target\n",
        until.strftime("%Y-%m-%d %H:%M:%S UTC"),
        within.as_secs()
    )
}

/// Ends the waiting: what was done stays, or was taken back.
///
/// # Errors
/// When something of it cannot be cleared away.
pub fn disarm(system: &System) -> Result<()> {
    // Without this no run is taken back, whatever else stays behind.
    file::remove(system, Path::new(FILE))?;
    if system.is_booted() {
        system.run(Tool::Systemctl, &["stop", UNIT])?.success()?;
    }
    for path in [LINK, TIMER, SERVICE, STAMP] {
        if system.meta(path)?.is_some() {
            file::remove(system, Path::new(path))?;
        }
    }
    if system.is_booted() {
        system.run(Tool::Systemctl, &["daemon-reload"])?.success()?;
    }
    Ok(())
}

/// Ends the waiting when what was taken back is what waits.
///
/// # Errors
/// When something of it cannot be cleared away.
pub fn taken_back<'a>(system: &System, undone: impl IntoIterator<Item = &'a Undone>) -> Result<()> {
    let Some(pending) = read(system)? else { return Ok(()) };
    let whole = |undone: &&Undone| undone.run == pending.run && undone.failed.is_empty();
    if undone.into_iter().any(|undone| whole(&undone)) { disarm(system) } else { Ok(()) }
}

/// After the end of a run: its time to be confirmed begins anew, unless nothing of it stayed.
///
/// # Errors
/// When the timer cannot be set anew; the one set before still runs.
pub fn begin_to_wait(system: &System, worker: &Worker, within: Duration) -> Result<Option<Pending>> {
    let Some(run) = worker.id() else { return Ok(None) };
    if worker.made.is_empty() {
        return disarm(system).map(|()| None);
    }
    arm(system, &run, within).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn times_are_what_people_write() {
        for (text, seconds) in
            [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), (" 48h ", 172_800)]
        {
            assert_eq!(parse(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "10", "ten minutes", "10x", "m"] {
            assert!(parse(text).unwrap_err().to_string().contains("write it as 90s, 10m or 1h30m"), "{text}");
        }
        for text in ["0s", "9s", "-10m", "169h"] {
            assert!(parse(text).unwrap_err().to_string().contains("out of range"), "{text}");
        }
    }

    #[test]
    fn the_timer_goes_by_the_clock_and_by_the_time_since_the_boot() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700).dir("/etc/systemd/system", 0o755);
        let before = tree.snapshot();
        let system = tree.system();
        let now: Timestamp = "2026-11-27T23:59:30.7Z".parse().unwrap();
        let agent = Path::new("/opt/a b/agent");
        let pending = write(&system, "run", agent, now, Duration::from_secs(600)).unwrap();
        assert_eq!(pending.until, "2026-11-28T00:09:30Z");
        assert_eq!(read(&system).unwrap(), Some(pending));
        let timer = tree.text(TIMER);
        for line in ["OnCalendar=2026-11-28 00:09:30 UTC\n", "OnActiveSec=600s\n", "Persistent=true\n"] {
            assert!(timer.contains(line), "{timer}");
        }
        assert!(tree.text(SERVICE).contains("ExecStart=\"/opt/a b/agent\" rollback --unconfirmed\n"));
        assert!([FILE, SERVICE, TIMER, LINK].iter().all(|path| tree.has(path)));
        assert_eq!(tree.mode(FILE), 0o600);
        assert!(
            refuse(&system).unwrap_err().to_string().contains("the run run waits to be confirmed until 2026")
        );
        // Again, with a new time.
        write(&system, "run", agent, now, Duration::from_secs(60)).unwrap();
        assert!(tree.text(TIMER).contains("OnActiveSec=60s"));
        disarm(&system).unwrap();
        let left = tree.snapshot();
        assert_eq!(left.len(), before.len() + 1, "only the directory of links may stay: {left:?}");
        refuse(&system).unwrap();
        disarm(&system).unwrap();
    }

    #[test]
    fn only_the_run_that_waits_ends_the_waiting() {
        let tree = Tree::new().dir("/var/lib/trempe", 0o700).dir("/etc/systemd/system", 0o755);
        let system = tree.system();
        write(&system, "run", Path::new("/usr/bin/agent"), Timestamp::now(), Duration::from_secs(60))
            .unwrap();
        let undone = |run: &str, failed: &[&str]| Undone {
            run: run.into(),
            failed: failed.iter().map(|line| (*line).to_owned()).collect(),
            ..Undone::default()
        };
        taken_back(&system, &[undone("other", &[]), undone("run", &["no room"])]).unwrap();
        assert!(read(&system).unwrap().is_some());
        taken_back(&system, &[undone("run", &[])]).unwrap();
        assert!(read(&system).unwrap().is_none() && !tree.has(TIMER));
    }

    #[test]
    fn an_agent_that_would_not_be_there_later_is_refused() {
        for path in
            ["/tmp/agent", "/home/ann/agent", "/run/lab/agent", "/usr/bin/agent (deleted)", "/opt/a\"b"]
        {
            let error = launcher(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("/usr/local/sbin"), "{error}");
        }
        assert_eq!(launcher(Path::new("/opt/100%/agent")).unwrap(), "/opt/100%%/agent");
        let error = check(&Tree::new().system()).unwrap_err().to_string();
        assert!(error.contains("systemd"), "{error}");
    }
}
