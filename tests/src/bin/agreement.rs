//! Compares the agent with oscap while one works on rules: `cargo run -p e2e -- --help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use e2e::agreement::{self, Question};
use e2e::scenario::Scenario;
use e2e::triage;

/// Have the agent and oscap judge the same root tree, and show the rules on which they differ.
#[derive(Parser)]
struct Arguments {
    /// Root tree; ROOT@booted for a running machine; either with /NAME, after tests/scenarios/NAME.sh has run there
    #[arg(long, default_value = "debian12")]
    root: String,
    /// Tier that both judge by
    #[arg(long, default_value = "strict")]
    tier: String,
    /// Compare these rules alone (may be repeated)
    #[arg(long)]
    rule: Vec<String>,
    /// Shell script to run in the tree first: 'echo "UMASK 077" >> /etc/login.defs'
    #[arg(long)]
    setup: Option<String>,
    /// Afterwards run a shell script in the tree and show its output: 'grep -r pwquality /etc/pam.d'
    #[arg(long)]
    then: Option<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut scenario = Scenario::named(&arguments.root)?;
    if let Some(setup) = arguments.setup {
        scenario.script.push_str(&format!("\n{setup}"));
    }
    let question = Question { tier: arguments.tier, rules: arguments.rule };
    let machine = scenario.machine()?;
    let agreement = agreement::compare(&scenario, &question, machine.as_ref());
    if let Some(script) = arguments.then {
        print!("{}", machine.shell(&script)?);
    }
    let (agreement, triage) = (agreement?, triage::read()?);
    print!("{}", agreement.table(&triage));
    let agree = agreement.unexplained(&triage).is_empty();
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
