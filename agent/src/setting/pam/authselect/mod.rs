//! Red Hat's stacks, where `authselect(8)` writes them: from the templates of a profile and the features that are enabled.
//!
//! The links of `/etc/pam.d` lead to what it wrote, and each of its runs writes that anew. So its sources are changed, features
//! where the templates know one, else the templates of a profile of the machine's own (`/etc/authselect/custom`), and then the
//! files as it would write them. What it writes for accounts of a domain stays in them. Files that are not what it would write
//! were changed by hand: they are left alone, as it leaves them.

pub mod selected;
pub mod template;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use self::template::{Operator, Part};
use super::line::{Entry, Line, parse};
use super::stack;
use crate::change::Change;
use crate::system::{FileKind, System};

/// What is selected: the profile, then a feature a line.
const CONFIG: &str = "/etc/authselect/authselect.conf";
/// Where it writes.
const WRITTEN: &str = "/etc/authselect";
/// Where profiles are, beside the machine's own.
const PROFILES: [&str; 2] = ["/usr/share/authselect/vendor", "/usr/share/authselect/default"];
/// Our own profile.
const OWN: &str = "custom/trempe";
/// Its copies of what it wrote, up to authselect 1.3: a file that is not its copy's equal was changed by hand, and is never written again
/// (`authselect_files_validate`).
const COPIES: &str = "/var/lib/authselect";
/// The stacks.
pub const STACKS: [&str; 6] =
    ["system-auth", "password-auth", "fingerprint-auth", "smartcard-auth", "switchable-auth", "postlogin"];
/// What else a profile has.
const OTHERS: [&str; 5] = ["README", "REQUIREMENTS", "nsswitch.conf", "dconf-db", "dconf-locks"];

/// What is selected, and what it is made from.
#[derive(Debug, Clone)]
pub struct Selection {
    profile: String,
    features: Vec<String>,
    templates: BTreeMap<&'static str, String>,
    written: BTreeMap<&'static str, String>,
    before: (Vec<String>, BTreeMap<&'static str, String>),
}

/// The stack that a path is, where authselect writes it.
///
/// # Errors
/// When a link cannot be read.
pub fn stack_of(system: &System, path: &Path) -> Result<Option<&'static str>> {
    let Some(name) = STACKS.into_iter().find(|name| path == stack::path(name)) else { return Ok(None) };
    let target = system.read_link(path)?;
    let is = target.is_some_and(|target| target.ends_with(format!("authselect/{name}")));
    Ok(is.then_some(name))
}

