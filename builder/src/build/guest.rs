//! What the guest says over its second serial port, while it says it: installers, provisioning, sealing.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::process::plain;
use super::progress::Progress;

/// How a line begins that our own scripts say about how far they are.
const OURS: &str = "trempe: ";
/// What the sealing script says at its end.
const SEALED: &str = "trempe: sealed";
/// What an installer's answers say when it fails, and the sealing script. Without this Packer waits for a machine that never comes or goes.
const FAILED: [&str; 2] = ["trempe: the installer failed", "trempe: sealing failed"];
/// What Debian's installer says itself (`main-menu` of cdebconf) when a step of an unattended installation fails.
const STUCK: [&str; 3] = ["main-menu[", "Menu item '", "' failed."];
/// How many of the guest's last lines an error quotes.
const LAST: usize = 15;
/// How often it is looked whether there is more.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a failed installer may go on to say why.
const REASONS: Duration = Duration::from_secs(3);
/// How long an installer may say nothing: it writes its log while it works, and one that waits for an answer waits for ever.
pub const SILENCE: Duration = Duration::from_secs(20 * 60);
/// The same where the processor is emulated.
pub const SILENCE_EMULATED: Duration = Duration::from_secs(60 * 60);
/// How much of the log is read at once.
const PIECE: u64 = 1 << 20;

/// A guest that writes its log.
#[derive(Debug)]
pub struct Guest {
    log: PathBuf,
}

impl Guest {
    /// The guest that writes there.
    pub fn new(log: PathBuf) -> Guest {
        Guest { log }
    }

    /// Follows what is said, tells how far it is, and comes back when the installer or the sealing script says that it has failed, or when
    /// nothing was said for longer than `patience`, while there is one, from the moment on at which the machine is switched on.
    pub async fn failure(&self, progress: &Progress, patience: &Cell<Option<Duration>>) -> anyhow::Error {
        let (mut read, mut begun, mut heard) = (0, String::new(), None);
        loop {
            tokio::time::sleep(PAUSE).await;
            let more = self.more(&mut read);
            if !more.is_empty() || heard.is_none() {
                heard = self.log.exists().then(Instant::now);
            }
            let silence = heard.map_or(Duration::ZERO, |heard| heard.elapsed());
            if let Some(patience) = patience.get().filter(|patience| silence > *patience) {
                return anyhow::anyhow!(
                    "the installer has said nothing for {} minutes: it waits for an answer that it was not given, or hangs",
                    patience.as_secs() / 60
                );
            }
            begun.push_str(&more);
            while let Some((line, rest)) = begun.split_once(['\n', '\r']) {
                let line = plain(line);
                begun = rest.to_owned();
                if failed(&line) {
                    tokio::time::sleep(REASONS).await;
                    return anyhow::anyhow!("it failed in the guest: {}", line.trim());
                }
                if line.starts_with(OURS) {
                    progress.step(&line);
                }
            }
            if begun.len() as u64 > PIECE {
                begun.clear();
            }
        }
    }

    /// What was added to the log.
    fn more(&self, read: &mut u64) -> String {
        let mut text = Vec::new();
        let added = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(*read))?;
            file.take(PIECE).read_to_end(&mut text)
        });
        // It is not there before the machine is.
        *read += added.unwrap_or_default() as u64;
        String::from_utf8_lossy(&text).into_owned()
    }

    /// An error with the guest's last words.
    pub fn quoted(&self, error: anyhow::Error) -> anyhow::Error {
        match self.words().as_slice() {
            [] => error.context("the guest said nothing over its serial port"),
            said => error.context(format!("the guest's last words:\n  {}", tail(said))),
        }
    }

    /// Makes sure that the machine was sealed.
    ///
    /// # Errors
    /// When it was not; its last words are quoted.
    pub fn sealed(&self) -> Result<()> {
        let said = self.words();
        if !said.iter().any(|line| line == SEALED) {
            bail!(
                "the machine was switched off without having been sealed; its last words:\n  {}",
                tail(&said)
            );
        }
        Ok(())
    }

    /// What was said, line by line.
    fn words(&self) -> Vec<String> {
        let said = fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        said.lines().map(plain).filter(|line| !line.trim().is_empty()).collect()
    }
}

/// Whether a line says that an installer has failed.
fn failed(line: &str) -> bool {
    FAILED.iter().any(|words| line.starts_with(words)) || STUCK.iter().all(|part| line.contains(part))
}

fn tail(lines: &[String]) -> String {
    lines.iter().skip(lines.len().saturating_sub(LAST)).cloned().collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_installer_is_told_from_one_that_speaks_of_failures() {
        let table = [
            ("trempe: the installer failed", true),
            ("Jan  1 00:00:00 main-menu[309]: WARNING **: Menu item 'partman-base' failed.", true),
            ("trempe: sealing failed at line 51", true),
            ("+ echo 'trempe: the installer failed'", false),
            ("Jan  1 00:00:00 main-menu[309]: INFO: Menu item 'partman-base' selected", false),
            ("trempe: provisioning failed at line 3", false),
        ];
        for (line, expected) in table {
            assert_eq!(failed(line), expected, "{line}");
        }
    }

    #[test]
    fn an_installer_that_says_nothing_is_given_up_while_it_installs() {
        let home = tempfile::tempdir().unwrap();
        let (log, progress) = (home.path().join("log"), Progress::new(true));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let guest = Guest::new(log.clone());
            let within = async |patience: &Cell<Option<Duration>>, seconds| {
                let failure = guest.failure(&progress, patience);
                tokio::time::timeout(Duration::from_secs(seconds), failure).await
            };
            let patience = Cell::new(Some(Duration::from_millis(1500)));
            assert!(within(&patience, 3).await.is_err(), "the machine is not switched on yet");
            fs::write(&log, "main-menu[3]: INFO: Menu item 'choose-mirror' selected\n").unwrap();
            let error = within(&patience, 10).await.unwrap().to_string();
            assert!(error.contains("waits for an answer"), "{error}");
            patience.set(None);
            assert!(within(&patience, 3).await.is_err(), "it is installed");
        });
    }

    #[test]
    fn a_line_is_heard_once_it_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let guest = Guest::new(home.path().join("log"));
        let mut read = 0;
        assert_eq!(guest.more(&mut read), "");
        fs::write(home.path().join("log"), "one\ntw").unwrap();
        assert_eq!(guest.more(&mut read), "one\ntw");
        fs::write(home.path().join("log"), "one\ntwo\n").unwrap();
        assert_eq!(guest.more(&mut read), "o\n");
    }
}
