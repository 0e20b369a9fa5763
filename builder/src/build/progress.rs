//! What is told of a build while it runs, on standard error: stages with their times, and the words of programs that say how far they are.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Who tells it.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    terminal: bool,
    begun: Instant,
}

/// A stage that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// Whether what it makes was there already.
    pub reused: bool,
}

/// A stage that runs.
#[derive(Debug)]
pub struct Running<'a> {
    name: &'static str,
    begun: Instant,
    progress: &'a Progress,
}

/// The longest line that is shown.
const WIDE: usize = 110;

impl Progress {
    /// `quiet` tells nothing.
    pub fn new(quiet: bool) -> Progress {
        Progress { quiet, terminal: std::io::stderr().is_terminal(), begun: Instant::now() }
    }

    /// Begins a stage.
    pub fn begin(&self, name: &'static str) -> Running<'_> {
        self.tell(&format!("{name} …"));
        Running { name, begun: Instant::now(), progress: self }
    }

    /// Tells something that stays.
    pub fn note(&self, text: &str) {
        self.tell(text);
    }

    /// Tells how far a program is: a line of its own in a log, one that the next replaces on a terminal.
    pub fn step(&self, text: &str) {
        let text: String = text.chars().take(WIDE).collect();
        if self.terminal && !self.quiet {
            let mut err = std::io::stderr().lock();
            // Nothing is left to tell it to when standard error is gone.
            let _ = write!(err, "\r\u{1b}[2K{} {text}", self.clock());
            let _ = err.flush();
        } else {
            self.tell(&text);
        }
    }

    fn clock(&self) -> String {
        let seconds = self.begun.elapsed().as_secs();
        format!("[{:02}:{:02}]", seconds / 60, seconds % 60)
    }

    fn tell(&self, text: &str) {
        if self.quiet {
            return;
        }
        let clear = if self.terminal { "\r\u{1b}[2K" } else { "" };
        let _ = writeln!(std::io::stderr(), "{clear}{} {text}", self.clock());
    }
}

impl Running<'_> {
    /// Ends it.
    pub fn end(self, reused: bool) -> Stage {
        let seconds = self.begun.elapsed().as_secs_f64();
        let how = if reused { "unchanged, used again" } else { "done" };
        self.progress.tell(&format!("{}: {how}, {seconds:.1} s", self.name));
        Stage { name: self.name.to_owned(), seconds, reused }
    }
}
