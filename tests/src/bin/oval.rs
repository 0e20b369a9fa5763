//! Compares the `oval` library with oscap while one works on it: `cargo run -p e2e --bin oval -- compare --help`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use e2e::content::Content;
use e2e::oval;
use e2e::root::Root;

/// Evaluate OVAL definitions, or have oscap and us evaluate the same ones.
#[derive(Parser)]
enum Arguments {
    /// Print our verdict on every definition of a document
    Verdicts {
        /// OVAL document, or SCAP data stream
        file: PathBuf,
        /// Which OVAL document of the data stream, from 0
        #[arg(long, default_value_t = 0)]
        component: usize,
        /// Directory that holds the system
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Show on which definitions of a data stream oscap and we differ
    Compare {
        /// Root tree to evaluate in
        #[arg(long, default_value = "debian12")]
        root: String,
        /// Whose data stream; the root's own when not given
        #[arg(long)]
        content: Option<String>,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse() {
        Arguments::Verdicts { file, component, root } => {
            print!("{}", oval::verdicts(&file, component, &root)?)
        }
        Arguments::Compare { root, content } => {
            let root = Root::named(&root)?;
            let content = Content::find(content.as_deref().unwrap_or(root.os))?;
            let comparison = oval::compare(&root.copy()?, &content, &std::env::current_exe()?)?;
            print!("{}", comparison.table());
            if !comparison.differences.is_empty() {
                return Ok(ExitCode::from(2));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
