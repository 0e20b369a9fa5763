//! XCCDF's verdicts, as both tools write them.

use serde::{Deserialize, Serialize};

/// The result of one rule (XCCDF 1.2, section 6.6.4.2), and `absent` for a rule that one tool does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the words are XCCDF's own")]
pub enum Verdict {
    Pass,
    Fail,
    Fixed,
    Error,
    Unknown,
    Notapplicable,
    Notchecked,
    Notselected,
    Informational,
    Absent,
}

impl Verdict {
    /// The verdict of this name.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        serde_json::from_value(name.into()).map_err(|_| anyhow::anyhow!("`{name}` is no XCCDF verdict"))
    }

    /// Whether somebody looked and came to a conclusion.
    pub fn decides(self) -> bool {
        matches!(self, Self::Pass | Self::Fail | Self::Fixed)
    }

    /// Whether the two say the same of the machine: a rule just fixed passes.
    pub fn agrees(self, other: Self) -> bool {
        let plain = |verdict| if verdict == Self::Fixed { Self::Pass } else { verdict };
        plain(self) == plain(other)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

/// What follows `_rule_` in a full id; the short id both tools share.
pub fn short_id(id: &str) -> &str {
    id.split_once("_rule_").map_or(id, |(_, short)| short)
}
