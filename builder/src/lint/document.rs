//! A file that is looked through: what kind it is, and its lines without what does not count.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::spec::Spec;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A specification of ours.
    Spec,
    /// Anaconda's.
    Kickstart,
    /// Packer's template, HCL2.
    Hcl,
    /// Debian's installer's.
    Preseed,
    /// cloud-init's, and Subiquity's.
    CloudConfig,
    /// A shell script.
    Script,
}

impl Kind {
    /// How it is called.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Spec => "a specification",
            Kind::Kickstart => "a kickstart",
            Kind::Hcl => "a Packer template",
            Kind::Preseed => "a preseed",
            Kind::CloudConfig => "a cloud-config",
            Kind::Script => "a script",
        }
    }

    fn of(file: &str, text: &str) -> Option<Kind> {
        let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
        let any =
            |starts: &[&str]| text.lines().any(|line| starts.iter().any(|start| line.starts_with(start)));
        let first = text.lines().next().unwrap_or_default();
        match () {
            () if name.ends_with(".hcl") => Some(Kind::Hcl),
            () if name.ends_with(".ks") || any(&["%packages", "%post", "%pre"]) => Some(Kind::Kickstart),
            () if any(&["d-i "]) => Some(Kind::Preseed),
            () if first.starts_with("#cloud-config")
                || any(&["autoinstall:", "datasource_list:", "cloud_init_modules:"]) =>
            {
                Some(Kind::CloudConfig)
            }
            () if first.starts_with("#!") && first.contains("sh") || name.ends_with(".sh") => {
                Some(Kind::Script)
            }
            () if name.ends_with(".yml") || name.ends_with(".yaml") => Some(Kind::Spec),
            () if any(&["bootloader ", "clearpart ", "rootpw "]) => Some(Kind::Kickstart),
            () => None,
        }
    }
}

/// A line that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its text without a comment.
    pub text: &'a str,
    /// The section of a kickstart that it is in, as `%post`; empty for its commands, and in other files.
    pub section: &'a str,
}

impl<'a> Line<'a> {
    /// Its words.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text.split_whitespace()
    }

    /// Its first word.
    pub fn command(&self) -> &'a str {
        self.words().next().unwrap_or_default()
    }

    /// The value of an option, as `--size=5` or `--size 5`.
    pub fn option(&self, name: &str) -> Option<&'a str> {
        let mut words = self.words();
        while let Some(word) = words.next() {
            if word == name {
                return words.next();
            }
            if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.trim_matches('"'));
            }
        }
        None
    }
}

/// A file that is looked through.
pub struct Document<'a> {
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub text: &'a str,
    /// The lines that count.
    pub lines: Vec<Line<'a>>,
    /// The specification, when it is one.
    pub spec: Option<Spec>,
}

impl<'a> Document<'a> {
    /// Takes a file apart. `file` is its path, which may say what it is.
    ///
    /// # Errors
    /// When it is of no kind that is known.
    pub fn new(file: &str, text: &'a str) -> Result<Document<'a>> {
        if file.ends_with(".json") {
            bail!(
                "{file}: a template in JSON, which no newer Packer learns anything for: 'packer hcl2_upgrade' makes it HCL2"
            );
        }
        let Some(kind) = Kind::of(file, text) else {
            bail!(
                "{file}: neither a specification (.yml), a kickstart, a Packer template (.pkr.hcl), a preseed, a cloud-config nor a script"
            );
        };
        let mut section = "";
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let text = bare(line, kind);
            if kind == Kind::Kickstart && text.starts_with('%') {
                let word = text.split_whitespace().next().unwrap_or_default();
                section = if word == "%end" || word == "%include" || word == "%ksappend" { "" } else { word };
            }
            if !text.trim().is_empty() {
                lines.push(Line { number: index as u64 + 1, text, section });
            }
        }
        let spec = if kind == Kind::Spec { Spec::parse(text, file).ok() } else { None };
        Ok(Document { kind, text, lines, spec })
    }

    /// The lines whose text has one of these in it.
    pub fn containing<'s>(&'s self, needles: &'s [&str]) -> impl Iterator<Item = &'s Line<'a>> {
        self.lines.iter().filter(|line| needles.iter().any(|needle| line.text.contains(needle)))
    }

    /// Whether any line has one of these in it.
    pub fn contains(&self, needles: &[&str]) -> bool {
        self.containing(needles).next().is_some()
    }

    /// The lines of scripts: all of a script, those of a kickstart's `%pre` and `%post`, all of other files.
    pub fn script(&self) -> impl Iterator<Item = &Line<'a>> {
        let kickstart = self.kind == Kind::Kickstart;
        let body = |line: &&Line| {
            !line.section.is_empty() && line.section != "%packages" && line.command() != line.section
        };
        self.lines.iter().filter(move |line| !kickstart || body(line))
    }
}

/// A line without its comment.
fn bare(line: &str, kind: Kind) -> &str {
    let trimmed = line.trim_start();
    let comment = trimmed.starts_with('#') || (kind == Kind::Hcl && trimmed.starts_with("//"));
    if comment { "" } else { line }
}
