//! Boots a root tree and stays until standard input ends: to look around in a machine.
//!
//! `cargo run -p e2e --bin vm -- debian12` prints how to log in; `$LAB/agent` is there.

use std::io::Read;

use anyhow::{Context, Result};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::vm::Vm;

fn main() -> Result<()> {
    let name = std::env::args().nth(1).context("usage: vm ROOT")?;
    let vm = Vm::boot(&Root::named(&name)?)?;
    println!("the agent: {}", vm.lend(&agent::binary()?, "agent")?);
    println!("{}", vm.login());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
