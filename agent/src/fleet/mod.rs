//! A fleet: the results of any number of machines in one document, the worst first; and what has changed between two fleets.
//!
//! ```text
//! files ──▶ read ──▶ machine, rules ──▶ spill ──▶ table (html, csv, json, text)
//! ```
//!
//! Results come one at a time and go again: what is written of a machine waits in a file ([`spill`]) until all are read and their
//! order is known. In memory stays a place in that file for each machine, and counts for each rule. To add a format, add a file
//! beside `csv` and a line to [`Table::of`].

mod compare;
mod csv;
mod files;
mod html;
mod json;
mod machine;
mod read;
mod rules;
mod spill;
mod text;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

pub use compare::{Change, Comparison, compare};
use machine::Machine;
use rules::Rules;
use spill::Spill;

/// The formats of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
    /// One page for a browser.
    Html,
    /// A line for each rule of each machine.
    Csv,
}

/// What is known when all results are read.
#[derive(Debug, Default)]
pub struct Totals {
    /// How many machines there are.
    pub machines: usize,
    /// How many of them are not as they should be ([`machine::Badness::deviates`]).
    pub deviating: usize,
    /// How many have an exception that is over.
    pub overdue: usize,
    /// How many have run into something as a whole.
    pub troubled: usize,
    /// The sum of their scores.
    pub scores: f64,
    /// How many results were left out, because a newer one of the same machine is there.
    pub older: usize,
    /// The rules, in the order they were first met.
    pub rules: Rules,
    /// Files that could not be read, with the reason.
    pub problems: Vec<String>,
}

impl Totals {
    /// The mean of the scores.
    pub fn score(&self) -> f64 {
        if self.machines == 0 { 0.0 } else { self.scores / self.machines as f64 }
    }
}

/// How a fleet is written: what comes before the machines, each machine, what comes after.
trait Table {
    fn begin(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()>;
    /// What is kept of a machine until its place is known.
    fn machine(&self, machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()>;
    /// What stands between two machines.
    fn between(&self) -> &'static str {
        ""
    }
    fn end(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()>;
}

impl dyn Table {
    fn of(format: Format) -> Box<dyn Table> {
        match format {
            Format::Text => Box::new(text::Text),
            Format::Json => Box::new(json::Json),
            Format::Html => Box::new(html::Html),
            Format::Csv => Box::new(csv::Csv),
        }
    }
}

/// The results of a fleet, read and ready to be written.
pub struct Fleet {
    table: Box<dyn Table>,
    spill: Spill,
    /// What is known of all of them.
    pub totals: Totals,
}

impl Fleet {
    /// Reads the results in files and directories. What waits to be written waits in a file without a name in `scratch`.
    ///
    /// # Errors
    /// When there are none, or what waits cannot be kept. A file that cannot be read or understood is a problem that is told
    /// with the others.
    pub fn read(paths: &[PathBuf], format: Format, scratch: &Path) -> Result<Fleet> {
        let table = <dyn Table>::of(format);
        let (mut spill, mut totals) = (Spill::new(scratch)?, Totals::default());
        let mut chunk = Vec::new();
        let (files, unread) = files::all(paths);
        unread.into_iter().for_each(|problem| totals.problem(problem));
        for path in files {
            let report = match read::report(&path) {
                Ok(report) => report,
                Err(error) => {
                    totals.problem(format!("{error:#}"));
                    continue;
                }
            };
            let letters = match totals.rules.letters(&report) {
                Ok(letters) => letters,
                Err(error) => {
                    totals.problem(format!("{}: {error:#}", path.display()));
                    continue;
                }
            };
            let machine = Machine::new(&path, &report, &letters);
            chunk.clear();
            table.machine(&machine, &mut chunk)?;
            if let Some(dropped) = spill.keep(&machine, &chunk)? {
                totals.rules.forget(&dropped);
                totals.older += 1;
            }
        }
        if spill.is_empty() {
            match totals.problems.first() {
                Some(problem) => bail!("no results of any machine: {problem}"),
                None => bail!("no results of any machine"),
            }
        }
        for dropped in spill.settle()? {
            totals.rules.forget(&dropped);
            totals.older += 1;
        }
        for entry in spill.entries() {
            totals.machines += 1;
            totals.deviating += usize::from(entry.badness.deviates());
            totals.overdue += usize::from(entry.badness.overdue > 0);
            totals.troubled += usize::from(entry.badness.problems > 0);
            totals.scores += entry.score;
        }
        Ok(Fleet { table, spill, totals })
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written, or what waits cannot be read.
    pub fn write(&mut self, out: &mut dyn Write) -> Result<()> {
        self.table.begin(&self.totals, out)?;
        self.spill.write(out, self.table.between())?;
        Ok(self.table.end(&self.totals, out)?)
    }
}

/// The most problems that are told.
const PROBLEMS: usize = 1_000;

impl Totals {
    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests;
