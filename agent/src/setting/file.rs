//! Owner, group and mode of files and directories, now and as the next boot leaves them.
//!
//! Which files is said with patterns ([`super::place`]), what is wanted of them with [`super::access`]. Nothing there
//! is good enough: whoever makes the file later is another question. A file that `tmpfiles.d(5)` gives back a wider mode at
//! each boot is mended there too, with a line of our own that is carried out last.

use anyhow::{Context, Result};
use glob::Pattern;
use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Access, Mode};
use super::place::{self, Place, Sort};
use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Names;
use crate::finding::Finding;
use crate::system::{System, tmpfiles};

/// Our own lines for each boot: of a name that sorts last.
const DROP_IN: &str = "/etc/tmpfiles.d/zz-trempe.conf";

/// Owner, group and mode of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The files: paths with `*`, `?`, `[…]`, `**` for any number of directories, `~` for the home of each interactive
    /// user.
    pub path: Names,
    /// Whether directories are meant, or everything else; symbolic links never are.
    #[serde(default)]
    pub sort: Sort,
    /// Of these, only those whose name this regular expression finds.
    #[serde(default)]
    pub name: Option<String>,
    /// Not these: whole paths when they start with a slash, names otherwise; with the same wildcards.
    #[serde(default)]
    pub except: Vec<String>,
    /// Who may own them, by name or number; the first that exists is who shall. `~` is the user whose home it is.
    #[serde(default)]
    pub owner: Option<Names>,
    /// Which groups they may have, by name or number; the first that exists is which they shall.
    #[serde(default)]
    pub group: Option<Names>,
    /// The most their mode may allow, in octal.
    #[serde(default)]
    pub mode: Option<Mode>,
}

impl Setting for File {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let access = self.access();
        let places = self.places(system)?;
        let subject = self.path.as_slice().join(", ");
        access.judge_all(&places, &subject, system.accounts()?, &mut finding);
        self.examine_boot(system, &access, &places, &mut finding)?;
        Ok(finding)
    }

    fn describe(&self) -> String {
        let sort = match self.sort {
            Sort::File | Sort::Entry => "",
            Sort::Directory => "the directory ",
        };
        format!("{sort}{}: {}", self.path.as_slice().join(", "), self.access().wanted())
    }
}

impl File {
    fn access(&self) -> Access {
        Access { owner: self.owner.clone(), group: self.group.clone(), mode: self.mode }
    }

    fn places(&self, system: &System) -> Result<Vec<Place>> {
        let except = self.except.iter().map(|text| Exception::parse(text)).collect::<Result<Vec<_>>>()?;
        let name = match &self.name {
            Some(text) => Some(Regex::new(text).with_context(|| format!("reading the expression '{text}'"))?),
            None => None,
        };
        let mut places: Vec<Place> = Vec::new();
        for pattern in self.path.as_slice() {
            places.extend(place::find(system, pattern, self.sort)?);
        }
        places.retain(|place| {
            let named = name.as_ref().is_none_or(|name| name.is_match(&place.name()));
            named && !except.iter().any(|exception| exception.takes(place))
        });
        Ok(places)
    }

    /// What systemd-tmpfiles makes of these files at the next boot.
    fn examine_boot(
        &self,
        system: &System,
        access: &Access,
        places: &[Place],
        finding: &mut Finding,
    ) -> Result<()> {
        let accounts = system.accounts()?;
        let lines = system.tmpfiles()?;
        let mut own = None;
        for place in places {
            let Some((meta, line)) = tmpfiles::after_boot(lines, &place.path, &place.meta, accounts) else {
                continue;
            };
            let judgement = access.judge(place, &meta, accounts);
            if judgement.holds {
                continue;
            }
            let found = format!("{} again at each boot", judgement.found);
            finding.persistent(false, found, access.wanted(), format!("{}:{}", line.file, line.number));
            if let Some(Change::SetMeta { path, mode, uid, gid }) = judgement.change {
                let text = match own.take() {
                    Some(text) => text,
                    None => system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned()),
                };
                own = Some(tmpfiles::set(&text, &path, mode, uid, gid));
            }
        }
        if let Some(text) = own {
            finding.change(Change::write(DROP_IN, text));
        }
        Ok(())
    }
}

/// Files that are left out.
enum Exception {
    Path(Pattern),
    Name(Pattern),
}

impl Exception {
    fn parse(text: &str) -> Result<Exception> {
        let pattern = Pattern::new(text).with_context(|| format!("'{text}' is no pattern"))?;
        Ok(if text.starts_with('/') { Exception::Path(pattern) } else { Exception::Name(pattern) })
    }

    fn takes(&self, place: &Place) -> bool {
        match self {
            Exception::Path(pattern) => pattern.matches_path(&place.path),
            Exception::Name(pattern) => pattern.matches(&place.name()),
        }
    }
}

#[cfg(test)]
#[path = "file/tests.rs"]
mod tests;
