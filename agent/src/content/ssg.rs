//! The names of the SCAP Security Guide: which groups, rules and values its benchmarks for our products have.
//!
//! Tailoring files are written against those benchmarks, by hand, by autotailor or by SCAP Workbench, which writes a line for
//! every group and rule it shows. The catalogue puts its rules into the same groups, so that a group left out there is left out
//! here, and tells a name of theirs that it has nothing for from a slip of the pen.

use std::collections::BTreeMap;

use xccdf::Kind;

const NAMES: &str = include_str!("../../../profiles/ssg.tsv");

/// The names, each with the group it is in; empty at the top.
#[derive(Debug, Clone)]
pub struct SsgNames {
    /// Groups in document order, parents first: id and parent.
    pub groups: Vec<(&'static str, &'static str)>,
    rules: BTreeMap<&'static str, &'static str>,
    values: BTreeMap<&'static str, &'static str>,
}

impl SsgNames {
    /// The names in the binary.
    pub fn embedded() -> SsgNames {
        SsgNames::parse(NAMES)
    }

    /// Reads lines of kind, id and group, separated by tabs.
    fn parse(text: &'static str) -> SsgNames {
        let mut names = SsgNames { groups: Vec::new(), rules: BTreeMap::new(), values: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (kind, id, group) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
            match (kind, id) {
                (Some("group"), Some(id)) => names.groups.push((id, group)),
                (Some("rule"), Some(id)) => drop(names.rules.insert(id, group)),
                (Some("value"), Some(id)) => drop(names.values.insert(id, group)),
                _ => {}
            }
        }
        names
    }

    /// The group that a rule is in there.
    pub fn group_of(&self, rule: &str) -> Option<&'static str> {
        self.rules.get(rule).copied()
    }

    /// Whether there is such a thing of this kind there.
    pub fn has(&self, kind: Kind, short_id: &str) -> bool {
        match kind {
            Kind::Group => self.groups.iter().any(|(id, _)| *id == short_id),
            Kind::Rule => self.rules.contains_key(short_id),
            Kind::Value => self.values.contains_key(short_id),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_a_group_that_is_there() {
        let names = SsgNames::embedded();
        for (id, parent) in &names.groups {
            assert!(parent.is_empty() || names.has(Kind::Group, parent), "{id} is in {parent}");
        }
        for (id, group) in names.rules.iter().chain(&names.values) {
            assert!(names.has(Kind::Group, group), "{id} is in {group}");
        }
        assert_eq!(names.group_of("sshd_disable_root_login"), Some("ssh_server"));
        assert!(names.has(Kind::Value, "sshd_idle_timeout_value"));
        assert!(!names.has(Kind::Rule, "sshd_idle_timeout_value"));
    }
}
