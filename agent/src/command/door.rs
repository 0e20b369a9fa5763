//! `agent door`: who gets in, and how.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cli;
use crate::config::Config;
use crate::door::{Class, Door, Ways};
use crate::exit::Exit;
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// Without root, or when configuration or account files cannot be read.
pub fn run(args: &cli::Door) -> Result<Exit> {
    let system = System::open(Path::new("/"))?;
    if !nix::unistd::geteuid().is_root() {
        bail!("only root can try how others get in: run it with sudo");
    }
    let keep = match () {
        () if !args.accounts.is_empty() => Some(args.accounts.clone()),
        () if args.no_config => None,
        () => Config::read(&system)?.access.keep,
    };
    let door = Door::look(&system, keep.as_deref())?;
    super::print(args.format, &sentences(&door)?, &door)?;
    door.problems.iter().chain(&door.unread).for_each(|problem| super::say(&format!("agent: {problem}")));
    Ok(if door.problems.is_empty() { Exit::Good } else { Exit::Trouble })
}

fn sentences(door: &Door) -> Result<String> {
    let mut out = String::new();
    if door.accounts.is_empty() {
        writeln!(out, "nobody gets in and becomes root")?;
    }
    for account in &door.accounts {
        writeln!(out, "{}{}", account.name, if account.local { "" } else { " (of a domain)" })?;
        let Ways { ssh_key, ssh_password, console, sudo } = &account.ways;
        for (what, way) in [("ssh key", ssh_key), ("ssh password", ssh_password), ("console", console)] {
            let state = if way.open { "open" } else { "closed" };
            writeln!(out, "  {what:<14}{}", told(state, way.proved, &way.why))?;
        }
        let state = match sudo.class {
            Class::None => "no",
            Class::WithPassword => "with a password",
            Class::WithoutPassword => "without a password",
        };
        writeln!(out, "  {:<14}{}", "root by sudo", told(state, sudo.proved, &sudo.why))?;
    }
    Ok(out)
}

/// A way in words.
fn told(state: &str, proved: bool, why: &str) -> String {
    let proved = if proved { ", proved" } else { "" };
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    format!("{state}{proved}{why}")
}
