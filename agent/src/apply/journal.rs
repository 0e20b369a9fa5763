//! The undo log: what a run is about to do and how to take it back, on disk before it is done.
//!
//! A run is a directory `runs/<ID>/` below the state directory: `journal.jsonl`, one record a line, each synced before the
//! change it announces; `blobs/`, the contents that changes overwrite; `result.json`, the report. A last line cut by a power failure is
//! not yet a promise and is ignored. A run whose journal does not end with [`Record::Closed`] was interrupted,
//! or taking it back was.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::undo::{Undo, Was};
use crate::change::{Change, Effect};
use crate::system::System;

/// Where state is kept, below the root.
pub const STATE_DIR: &str = "/var/lib/trempe";

/// The state directory of a machine, as a path on the host.
///
/// # Errors
/// When a link leads out of the machine's root.
pub fn state_dir(system: &System) -> Result<PathBuf> {
    let state = system.host_path(STATE_DIR);
    let (Ok(real), Ok(root)) = (state.canonicalize(), system.host_path("/").canonicalize()) else {
        return Ok(state);
    };
    if !real.starts_with(&root) {
        bail!("{STATE_DIR} leads out of {}, to {}", root.display(), real.display());
    }
    let runs = state.join("runs");
    if runs.is_symlink() {
        bail!("{} is a symbolic link, which is not followed: put the directory itself there", runs.display());
    }
    Ok(state)
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// A change is about to be made.
    Intent {
        /// Counts the changes of the run.
        number: usize,
        /// The rule it is for.
        rule: String,
        /// The change.
        change: Change,
        /// The way back.
        undo: Undo,
        /// What must be told afterwards, both ways.
        effects: Vec<Effect>,
    },
    /// The change has been made.
    Done {
        /// Which.
        number: usize,
        /// The files that it made different though the change itself does not say how, and how it left them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<(PathBuf, Was)>,
    },
    /// The change has been taken back.
    Undone {
        /// Which.
        number: usize,
    },
    /// The run is about to be taken back: for some rules, or for all when none is named.
    TakingBack {
        /// Which.
        rules: Vec<String>,
    },
    /// The run, or taking it back, ended as it should; changes not taken back stay.
    Closed,
}

/// Whether a run came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It did.
    Closed,
    /// It was interrupted: all of it must be taken back.
    Interrupted,
    /// Taking it back was interrupted: for these rules, or for all when none is named.
    TakingBack(Vec<String>),
}

/// What a journal says of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts the changes of the run.
    pub number: usize,
    /// The rule it was for.
    pub rule: String,
    /// The change.
    pub change: Change,
    /// The way back.
    pub undo: Undo,
    /// What must be told afterwards.
    pub effects: Vec<Effect>,
    /// How it left the files that it made different; `None` when it was cut before its end.
    pub left: Option<Vec<(PathBuf, Was)>>,
    /// Whether it has been taken back.
    pub undone: bool,
}

/// The contents that changes overwrite, by digest.
pub struct Blobs {
    dir: PathBuf,
}

impl Blobs {
    /// Keeps a content, on disk when this returns; returns its digest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, content: &[u8]) -> Result<String> {
        let digest = self.store_lazily(content)?;
        let path = self.dir.join(&digest);
        File::open(&path).and_then(|file| file.sync_all()).with_context(|| writing(&path))?;
        sync_dir(&self.dir)?;
        Ok(digest)
    }

    /// As [`Blobs::store`], without waiting: the caller calls [`Blobs::sync`] before it relies on it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store_lazily(&self, content: &[u8]) -> Result<String> {
        let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.dir.join(&digest);
        // One that is there may have been cut by a power failure.
        if fs::read(&path).ok().as_deref() != Some(content) {
            let temporary = self.dir.join(format!("{digest}.new"));
            create(&temporary)?.write_all(content).with_context(|| writing(&path))?;
            fs::rename(&temporary, &path).with_context(|| writing(&path))?;
        }
        Ok(digest)
    }

    /// Waits until everything kept so far is on disk: one call for any number of contents.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> Result<()> {
        let dir = File::open(&self.dir).with_context(|| writing(&self.dir))?;
        nix::unistd::syncfs(&dir).with_context(|| writing(&self.dir))
    }

    /// The content of a digest.
    ///
    /// # Errors
    /// When it is not there, or is not what it was.
    pub fn load(&self, digest: &str) -> Result<Vec<u8>> {
        let path = self.dir.join(digest);
        let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let found: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != digest {
            bail!("{} is damaged: its digest is {found}", path.display());
        }
        Ok(content)
    }
}

/// The journal of one run.
pub struct Journal {
    /// The run's id: when it began.
    pub id: String,
    /// Its directory.
    pub dir: PathBuf,
    /// The contents it keeps.
    pub blobs: Blobs,
    file: File,
}

