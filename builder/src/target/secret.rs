//! Secrets: named in files (`env:`, `file:`, `command:`), looked up when they are needed, and never shown.
//!
//! What is looked up is a [`SecretString`], which has no way to be displayed; its memory is wiped when it goes.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// How long a command may take: somebody may have to unlock a vault.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest secret, in bytes.
const LONGEST: usize = 16 << 10;

/// Where a secret is: `env:NAME`, `file:PATH` or `command:COMMAND LINE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// The first line of a file that nobody else may read.
    File(PathBuf),
    /// The first line that a command writes; a shell runs it.
    Command(String),
}

impl TryFrom<String> for SecretRef {
    type Error = String;

    /// The text is not quoted: it may be the secret itself.
    fn try_from(text: String) -> Result<SecretRef, String> {
        let parts = text.split_once(':').map(|(kind, rest)| (kind, rest.trim())).unwrap_or_default();
        match parts {
            ("env", name) if !name.is_empty() && !name.contains('=') => Ok(SecretRef::Env(name.to_owned())),
            ("file", path) if !path.is_empty() => Ok(SecretRef::File(PathBuf::from(path))),
            ("command", line) if !line.is_empty() => Ok(SecretRef::Command(line.to_owned())),
            _ => Err(
                "a secret is never written here, only where it is: env:NAME, file:PATH or command:COMMAND LINE"
                    .to_owned(),
            ),
        }
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "env:{name}"),
            SecretRef::File(path) => write!(f, "file:{}", path.display()),
            SecretRef::Command(line) => write!(f, "command:{line}"),
        }
    }
}

/// What has been looked up, each once: a vault is unlocked once for all targets.
#[derive(Debug, Default)]
pub struct Secrets {
    known: BTreeMap<SecretRef, SecretString>,
}

impl Secrets {
    /// Looks a secret up. Relative paths start from `directory`.
    ///
    /// # Errors
    /// When it is not there, is empty, or lies where others can read it.
    pub async fn get(&mut self, reference: &SecretRef, directory: &Path) -> Result<SecretString> {
        if let Some(known) = self.known.get(reference) {
            return Ok(known.clone());
        }
        let found = match reference {
            SecretRef::Env(name) => std::env::var(name).ok().with_context(|| {
                format!("the environment variable {name} is not set: export it before the builder starts")
            })?,
            SecretRef::File(path) => file(&directory.join(path))?,
            SecretRef::Command(line) => command(line).await?,
        };
        let secret = found.lines().next().unwrap_or_default();
        if secret.is_empty() {
            bail!("{reference}: the secret there is empty");
        }
        let secret = SecretString::from(secret.to_owned());
        self.known.insert(reference.clone(), secret.clone());
        Ok(secret)
    }
}

fn file(path: &Path) -> Result<String> {
    let reading = || format!("reading the secret in {}", path.display());
    let meta = std::fs::metadata(path).with_context(reading)?;
    if meta.permissions().mode() & 0o077 != 0 {
        bail!("{}: others may read this secret: chmod 600 {}", path.display(), path.display());
    }
    if meta.len() > LONGEST as u64 {
        bail!("{}: too large for a secret", path.display());
    }
    std::fs::read_to_string(path).with_context(reading)
}

/// The command may ask questions on the terminal.
async fn command(line: &str) -> Result<String> {
    let running = || format!("running the command of a secret, {line:?}");
    let child = tokio::process::Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .with_context(running)?;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output
        .with_context(|| format!("{line:?} gave no secret within {} seconds", PATIENCE.as_secs()))?
        .with_context(running)?;
    if !output.status.success() {
        bail!("{line:?} ended with {}: what it says is above", output.status);
    }
    if output.stdout.len() > LONGEST {
        bail!("{line:?} wrote more than a secret");
    }
    String::from_utf8(output.stdout).map_err(|_| anyhow::anyhow!("{line:?} wrote something that is no text"))
}
