//! The configuration file of a PAM module: `pwquality.conf(5)`, `faillock.conf(5)`, `pwhistory.conf(5)`.
//!
//! An argument on the module's line in a stack overrides the file. Of drop-ins and the main file the main file is read last
//! (`pwquality.conf(5)`). What is not set is not good enough, even where the module's default would be: defaults change with
//! versions.

use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{NewArguments, change_arguments};
use super::stack;
use crate::change::Change;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::setting::assignment::{self, Assignment, Dialect};
use crate::setting::must::Must;
use crate::system::System;

/// A value in the configuration file of a PAM module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PamConf {
    /// The file. Drop-ins are looked for in the directory of its name and `.d`.
    pub file: String,
    /// The key.
    pub key: String,
    /// What its value must be; without this, the key must be there.
    #[serde(default)]
    pub must: Option<Must>,
    /// The module that reads the file.
    pub module: String,
    /// The service that calls the module.
    pub service: String,
    /// The facility in which it does.
    pub facility: String,
    /// A package without which the module, once told so, would refuse everybody: installed before it is told.
    #[serde(default)]
    pub needs: Option<String>,
}

impl Setting for PamConf {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let overridden = self.examine_arguments(system, &mut finding)?;
        if overridden && finding.is_compliant() {
            return Ok(finding);
        }
        let mut decides: Option<(PathBuf, Assignment)> = None;
        let mut files = system.drop_ins(format!("{}.d", self.file), ".conf")?;
        files.push(PathBuf::from(&self.file));
        for path in files {
            let text = system.read_text(&path)?.unwrap_or_default();
            let last = assignment::parse(&text, Dialect::Either).into_iter().rfind(|one| one.key == self.key);
            decides = last.map(|last| (path, last)).or(decides);
        }
        let good = match &decides {
            Some((path, one)) => {
                let place = format!("{}:{}", path.display(), one.line);
                let good = self.accepts(&one.value)?;
                let found = format!("{} = {}", self.key, one.value);
                finding.persistent(good, found.trim_end_matches(" = "), self.wanted(), place);
                good
            }
            None => {
                finding.persistent(false, "not set", self.wanted(), &self.file);
                false
            }
        };
        if !good {
            if let Some(package) = &self.needs {
                let missing = !system.packages()?.has(package);
                let install = || Change::Packages { install: vec![package.clone()], remove: Vec::new() };
                finding.changes.extend(missing.then(install));
            }
            let text = system.read_text(&self.file)?.unwrap_or_default();
            let aim = self.must.as_ref().map_or(Ok(""), Must::aim)?;
            let content =
                assignment::set(&text, Dialect::Either, &self.key, aim, |value| self.accepts(value))?;
            finding.change(Change::write(&self.file, content));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{} in {}, and no argument of {} says otherwise", self.wanted(), self.file, self.module)
    }
}

impl PamConf {
    fn wanted(&self) -> String {
        self.must
            .as_ref()
            .map_or_else(|| format!("{} is set", self.key), |must| format!("{} is {must}", self.key))
    }

    fn accepts(&self, value: &str) -> Result<bool> {
        self.must.as_ref().map_or(Ok(true), |must| must.accepts(value))
    }

    /// Judges the arguments that override the file; bad ones are taken away. True when every line of the module has one.
    fn examine_arguments(&self, system: &System, finding: &mut Finding) -> Result<bool> {
        let steps = stack::read(system, &self.service, &self.facility)?.unwrap_or_default();
        let lines = stack::lines(&steps);
        let mut every = false;
        let mut edits = Vec::new();
        for (index, (path, line)) in
            lines.into_iter().filter(|(_, line)| line.module_name() == self.module).enumerate()
        {
            let words = line.words();
            let own = |word: &&String| word.split('=').next() == Some(self.key.as_str());
            let overriding = words.iter().rfind(own);
            every = overriding.is_some() && (every || index == 0);
            let Some(word) = overriding else { continue };
            let good = self.accepts(word.split_once('=').map_or("", |(_, value)| value))?;
            let place = format!("{}:{}", path.display(), line.number);
            finding.persistent(good, word.as_str(), self.wanted(), place);
            if !good {
                let arguments = words.iter().filter(|word| !own(word)).cloned().collect();
                edits.push(NewArguments { path: path.to_path_buf(), line: line.clone(), arguments });
            }
        }
        finding.changes.extend(change_arguments(system, edits)?);
        Ok(every)
    }
}