/// The directory of a profile, by its name.
fn directory(system: &System, profile: &str) -> Result<Option<String>> {
    if profile.starts_with("custom/") {
        return Ok(Some(format!("{WRITTEN}/{profile}")));
    }
    for dir in PROFILES {
        let path = format!("{dir}/{profile}");
        if system.exists(format!("{path}/system-auth"))? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

impl Selection {
    /// Reads it all. The inner error says why the files are not to be changed through authselect.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(system: &System) -> Result<Result<Selection, String>> {
        let Some(config) = system.read_text(CONFIG)? else {
            return Ok(Err(format!("there is no {CONFIG}: authselect has selected nothing")));
        };
        let mut lines =
            config.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let profile = lines.next().unwrap_or_default().to_owned();
        let features: Vec<String> = lines.map(str::to_owned).collect();
        let Some(directory) = directory(system, &profile)? else {
            return Ok(Err(format!("the profile '{profile}' of {CONFIG} is not there")));
        };
        let (mut templates, mut written) = (BTreeMap::new(), BTreeMap::new());
        for name in STACKS {
            let source = format!("{directory}/{name}");
            let Some(text) = system.read_text(&source)? else { continue };
            let place = format!("{WRITTEN}/{name}");
            let now = system.read_text(&place)?.unwrap_or_default();
            if !same(&now, &template::generate(&text, &features)) {
                return Ok(Err(format!("{place} is not what authselect would write: authselect check")));
            }
            if profile.starts_with("custom/")
                && system.meta(&source)?.is_some_and(|meta| meta.kind == FileKind::Symlink)
            {
                return Ok(Err(format!("{source} is a link to a profile of the vendor; make it a file")));
            }
            templates.insert(name, text);
            written.insert(name, now);
        }
        let before = (features.clone(), templates.clone());
        Ok(Ok(Selection { profile, features, templates, written, before }))
    }

    /// A stack as it would be written, without the remarks at its head.
    pub fn file(&self, name: &str) -> String {
        self.templates.get(name).map(|text| template::generate(text, &self.features)).unwrap_or_default()
    }

    /// The template of a stack.
    pub fn template(&self, name: &str) -> &str {
        self.templates.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether some template asks for this feature.
    pub fn knows(&self, feature: &str) -> bool {
        self.templates.values().any(|text| text.contains(&format!("\"{feature}\"")))
    }

    /// Enables a feature.
    pub fn enable(&mut self, feature: &str) {
        if !self.features.iter().any(|enabled| enabled == feature) {
            self.features.push(feature.to_owned());
        }
    }

    /// Takes the templates for the machine's own, unless they are.
    pub fn own(&mut self) {
        if !self.profile.starts_with("custom/") {
            OWN.clone_into(&mut self.profile);
        }
    }

    /// Gives a line other arguments, in the template it comes from. False when no template has such a line.
    pub fn set_arguments(&mut self, name: &str, line: &Line, wanted: &[String]) -> bool {
        let Some(text) = self.templates.get(name).cloned() else { return false };
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let is_it = |text: &String| {
            template::line(text, &self.features).and_then(|text| parsed(&text)).is_some_and(|own| {
                (&own.facility, &own.control, &own.module) == (&line.facility, &line.control, &line.module)
            })
        };
        let Some(at) = lines.iter().position(is_it) else { return false };
        let Some(own) = lines.get_mut(at) else { return false };
        let given = template::line(own, &self.features).and_then(|text| parsed(&text)).map(|l| l.words());
        let mut enable = Vec::new();
        for word in given.iter().flatten().filter(|word| !wanted.contains(word)) {
            *own = without(own, word, &mut enable);
        }
        let missing = wanted.iter().filter(|word| !given.as_ref().is_some_and(|given| given.contains(word)));
        for word in missing {
            *own = with(own, word);
        }
        self.templates
            .insert(STACKS.into_iter().find(|own| *own == name).unwrap_or_default(), lines.join("\n"));
        enable.iter().for_each(|feature| self.enable(feature));
        true
    }

    /// Brings a line into a stack: by the feature that a template has for it, else behind the line of a module or before all others
    /// of its facility.
    pub fn bring(
        &mut self,
        name: &'static str,
        facility: &str,
        module: &str,
        new: &str,
        behind: Option<&str>,
    ) {
        let Some(text) = self.templates.get(name).cloned() else { return };
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let of = |text: &String, module: Option<&str>| {
            parsed(&plain(text)).is_some_and(|line| {
                line.facility == facility && module.is_none_or(|module| line.module_name() == module)
            })
        };
        if let Some(feature) = lines.iter().filter(|line| of(line, Some(module))).find_map(|line| by(line)) {
            return self.enable(&feature);
        }
        let after =
            behind.and_then(|behind| lines.iter().position(|line| of(line, Some(behind)))).map(|at| at + 1);
        let first = lines.iter().position(|line| of(line, None));
        lines.insert(after.or(first).unwrap_or(lines.len()), new.to_owned());
        self.templates.insert(name, lines.join("\n"));
    }

    /// What has to be written.
    ///
    /// # Errors
    /// When a file of the profile cannot be read.
    pub fn changes(mut self, system: &System) -> Result<Vec<Change>> {
        if self.templates != self.before.1 {
            self.own();
        }
        let config = system.read_text(CONFIG)?.unwrap_or_default();
        let former = config.lines().next().unwrap_or_default().trim().to_owned();
        let mut changes = Vec::new();
        let directory = format!("{WRITTEN}/{}", self.profile);
        if self.profile != former {
            for dir in [format!("{WRITTEN}/custom"), directory.clone()] {
                if !system.exists(&dir)? {
                    changes.push(Change::MakeDirectory { path: dir.into(), mode: 0o755 });
                }
            }
            let from = self::directory(system, &former)?.unwrap_or_default();
            for name in OTHERS {
                if let Some(text) = system.read_text(format!("{from}/{name}"))? {
                    changes.push(Change::write(format!("{directory}/{name}"), text));
                }
            }
        }
        for (name, text) in &self.templates {
            if self.profile != former || self.before.1.get(name) != Some(text) {
                changes.push(Change::write(format!("{directory}/{name}"), text.clone()));
            }
        }
        if self.profile != former || self.features != self.before.0 {
            let lines: Vec<&str> = std::iter::once(self.profile.as_str())
                .chain(self.features.iter().map(String::as_str))
                .collect();
            changes.push(Change::write(CONFIG, lines.join("\n") + "\n"));
        }
        for (name, now) in &self.written {
            let new = self.file(name);
            if !same(now, &new) {
                let end = if new.ends_with('\n') { "" } else { "\n" };
                let text = format!("{}{new}{end}", head(now));
                let copy = format!("{COPIES}/{name}");
                changes.push(Change::write(format!("{WRITTEN}/{name}"), text.clone()));
                if system.exists(&copy)? {
                    changes.push(Change::write(copy, text));
                }
            }
        }
        Ok(changes)
    }
}

/// The remarks at the head of a file.
fn head(text: &str) -> String {
    let remark = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    text.split_inclusive('\n').take_while(remark).collect()
}

/// Whether two texts say the same, remarks, empty lines and blanks around them aside.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    lines(one) == lines(other)
}

/// A line of a file of PAM, when it is one that names a module.
fn parsed(text: &str) -> Option<Line> {
    match parse(Path::new(WRITTEN), text).ok()?.into_iter().next()? {
        Entry::Module(line) => Some(line),
        Entry::Include { .. } => None,
    }
}

/// A line of a template without what its operators stand for.
fn plain(line: &str) -> String {
    let texts = template::parts(line).into_iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        Part::Operator(..) => None,
    });
    texts.collect()
}

