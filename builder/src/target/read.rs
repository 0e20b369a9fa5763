//! Reading the file of targets: every mistake with its file, line, column and remedy.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use super::{Api, Nutanix, Patience, Target, Targets, Vsphere};
use crate::spec::{Problem, document, text};

/// The file of targets: the one that is asked for, `$TREMPE_TARGETS`, or `trempe/targets.yml` where the user's configuration is.
///
/// # Errors
/// When there is no home directory to look in.
pub fn path(asked: Option<&Path>) -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configuration =
        || variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
    asked
        .map(Path::to_owned)
        .or_else(|| variable("TREMPE_TARGETS"))
        .or_else(|| configuration().map(|directory| directory.join("trempe/targets.yml")))
        .context("there is no HOME to look for targets.yml in: name the file with --targets")
}

/// Refuses a file that somebody else could have written: its commands run as the user.
///
/// # Errors
/// When others may write it, or it cannot be looked at.
pub fn verify_file(path: &Path) -> Result<()> {
    let shown = path.display();
    let meta = std::fs::metadata(path)
        .with_context(|| format!("reading {shown} ('builder targets --example' writes one to start from)"))?;
    if meta.mode() & 0o022 != 0 {
        bail!("{shown}: others may write this file, whose commands are run as you: chmod go-w {shown}");
    }
    if meta.uid() != geteuid().as_raw() && meta.uid() != 0 {
        bail!("{shown}: belongs to somebody else, and its commands are run as you: copy it");
    }
    Ok(())
}

impl Targets {
    /// Reads targets from a text. `file` is what messages call it.
    ///
    /// # Errors
    /// When it is not understood, or asks for what cannot be, with the place of each mistake.
    pub fn parse(text: &str, file: &str) -> Result<Targets, Vec<Problem>> {
        let mut targets: Targets = document(text, file).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        for (label, target) in &targets.targets {
            let (address, wrong, ca, insecure) = match target {
                Target::Nutanix(nutanix) => (&nutanix.address, wrong(nutanix), &nutanix.ca, nutanix.insecure),
                Target::Vsphere(vsphere) => {
                    (&vsphere.address, vsphere_wrong(vsphere), &vsphere.ca, vsphere.insecure)
                }
            };
            let problem = |message| Problem::at(file, address, format!("{label}: {message}"));
            problems.extend(wrong.into_iter().map(problem));
            if let Some(ca) = ca.as_ref().filter(|_| insecure) {
                let message =
                    "insecure takes any certificate, and ca names the good ones: leave one of them out";
                problems.push(Problem::at(file, ca, message));
            }
            let Target::Nutanix(nutanix) = target else { continue };
            if nutanix.api.value == Api::V4 && nutanix.password.is_none() {
                let message = "API v4 takes files from a user with a password alone: give user and password, or api: auto";
                problems.push(Problem::at(file, &nutanix.api, message));
            }
        }
        targets.directory = Path::new(file).parent().unwrap_or(Path::new("")).to_owned();
        if problems.is_empty() { Ok(targets) } else { Err(problems) }
    }

    /// Reads targets from their file.
    ///
    /// # Errors
    /// When the file cannot be read or others may write it; otherwise as [`Targets::parse`].
    pub fn read(path: &Path) -> Result<Targets> {
        verify_file(path)?;
        let text = text(path)?;
        Targets::parse(&text, &path.display().to_string()).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        })
    }

    /// The targets of these names, each once; all when none is named.
    ///
    /// # Errors
    /// When there is none of a name.
    pub fn select(&self, names: &[String]) -> Result<Vec<(String, &Target)>> {
        let all = || self.targets.iter().map(|(label, target)| (label.as_str(), target));
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let known = || all().map(|(label, _)| label).collect::<Vec<_>>().join(", ");
        if let Some(name) = wanted.iter().find(|name| !all().any(|(label, _)| label == **name)) {
            bail!("there is no target {name:?}; there are: {}", known());
        }
        let chosen = all().filter(|(label, _)| wanted.is_empty() || wanted.contains(label));
        Ok(chosen.map(|(label, target)| (label.to_owned(), target)).collect())
    }
}

fn wrong(nutanix: &Nutanix) -> Vec<&'static str> {
    let mut found = Vec::new();
    match (&nutanix.user, &nutanix.password, &nutanix.api_key) {
        (Some(_), Some(_), None) | (None, None, Some(_)) => {}
        (Some(_), None, None) => found.push("user without a password: add password: env:NAME"),
        (None, Some(_), None) => found.push("password without a user: add user: NAME"),
        (None, None, None) => found.push("nothing to log in with: add user and password, or api_key"),
        _ => found.push("user and api_key: leave one of them out"),
    }
    if nutanix.user.as_ref().is_some_and(|user| user.is_empty() || user.contains(':')) {
        found.push("a user's name has at least one character and no colon");
    }
    found.extend(impatient(nutanix.patience));
    found
}

fn vsphere_wrong(vsphere: &Vsphere) -> Vec<&'static str> {
    let mut found = Vec::new();
    if vsphere.user.is_empty() || vsphere.user.contains(':') {
        found.push("a user's name has at least one character and no colon");
    }
    if vsphere.library.is_empty() {
        found.push("library: name the content library that images go to");
    }
    found.extend(impatient(vsphere.patience));
    found
}

fn impatient(patience: Patience) -> Option<&'static str> {
    let none = [patience.connect, patience.stall, patience.import].contains(&0);
    none.then_some("patience: each of its times is at least 1 second")
}
