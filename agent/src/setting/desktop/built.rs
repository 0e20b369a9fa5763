//! dconf as a whole: keys that users cannot change whatever their value, and databases that are as new as their files.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files;
use crate::change::Change;
use crate::finding::Finding;
use crate::setting::{OWNED_HEADER, Setting};
use crate::system::{System, Tool};

const DIR: &str = "/etc/dconf/db";
/// Our own file of locks.
const OWN: &str = "00-trempe";

/// A key that users cannot change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DconfLock {
    /// The database.
    pub database: String,
    /// The key, as a path.
    pub key: String,
}

impl Setting for DconfLock {
    fn examine(&self, system: &System) -> Result<Finding> {
        let dir = format!("{DIR}/{}.d/locks", self.database);
        let all = files(system, &dir)?;
        let holds = all.iter().find(|(_, text)| text.lines().any(|line| line.trim() == self.key));
        let wanted = format!("{} locked", self.key);
        let mut finding = Finding::new();
        match holds {
            Some((path, _)) => drop(finding.persistent(true, "locked", wanted, path)),
            None => {
                finding.persistent(false, "not locked", wanted, &dir);
                let own = format!("{dir}/{OWN}");
                let text = system.read_text(&own)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
                finding.change(Change::write(own, format!("{text}{}\n", self.key)));
                if let Some(change) = build(system, std::slice::from_ref(&self.database)) {
                    finding.change(change);
                }
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("in the dconf database {}, users cannot change {}", self.database, self.key)
    }
}

/// Every database is as new as the files it is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DconfBuilt {
    /// The databases.
    pub databases: Vec<String>,
}

impl Setting for DconfBuilt {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut stale = Vec::new();
        for name in &self.databases {
            let dir = format!("{DIR}/{name}.d");
            let mut sources = files(system, &dir)?;
            sources.extend(files(system, &format!("{dir}/locks"))?);
            let times: Vec<_> =
                sources.iter().map(|(path, _)| system.modified(path)).collect::<Result<_>>()?;
            let newest = times.into_iter().flatten().max();
            let place = format!("{DIR}/{name}");
            let Some(newest) = newest else {
                finding.persistent(true, "is made from no file", "as new as its files", place);
                continue;
            };
            let made = system.modified(&place)?;
            let fresh = made.is_some_and(|made| made >= newest);
            let found = match (fresh, made) {
                (true, _) => "as new as its files",
                (false, Some(_)) => "older than a file it is made from",
                (false, None) => "no such database",
            };
            finding.persistent(fresh, found, "as new as its files", place);
            if !fresh {
                stale.push(name.clone());
            }
        }
        if !stale.is_empty() {
            match build(system, &stale) {
                Some(change) => drop(finding.change(change)),
                None => drop(finding.manual("the databases are made on the machine itself: dconf update")),
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("the dconf databases {} are as new as their files", self.databases.join(", "))
    }
}

/// The change that makes databases; `None` where the program is not to be run.
fn build(system: &System, databases: &[String]) -> Option<Change> {
    let there = system.is_running() && system.has_tool(Tool::DconfUpdate);
    there.then(|| Change::Generate {
        tool: Tool::DconfUpdate,
        args: vec!["update".to_owned()],
        outputs: databases.iter().map(|name| format!("{DIR}/{name}").into()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let lock =
            DconfLock { database: "local".into(), key: "/org/gnome/desktop/session/idle-delay".into() };
        let tree = Tree::new().file("/etc/dconf/db/local.d/locks/50-x", "/a/b\n");
        tree.round_trip(&lock);
        tree.applied(&lock);
        assert!(tree.text("/etc/dconf/db/local.d/locks/00-trempe").ends_with("/idle-delay\n"));
    }

    #[test]
    fn a_database_that_was_not_made_is_made_and_taken_back() {
        let built = DconfBuilt { databases: vec!["local".into()] };
        Tree::new().file("/etc/dconf/db/local.d/00-x", "[a]\nb=1\n").running().round_trip(&built);
    }

    #[test]
    fn a_database_without_files_is_fresh_and_one_that_was_not_made_is_not() {
        let built = DconfBuilt { databases: vec!["local".into()] };
        assert!(built.examine(&Tree::new().system()).unwrap().is_compliant());
        let tree = Tree::new().file("/etc/dconf/db/local.d/00-x", "[a]\nb=1\n");
        assert!(!built.examine(&tree.system()).unwrap().is_compliant());
        assert!(built.examine(&tree.file("/etc/dconf/db/local", "x").system()).unwrap().is_compliant());
    }
}
