//! A fleet as CSV: the lines of every machine's own CSV, the worst machine first.

use std::io::{self, Write};

use anyhow::Result;

use super::machine::Machine;
use super::{Table, Totals};
use crate::report::csv;

pub struct Csv;

impl Table for Csv {
    fn begin(&self, _: &Totals, out: &mut dyn Write) -> io::Result<()> {
        csv::head(out)
    }

    fn machine(&self, machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()> {
        Ok(csv::rows(machine.report, out)?)
    }

    fn end(&self, _: &Totals, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
