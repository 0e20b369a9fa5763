//! What the guest says over its second serial port, while it says it: installers, provisioning, sealing.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

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

    /// Follows what is said, tells how far it is, and comes back when the installer or the sealing script says that it has failed.
    pub async fn failure(&self, progress: &Progress) -> anyhow::Error {
        let (mut read, mut begun) = (0, String::new());
        loop {
            tokio::time::sleep(PAUSE).await;
            begun.push_str(&self.more(&mut read));
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
