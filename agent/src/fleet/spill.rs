//! What is written of machines, in a file without a name until its order is known. In memory stays a place for each machine.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::machine::{Badness, Finished, Machine};

/// What is known of a machine whose results wait.
pub struct Entry {
    /// How bad it is.
    pub badness: Badness,
    /// Its score.
    pub score: f64,
    finished: Finished,
    has_id: bool,
    /// A number made of its name; none where it has no name.
    name: Option<u64>,
    at: u64,
    chunk: u64,
    letters: u64,
}

/// What waits.
pub struct Spill {
    file: BufWriter<File>,
    end: u64,
    entries: Vec<Entry>,
    /// Where the entry of a machine is. A machine is known by a number made of its identity: two of 64 bits are alike for one of
    /// billions of fleets.
    places: HashMap<u64, usize>,
}

impl Spill {
    /// Nothing waits yet. The file is in this directory.
    ///
    /// # Errors
    /// When there can be no file.
    pub fn new(directory: &Path) -> Result<Spill> {
        let file = tempfile::tempfile_in(directory)
            .with_context(|| format!("making a file without a name in {}", directory.display()))?;
        Ok(Spill {
            file: BufWriter::with_capacity(1 << 16, file),
            end: 0,
            entries: Vec::new(),
            places: HashMap::new(),
        })
    }

    /// Keeps what is written of a machine. Of two results of one machine the newer counts: the letters of the other are given back.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn keep(&mut self, machine: &Machine<'_>, chunk: &[u8]) -> Result<Option<String>> {
        let key = number(&machine.identity());
        let place = self.places.get(&key).copied().filter(|_| !machine.is_nameless());
        let entry = Entry {
            badness: machine.badness,
            score: machine.report.score.value,
            finished: Finished::of(machine.report),
            has_id: machine.has_id(),
            name: Some(&machine.report.host.name).filter(|name| !name.is_empty()).map(number),
            at: self.end,
            chunk: chunk.len() as u64,
            letters: machine.letters.len() as u64,
        };
        if let Some(before) = place.and_then(|place| self.entries.get(place))
            && before.finished.is_after(&entry.finished)
        {
            return Ok(Some(machine.letters.to_owned()));
        }
        let writing = || "keeping results until all are read";
        self.file.write_all(chunk).with_context(writing)?;
        self.file.write_all(machine.letters.as_bytes()).with_context(writing)?;
        self.end += entry.chunk + entry.letters;
        let Some(place) = place else {
            self.places.insert(key, self.entries.len());
            self.entries.push(entry);
            return Ok(None);
        };
        let Some(before) = self.entries.get_mut(place) else { return Ok(None) };
        let before = std::mem::replace(before, entry);
        let letters = self.read(before.at + before.chunk, before.letters)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(Some(String::from_utf8_lossy(&letters).into_owned()))
    }

    /// Results that say no id are those of the one machine of their name, where there is just one: an audit's JSON and its ARF, say. The newer
    /// count. Gives the letters of the others back.
    ///
    /// # Errors
    /// When what waits cannot be read.
    pub fn settle(&mut self) -> Result<Vec<String>> {
        let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.has_id) {
            known.entry(entry.name.unwrap_or_default()).or_default().push(place);
        }
        let mut gone = HashSet::new();
        for (place, entry) in self.entries.iter().enumerate().filter(|(_, entry)| !entry.has_id) {
            let places = entry.name.and_then(|name| known.get(&name)).map(Vec::as_slice);
            let Some(&[own]) = places else { continue };
            let newer = self.entries.get(own).is_some_and(|own| entry.finished.is_after(&own.finished));
            gone.insert(if newer { own } else { place });
        }
        let (mut kept, mut dropped) = (Vec::with_capacity(self.entries.len()), Vec::new());
        for (place, entry) in std::mem::take(&mut self.entries).into_iter().enumerate() {
            if gone.contains(&place) {
                let letters = self.read(entry.at + entry.chunk, entry.letters)?;
                dropped.push(String::from_utf8_lossy(&letters).into_owned());
            } else {
                kept.push(entry);
            }
        }
        self.file.seek(SeekFrom::End(0))?;
        (self.entries, self.places) = (kept, HashMap::new());
        Ok(dropped)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The machines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes everything, the worst machine first, otherwise in the order they came.
    ///
    /// # Errors
    /// When it cannot be written or read.
    pub fn write(&mut self, out: &mut dyn Write, between: &str) -> Result<()> {
        self.entries.sort_by_key(|entry| entry.badness.order());
        let places: Vec<(u64, u64)> = self.entries.iter().map(|entry| (entry.at, entry.chunk)).collect();
        for (n, (at, length)) in places.into_iter().enumerate() {
            if n > 0 {
                out.write_all(between.as_bytes())?;
            }
            let chunk = self.read(at, length)?;
            out.write_all(&chunk)?;
        }
        Ok(())
    }

    fn read(&mut self, at: u64, length: u64) -> Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(at)).context("looking for results that wait")?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.get_mut().read_exact(&mut bytes).context("reading results that wait")?;
        Ok(bytes)
    }
}

fn number(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
