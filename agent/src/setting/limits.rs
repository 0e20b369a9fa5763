//! Limits of what sessions may use: `limits.conf(5)`.
//!
//! `pam_limits` reads `/etc/security/limits.conf` and then the `.conf` files of `/etc/security/limits.d` in the order of their
//! names; of lines for the same domain the last one counts. `-` is both the soft and the hard limit.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

const MAIN: &str = "/etc/security/limits.conf";
const DIR: &str = "/etc/security/limits.d";
const DROP_IN: &str = "/etc/security/limits.d/99-zz-trempe.conf";

/// A hard limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Whom it is for: `*`, a user, `@group`.
    pub domain: String,
    /// What is limited.
    pub item: String,
    /// The hard limit.
    pub hard: Text,
}

struct Found {
    path: PathBuf,
    line: usize,
    value: String,
    span: Range<usize>,
}

impl Setting for Limits {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut all = Vec::new();
        let mut texts = Vec::new();
        let files = [vec![PathBuf::from(MAIN)], system.drop_ins(DIR, ".conf")?].concat();
        for path in files {
            let text = system.read_text(&path)?.unwrap_or_default();
            all.extend(self.lines(&path, &text));
            texts.push((path, text));
        }
        let wanted = format!("{} hard {} {}", self.domain, self.item, self.hard);
        let good = |found: &Found| found.value == self.hard.as_str();
        let Some(last) = all.last() else {
            finding.persistent(false, "not set", &wanted, DIR);
            let own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
            finding.change(Change::write(DROP_IN, format!("{own}{wanted}\n")));
            return Ok(finding);
        };
        let found = format!("{} hard {} {}", self.domain, self.item, last.value);
        finding.persistent(good(last), found, wanted, format!("{}:{}", last.path.display(), last.line));
        if !finding.is_compliant() {
            for (path, text) in texts {
                let mut mended = text.clone();
                for bad in all.iter().rev().filter(|found| found.path == path && !good(found)) {
                    mended.replace_range(bad.span.clone(), self.hard.as_str());
                }
                if mended != text {
                    finding.change(Change::write(path, mended));
                }
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("the hard limit of {} for {} is {} (limits.conf)", self.item, self.domain, self.hard)
    }
}

impl Limits {
    /// The lines that set this limit.
    fn lines(&self, path: &std::path::Path, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let mut offset = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let content = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = content.split_whitespace().collect();
            if let [domain, kind, item, value] = words[..]
                && domain == self.domain
                && matches!(kind, "hard" | "-")
                && item == self.item
            {
                let end = offset + content.trim_end().len();
                let span = end - value.len()..end;
                found.push(Found { path: path.to_owned(), line: index + 1, value: value.to_owned(), span });
            }
            offset += line.len();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn no_dumps() -> Limits {
        Limits { domain: "*".into(), item: "core".into(), hard: "0".into() }
    }

    #[test]
    fn the_last_line_counts() {
        let tree = Tree::new().file(MAIN, "* hard core 0\n").file(
            "/etc/security/limits.d/10-a.conf",
            "*\t-\tcore  unlimited # for the lab\n@dev hard core 5\n",
        );
        let finding = no_dumps().examine(&tree.system()).unwrap();
        assert_eq!(finding.evidence[0].place, "/etc/security/limits.d/10-a.conf:1");
        tree.round_trip(&no_dumps());
        tree.applied(&no_dumps());
        let text = tree.text("/etc/security/limits.d/10-a.conf");
        assert_eq!(text, "*\t-\tcore  0 # for the lab\n@dev hard core 5\n");
    }

    #[test]
    fn a_soft_limit_is_none() {
        let tree = Tree::new().file(MAIN, "#* hard core 0\n* soft core 0\n");
        tree.round_trip(&no_dumps());
        tree.applied(&no_dumps());
        assert!(tree.text(DROP_IN).ends_with("\n* hard core 0\n"));
        assert_eq!(tree.text(MAIN), "#* hard core 0\n* soft core 0\n");
    }
}
