//! Arguments of the kernel where the menu is made of entries in files of their own: Red Hat's way of the Boot Loader Specification.
//!
//! GRUB reads `/boot/loader/entries/*.conf` at boot. Their `options` name the arguments, or `$kernelopts`, which is a variable of GRUB's
//! environment (RHEL 8). Kernels that are installed later take theirs from `/etc/kernel/cmdline`; the environment is made anew from
//! `/etc/default/grub`. So all of these are told, as `grubby --update-kernel=ALL` does.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::KernelArgument;
use super::defaults::{ALWAYS, MAIN};
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::system::System;

const ENTRIES: &str = "/boot/loader/entries";
const ENVIRONMENTS: [&str; 2] = ["/boot/grub2/grubenv", "/boot/efi/EFI/redhat/grubenv"];
const CMDLINE: &str = "/etc/kernel/cmdline";
const VARIABLE: &str = "$kernelopts";
/// GRUB writes its environment into a file of exactly this size, filled up with this.
const ENVIRONMENT_SIZE: usize = 1024;
const FILLER: char = '#';

/// How a file writes the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `options root=… quiet`
    Entry,
    /// `kernelopts=root=… quiet`, in a file of a fixed size.
    Environment,
    /// Nothing else.
    Plain,
    /// `GRUB_CMDLINE_LINUX="…"`
    Defaults,
}

/// A file that gives arguments to kernels.
#[derive(Debug, Clone)]
pub struct Carrier {
    path: PathBuf,
    text: String,
    form: Form,
}

/// The files that give arguments to kernels; none where the menu is no list of entries. Entries for rescue are not looked at.
///
/// # Errors
/// When a file cannot be read.
pub fn carriers(system: &System) -> Result<Vec<Carrier>> {
    let mut found = Vec::new();
    for path in system.drop_ins(ENTRIES, ".conf")? {
        let rescue = path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("rescue"));
        if let Some(text) = system.read_text(&path)?.filter(|_| !rescue) {
            found.push(Carrier { path, text, form: Form::Entry });
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let mut others = vec![(CMDLINE, Form::Plain)];
    if found.iter().any(|entry| entry.arguments().is_some_and(|(_, arguments)| arguments.contains(VARIABLE)))
    {
        others.extend(ENVIRONMENTS.map(|path| (path, Form::Environment)));
    }
    others.push((MAIN, Form::Defaults));
    for (path, form) in others {
        if let Some(text) = system.read_text(path)? {
            found.push(Carrier { path: path.into(), text, form });
        }
    }
    Ok(found)
}

impl Carrier {
    /// What stands before the arguments, and behind them.
    fn frame(&self) -> (String, &'static str) {
        match self.form {
            Form::Entry => ("options ".to_owned(), ""),
            Form::Environment => ("kernelopts=".to_owned(), ""),
            Form::Plain => (String::new(), ""),
            Form::Defaults => (format!("{ALWAYS}="), "\""),
        }
    }

    /// The arguments, and the line they are in, counted from 1.
    fn arguments(&self) -> Option<(usize, String)> {
        let (start, quote) = self.frame();
        self.text.lines().enumerate().find_map(|(index, line)| {
            let rest = line.replace('\t', " ").trim_start().strip_prefix(&start).map(str::to_owned)?;
            let bare = if quote.is_empty() { rest.as_str() } else { rest.trim().trim_matches(['"', '\'']) };
            Some((index + 1, bare.trim().to_owned()))
        })
    }

    /// The text with other arguments.
    fn with(&self, arguments: &str) -> String {
        let (start, quote) = self.frame();
        let new = format!("{start}{quote}{arguments}{quote}");
        let mut lines: Vec<&str> = self.text.lines().collect();
        match self.arguments().and_then(|(number, _)| lines.get_mut(number - 1)) {
            Some(line) => *line = &new,
            None => lines.push(&new),
        }
        let mut text = lines.join("\n");
        if self.form == Form::Environment {
            let bare = text.trim_end_matches(FILLER).trim_end().to_owned();
            text = bare + "\n";
            let missing = ENVIRONMENT_SIZE.saturating_sub(text.len());
            text.extend(std::iter::repeat_n(FILLER, missing));
            return text;
        }
        text + "\n"
    }

    /// The change that gives these arguments.
    fn change(&self, arguments: &str) -> Change {
        Change::write(&self.path, self.with(arguments))
    }

    /// Without this argument, if it has it.
    pub fn without(&self, argument: &str) -> Option<(String, Change)> {
        let (number, arguments) = self.arguments()?;
        let kept: Vec<&str> = arguments.split_whitespace().filter(|word| *word != argument).collect();
        let kept = kept.join(" ");
        (kept.len() != arguments.split_whitespace().collect::<Vec<_>>().join(" ").len())
            .then(|| (format!("{}:{number}", self.path.display()), self.change(&kept)))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Judges the arguments of every kernel, and has those without told.
pub fn examine(setting: &KernelArgument, carriers: &[Carrier], finding: &mut Finding) {
    let by_variable = carriers.iter().any(|carrier| carrier.form == Form::Environment);
    let mut changes = Vec::new();
    for carrier in carriers {
        let (number, arguments) = carrier.arguments().unwrap_or((1, String::new()));
        let found = setting.last(&arguments);
        let good = found.is_some_and(|value| setting.accepts(value));
        if good || (found.is_none() && arguments.contains(VARIABLE)) {
            if good && carrier.form != Form::Defaults {
                let place = format!("{}:{number}", carrier.path.display());
                let shown = format!("{}={}", setting.name, found.unwrap_or_default());
                finding.persistent(true, shown, setting.wanted(), place);
            }
            continue;
        }
        // From this file nothing is made but the environment.
        if carrier.form != Form::Defaults || by_variable {
            let place = format!("{}:{number}", carrier.path.display());
            let shown = found.map_or("not given".to_owned(), |value| format!("{}={value}", setting.name));
            finding.persistent(false, shown, setting.wanted(), place);
        }
        let is = |word: &&str| word.split('=').next() != Some(setting.name.as_str());
        let mut words: Vec<&str> = arguments.split_whitespace().filter(is).collect();
        let new = format!("{}={}", setting.name, setting.value);
        words.push(&new);
        changes.push(carrier.change(&words.join(" ")));
    }
    if !finding.is_compliant() {
        finding.changes = changes;
        finding.effect(Effect::Reboot);
    }
}
