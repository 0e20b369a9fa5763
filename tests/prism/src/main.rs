//! A Prism Central that is none, to try uploads with: `cargo run -p prism -- --port 9440 --authority ca.pem`.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use prism::{Options, Prism};

/// Ends with its standard input.
#[derive(Debug, Parser)]
struct Cli {
    /// The port.
    #[arg(long, default_value = "0")]
    port: u16,
    /// Where the certificate of its authority is written.
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
    /// It has API v3 alone.
    #[arg(long)]
    v3: bool,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let mut options = Options { port: cli.port, ..Options::default() };
    if cli.v3 {
        options.v4 = None;
    }
    let (user, password) = (options.user.clone(), options.password.clone());
    let prism = Prism::start(options)?;
    std::fs::write(&cli.authority, prism.authority()).context("writing the certificate")?;
    let mut out = std::io::stdout();
    writeln!(out, "https://{} {user} {password}", prism.address)?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    for image in prism.images() {
        writeln!(out, "{} {} {:?} {}", image.id, image.name, image.phase, image.sha256)?;
    }
    Ok(())
}
