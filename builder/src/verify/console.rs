//! A machine's console: what it said last, and what its agent has to say while it runs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::build::process::plain;

/// How many of the last lines an error quotes.
const LAST: usize = 20;
/// How much is looked at for that, and at a time, in bytes.
const PIECE: u64 = 64 << 10;

/// The file that a serial port writes to, read as it grows.
#[derive(Debug)]
pub struct Console {
    path: PathBuf,
    read: u64,
    rest: String,
}

impl Console {
    /// That file, which may not be there yet.
    pub fn new(path: &Path) -> Console {
        Console { path: path.to_owned(), read: 0, rest: String::new() }
    }

    /// What the agent said since this was asked last: the words after `trempe: `.
    pub fn news(&mut self) -> Vec<String> {
        let bytes = piece(&self.path, self.read);
        self.read += bytes.len() as u64;
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        let Some((whole, rest)) = self.rest.rsplit_once('\n') else {
            // A line without an end is not kept for ever.
            if self.rest.len() as u64 > PIECE {
                self.rest.clear();
            }
            return Vec::new();
        };
        let said = |line: &str| Some(plain(line).split_once(": trempe: ")?.1.trim().to_owned());
        let news = whole.lines().filter_map(said).collect();
        self.rest = rest.to_owned();
        news
    }

    /// The last lines, for an error.
    pub fn last_words(&self) -> String {
        let size = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        let text = String::from_utf8_lossy(&piece(&self.path, size.saturating_sub(PIECE))).into_owned();
        let lines: Vec<String> = text
            .split(['\n', '\r'])
            .map(|line| plain(line).trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        if lines.is_empty() {
            return "the console said nothing".to_owned();
        }
        let last = lines.get(lines.len().saturating_sub(LAST)..).unwrap_or_default();
        format!("the console's last words:\n  {}", last.join("\n  "))
    }
}

fn piece(path: &Path, from: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(mut file) = File::open(path) else { return bytes };
    if file.seek(SeekFrom::Start(from)).is_ok() {
        // What cannot be read now is read next time.
        let _ = file.take(PIECE).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_agents_words_are_heard_once_and_the_last_ones_are_quoted_without_colours() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("console");
        let mut console = Console::new(&path);
        assert_eq!((console.news().len(), console.last_words().as_str()), (0, "the console said nothing"));
        let mut file = File::create(&path).unwrap();
        file.write_all(b"\x1b[2J\x1b[01;01HBdsDxe: starting\r\n[ 9.1] host agent[7]: trempe: phase 1: begun\r\n[ 9.2] host agent[7]: trempe: pha").unwrap();
        assert_eq!(console.news(), ["phase 1: begun"]);
        file.write_all(b"se 1: hardened\n").unwrap();
        assert_eq!(console.news(), ["phase 1: hardened"]);
        assert!(console.news().is_empty());
        let words = console.last_words();
        assert!(words.starts_with("the console's last words:\n  BdsDxe: starting\n"), "{words}");
        for number in 0..200_000 {
            writeln!(file, "line {number}").unwrap();
        }
        assert!(console.last_words().ends_with("line 199998\n  line 199999"));
        assert_eq!(console.last_words().lines().count(), LAST + 1);
    }
}
