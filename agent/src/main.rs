//! The agent's entry: parse, dispatch, say what went wrong once, exit.

use std::process::ExitCode;

use agent::cli::{Cli, Command};
use agent::command;
use agent::exit::Exit;
use clap::Parser;

fn main() -> ExitCode {
    // A reader that goes away (`agent audit | head`) ends the agent quietly, as it ends every other command.
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Audit(args) => command::audit::run(args),
        Command::Plan(args) => command::plan::run(args),
        Command::Apply(args) => command::apply::run(args),
        Command::Rollback(args) => command::rollback::run(args),
        Command::History(args) => command::history::run(args),
    };
    let exit = done.unwrap_or_else(|error| {
        eprintln!("agent: {error:#}");
        Exit::Trouble
    });
    exit.into()
}