impl Journal {
    /// Begins a run.
    ///
    /// # Errors
    /// When the state directory cannot be written: nothing may be changed then.
    pub fn begin(state: &Path, id: &str) -> Result<Journal> {
        let runs = state.join("runs");
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).recursive(true).create(&runs).with_context(|| writing(&runs))?;
        let newest = self::runs(state)?.pop();
        let newest = newest.as_ref().and_then(|dir| dir.file_name()?.to_str());
        let dir = free(&runs, id, newest)?;
        let blobs = dir.join("blobs");
        builder.create(&blobs).with_context(|| writing(&blobs))?;
        let journal = Journal::open(dir)?;
        sync_dir(&journal.dir)?;
        sync_dir(&runs)?;
        sync_dir(state)?;
        Ok(journal)
    }

    /// Opens the journal of a run that was begun before.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(dir: PathBuf) -> Result<Journal> {
        let path = dir.join("journal.jsonl");
        cut_torn_line(&path)?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| writing(&path))?;
        let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Journal { id, blobs: Blobs { dir: dir.join("blobs") }, dir, file })
    }

    /// Writes one record and waits until it is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&mut self, record: &Record) -> Result<()> {
        self.record_all(std::slice::from_ref(record))
    }

    /// Writes several records and waits, once, until they are on disk.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn record_all(&mut self, records: &[Record]) -> Result<()> {
        let lines: String = records.iter().map(line).collect::<Result<_>>()?;
        self.file
            .write_all(lines.as_bytes())
            .and_then(|()| self.file.sync_data())
            .context("writing the journal")
    }

    /// Writes one record without waiting: it is on disk at the latest with the next.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, record: &Record) -> Result<()> {
        self.file.write_all(line(record)?.as_bytes()).context("writing the journal")
    }

    /// Whether a run came to its end, by the last line of its journal alone: every boot asks this of every run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_closed(dir: &Path) -> Result<bool> {
        let path = dir.join("journal.jsonl");
        let end = line(&Record::Closed)?;
        let reading = || format!("reading {}", path.display());
        let mut file = File::open(&path).with_context(reading)?;
        let length = file.metadata().with_context(reading)?.len();
        let Some(start) = length.checked_sub(end.len() as u64) else { return Ok(false) };
        let mut last = Vec::new();
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut last)).with_context(reading)?;
        Ok(last == end.as_bytes())
    }

    /// What the journal of a run says: its changes in order, and whether it came to its end.
    ///
    /// # Errors
    /// When it cannot be read, or a line other than the last is damaged.
    pub fn read(dir: &Path) -> Result<(Vec<Entry>, State)> {
        let path = dir.join("journal.jsonl");
        let mut bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        bytes.truncate(whole_lines(&bytes));
        let text = String::from_utf8(bytes).with_context(|| format!("{}: damaged", path.display()))?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut state = State::Interrupted;
        for (index, line) in text.lines().enumerate() {
            let record: Record = match serde_json::from_str(line) {
                Ok(record) => record,
                Err(error) => bail!("{}:{}: damaged: {error}", path.display(), index + 1),
            };
            match record {
                Record::Intent { number, rule, change, undo, effects } => {
                    state = State::Interrupted;
                    let (left, undone) = (None, false);
                    entries.push(Entry { number, rule, change, undo, effects, left, undone });
                }
                Record::Undone { number } => {
                    entries
                        .iter_mut()
                        .filter(|entry| entry.number == number)
                        .for_each(|entry| entry.undone = true);
                }
                Record::Done { number, left } => {
                    if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
                        entry.left = Some(left);
                    }
                }
                Record::TakingBack { .. } if state == State::Interrupted => {}
                Record::TakingBack { rules } => state = State::TakingBack(rules),
                Record::Closed => state = State::Closed,
            }
        }
        Ok((entries, state))
    }
}

fn line(record: &Record) -> Result<String> {
    Ok(serde_json::to_string(record).context("writing the journal")? + "\n")
}

/// Makes the directory of a run. Runs are told apart, and ordered, by name, which is a time: the second of the same name gets a number, and
/// so does one that a clock set back would put before `newest`, with that one's name.
fn free(runs: &Path, id: &str, newest: Option<&str>) -> Result<PathBuf> {
    let numbered = |name: &str| {
        let (name, number) = name.rsplit_once('-').filter(|(_, number)| number.len() == 4)?;
        Some((name.to_owned(), number.parse::<u16>().ok()?))
    };
    let (base, after) = match newest.filter(|newest| *newest > id) {
        Some(newest) => numbered(newest).unwrap_or_else(|| (newest.to_owned(), 1)),
        None => (id.to_owned(), 0),
    };
    for number in after + 1..=9999 {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number:04}") };
        let dir = runs.join(name);
        match fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| writing(&dir)),
        }
    }
    bail!("{}: too many runs of that name", runs.join(base).display())
}

/// Takes away what a power cut or a full disk left of a last line, so that the next record starts a line of its own.
fn cut_torn_line(path: &Path) -> Result<()> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.with_context(|| format!("reading {}", path.display()))?,
    };
    let whole = whole_lines(&bytes);
    if whole < bytes.len() {
        let file = OpenOptions::new().write(true).open(path).with_context(|| writing(path))?;
        file.set_len(whole as u64).and_then(|()| file.sync_all()).with_context(|| writing(path))?;
    }
    Ok(())
}

