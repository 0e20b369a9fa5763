//! The formats of a report, and which writer is for which.
//!
//! To add one, add a file beside this one, a variant to [`Format`] and a line to [`Report::write`].

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::text::{self, Style};
use super::{Report, csv, html, json, junit, markdown, prometheus, sarif};

/// The formats there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs, with everything there is.
    Json,
    /// One page for a browser, with filters and search.
    Html,
    /// XCCDF 1.2 results inside their benchmark.
    Xccdf,
    /// An asset report (ARF 1.1) with content and XCCDF results.
    Arf,
    /// JUnit XML, for what runs builds.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A line for each rule, for spreadsheets.
    Csv,
    /// Metrics for the textfile collector of Prometheus.
    Prometheus,
    /// A summary for comments and tickets.
    Markdown,
}

/// A report that is to be in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its format.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
}

/// Writes the results as XCCDF, or ARF: only who has the benchmark can.
pub type Standard<'a> = dyn Fn(Format, &mut dyn Write) -> Result<()> + 'a;

impl FromStr for Wanted {
    type Err = anyhow::Error;

    /// Reads `html=report.html`.
    fn from_str(text: &str) -> Result<Wanted> {
        let words = || {
            let names = Format::value_variants().iter().filter_map(|format| format.to_possible_value());
            names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
        };
        let (format, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(|| {
            anyhow!("{text:?} is not FORMAT=FILE, as in html=report.html; formats are {}", words())
        })?;
        let format = Format::from_str(format, false)
            .map_err(|_| anyhow!("unknown format {format:?}; there are {}", words()))?;
        Ok(Wanted { format, path: path.into() })
    }
}

impl Report {
    /// Writes the report in a format.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(
        &self,
        format: Format,
        out: &mut dyn Write,
        style: &Style,
        standard: &Standard<'_>,
    ) -> Result<()> {
        match format {
            Format::Text => text::write(self, out, style),
            Format::Json => json::write(self, out),
            Format::Html => Ok(html::write(self, out)?),
            Format::Xccdf | Format::Arf => standard(format, out),
            Format::Junit => Ok(junit::write(self, out)?),
            Format::Sarif => sarif::write(self, out),
            Format::Csv => Ok(csv::write(self, out)?),
            Format::Prometheus => Ok(prometheus::write(self, out)?),
            Format::Markdown => Ok(markdown::write(self, out)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_in_a_file_is_asked_for_by_format_and_name() {
        let wanted: Wanted = "html=/a=b.html".parse().unwrap();
        assert_eq!(wanted, Wanted { format: Format::Html, path: "/a=b.html".into() });
        for (text, said) in
            [("report.html", "FORMAT=FILE"), ("html=", "FORMAT=FILE"), ("pdf=a", "unknown format \"pdf\"")]
        {
            assert!(text.parse::<Wanted>().unwrap_err().to_string().contains(said), "{text}");
        }
    }
}
