//! One file for each subcommand: take arguments, call the stages in order, write what they return.
//!
//! To add a subcommand, add its arguments to `cli.rs`, a file here, and a line in `main.rs`.

pub mod apply;
pub mod audit;
pub mod check;
pub mod confirm;
pub mod door;
pub mod drift;
pub mod explain;
pub mod export;
pub mod firstboot;
pub mod foreign;
pub mod history;
pub mod list;
pub mod manual;
pub mod plan;
pub mod report;
pub mod rollback;
pub mod status;
pub mod tailor;

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use xccdf::Tailoring;

use crate::cli::{Notation, Output, Product, Selection};
pub use crate::config::today;
use crate::config::{self, Config};
use crate::content::{BENCHMARK_ID, Catalogue};
use crate::policy::{self, Policy, Request};
use crate::report::clean::clean;
use crate::report::file::put;
use crate::report::text::Style;
use crate::report::{CATALOGUE, ContentInfo, Format, Report, Standard, Wanted, xccdf as standard};
use crate::system::System;
use crate::trust;

/// Wrapping to fewer columns would tear every line.
const NARROWEST: usize = 40;

/// What every command that judges a machine starts with.
pub struct Work {
    /// The machine.
    pub system: System,
    /// What is asked of it.
    pub policy: Policy,
    /// Where the rules came from.
    pub content: ContentInfo,
    /// The tailoring that counts most, for results in XCCDF.
    pub tailoring: Option<Tailoring>,
}

/// Opens the machine and resolves the policy.
///
/// # Errors
/// When the root cannot be opened, or configuration, tier, profile, tailoring or rule are not understood.
pub fn begin(selection: &Selection) -> Result<Work> {
    let system = System::open(&selection.root)?;
    let config = configuration(selection, &system)?;
    begin_with(selection, system, config)
}

/// The machine's own configuration, unless it is to be left out, and over it the one named for this run. To be called once: that
/// one may be standard input.
///
/// # Errors
/// When one of them cannot be read or understood, or others could have written it.
pub fn configuration(selection: &Selection, system: &System) -> Result<Config> {
    let mut config =
        if selection.no_config { Config::default() } else { own_configuration(selection, system)? };
    match selection.config.as_deref() {
        Some(path) if path == Path::new("-") => config.overlay(std::io::stdin().lock(), "standard input")?,
        Some(path) => {
            trust::check(path)?;
            let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
            config.overlay(file, &path.display().to_string())?;
        }
        None => {}
    }
    Ok(config)
}

/// What only root can read is left out for others, and that is said.
fn own_configuration(selection: &Selection, system: &System) -> Result<Config> {
    let gathered = config::look_without(system, &selection.ignore_config);
    let unseen: Vec<&str> = gathered.unseen().collect();
    if !unseen.is_empty() {
        say(&format!("agent: only root can read, so not looked at: {}", unseen.join(", ")));
    }
    gathered.strict()
}

/// As [`begin`], with this configuration.
///
/// # Errors
/// When tier, profile, tailoring or rule are not understood.
pub fn begin_with(selection: &Selection, system: System, config: Config) -> Result<Work> {
    let catalogue = Catalogue::embedded()?;
    let request = request(selection, &system, config)?;
    let policy = policy::resolve(&catalogue, &request, &system.os()?.product())?;
    policy.something_is_asked(&request.rules)?;
    let content = ContentInfo {
        id: BENCHMARK_ID.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sha256: catalogue.sha256,
        source: CATALOGUE.to_owned(),
    };
    Ok(Work { system, policy, content, tailoring: request.tailoring.last().cloned() })
}

/// What is asked of a machine: by the command line, and by the machine's own configuration where that leaves it open.
///
/// # Errors
/// When tailoring cannot be read, or others could have written it.
pub fn request(selection: &Selection, system: &System, config: Config) -> Result<Request> {
    let given = selection.tailoring.iter().map(|path| policy::read_tailoring(path));
    let given: Vec<Tailoring> = given.collect::<Result<_>>()?;
    let builds_on = |tailoring: &Tailoring| tailoring.profiles.iter().any(|own| own.extends.is_some());
    let decided = selection.profile.is_some() || given.last().is_some_and(builds_on);
    let tier = selection.tier.clone().or(config.tier.clone().filter(|_| !decided));
    let mut request = Config { tier, ..config }.request(system, decided)?;
    request.tailoring.extend(given);
    Ok(Request { profile: selection.profile.clone(), rules: selection.rule.clone(), ..request })
}

