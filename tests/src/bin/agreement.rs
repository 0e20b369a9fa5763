//! Compares the agent with oscap while one works on rules: `cargo run -p e2e -- --help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use e2e::agreement::{self, Question, Scenario};
use e2e::triage;

/// Have the agent and oscap judge the same root tree, and show the rules on which they differ.
#[derive(Parser)]
struct Arguments {
    /// Root tree, or ROOT/NAME for that tree after tests/scenarios/NAME.sh
    #[arg(long, default_value = "debian12")]
    root: String,
    #[arg(long, default_value = "strict")]
    tier: String,
    /// Compare these rules alone (may be repeated)
    #[arg(long)]
    rule: Vec<String>,
    /// Shell script to run in the tree first: 'echo "UMASK 077" >> /etc/login.defs'
    #[arg(long)]
    setup: Option<String>,
    /// Have the agent read the SCAP content too, not its catalogue
    #[arg(long)]
    same_content: bool,
    /// Keep the tree, and say how to look into it
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut scenario = Scenario::named(&arguments.root)?;
    if let Some(setup) = arguments.setup {
        scenario.setup = Some(format!("{}\n{setup}", scenario.setup.unwrap_or_default()));
    }
    let question =
        Question { tier: arguments.tier, rules: arguments.rule, same_content: arguments.same_content };
    let copy = scenario.copy()?;
    let agreement = agreement::compare(&scenario, &question, &copy);
    if arguments.keep {
        eprintln!("look into the tree with: {}", copy.keep());
    }
    let agreement = agreement?;
    let triage = triage::read()?;
    print!("{}", agreement.table(&triage));
    let agree = agreement.unexplained(&triage).is_empty();
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
