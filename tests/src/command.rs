//! Running an external program: its output, or an error that says what it said.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A program about to run.
pub struct Program {
    command: Command,
    accepted: Vec<i32>,
}

impl Program {
    /// `name` is looked up in `PATH`.
    pub fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name);
        command.stdin(Stdio::null());
        Self { command, accepted: vec![0] }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this directory.
    pub fn directory(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Gives it this file as standard input.
    pub fn input(mut self, file: &Path) -> Result<Self> {
        let open = File::open(file).with_context(|| format!("opening {}", file.display()))?;
        self.command.stdin(open);
        Ok(self)
    }

    /// The exit codes that are no failure; 0 alone unless this is called.
    pub fn accept(mut self, codes: &[i32]) -> Self {
        self.accepted = codes.to_vec();
        self
    }

    /// Runs to the end. The error of a failed run quotes what it wrote.
    pub fn run(mut self) -> Result<Output> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        let output = self.command.output().with_context(|| format!("starting {name}"))?;
        if output.status.code().is_none_or(|code| !self.accepted.contains(&code)) {
            let said =
                [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
            bail!("{:?} ended with {}: {}", self.command, output.status, said.join("\n"));
        }
        Ok(output)
    }

    /// Starts it and does not wait. It writes nothing of its own to our output.
    pub fn start(mut self) -> Result<Child> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.spawn().with_context(|| format!("starting {name}"))
    }

    /// Runs to the end and gives what was written to standard output.
    pub fn output(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.run()?.stdout).into_owned())
    }
}
