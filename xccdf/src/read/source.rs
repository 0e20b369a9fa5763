//! Bytes in, with the place and the size kept count of.

use super::excerpt::Pieces;
use crate::error::Position;
use memchr::{memchr_iter, memrchr};
use std::io::{self, BufRead, Read};

/// Where bytes come from.
enum Input<'a> {
    /// A whole document.
    Stream(Box<dyn BufRead + 'a>),
    /// Parts of a document in memory.
    Pieces(Pieces<'a>),
}

/// A reader that knows the line and column of what comes next and refuses to go past a size.
pub(super) struct Source<'a> {
    input: Input<'a>,
    position: Position,
    left: u64,
}

impl<'a> Source<'a> {
    pub fn new(stream: Box<dyn BufRead + 'a>, max_bytes: u64) -> Self {
        let position = Position { line: 1, column: 1 };
        Source { input: Input::Stream(stream), position, left: max_bytes }
    }

    /// Reads parts of a document, the first of which is at `position`.
    pub fn pieces(pieces: Pieces<'a>, position: Position, max_bytes: u64) -> Self {
        Source { input: Input::Pieces(pieces), position, left: max_bytes }
    }

    pub fn position(&self) -> Position {
        self.position
    }
}

/// The place after `bytes`, which start at `from`.
fn advance(from: Position, bytes: &[u8]) -> Position {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    // Bytes that continue a character of UTF-8 are not counted.
    let columns = |bytes: &[u8]| small(bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count());
    match memrchr(b'\n', bytes) {
        None => Position { column: from.column.saturating_add(columns(bytes)), ..from },
        Some(last) => {
            let (lines, tail) = bytes.split_at(last);
            let lines = small(memchr_iter(b'\n', lines).count()).saturating_add(1);
            // The tail still has its line break, which makes the first column 1.
            Position { line: from.line.saturating_add(lines), column: columns(tail) }
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), available.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = match &mut self.input {
            Input::Stream(stream) => stream.fill_buf()?,
            Input::Pieces(pieces) => pieces.available(),
        };
        if self.left == 0 && !available.is_empty() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(available.len());
        Ok(available.get(..most).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        match &mut self.input {
            Input::Stream(stream) => {
                // What was filled is still there: asking again reads nothing.
                if let Ok(available) = stream.fill_buf() {
                    self.position = advance(self.position, available.get(..n).unwrap_or(available));
                }
                stream.consume(n);
            }
            // What lies between two parts counts for the place too.
            Input::Pieces(pieces) => self.position = advance(self.position, pieces.consume(n)),
        }
        self.left = self.left.saturating_sub(n as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let place = |line, column| (line, column);
        for (bytes, expected) in [
            ("", place(1, 1)),
            ("abc", place(1, 4)),
            ("é", place(1, 2)),
            ("a\n", place(2, 1)),
            ("a\nb\nçd", place(3, 3)),
        ] {
            let mut source = Source::new(Box::new(bytes.as_bytes()), 100);
            while !source.fill_buf().unwrap().is_empty() {
                source.consume(1);
            }
            assert_eq!((source.position.line, source.position.column), expected, "{bytes:?}");
        }
    }

    #[test]
    fn stops_at_the_size() {
        let read = |max| {
            let mut all = Vec::new();
            Source::new(Box::new(&b"12345"[..]), max).read_to_end(&mut all).map(|_| all.len())
        };
        assert_eq!(read(5).unwrap(), 5);
        assert_eq!(read(4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
