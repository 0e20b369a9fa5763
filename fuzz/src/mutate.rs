//! What chance makes of inputs: bits turned, pieces left out, doubled, put elsewhere, taken from other inputs.

/// The longest input made.
const LONGEST: usize = 64 << 10;

/// The most changes made at once.
const MOST_CHANGES: usize = 6;

/// Pieces that parsers have to be careful with.
const PIECES: [&[u8]; 20] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"<",
    b"</",
    b"/>",
    b"\"",
    b"'",
    b"&",
    b"&#x0;",
    b"<![CDATA[",
    b"<!--",
    b"]]>",
    b"\\",
    b"(a+)+$",
    b"\n\n",
    b" \t",
    b"-1",
    b"99999999999999999999",
];

/// Numbers without order, the same ones for the same start (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(start: u64) -> Random {
        Random(start.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below a bound; 0 when there is none.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound.max(1)
    }

    /// An input made of others.
    pub fn from(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = inputs.get(self.below(inputs.len())).cloned().unwrap_or_default();
        for _ in 0..=self.below(MOST_CHANGES) {
            self.change(&mut input, inputs);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let piece = self.piece(input);
        match self.below(8) {
            0 => {
                let bit = self.below(8);
                input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            1 => {
                let byte = self.next() as u8;
                input.iter_mut().skip(at).take(1).for_each(|old| *old = byte);
            }
            2 => drop(input.drain(piece)),
            3 => {
                let piece = input.get(piece).unwrap_or_default().to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let piece: Vec<u8> = input.drain(piece).collect();
                let at = self.below(input.len() + 1);
                input.splice(at..at, piece);
            }
            5 => {
                let careful = PIECES.get(self.below(PIECES.len())).copied().unwrap_or_default();
                let end = if self.below(2) == 0 { at } else { input.len().min(at + careful.len()) };
                input.splice(at..end, careful.iter().copied());
            }
            6 => {
                let other = inputs.get(self.below(inputs.len())).cloned().unwrap_or_default();
                let from = self.piece(&other);
                input.splice(piece, other.get(from).unwrap_or_default().iter().copied());
            }
            _ => self.number(input),
        }
    }

    /// A piece of an input, a short one most often.
    fn piece(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let longest = if self.below(4) == 0 { input.len() } else { 64 };
        let start = self.below(input.len() + 1);
        start..input.len().min(start + self.below(longest + 1))
    }

    /// Makes another number of one of those that are written there.
    fn number(&mut self, input: &mut Vec<u8>) {
        let digits: Vec<usize> =
            (0..input.len()).filter(|at| input.get(*at).is_some_and(u8::is_ascii_digit)).collect();
        let Some(at) = digits.get(self.below(digits.len())).copied() else { return };
        let number = match self.below(4) {
            0 => "0".to_owned(),
            1 => "-1".to_owned(),
            2 => u64::MAX.to_string(),
            _ => self.below(100).to_string(),
        };
        input.splice(at..at + 1, number.into_bytes());
    }
}
