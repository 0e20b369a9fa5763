//! The builder's entry: parse, dispatch, say what went wrong once, exit.

use std::io::{self, Write};
use std::process::ExitCode;

use builder::cli::{Cli, Command};
use builder::command;
use builder::exit::Exit;
use clap::Parser;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no trouble.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Trouble } else { Exit::Good }.into();
        }
    };
    let done = match &cli.command {
        Command::Init(args) => command::init::run(args),
        Command::Check(args) => command::check::run(args),
        Command::Render(args) => command::render::run(args),
        Command::Build(args) => command::build::run(args),
        Command::Verify(args) => command::verify::run(args),
        Command::Upload(args) => command::upload::run(args),
        Command::Ova(args) => command::ova::run(args),
        Command::Targets(args) => command::targets::run(args),
        Command::Schema(args) => command::schema::run(args),
        Command::Completions(args) => command::manual::completions(args),
        Command::Man(args) => command::manual::pages(args),
    };
    let exit = done.unwrap_or_else(|error| {
        // A reader that goes away (`builder check | head`) ends the builder quietly.
        if !reader_went_away(&error) {
            // Nothing is left to tell it to when standard error is gone too.
            let _ = writeln!(io::stderr(), "builder: {error:#}");
        }
        Exit::Trouble
    });
    exit.into()
}

fn reader_went_away(error: &anyhow::Error) -> bool {
    let kind =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    error.chain().filter_map(kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
}
