//! What the commands that judge a machine have in common: which machine, which rules, how to tell.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::report::{Format, Wanted};

/// Which machine, which rules.
#[derive(Debug, Default, Args)]
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
    /// A configuration file laid over the machine's own for this run; '-' reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A file of the machine's own configuration to leave out, as the one that --config is to replace; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub ignore_config: Vec<PathBuf>,
    /// Only this rule; may be given several times.
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<String>,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// With --content: stop a script of the content (SCE) that takes longer than so many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "600", requires = "content", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub script_limit: u64,
}

/// Which content, and whose fixes.
#[derive(Debug, Default, Args)]
pub struct Foreign {
    /// SCAP content of others that judges instead of the catalogue: a data stream (also .xz and .bz2), an XCCDF benchmark, or the name
    /// of an installed one (ssg-rhel9).
    #[arg(long, value_name = "FILE|NAME")]
    pub content: Option<String>,
    /// With --content: what mends a rule that fails.
    #[arg(long, value_enum, default_value = "catalogue", requires = "content")]
    pub fixes: Fixes,
    /// With --fixes: stop a fix of the content that takes longer than so many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "120", requires = "content", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub fix_limit: u64,
}

/// What mends a rule of content of others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fixes {
    /// The catalogue, where it has a rule of that name.
    #[default]
    Catalogue,
    /// The content's own shell fix, run in a sandbox and made a plan of.
    Content,
    /// The catalogue, and where it has no such rule the content's own fix.
    Both,
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
    /// Write a report to a file besides, as html=report.html; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<Wanted>,
    /// Also show what is met.
    #[arg(long, short)]
    pub verbose: bool,
}

impl Output {
    /// Refuses two reports for one file, of which the first would be lost. Asked before anything is done.
    ///
    /// # Errors
    /// When there are two, with the file's name. Devices, which keep nothing, may take several.
    pub fn apart<'a>(&'a self, also: &'a [Wanted]) -> Result<()> {
        let further = self.report.iter().chain(also).map(|wanted| &wanted.path);
        let mut seen = BTreeSet::new();
        for path in self.output.iter().chain(further).filter(|path| !path.starts_with("/dev")) {
            if !seen.insert(path) {
                bail!("two reports go to {}: give each a file of its own", path.display());
            }
        }
        Ok(())
    }
}
