//! What was done for an instance: `/var/lib/trempe/firstboot.json`, which survives reboots.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Phase;
use super::instance::Instance;
use crate::apply::file::{self, Attributes, Whole};
use crate::apply::journal::STATE_DIR;
use crate::exit::Exit;
use crate::system::System;

/// The file's name in the state directory.
const FILE: &str = "firstboot.json";

/// A phase that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// When, RFC 3339.
    pub finished: String,
    /// The tier, or the profile where none was named.
    pub asked: String,
    /// The run that changed the machine; empty when nothing had to be changed.
    pub run: String,
    /// The exit code it ended with.
    pub exit: u8,
    /// The rules in error and the problems, in words.
    #[serde(default)]
    pub trouble: Vec<String>,
    /// What of it no run for the rules mends: what became of cloud-init.
    #[serde(default)]
    pub lasting: Vec<String>,
    /// Whether a bad configuration had it fall back to the image's.
    #[serde(default)]
    pub misled: bool,
    /// How often it was done, the last time counted.
    #[serde(default)]
    pub tries: u8,
}

/// The phases done for an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The instance.
    pub instance: Instance,
    /// What was done.
    pub done: BTreeMap<Phase, Done>,
    /// How often in a row a phase that is not done did not come to its end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<Phase, u8>,
}

impl Record {
    /// What is on disk; `None` when nothing is, or what is there is no such record: then it is done again, which does no harm.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(system: &System) -> Result<Option<Record>> {
        let text = system.read_text(Path::new(STATE_DIR).join(FILE))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The record of this instance: what is on disk, or an empty one where that is of another.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn of(system: &System, instance: &Instance) -> Result<Record> {
        let before = Record::read(system)?.filter(|record| instance.is_still(&record.instance));
        Ok(before.unwrap_or_else(|| Record { instance: instance.clone(), ..Record::default() }))
    }

    /// What was in trouble is not any longer, as a run by hand against the same tier has shown, which ended with `exit`; but for what such
    /// a run does not do. Returns whether there was any.
    pub fn mend(&mut self, asked: &str, exit: Exit) -> bool {
        let mut mended = false;
        for done in self.done.values_mut().filter(|done| done.asked == asked && done.trouble != done.lasting)
        {
            let exit = if done.lasting.is_empty() { exit } else { Exit::Trouble };
            (done.exit, done.misled, mended) = (exit.code(), false, true);
            done.trouble.clone_from(&done.lasting);
        }
        mended
    }

    /// Puts it on disk.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is there still.
    pub fn keep(&self, system: &System) -> Result<()> {
        let content = serde_json::to_vec_pretty(self)?;
        let path = Path::new(STATE_DIR).join(FILE);
        file::make_directories(system, Path::new(STATE_DIR), 0o700)?;
        file::write(system, &path, &Whole { content, attributes: Attributes::new(0o600) })
            .context("keeping what the first boot did")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn it_is_of_one_instance() {
        let tree = Tree::new().dir("/var/lib", 0o755);
        let system = tree.system();
        let here = Instance { instance_id: Some("a".into()), machine_id: "m".into() };
        let mut record = Record::of(&system, &here).unwrap();
        assert!(record.done.is_empty());
        let done = Done {
            finished: "2026".into(),
            asked: "strict".into(),
            run: String::new(),
            exit: 0,
            trouble: vec![],
            lasting: vec![],
            misled: false,
            tries: 1,
        };
        record.done.insert(Phase::BeforeLogins, done);
        record.keep(&system).unwrap();
        assert_eq!(Record::of(&system, &here).unwrap(), record);
        assert_eq!(tree.mode("/var/lib/trempe/firstboot.json"), 0o600);
        let clone = Instance { instance_id: Some("b".into()), ..here };
        assert!(Record::of(&system, &clone).unwrap().done.is_empty(), "a clone begins anew");
    }

    #[test]
    fn a_run_by_hand_mends_what_was_in_trouble() {
        let done = |asked: &str, trouble: &[&str]| Done {
            finished: "2026".into(),
            asked: asked.into(),
            run: String::new(),
            exit: Exit::Trouble.code(),
            trouble: trouble.iter().map(|&line| line.to_owned()).collect(),
            lasting: vec![],
            misled: false,
            tries: 3,
        };
        let mut record = Record::default();
        record.done.insert(Phase::AfterProvisioning, done("strict", &["aide: no mirror answers"]));
        assert!(!record.mend("light", Exit::Good), "it was asked for something else");
        assert!(record.mend("strict", Exit::Deviates));
        let now = &record.done[&Phase::AfterProvisioning];
        assert_eq!((now.exit, now.trouble.len()), (Exit::Deviates.code(), 0));
        assert!(!record.mend("strict", Exit::Good), "nothing is left to mend");

        let lasting = vec!["'cloud_init: afterwards: trim' is not done".to_owned()];
        let both = done("strict", &["aide: no mirror answers", &lasting[0]]);
        record.done.insert(Phase::AfterProvisioning, Done { lasting: lasting.clone(), ..both });
        assert!(record.mend("strict", Exit::Good));
        let now = &record.done[&Phase::AfterProvisioning];
        assert_eq!(
            (now.exit, &now.trouble),
            (Exit::Trouble.code(), &lasting),
            "a run for rules does not do that"
        );
    }

    #[test]
    fn one_that_makes_no_sense_is_none() {
        let tree = Tree::new().file("/var/lib/trempe/firstboot.json", "{\"instance\":");
        assert_eq!(Record::read(&tree.system()).unwrap(), None);
    }
}