/// The one feature that brings a line, or whose absence does not matter to it.
fn by(line: &str) -> Option<String> {
    template::parts(line).into_iter().find_map(|part| match part {
        Part::Operator(_, Operator::Include(when)) => {
            template::feature(&when).and_then(|(feature, wanted)| wanted.then_some(feature))
        }
        _ => None,
    })
}

/// A line of a template without an argument. Where a feature takes it away, that is to be enabled.
fn without(line: &str, word: &str, enable: &mut Vec<String>) -> String {
    let mut text = String::new();
    for part in template::parts(line) {
        match part {
            Part::Text(part) => {
                let words = part.split_inclusive(char::is_whitespace);
                text.extend(words.filter(|own| own.trim_end() != word));
            }
            Part::Operator(whole, Operator::If { when, yes, no }) if yes == word || no == word => {
                match template::feature(&when) {
                    Some((feature, wanted)) if wanted == (no == word) => {
                        enable.push(feature);
                        text.push_str(&whole);
                    }
                    _ => {}
                }
            }
            Part::Operator(whole, _) => text.push_str(&whole),
        }
    }
    text
}

/// A line of a template with an argument more: behind the others, before what keeps or drops the line.
fn with(line: &str, word: &str) -> String {
    let parts = template::parts(line);
    let keeps = |part: &Part| {
        matches!(part, Part::Operator(_, Operator::Include(_) | Operator::Exclude(_)))
            || matches!(part, Part::Text(text) if text.contains('#'))
    };
    let at = parts.iter().position(keeps).unwrap_or(parts.len());
    let text = |parts: &[Part]| -> String {
        let whole = parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Operator(whole, _) => whole.as_str(),
        });
        whole.collect()
    };
    let (before, after) = parts.split_at(at);
    let (before, after) = (text(before), text(after));
    let gap = if after.is_empty() { "" } else { "    " };
    format!("{} {word}{gap}{after}", before.trim_end())
}

#[cfg(test)]
mod tests;
