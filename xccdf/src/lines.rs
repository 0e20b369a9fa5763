//! Where in lines and columns the bytes of a large text are, without counting from its start each time.

use crate::error::Position;
use memchr::{memchr_iter, memrchr};
use std::sync::OnceLock;

/// Bytes between two places whose line is known.
const STEP: usize = 16 << 10;

/// The lines of one text, counted when the first place is asked for.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// How many line breaks there are before each multiple of [`STEP`].
    before: OnceLock<Vec<u32>>,
}

impl Lines {
    /// Line and column, from 1, of a byte of the text; always to be asked with the same text.
    pub fn position(&self, text: &str, at: usize) -> Position {
        let bytes = text.as_bytes();
        let at = at.min(bytes.len());
        let before = self.before.get_or_init(|| count(bytes));
        let block = at / STEP;
        let counted = before.get(block).copied().unwrap_or_default();
        let rest = bytes.get(block * STEP..at).unwrap_or_default();
        let line = small(memchr_iter(b'\n', rest).count()).saturating_add(counted);
        let line_start = memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |found| found + 1);
        // A byte that continues a character is no column.
        let starts = |byte: &&u8| **byte & 0xC0 != 0x80;
        let column = bytes.get(line_start..at).unwrap_or_default().iter().filter(starts).count();
        Position { line: line.saturating_add(1), column: small(column).saturating_add(1) }
    }
}

fn count(bytes: &[u8]) -> Vec<u32> {
    let mut lines = 0u32;
    let counted = bytes.chunks(STEP).map(|chunk| {
        let before = lines;
        lines = lines.saturating_add(small(memchr_iter(b'\n', chunk).count()));
        before
    });
    let mut counted: Vec<u32> = counted.collect();
    // A text that ends with a step has a place behind its last one.
    counted.push(lines);
    counted
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_one_that_counting_from_the_start_finds() {
        let line = "ä <a>\n";
        let text = line.repeat(3 * STEP / line.len() + 7);
        let lines = Lines::default();
        let found = |text: &str, at| {
            let found = Lines::default().position(text, at);
            (found.line as usize, found.column as usize)
        };
        for at in (0..text.len()).step_by(997).chain([0, STEP - 1, STEP, STEP + 1, 2 * STEP, text.len()]) {
            let before = &text.as_bytes()[..at];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
            let place = lines.position(&text, at);
            assert_eq!((place.line as usize, place.column as usize), (line, column), "{at}");
        }
        let even = "\n".repeat(STEP);
        assert_eq!(found(&even, STEP), (STEP + 1, 1));
        assert_eq!(found("", 0), (1, 1));
        assert_eq!(found("a\nb", 9), (2, 2));
    }
}
