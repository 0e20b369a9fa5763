//! The agent's entry: parse, dispatch, say what went wrong once, exit.

use std::io::{self, Write};
use std::process::ExitCode;

use agent::cli::{Cli, Command};
use agent::command;
use agent::exit::Exit;
use clap::Parser;

fn main() -> ExitCode {
    if let Some(code) = agent::fix::entry(std::env::args_os()) {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no trouble; a wrong command line is, and must not look like a machine that deviates.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Trouble } else { Exit::Good }.into();
        }
    };
    let done = match &cli.command {
        Command::Audit(args) => command::audit::run(args),
        Command::Plan(args) => command::plan::run(args),
        Command::Apply(args) => command::apply::run(args),
        Command::Rollback(args) => command::rollback::run(args),
        Command::Confirm(_) => command::confirm::run(),
        Command::Door(args) => command::door::run(args),
        Command::History(args) => command::history::run(args),
        Command::Status(args) => command::status::run(args),
        Command::List(args) => command::list::run(args),
        Command::Explain(args) => command::explain::run(args),
        Command::Tailor(args) => command::tailor::run(args),
        Command::Check(args) => command::check::run(args),
        Command::Firstboot(args) => command::firstboot::run(args),
        Command::Report(args) => command::report::run(args),
        Command::Drift(args) => command::drift::run(args),
        Command::Export(args) => command::export::run(args),
        Command::Completions(args) => command::manual::completions(args),
        Command::Man(args) => command::manual::pages(args),
    };
    let exit = done.unwrap_or_else(|error| {
        // A reader that goes away (`agent audit | head`) ends the agent quietly, as it ends every other command.
        if !reader_went_away(&error) {
            // Nothing is left to tell it to when standard error is gone too.
            let _ = writeln!(io::stderr(), "agent: {error:#}");
        }
        Exit::Trouble
    });
    exit.into()
}

fn reader_went_away(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        json.or_else(|| cause.downcast_ref::<io::Error>().map(io::Error::kind))
    };
    error.chain().filter_map(kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
}
