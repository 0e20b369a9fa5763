//! `agent report`: the results of many machines in one report, and what has changed between two.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{deliver, say};
use crate::cli::Merge;
use crate::exit::Exit;
use crate::fleet::{Fleet, Format, compare};
use crate::report::file::put;

/// Runs the command.
///
/// # Errors
/// When there are no results, or the report cannot be written.
pub fn run(args: &Merge) -> Result<Exit> {
    if let [before, after] = args.compare.as_slice() {
        let comparison = compare(before, after)?;
        let text = match args.format {
            Format::Text => comparison.sentences(),
            Format::Json => serde_json::to_string_pretty(&comparison)? + "\n",
            _ => bail!("--compare is told as text or json"),
        };
        deliver(text.as_bytes(), args.output.as_deref())?;
        return Ok(match (comparison.problems.is_empty(), comparison.is_worse()) {
            (false, _) => Exit::Trouble,
            (true, true) => Exit::Deviates,
            (true, false) => Exit::Good,
        });
    }
    let beside =
        args.output.as_deref().filter(|path| !path.exists() || path.is_file()).and_then(Path::parent);
    let scratch = match beside {
        Some(directory) if directory.as_os_str().is_empty() => Path::new(".").to_owned(),
        Some(directory) => directory.to_owned(),
        None => std::env::temp_dir(),
    };
    let mut fleet = Fleet::read(&args.results, args.format, &scratch)?;
    match &args.output {
        Some(path) => {
            let fleet = std::cell::RefCell::new(&mut fleet);
            put(path, &|out| fleet.borrow_mut().write(out))?;
        }
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            fleet.write(&mut out)?;
            out.flush().context("writing the report")?;
        }
    }
    let totals = &fleet.totals;
    totals.problems.iter().for_each(|problem| say(&format!("agent: {problem}")));
    Ok(if !totals.problems.is_empty() || totals.troubled > 0 {
        Exit::Trouble
    } else if totals.deviating > 0 || totals.overdue > 0 {
        Exit::Deviates
    } else {
        Exit::Good
    })
}
