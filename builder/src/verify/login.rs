//! The machine's own door: ssh with the key of the seed, and sudo. The host's ssh configuration has no say.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::seed::USER;
use crate::build::process::{Answer, Program};

/// How long one attempt to log in may take where the processor is emulated.
const ATTEMPT: Duration = Duration::from_secs(90);
/// How long a command on the machine may take.
const COMMAND: Duration = Duration::from_secs(15 * 60);

/// A way in.
#[derive(Debug)]
pub struct Login {
    port: u16,
    key: PathBuf,
}

impl Login {
    /// Makes a key pair in a machine's directory, and gives the public half.
    ///
    /// # Errors
    /// When `ssh-keygen` fails.
    pub async fn new(directory: &Path, port: u16) -> Result<(Login, String)> {
        let key = directory.join("key");
        let keygen = Program::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", USER, "-f"]);
        keygen.args([&key]).output().await.context("making a key")?;
        let public = key.with_extension("pub");
        let text = fs::read_to_string(&public).with_context(|| format!("reading {}", public.display()))?;
        Ok((Login { port, key }, text.trim().to_owned()))
    }

    /// Tries the key; `None` when it lets in, else what `ssh` said.
    ///
    /// # Errors
    /// When `ssh` cannot be started.
    pub async fn refused(&self) -> Result<Option<String>> {
        let Ok(answer) = tokio::time::timeout(ATTEMPT, self.ssh("true").answer()).await else {
            return Ok(Some("no answer".to_owned()));
        };
        let answer = answer?;
        let said = answer.err.lines().rfind(|line| !line.trim().is_empty());
        let said = said.map_or_else(|| answer.ended(), |line| line.trim().to_owned());
        Ok((answer.code != Some(0)).then_some(said))
    }

    /// Runs a command as root.
    ///
    /// # Errors
    /// When it does not end in time, or cannot be run.
    pub async fn root(&self, command: &str) -> Result<Answer> {
        match tokio::time::timeout(COMMAND, self.ssh(&format!("sudo -n {command}")).answer()).await {
            Ok(answer) => answer,
            Err(_) => bail!("'{command}' did not end within {} minutes", COMMAND.as_secs() / 60),
        }
    }

    /// Runs a command of the agent as root and gives its standard output: it ended with one of the codes that are verdicts.
    ///
    /// # Errors
    /// When it could not do its work.
    pub async fn agent(&self, arguments: &str) -> Result<String> {
        let command = format!("/usr/bin/agent {arguments}");
        let answer = self.root(&command).await?;
        // 1 with a report: a rule ended in error, and the report says which.
        let good =
            matches!(answer.code, Some(0 | 2)) || answer.code == Some(1) && answer.out.starts_with('{');
        if !good {
            bail!("'{command}' failed on the machine ({}): {}", answer.ended(), answer.err.trim());
        }
        Ok(answer.out)
    }

    fn ssh(&self, command: &str) -> Program {
        let options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=20",
        ];
        Program::new("ssh")
            .args(["-F", "/dev/null", "-p", &self.port.to_string()])
            .args(options.iter().flat_map(|option| ["-o", option]))
            .args(["-i".as_ref(), self.key.as_os_str()])
            .args([&format!("{USER}@127.0.0.1"), command])
    }
}
