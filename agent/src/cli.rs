//! The command line. Doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::report::Format;

/// Hardens a Linux machine to a CIS tier, audits it, shows what it would change, and takes changes back.
#[derive(Debug, Parser)]
#[command(name = "agent", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  agent audit --tier standard          what this machine meets and what it does not
  agent plan --tier standard           every change that would be made, as a diff
  agent apply --tier standard --yes    make the changes
  agent rollback                       take the last run back
  agent explain sshd_disable_root_login

Exit codes: 0 compliant or done, 2 something deviates, 1 the work could not be done.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell which rules are met, what was found and what was wanted. Changes nothing.
    Audit(Audit),
    /// Show every change that would be made, with its diff. Changes nothing.
    Plan(PlanArgs),
    /// Make the changes, with an undo log.
    Apply(Apply),
    /// Take back a run, or some rules of it.
    Rollback(Rollback),
    /// List the runs that changed this machine.
    History(History),
}

/// Which machine, which rules.
#[derive(Debug, Args)]
pub struct Selection {
    /// The tier: light, standard (CIS Level 1 Server) or strict (CIS Level 2 Server).
    #[arg(long, value_name = "TIER")]
    pub tier: Option<String>,
    /// A profile by its full id or its last part, instead of a tier.
    #[arg(long, value_name = "ID", conflicts_with = "tier")]
    pub profile: Option<String>,
    /// XCCDF tailoring files, each laid over the ones before.
    #[arg(long, value_name = "FILE")]
    pub tailoring: Vec<PathBuf>,
    /// Leave out the machine's own configuration and tailoring below /etc/trempe.
    #[arg(long)]
    pub no_config: bool,
    /// Only this rule; may be given several times.
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<String>,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// How to tell.
#[derive(Debug, Args)]
pub struct Output {
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also show what is met.
    #[arg(long, short)]
    pub verbose: bool,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run; the last one that changed something when left out.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Only the changes for this rule; may be given several times.
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<String>,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct History {
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