/// How text is written on this output.
pub fn style(output: &Output) -> Style {
    match &output.output {
        Some(_) => Style { verbose: output.verbose, ..Style::default() },
        None => Style { verbose: output.verbose, ..watched(std::io::stdout()) },
    }
}

/// How text is written where a person may watch: coloured and wrapped on a terminal, plain elsewhere.
pub fn watched(stream: impl IsTerminal + AsFd) -> Style {
    let terminal = stream.is_terminal();
    let width = terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0));
    Style {
        colour: terminal && std::env::var_os("NO_COLOR").is_none(),
        verbose: false,
        columns: width.filter(|columns| terminal && *columns >= NARROWEST),
    }
}

/// Writes a report where it was asked for: the files first, then what is asked for on standard output.
///
/// # Errors
/// When it cannot be written.
pub fn tell(report: &Report, output: &Output, standard: &Standard<'_>) -> Result<()> {
    tell_also(report, output, &[], standard)
}

/// As [`tell`], with further files.
///
/// # Errors
/// When it cannot be written.
pub fn tell_also(report: &Report, output: &Output, also: &[Wanted], standard: &Standard<'_>) -> Result<()> {
    let style = style(output);
    let write = |out: &mut dyn Write| report.write(output.format, out, &style, standard);
    let told = match &output.output {
        Some(path) => put(path, &write),
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            write(&mut out).and_then(|()| Ok(out.flush()?)).context("writing the report")
        }
    };
    // One that cannot be written does not keep back the others: the machine may have been changed, and they say how.
    let further = output.report.iter().chain(also).map(|Wanted { format, path }| {
        put(path, &|out| report.write(*format, out, &Style::default(), standard))
    });
    let further: Vec<Result<()>> = further.collect();
    [told].into_iter().chain(further).collect()
}

/// How results by the catalogue are written as XCCDF.
pub fn by_catalogue(
    report: &Report,
    tailoring: Option<&Tailoring>,
) -> impl Fn(Format, &mut dyn Write) -> Result<()> {
    move |format, out| standard::write(report, tailoring, format, out)
}

/// Writes text, or a value as JSON, to standard output. Nothing in the text steers the terminal: it may quote user-data, or names of files.
///
/// # Errors
/// When it cannot be written.
pub fn print(format: Notation, text: &str, value: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        Notation::Text => out.write_all(clean(text).as_bytes())?,
        Notation::Json => {
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Writes a document to a file, whole or not at all, or to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn deliver(document: &[u8], output: Option<&Path>) -> Result<()> {
    let Some(path) = output else { return Ok(std::io::stdout().lock().write_all(document)?) };
    put(path, &|out| Ok(out.write_all(document)?))
}

/// The operating system that is meant.
///
/// # Errors
/// When none is named and that of the machine is not known.
pub fn product(args: &Product) -> Result<String> {
    match &args.product {
        Some(product) => Ok(product.clone()),
        None => Ok(System::open(&args.root)?.os()?.product()),
    }
}

/// Tells something on standard error. What cannot be told, on a full disk for example, is no reason to stop half-way.
pub fn say(line: &str) {
    // A line that goes on is set off: the name of a file must not look like a word of ours.
    let _ = writeln!(std::io::stderr(), "{}", clean(line).replace('\n', "\n    "));
}

/// A line of progress on standard error, where a person watches.
pub fn progress(total: usize) -> impl Fn(usize) + Sync {
    let watched = std::io::stderr().is_terminal();
    move |done| {
        if watched {
            let end = if done == total { "\r\x1b[K" } else { "" };
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{done} of {total} rules{end}");
        }
    }
}