/// How many bytes of a journal are whole lines.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

/// The directories of all runs, oldest first.
///
/// # Errors
/// When they cannot be listed.
pub fn runs(state: &Path) -> Result<Vec<PathBuf>> {
    let dir = state.join("runs");
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.with_context(|| format!("listing {}", dir.display()))?,
    };
    let mut runs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    runs.retain(|path| path.join("journal.jsonl").exists());
    runs.sort();
    Ok(runs)
}

fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| writing(path))
}

fn writing(path: &Path) -> String {
    format!("writing {}", path.display())
}

fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).with_context(|| writing(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(number: usize) -> Record {
        let change = Change::write("/etc/x", "new");
        Record::Intent { number, rule: "r".into(), change, undo: Undo::Nothing, effects: vec![] }
    }

    #[test]
    fn a_cut_last_line_is_no_promise() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), "1").unwrap();
        journal.record(&intent(1)).unwrap();
        journal.record(&Record::Done { number: 1, left: vec![] }).unwrap();
        let path = journal.dir.join("journal.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        // Cut inside a character.
        fs::write(&path, [whole.as_bytes(), b"{\"record\":\"int\xc3"].concat()).unwrap();
        let (entries, state) = Journal::read(&journal.dir).unwrap();
        assert_eq!((entries.len(), state), (1, State::Interrupted));
        fs::write(&path, format!("{{\"record\":\"int\n{whole}")).unwrap();
        assert!(Journal::read(&journal.dir).unwrap_err().to_string().contains("journal.jsonl:1: damaged"));
    }

    #[test]
    fn runs_are_in_order_whatever_the_clock_says() {
        let dir = tempfile::tempdir().unwrap();
        let begun =
            ["2026-11-28T10-00-00Z", "2026-11-28T10-00-00Z", "2026-11-28T08-59-59Z", "2026-11-28T10-00-01Z"];
        let made = begun.map(|id| Journal::begin(dir.path(), id).unwrap().dir);
        let names = made.each_ref().map(|dir| dir.file_name().unwrap().to_str().unwrap());
        let ten = "2026-11-28T10-00-00Z";
        assert_eq!(names, [ten, &format!("{ten}-0002"), &format!("{ten}-0003"), "2026-11-28T10-00-01Z"]);
        assert_eq!(runs(dir.path()).unwrap(), made);
    }

    #[test]
    fn a_record_after_a_cut_line_starts_a_line_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), "1").unwrap();
        journal.record(&intent(1)).unwrap();
        let path = journal.dir.join("journal.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{\"record\":\"int")).unwrap();
        let mut again = Journal::open(journal.dir.clone()).unwrap();
        again.record(&Record::Undone { number: 1 }).unwrap();
        again.record(&Record::Closed).unwrap();
        let (entries, state) = Journal::read(&journal.dir).unwrap();
        assert!(state == State::Closed && entries.len() == 1 && entries[0].undone);
        assert!(Journal::is_closed(&journal.dir).unwrap());
        again.record(&Record::TakingBack { rules: vec![] }).unwrap();
        assert!(!Journal::is_closed(&journal.dir).unwrap());
    }

    #[test]
    fn two_runs_of_one_second_have_a_journal_each() {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<String> = (0..3).map(|_| Journal::begin(dir.path(), "1").unwrap().id).collect();
        assert_eq!(ids, ["1", "1-0002", "1-0003"]);
    }

    #[test]
    fn what_was_taken_back_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), "1").unwrap();
        for record in [intent(1), intent(2), Record::Undone { number: 1 }, Record::Closed] {
            journal.record(&record).unwrap();
        }
        let (entries, state) = Journal::read(&journal.dir).unwrap();
        assert!(state == State::Closed && entries[0].undone && !entries[1].undone);
        assert_eq!(runs(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn taking_back_is_open_until_it_is_closed_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), "1").unwrap();
        let rules = vec!["r".to_owned()];
        for (record, wanted) in [
            (intent(1), State::Interrupted),
            (Record::TakingBack { rules: rules.clone() }, State::Interrupted),
            (Record::Closed, State::Closed),
            (Record::TakingBack { rules: rules.clone() }, State::TakingBack(rules)),
            (Record::Undone { number: 1 }, State::TakingBack(vec!["r".to_owned()])),
            (Record::Closed, State::Closed),
        ] {
            journal.record(&record).unwrap();
            assert_eq!(Journal::read(&journal.dir).unwrap().1, wanted, "after {record:?}");
        }
    }

    #[test]
    fn a_damaged_blob_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::begin(dir.path(), "1").unwrap();
        let digest = journal.blobs.store(b"content").unwrap();
        assert_eq!(journal.blobs.load(&digest).unwrap(), b"content");
        fs::write(journal.dir.join("blobs").join(&digest), "other").unwrap();
        assert!(journal.blobs.load(&digest).unwrap_err().to_string().contains("damaged"));
    }
}
