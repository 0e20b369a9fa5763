//! Where in lines and columns the bytes of a large text are, without counting from its start each time.

use crate::error::Position;
use memchr::{memchr_iter, memrchr};
use std::sync::OnceLock;

/// Bytes between two places whose line is known.
const STEP: usize = 16 << 10;

/// The lines of one text, counted when the first place is asked for.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// What comes before each multiple of [`STEP`].
    before: OnceLock<Vec<Before>>,
}

/// What comes before a place.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// How many line breaks.
    lines: u32,
    /// How many characters.
    characters: usize,
    /// Where the line begins that the place is in; a document may be one long line.
    line_start: usize,
}

impl Lines {
    /// Line and column, from 1, of a byte of the text; always to be asked with the same text.
    pub fn position(&self, text: &str, at: usize) -> Position {
        let bytes = text.as_bytes();
        let at = at.min(bytes.len());
        let steps = self.before.get_or_init(|| steps(bytes));
        let here = before(steps, bytes, at);
        let column = here.characters - before(steps, bytes, here.line_start).characters;
        Position { line: here.lines.saturating_add(1), column: small(column).saturating_add(1) }
    }
}

/// What comes before a byte.
fn before(steps: &[Before], bytes: &[u8], at: usize) -> Before {
    let step = at / STEP;
    let counted = steps.get(step).copied().unwrap_or_default();
    counted.and(bytes.get(step * STEP..at).unwrap_or_default(), step * STEP)
}

fn steps(bytes: &[u8]) -> Vec<Before> {
    let mut next = Before::default();
    let counted = bytes.chunks(STEP).enumerate().map(|(n, chunk)| {
        let before = next;
        next = before.and(chunk, n * STEP);
        before
    });
    let mut counted: Vec<Before> = counted.collect();
    // A text that ends with a step has a place behind its last one.
    counted.push(next);
    counted
}

impl Before {
    /// With these bytes, which begin at a place.
    fn and(self, bytes: &[u8], start: usize) -> Before {
        // A byte that continues a character is none.
        let starts = |byte: &&u8| **byte & 0xC0 != 0x80;
        Before {
            lines: self.lines.saturating_add(small(memchr_iter(b'\n', bytes).count())),
            characters: self.characters + bytes.iter().filter(starts).count(),
            line_start: memrchr(b'\n', bytes).map_or(self.line_start, |found| start + found + 1),
        }
    }
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
        let one_line = "äb".repeat(STEP);
        assert_eq!(found(&one_line, 3 * STEP), (1, 2 * STEP + 1));
        let even = "\n".repeat(STEP);
        assert_eq!(found(&even, STEP), (STEP + 1, 1));
        assert_eq!(found("", 0), (1, 1));
        assert_eq!(found("a\nb", 9), (2, 2));
    }
}
