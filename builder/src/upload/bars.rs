//! How far uploads are, on standard error: bars on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often a bar moves.
const TICK: Duration = Duration::from_millis(200);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// All of them.
#[derive(Debug)]
pub struct Bars {
    quiet: bool,
    terminal: Option<MultiProgress>,
    begun: Instant,
}

/// One upload's.
#[derive(Debug)]
pub struct Bar {
    label: String,
    total: u64,
    moved: Arc<AtomicU64>,
    quiet: bool,
    begun: Instant,
    bar: Option<ProgressBar>,
    drawing: Option<tokio::task::AbortHandle>,
}

impl Bars {
    /// `quiet` shows nothing.
    pub fn new(quiet: bool) -> Bars {
        let terminal = (!quiet && std::io::stderr().is_terminal()).then(MultiProgress::new);
        Bars { quiet, terminal, begun: Instant::now() }
    }

    /// One more, for so many bytes.
    pub fn add(&self, label: &str, total: u64) -> Bar {
        let style =
            "{prefix:>12} {bar:30} {bytes:>11} of {total_bytes} {binary_bytes_per_sec:>12} {wide_msg}";
        let bar = self.terminal.as_ref().map(|all| {
            let bar = all.add(ProgressBar::new(total));
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(label.to_owned());
            bar
        });
        let mut bar = Bar {
            label: label.to_owned(),
            total,
            moved: Arc::new(AtomicU64::new(0)),
            quiet: self.quiet,
            begun: self.begun,
            bar,
            drawing: None,
        };
        bar.draw();
        bar
    }
}

impl Bar {
    /// The bytes that have moved.
    pub fn moved(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.moved)
    }

    /// Says what is being done now.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => line(self.quiet, self.begun, &format!("{}: {text}", self.label)),
        }
    }

    fn draw(&mut self) {
        let (moved, total, begun) = (self.moved(), self.total, self.begun);
        let label = self.label.clone();
        let drawing = match self.bar.clone() {
            Some(bar) => tokio::spawn(async move {
                loop {
                    bar.set_position(moved.load(Ordering::Relaxed));
                    bar.tick();
                    tokio::time::sleep(TICK).await;
                }
            }),
            None if self.quiet => return,
            None => tokio::spawn(async move {
                let mut last = 0;
                loop {
                    tokio::time::sleep(LINE).await;
                    let now = moved.load(Ordering::Relaxed);
                    if now != last {
                        let speed = (now.saturating_sub(last) >> 20) / LINE.as_secs();
                        let share = now.saturating_mul(100).checked_div(total).unwrap_or(100);
                        let (now_mib, total) = (now >> 20, total >> 20);
                        line(
                            false,
                            begun,
                            &format!("{label}: {share} % ({now_mib} of {total} MiB), {speed} MiB/s"),
                        );
                    }
                    last = now;
                }
            }),
        };
        self.drawing = Some(drawing.abort_handle());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.moved.load(Ordering::Relaxed));
            bar.abandon();
        }
    }
}

fn line(quiet: bool, begun: Instant, text: &str) {
    if !quiet {
        let seconds = begun.elapsed().as_secs();
        // Nothing is left to tell it to when standard error is gone.
        let _ = writeln!(std::io::stderr(), "[{:02}:{:02}] {text}", seconds / 60, seconds % 60);
    }
}
